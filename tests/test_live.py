"""What somebody sees of a run that learns: curves from which no spike is missing, the wall, and one's own drawing after each epoch."""

import base64
import json
import math
import shutil

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganad import service
from ganad.config import KNOWN, resolve
from ganad.errors import RunError
from ganad.models import build
from ganad.runs import archive, checkpoint, epoch_nets, history, run_directory, wall
from ganad.scoring.score import score
from ganad.training import jobs, worker
from ganad.ui.components import live_training
from ganad.ui.components.digit_pad import SIDE, encode
from ganad.web.envelope import bucket_of, envelope
from tests.test_pages import opened, words
from tests.test_worker import small


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=400),
    st.integers(1, 60),
    st.booleans(),
)
def test_of_each_bucket_the_least_and_the_greatest_stay_and_of_the_curve_the_first_and_the_last(y, buckets, uneven):
    y = np.array(y)
    x = np.arange(len(y), dtype=float) ** (2 if uneven else 1)
    kept = envelope(x, y, buckets)
    assert kept[0].tolist() == [x[0], y[0]]
    assert kept[-1].tolist() == [x[-1], y[-1]]
    assert (np.diff(kept[:, 0]) > 0).all()  # in their order, none twice
    assert np.array_equal(y[np.searchsorted(x, kept[:, 0])], kept[:, 1])  # points of the curve, nothing made up
    assert len(kept) <= 2 * buckets + 2
    of, of_kept = bucket_of(x, buckets), bucket_of(kept[:, 0], buckets)
    for bucket in np.unique(of):
        there = kept[of_kept == bucket, 1]
        assert there.min() == y[of == bucket].min()
        assert there.max() == y[of == bucket].max()


@pytest.mark.parametrize("at", [1, 63, 2500, 4998])
def test_a_tenfold_spike_among_5000_rows_travels_to_the_browser(at):
    rows = [{"step": i + 1, "epoch": 1 + i // 100, "loss/generator": 1.0} for i in range(5000)]
    rows[at]["loss/generator"] = 10.0
    (panel,) = live_training.curves(rows, resolve("ganomaly", normal=(8,)), 100.0)
    points = np.frombuffer(base64.b64decode(panel["points"]), "<f4").reshape(-1, 2)
    assert points[points[:, 1] == 10.0].tolist() == [pytest.approx([(at + 1) / 100, 10.0])]
    assert len(points) <= 2 * live_training.BUCKETS + 2


def test_a_panel_for_each_loss_each_term_and_each_part_of_the_held_out_normals():
    rows = [
        {"step": 1, "epoch": 1, "loss/discriminator": 1.4, "loss/generator": 5.0, "generator/contextual": 0.1},
        {"step": 2, "epoch": 1, "loss/discriminator": float("nan"), "loss/generator": 4.0},
        {"step": 2, "epoch": 1, "val": {"residual": 30.0, "latent": 0.1}},
    ]
    panels = live_training.curves(rows, resolve("ganomaly", normal=(8,)), 2.0)
    assert [(p["title"], p["small"]) for p in panels] == [
        ("Loss of the discriminator", False),
        ("Loss of the generator", False),
        ("contextual term of the generator", True),
        ("Mean residual of held-out normals", True),
        ("Mean latent of held-out normals", True),
    ]
    assert all(p["meaning"] for p in panels)
    assert panels[0]["equilibrium"] == math.log(2)
    assert np.frombuffer(base64.b64decode(panels[0]["points"]), "<f4").tolist() == pytest.approx([0.5, 1.4])


def test_the_parents_curve_goes_along_to_its_own_end_and_every_panel_has_the_marks():
    rows = [{"step": s, "epoch": s, "loss/encoder": 1.0, "encoder/code": 0.5} for s in range(1, 6)]
    parent = [{"step": s, "epoch": s, "loss/encoder": 4.0} for s in range(1, 9)]
    loss, code = live_training.curves(rows, resolve("egbad", normal=(8,)), 1.0, parent=parent, marks=[(2, "lr 0.0001")])
    beneath = np.frombuffer(base64.b64decode(loss["parent"]), "<f4").reshape(-1, 2)
    assert beneath.tolist() == [[epoch, 4.0] for epoch in range(1, 9)]
    assert code["parent"] is None
    assert loss["marks"] == code["marks"] == [(2, "lr 0.0001")]


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.title)
def test_each_value_that_a_method_logs_has_a_sentence_and_its_equilibrium_is_what_a_discriminator_pays_that_cannot_tell(
    known,
):
    method = build(resolve(known.model_fields["method"].default, "tuned", normal=(8,), filters=4, latent=8)).train()
    s = method.settings
    d = method.nets["discriminator"]
    logged = {}
    for share in (0.0, 0.999):  # a method that trains in phases logs other values at the end
        with torch.no_grad():  # its last layer says 0, that is one half, to everything
            last = [m for m in d.modules() if isinstance(m, torch.nn.Linear | torch.nn.Conv2d)][-1]
            last.weight.zero_()
            if last.bias is not None:
                last.bias.zero_()
        # With a step size of 0 the discriminator is the same when the generator asks it.
        for optimiser in method.optimisers().values():
            for group in optimiser.param_groups:
                group["lr"] = 0.0
        method.set_progress(share)
        x = torch.rand(4, 1, s.image_size, s.image_size) * 2 - 1
        for k in range(getattr(s, "critic_steps", 1)):
            logged |= method.step(x, torch.Generator().manual_seed(k))
    assert logged.keys() <= s.curves.keys()
    for name, curve in s.curves.items():
        assert curve.meaning
        if curve.equilibrium is not None and name in logged:
            assert float(logged[name]) == pytest.approx(curve.equilibrium, abs=1e-5), name
            assert curve.in_words.endswith(f"{curve.equilibrium:.3f}" if curve.equilibrium else "0")


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    folder = tmp_path_factory.mktemp("live")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANAD_RUNS", str(folder))
        run = run_directory.create(small(epochs=3))
        assert worker.work(run) == "finished"
    return run


def test_the_wall_shows_ten_normals_and_ten_others_as_the_last_nets_see_them(learned):
    kept = wall.read(learned)
    assert (kept.epoch, kept.is_finished, kept.is_generated) == (3, True, False)
    assert kept.normal.tolist() == [True] * 10 + [False] * 10
    assert (kept.digit[:10] == 8).all()
    assert set(kept.digit[10:].tolist()) == set(range(10)) - {8}
    said = score(checkpoint.load_method(learned), kept.given)
    np.testing.assert_array_equal(kept.drawn, said.reconstruction)
    for part, values in said.parts.items():
        np.testing.assert_allclose(kept.parts[part], values, rtol=1e-4)


def test_nets_of_the_epochs_judge_a_drawing_as_they_judged_the_fixed_sample_then(runs_dir, learned):
    run = archive.unpack(archive.pack(learned))  # they travel with the run
    assert service.epochs_with_nets(run.name) == [1, 2, 3]
    kept, scores = history.read(run), run_directory.read_scores(run)
    row = int(np.flatnonzero(~kept.held_out)[0])
    image = service.test_images(run.name)[kept.row[row]]
    weights = run_directory.settings(run).weights
    for at, epoch in enumerate([1, 2, 3]):
        own = sum(w * kept.parts[part][at, row] for part, w in zip(kept.parts, weights, strict=True))
        said = service.score_after(run.name, epoch, image)
        assert said.score == pytest.approx(own, rel=0.02)  # half precision
        held = sum(w * kept.parts[part][at, kept.held_out] for part, w in zip(kept.parts, weights, strict=True))
        assert said.threshold == pytest.approx(np.sort(held)[38])  # 40 held out: the 39th, ceil(41 * 0.95)
    assert len(scores.val) == 40
    with pytest.raises(RunError, match="has not kept its nets of epoch 7"):
        service.score_after(run.name, 7, image)


def test_a_pad_below_the_slider_over_the_epochs_judges_by_the_nets_that_it_rests_at(runs_dir, learned):
    """Of a run that has kept them; a shipped one has the slider alone."""
    run = archive.unpack(archive.pack(learned))
    key = f"epochs_{run.name}"
    page = opened("pages/1_Train.py", run=run.name)
    page.toggle(key=f"{key}_draw").set_value(True).run()
    assert not page.exception
    assert "as it was" not in sent_to_pad(page, f"{key}_pad")["intro"]
    (run / epoch_nets.FOLDER / epoch_nets.place(run, 3).name).unlink()
    for label, judge in (("epoch 1", 1), ("epoch 2", 2), ("epoch 3", 2), ("finished", None), ("epoch 99", None)):
        page.session_state["_memory"].of_component[key, run.name] = label  # where the browser says that it rests
        page.run()
        assert not page.exception
        intro = sent_to_pad(page, f"{key}_pad")["intro"]
        assert (f"as it was after epoch {judge}," in intro) if judge else ("as it was" not in intro)
    assert "epochs_ganomaly-n8_draw" not in [t.key for t in opened("pages/1_Train.py", run="ganomaly-n8").toggle]


def test_nets_stay_of_the_latest_epoch_and_of_a_handful_before_it(tmp_path):
    (tmp_path / epoch_nets.FOLDER).mkdir()
    epochs = range(1, 61)
    for epoch in epochs:
        epoch_nets.place(tmp_path, epoch).write_bytes(b"x")
        epoch_nets.prune(tmp_path, epochs, epoch)
        assert max(epoch_nets.kept(tmp_path)) == epoch
        assert len(epoch_nets.kept(tmp_path)) <= epoch_nets.KEPT + 1
    assert list(epoch_nets.kept(tmp_path)) == [1, 3, 8, 21, 59, 60]
    epoch_nets.place(tmp_path, 10).write_bytes(b"x")
    epoch_nets.prune(tmp_path, epochs, 10)  # a run that was resumed from before: later epochs come again
    assert list(epoch_nets.kept(tmp_path)) == [1, 3, 8, 10]


def test_large_nets_are_not_kept(runs_dir, monkeypatch):
    monkeypatch.setattr(epoch_nets, "MOST_BYTES", 1000)
    run = run_directory.create(small(epochs=1))
    assert worker.work(run) == "finished"
    assert service.epochs_with_nets(run.name) == []
    assert service.probe_wall(run.name).score is not None


def test_a_method_that_searches_shows_the_images_that_it_searches_for_anyway_and_keeps_no_nets(runs_dir):
    run = run_directory.create(small("anogan", epochs=1, search_steps=2, test_limit=200))
    assert worker.work(run) == "finished"
    kept = wall.read(run)
    given, drawn = run_directory.read_probe(run_directory.samples(run)[1])
    assert (kept.epoch, kept.is_finished) == (1, False)
    assert np.array_equal(kept.given[kept.digit == 8], given[:1])
    assert np.array_equal(kept.drawn[kept.digit == 8], drawn[:1])
    assert len(kept.digit) == len(given)
    assert service.epochs_with_nets(run.name) == []
    assert service.probe_wall(run.name).threshold is None  # no history, no held-out scores of the epoch


def test_a_run_that_is_trained_on_takes_its_epochs_along(runs_dir, learned):
    run = archive.unpack(archive.pack(learned))
    (run / "state.pt").write_bytes((learned / "state.pt").read_bytes())
    longer = jobs.continued(run, 2)
    assert list(epoch_nets.kept(longer)) == [1, 2, 3]
    assert wall.read(longer).epoch == 3


def test_a_damaged_wall_is_said_and_a_zip_with_one_is_refused(runs_dir, learned):
    run = archive.unpack(archive.pack(learned))
    (run / wall.FILE).write_bytes(b"not an archive")
    with pytest.raises(RunError, match=r"wall\.npz"):
        service.probe_wall(run.name)
    arrays = dict(np.load(learned / wall.FILE))
    wrong = {"drawn": arrays["drawn"][:3], "latent": np.full(20, np.nan), "given": None, "normal": np.zeros(20)}
    for name, value in (wrong | {"is_finished": np.array(1), "epoch": np.array(1.5)}).items():
        with pytest.raises(RunError, match=name):
            wall.check({k: v for k, v in (arrays | {name: value}).items() if v is not None}, ("latent",), "wall.npz")


def test_the_pad_can_be_asked_to_judge_by_the_nets_of_an_earlier_epoch(runs_dir, learned):
    run = archive.unpack(archive.pack(learned))
    at = opened("pages/4_Score.py", run=run.name)
    which = at.select_slider(key=f"pad_epoch_{run.name}")
    assert which.options == ["after epoch 1", "after epoch 2", "after epoch 3", "finished"]
    assert which.value == "finished"
    which.set_value("2").run()
    assert not at.exception
    rule = sent_to_pad(at)
    assert "as it was after epoch 2" in rule["intro"]
    held = history.read(run)
    totals = sum(w * held.parts[p][1, held.held_out] for p, w in zip(held.parts, rule["weights"], strict=True))
    assert rule["threshold"] == pytest.approx(np.sort(totals)[38])
    assert not rule["asks"]
    other = service.browser_nets_after(run.name, 2)
    assert other.file != service.browser_nets(run.name).file
    assert len(other.images) == 40


def test_a_run_without_kept_nets_has_no_such_choice(runs_dir, learned):
    run = archive.unpack(archive.pack(learned))
    shutil.rmtree(run / epoch_nets.FOLDER)
    at = opened("pages/4_Score.py", run=run.name)
    assert not at.exception
    assert not at.select_slider
    assert sent_to_pad(at)["asks"]


def test_a_drawing_that_was_judged_is_scored_by_each_epoch_of_a_run_and_shown_with_its_curve(runs_dir, learned):
    run = archive.unpack(archive.pack(learned))
    at = opened("pages/4_Score.py", run=run.name)
    at.session_state["pad"] = {"pixels": encode(stroke())}
    at.run()
    assert "In detail" in words(at)
    at.switch_page("pages/1_Train.py").run()
    assert not at.exception
    (shown,) = [json.loads(c.proto.json) for c in at.get("bidi_component") if f"wall_{run.name}" in c.proto.id]
    mine = shown["mine"]
    assert mine["epochs"] == [1, 2, 3]
    digit = np.frombuffer(base64.b64decode(mine["given"]), np.uint8).reshape(28, 28).copy()
    assert digit.any()
    assert mine["scores"] == [pytest.approx(service.score_after(run.name, e, digit).score) for e in (1, 2, 3)]
    assert shown["label"] == "after the training"


def stroke():
    """A drawing of one line."""
    sheet = np.zeros((SIDE, SIDE), np.uint8)
    sheet[20:90, 50:60] = 255
    return sheet


def sent_to_pad(at, key="pad"):
    """What the pad was given last to judge by."""
    return next(json.loads(c.proto.json)["live"] for c in at.get("bidi_component") if c.proto.id.endswith(f"-{key}"))

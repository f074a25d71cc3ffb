"""What a run keeps of its epochs: a sample scored after each, the same whether it was interrupted or not, and never in the way."""

import numpy as np
import pytest

from ganad import service
from ganad.errors import RunError
from ganad.evaluation import projection
from ganad.runs import archive, history, run_directory
from ganad.training import context, jobs, worker
from ganad.ui.components.epoch_player import POINTS, thinned
from ganad.ui.panels import epoch_by_epoch
from tests.test_pages import opened, words
from tests.test_worker import small


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """A folder with a small finished run, and its name."""
    folder = tmp_path_factory.mktemp("learned")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANAD_RUNS", str(folder))
        run = run_directory.create(small(epochs=3))
        assert worker.work(run) == "finished"
    return run


def arrays(kept):
    return [kept.epoch, kept.is_finished, kept.held_out, kept.row, kept.digit, kept.z, *kept.parts.values()]


def test_each_epoch_is_kept_and_the_last_row_says_what_the_run_itself_says(learned):
    kept, scores = history.read(learned), run_directory.read_scores(learned)
    assert kept.epoch.tolist() == [1, 2, 3, 3]
    assert kept.is_finished.tolist() == [False, False, False, True]
    assert kept.held_out.sum() == len(scores.val) == 40
    for part, values in kept.parts.items():
        own = np.concatenate(
            [scores.val.parts[part][kept.row[kept.held_out]], scores.test.parts[part][kept.row[~kept.held_out]]]
        )
        np.testing.assert_allclose(values[-1], own, rtol=1e-4, atol=1e-7)
    # Density and typicality are fitted at the end, and are in the latent part from then on.
    assert (kept.parts["latent"][-1] > kept.parts["latent"][-2]).mean() > 0.5
    assert np.array_equal(kept.parts["residual"][-1], kept.parts["residual"][-2])


def test_the_sample_holds_as_many_of_each_class(learned):
    kept = history.read(learned)
    counts = np.unique(kept.digit[~kept.held_out], return_counts=True)[1]
    assert len(counts) == 10
    assert counts.max() <= 50


def test_a_resumed_run_keeps_what_an_uninterrupted_one_keeps(runs_dir, learned, monkeypatch):
    broken = run_directory.create(small(epochs=3))
    monkeypatch.setattr(context, "BEAT_S", 0.0)  # so that every step is heard of
    assert worker.work(broken, lambda s: run_directory.ask_to_stop(broken) if s.step >= 8 else None) == "stopped"
    assert history.read(broken).epoch.tolist() == [1]
    jobs.requeue(broken)
    assert worker.work(broken) == "finished"
    for ours, whole in zip(arrays(history.read(broken)), arrays(history.read(learned)), strict=True):
        np.testing.assert_array_equal(ours, whole)


def test_a_method_that_searches_keeps_none(runs_dir):
    run = run_directory.create(small("anogan", epochs=1, search_steps=2, test_limit=100))
    assert worker.work(run) == "finished"
    assert not (run / history.FILE).exists()
    assert service.epoch_history(run.name) is None


def test_all_epochs_lie_on_the_axes_of_the_last(learned):
    kept = history.read(learned)
    z = kept.z.astype(np.float64)
    places = projection.project_epochs(kept.z, kept.held_out)
    alone = projection.project(z[-1][kept.held_out], z[-1][~kept.held_out])
    np.testing.assert_allclose(places[-1][kept.held_out], alone.val, atol=1e-6)
    np.testing.assert_allclose(places[-1][~kept.held_out], alone.test, atol=1e-6)
    # One linear map for all: differences of codes and of places belong together in every epoch.
    moved = (z[0] - z[-1]) @ np.linalg.lstsq(z[-1] - z[-1].mean(0), places[-1] - places[-1].mean(0), rcond=None)[0]
    np.testing.assert_allclose(places[0] - places[-1], moved, atol=0.05 * np.abs(places).max())


def test_a_zip_carries_it_and_one_that_does_not_fit_is_refused(runs_dir, learned):
    back = archive.unpack(archive.pack(learned))
    assert np.array_equal(history.read(back).parts["latent"], history.read(learned).parts["latent"])
    arrays = dict(np.load(learned / history.FILE))
    parts = ("residual", "discrimination", "latent")
    with pytest.raises(RunError, match="has no latent"):
        history.check({name: values for name, values in arrays.items() if name != "latent"}, parts, "history.npz")
    for name in ("is_finished", "held_out", "row", "latent", "z"):
        other = arrays[name].astype(int if name in ("latent", "z") else float)
        with pytest.raises(RunError, match=f"history.npz: {name} .*expected"):
            history.check(arrays | {name: other}, parts, "history.npz")


def test_a_damaged_one_is_said_and_the_rest_of_the_page_is_there(runs_dir, learned):
    run = archive.unpack(archive.pack(learned))
    (run / history.FILE).write_bytes(b"not an archive")
    at = opened("pages/1_Train.py", run=run.name)
    assert not at.exception
    assert any("history.npz" in e.value for e in at.error)
    assert "AUROC" in words(at)


def test_a_damaged_one_does_not_keep_a_run_from_going_on(runs_dir, monkeypatch):
    run = run_directory.create(small(epochs=3))
    monkeypatch.setattr(context, "BEAT_S", 0.0)
    assert worker.work(run, lambda s: run_directory.ask_to_stop(run) if s.step >= 8 else None) == "stopped"
    (run / history.FILE).write_bytes(b"not an archive")
    jobs.requeue(run)
    assert worker.work(run) == "finished"
    assert history.read(run).epoch.tolist() == [2, 3, 3]


def test_losses_lie_at_the_epoch_in_which_they_were_logged(runs_dir, learned):
    run = archive.unpack(archive.pack(learned))
    losses = epoch_by_epoch.losses(run_directory.read_metrics(run))
    assert losses.keys() == {"discriminator", "generator"}
    rows = [r for r in run_directory.read_metrics(run) if "loss/generator" in r]
    for (at, value), row in zip(losses["generator"], rows, strict=True):
        assert row["epoch"] - 1 < at <= row["epoch"]
        assert value == row["loss/generator"]


def test_a_spike_among_thousands_of_points_is_sent(learned):
    points = [(i / 100, 1.0) for i in range(5000)]
    points[3217] = (32.17, 10.0)
    kept = thinned(points)
    assert len(kept) <= POINTS
    assert [32.17, 10.0] in kept
    assert kept[0] == [0.0, 1.0]
    assert kept[-1] == [49.99, 1.0]
    assert thinned(points[:5]) == [list(p) for p in points[:5]]


def test_the_page_says_that_nothing_is_chosen_by_it(runs_dir, learned):
    run = archive.unpack(archive.pack(learned))
    at = opened("pages/1_Train.py", run=run.name)
    assert not at.exception
    assert "Epoch by epoch" in words(at)

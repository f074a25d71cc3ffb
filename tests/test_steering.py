"""A run is steered while it trains, and branches off from its epochs; seed and commands give the same weights again."""

import json

import pytest
import torch

from ganad import service
from ganad.config import SETTINGS_OF, parse, resolve
from ganad.errors import ConfigError, RunError
from ganad.models import build
from ganad.runs import archive, commands, kept_states, run_directory
from ganad.runs.commands import Command
from ganad.training import branching, context, jobs, replay, worker

SMALL = dict(normal=(8,), filters=4, latent=8, limit=200, test_limit=100, precision="float32")


def small(method="ganomaly", **asked):
    return resolve(method, "tuned", **{**SMALL, "epochs": 4, **asked})


@pytest.fixture
def every_step(monkeypatch):
    """A status is written after each step, so that a test can do something after a certain one."""
    monkeypatch.setattr(context, "BEAT_S", 0.0)


def trained(settings, at_step=None, deed=None):
    """A run of these settings that has ended; `deed(run)` is done after one of its steps."""
    run = run_directory.create(settings)
    work(run, at_step, deed)
    return run


def work(run, at_step=None, deed=None):
    done = []

    def heard(status):
        if status.step == at_step and status.state == "running" and not done:
            done.append(deed(run))

    ended = worker.work(run, heard)
    assert bool(done) == (at_step is not None), run_directory.read_status(run)
    return ended


def weights(run):
    return (run / "weights.safetensors").read_bytes()


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of four epochs of three steps, in a folder of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANAD_RUNS", str(tmp_path_factory.mktemp("finished")))
        return trained(small())


@pytest.fixture
def parent(runs_dir, finished):
    """The same run as the only one of the folder of runs."""
    service.import_zip(archive.pack(finished))
    (run,) = run_directory.listing(runs_dir)
    for name in ("state.pt", *(f"states/{e:05d}.pt" for e in kept_states.available(finished) if e < 4)):
        (run / name).parent.mkdir(exist_ok=True)
        (run / name).write_bytes((finished / name).read_bytes())
    return run


def test_what_is_asked_for_in_an_epoch_holds_from_the_next_one_on_and_replays_to_the_same_weights(
    runs_dir, parent, every_step
):
    run = trained(small(), 4, lambda run: service.steer(run.name, {"lr": "0.0002", "w_adv": 5}))
    (command,) = commands.read(run)
    assert (command.epoch, command.set) == (3, {"lr": 2e-4, "w_adv": 5.0})
    assert not list((run / "asked").iterdir())
    assert service.in_force(run.name).lr == 2e-4
    assert run_directory.settings(run) == small()
    assert "from epoch 3 on: lr 0.0002 (was 0.001)" in (run / "log.txt").read_text()
    losses = [[r for r in run_directory.read_metrics(r_) if "val" not in r] for r_ in (parent, run)]
    assert losses[0][:6] == losses[1][:6]
    assert losses[0][6] != losses[1][6]
    again = replay.replayed(run)
    assert worker.work(again) == "finished"
    assert replay.same_weights(run, again)
    assert not replay.same_weights(run, parent)


def test_a_steered_run_that_was_stopped_goes_on_with_its_commands_and_takes_the_next_when_an_epoch_begins(
    runs_dir, every_step
):
    run = run_directory.create(small())
    commands.write(run, [Command(epoch=2, set={"lr": 1e-4})])
    assert work(run, 5, run_directory.ask_to_stop) == "stopped"
    assert run_directory.read_status(run).step == 5
    commands.ask(run, {"w_con": 10.0})
    jobs.requeue(run)
    assert worker.work(run) == "finished"
    assert [(c.epoch, c.set) for c in commands.read(run)] == [(2, {"lr": 1e-4}), (3, {"w_con": 10.0})]
    again = replay.replayed(run)
    worker.work(again)
    assert replay.same_weights(run, again)


def test_a_wish_waits_while_a_killed_run_trains_epochs_again_whose_commands_stand(runs_dir):
    run = run_directory.create(small())
    commands.write(run, [Command(epoch=3, set={"lr": 1e-4})])
    commands.ask(run, {"lr": 1e-5})
    assert commands.take(run, small(), 2) == []
    assert len(commands.read(run)) == 1
    assert commands.asked(run) == {"lr": 1e-5}
    commands.take(run, small(), 3)
    assert [c.set["lr"] for c in commands.read(run)] == [1e-4, 1e-5]
    assert commands.in_force(small(), commands.read(run), 3).lr == 1e-5
    assert commands.in_force(small(), commands.read(run), 2).lr == small().lr


def test_a_process_killed_before_it_removed_a_wish_does_not_take_it_twice(runs_dir):
    run = run_directory.create(small())
    commands.ask(run, {"lr": 1e-5})
    (wish,) = (run / "asked").iterdir()
    content = wish.read_bytes()
    commands.take(run, small(), 1)
    wish.write_bytes(content)
    commands.write(run, [*commands.read(run), Command(epoch=2, set={"lr": 1e-3})])
    assert commands.asked(run) == {}
    commands.take(run, small(), 3)
    assert [c.epoch for c in commands.read(run)] == [1, 2]
    assert not wish.exists()


def test_of_two_wishes_the_later_counts_and_one_that_changes_nothing_is_no_command(runs_dir):
    run = run_directory.create(small())
    for value in (1e-5, 2e-5):
        commands.ask(run, {"lr": value})
    assert commands.asked(run) == {"lr": 2e-5}
    commands.take(run, small(), 2)
    commands.ask(run, {"lr": 2e-5})
    commands.take(run, small(), 3)
    assert [c.set["lr"] for c in commands.read(run)] == [1e-5, 2e-5]


def test_a_wish_that_is_none_is_told_and_removed(runs_dir):
    run = run_directory.create(small())
    commands.ask(run, {"latent": 5.0})
    commands.ask(run, {"lr": 7.0})
    (run / "asked" / "0.json").write_text("[1]")
    told = commands.take(run, small(), 1)
    assert len(told) == 3
    assert any("latent cannot change" in t for t in told)
    assert any("lr: Input should be less than" in t for t in told)
    assert not commands.read(run)
    assert not list((run / "asked").iterdir())


STEERED = [(method, name) for method, kind in SETTINGS_OF.items() for name in kind.steerable]


@pytest.mark.parametrize(("method", "name"), STEERED)
def test_what_can_be_steered_changes_the_very_next_steps(method, name):
    settings = resolve(
        method, "tuned", **{**SMALL, "ema_decay": 0.0}, **({"critic_steps": 1} if method == "fanogan" else {})
    )
    changed = parse(settings.model_dump() | {name: 0.01 if name.startswith("lr") else getattr(settings, name) + 3})
    x = torch.rand((8, 1, 32, 32), generator=torch.Generator().manual_seed(0)) * 2 - 1

    def after(steered, share):
        net = build(settings).train()
        net.optimisers()  # made before the change, as in a run that is at work
        net.steer(steered)
        net.set_progress(share)
        net.step(x, torch.Generator().manual_seed(1))
        return torch.cat([p.flatten() for p in net.nets.parameters()])

    share = 0.99 if name in ("lr_encoder", "w_features") else 0.0
    assert not torch.equal(after(settings, share), after(changed, share))
    assert torch.equal(after(settings, share), after(settings, share))


def test_what_cannot_be_steered_says_what_can(runs_dir, parent):
    now = small()
    for name, words in (
        ("latent", "latent cannot change"),
        ("epochs", "epochs cannot"),
        ("w_adversarial", "no setting 'w_adversarial'"),
    ):
        with pytest.raises(ConfigError, match=words) as refused:
            commands.changed_settings(now, {name: 3}, now.steerable)
        assert "lr, lr_d, w_adv, w_con, w_enc" in str(refused.value)
    with pytest.raises(ConfigError, match="augment cannot"):
        commands.changed_settings(now, {"augment": 1}, now.steerable)
    with pytest.raises(RunError, match="is finished, so nothing would change"):
        service.steer(parent.name, {"lr": 1e-4})


def test_a_branch_without_changes_equals_its_parent_bit_for_bit(runs_dir, parent):
    before = {p: p.read_bytes() for p in parent.rglob("*") if p.is_file() and p.name != ".lock"}
    assert service.branch_epochs(parent.name) == [1, 2, 3, 4]
    branch = branching.branched(parent, 2, {})
    config = json.loads((branch / "config.json").read_text())
    assert config["parent"] == {"run": parent.name, "epoch": 2}
    assert [r["epoch"] for r in run_directory.read_metrics(branch) if "val" in r] == [1, 2]
    assert list(run_directory.samples(branch)) == [0, 1, 2]
    assert worker.work(branch) == "finished"
    assert weights(branch) == weights(parent)
    assert (branch / "scores.npz").read_bytes() == (parent / "scores.npz").read_bytes()
    assert not (branch / commands.FILE).exists()
    assert service.parent_metrics(branch.name) == run_directory.read_metrics(parent)
    assert {p: p.read_bytes() for p in parent.rglob("*") if p.is_file() and p.name != ".lock"} == before


def test_a_branch_with_other_settings_equals_a_run_from_the_beginning_with_the_same_commands(runs_dir, parent):
    branch = branching.branched(parent, 2, {"lr": 1e-4, "augment": 2, "epochs": 5, "name": "calmer"})
    assert worker.work(branch) == "finished"
    assert run_directory.settings(branch) == small(epochs=5, name="calmer").model_copy(
        update={"parent": run_directory.settings(branch).parent}
    )
    assert [(c.epoch, c.set) for c in commands.read(branch)] == [(3, {"lr": 1e-4, "augment": 2.0})]
    again = replay.begun_with(small(epochs=5), commands.read(branch))
    assert worker.work(again) == "finished"
    assert replay.same_weights(branch, again)
    assert weights(branch) != weights(parent)
    # A branch of the branch, from before its own command, is the first run trained on; from after it, it keeps the command.
    for epoch, kept in ((3, 1), (5, 1)):
        made = branching.branched(branch, epoch, {"epochs": 6})
        assert len(commands.read(made)) == kept
        assert run_directory.settings(made).parent.run == branch.name


def test_a_steered_run_that_is_trained_on_goes_on_with_what_was_in_force(runs_dir):
    short = replay.begun_with(small(epochs=2), [Command(epoch=2, set={"lr": 1e-4})])
    worker.work(short)
    longer = jobs.continued(short, 1)
    worker.work(longer)
    whole = replay.replayed(longer)
    worker.work(whole)
    assert replay.same_weights(longer, whole)
    assert commands.read(longer) == commands.read(short)


def test_what_cannot_be_branched_says_why(runs_dir, parent):
    with pytest.raises(RunError, match=r"no state after epoch 9. It did after 4 epochs: 1, 2, 3, 4"):
        branching.branched(parent, 9, {})
    with pytest.raises(ConfigError, match="latent cannot change"):
        branching.branched(parent, 2, {"latent": 16})
    with pytest.raises(ConfigError, match="must be 5 or more, got 4"):
        branching.branched(parent, 4, {"lr": 1e-4})
    (parent / "state.pt").unlink()
    for state in (parent / "states").iterdir():
        state.unlink()
    with pytest.raises(RunError, match="kept no state to branch off from"):
        branching.branched(parent, 2, {})
    with pytest.raises(RunError, match="is queued"):
        branching.branched(run_directory.create(small()), 2, {})
    with pytest.raises(ConfigError, match="`branch`"):
        resolve("ganomaly", normal=(8,), parent={"run": "x", "epoch": 1})
    assert len(run_directory.listing(runs_dir)) == 2


def test_a_method_of_phases_branches_with_all_its_epochs_alone(runs_dir):
    run = trained(small("fanogan", epochs=3))
    with pytest.raises(ConfigError, match="phases"):
        branching.branched(run, 1, {"epochs": 5})
    branch = branching.branched(run, 1, {})
    worker.work(branch)
    assert replay.same_weights(branch, run)


@pytest.mark.parametrize(
    ("epochs", "every", "size", "kept"),
    [(20, 1, 7_600_000, [4, 8, 12, 16]), (4, 1, 1, [1, 2, 3]), (40, 4, 10_300_000, [8, 16, 24, 32]), (15, 1, 46_300_000, [5, 10]), (100, 2, 192_600_000, []), (1, 1, 1, [])],
)  # fmt: skip
def test_states_are_kept_at_equal_distances_within_their_bytes(epochs, every, size, kept):
    stride = kept_states.stride(epochs, every, size)
    found = list(range(stride, epochs, stride)) if stride else []
    assert found == kept
    assert len(kept) * size <= kept_states.MOST_BYTES
    assert all(epoch % every == 0 for epoch in kept)


def test_a_resumed_run_forgets_states_of_epochs_that_come_again(runs_dir, every_step):
    run = run_directory.create(small())
    assert work(run, 5, run_directory.ask_to_stop) == "stopped"
    kept_states.path(run, 3).write_bytes(b"of a run that was steered otherwise")
    jobs.requeue(run)
    assert work(run, 7, run_directory.ask_to_stop) == "stopped"
    assert list(kept_states.available(run)) == [1, 2]


def test_commands_and_the_curve_of_the_parent_travel_with_a_run(runs_dir, parent):
    branch = branching.branched(parent, 2, {"lr": 1e-4})
    worker.work(branch)
    arrived = run_directory.root() / service.import_zip(service.export_zip(branch.name))
    assert commands.read(arrived) == commands.read(branch)
    assert run_directory.settings(arrived).parent == run_directory.settings(branch).parent
    assert service.parent_metrics(arrived.name) == service.parent_metrics(branch.name) != []
    assert service.branch_epochs(arrived.name) == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"{", "no JSON"), (b'{"epoch": 0, "set": {"lr": 1}}', "epoch"), (b'{"epoch": 2, "set": {}}', "set"), (b'{"epoch": 2, "set": {"lr": "1"}}', "set.lr"),
        (b'{"epoch": 2, "set": {"lr": NaN}}', "no JSON"), (b'{"epoch": 1, "set": {"lr": 0.1}}', "the line before it"), (b'{"epoch": 2, "set": {"lr": 1}, "x": 1}', "x"),
    ],
)  # fmt: skip
def test_a_damaged_line_of_commands_is_named(runs_dir, line, words):
    run = run_directory.create(small())
    (run / commands.FILE).write_bytes(b'{"epoch": 2, "set": {"lr": 0.0001}}\n' + line + b"\n")
    with pytest.raises(RunError, match=f"Line 2 of commands.jsonl of {run.name}.*{words}"):
        commands.read(run)
    assert worker.work(run) == "failed"
    assert "commands.jsonl" in run_directory.status(run).error


def test_a_zip_with_commands_that_its_settings_do_not_allow_is_refused(runs_dir, parent):
    (parent / commands.FILE).write_text('{"epoch": 2, "set": {"latent": 4}}\n')
    with pytest.raises(RunError, match=r"commands.jsonl of the zip cannot be used: latent cannot"):
        archive.unpack(archive.pack(parent))


def test_commands_for_other_settings_or_later_epochs_begin_nothing(runs_dir):
    with pytest.raises(ConfigError, match="command is of epoch 9, and the training has 4 epochs"):
        replay.begun_with(small(), [Command(epoch=9, set={"lr": 1e-4})])
    with pytest.raises(ConfigError, match="no setting 'w_cycle'"):
        replay.begun_with(small(), [Command(epoch=2, set={"w_cycle": 1.0})])
    assert not run_directory.listing(runs_dir)

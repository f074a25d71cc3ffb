"""Train shows what can be changed on a run's way, asks for it, and says where it was."""

import json

import pytest

from ganad import service
from ganad.config import resolve
from ganad.runs import commands, run_directory
from ganad.runs.commands import Command
from ganad.training import branching, jobs, worker
from ganad.ui.panels import steering
from tests.conftest import as_read, put_running
from tests.test_pages import opened, words

SMALL = dict(normal=(8,), filters=4, latent=8, limit=200, test_limit=100, epochs=4, precision="float32")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a parent of four epochs and a branch of it from its second, with another learning rate."""
    folder = tmp_path_factory.mktemp("steered")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANAD_RUNS", str(folder))
        parent = run_directory.create(resolve("ganomaly", **SMALL))
        worker.work(parent)
        worker.work(branching.branched(parent, 2, {"lr": 1e-4}))
    return folder


@pytest.fixture
def there(trained, monkeypatch):
    monkeypatch.setenv("GANAD_RUNS", str(trained))
    return run_directory.listing(trained)[::-1]


def curves(at):
    """The panels of the loss curves and of the held-out parts, as they go to the browser."""
    (shown,) = [json.loads(c.proto.json) for c in at.get("bidi_component") if "curves_" in c.proto.id]
    assert shown["panels"]
    return shown["panels"]


def at_key(widgets, key):
    (found,) = [w for w in widgets if w.key and w.key.startswith(key)]
    return found


def test_a_value_that_is_changed_is_asked_for_and_nothing_else(runs_dir):
    run = put_running(runs_dir)
    at = opened("pages/1_Train.py", run=run.name)
    assert at_key(at.number_input, f"steer_{run.name}_w_adv").value == 1
    at_key(at.number_input, f"steer_{run.name}_lr_0").set_value(0.0002)
    at_key(at.button, "steer").click().run()
    assert commands.asked(run) == {"lr": 0.0002}
    said = as_read(words(at))
    assert "In force in epoch 2: learning rate 0.001" in said
    assert "Asked for: learning rate 0.0002. It takes effect when the next epoch begins." in said
    assert at_key(at.number_input, f"steer_{run.name}_lr_0").value == 0.0002
    at_key(at.button, "steer").click().run()
    assert "Nothing was changed" in at.toast[0].value
    at_key(at.number_input, f"steer_{run.name}_lr_0").set_value(7.0)
    at_key(at.button, "steer").click().run()
    assert "less than or equal to 0.1" in at.toast[0].value
    assert commands.asked(run) == {"lr": 0.0002}


def test_a_read_only_server_offers_neither_steering_nor_branches(there, runs_dir, monkeypatch):
    monkeypatch.setenv("GANAD_READONLY", "1")
    run = put_running(runs_dir)
    at = opened("pages/1_Train.py", run=run.name)
    assert not [b for b in at.button if b.key == "steer"]
    monkeypatch.setenv("GANAD_RUNS", str(there[0].parent))
    at = opened("pages/1_Train.py", run=there[0].name)
    assert not [b for b in at.button if b.key == "train_branch"]


def test_a_branch_says_where_it_comes_from_and_how_to_replay_it(there):
    parent, branch = there
    at = opened("pages/1_Train.py", run=branch.name)
    said = as_read(words(at))
    assert f"Branched off from {parent.name} after epoch 2" in said
    assert "From epoch 3 on: learning rate 0.0001" in said
    assert f"python -m ganad replay {branch.name}" in [c.value for c in at.code]
    assert steering.marks(service.run_info(branch.name)) == [(3, "branch, lr 0.0001")]
    panels = curves(at)
    assert all(panel["parent"] for panel in panels)
    assert all(panel["marks"] == [[2, "branch, lr 0.0001"]] for panel in panels)  # where epoch 2 ends
    assert steering.marks(service.run_info(parent.name)) == []


def test_train_the_branch_begins_a_run_from_the_chosen_epoch_and_shows_it(there, monkeypatch):
    parent, _ = there
    begun = []
    monkeypatch.setattr(jobs, "begin", begun.append)
    at = opened("pages/1_Train.py", run=parent.name)
    control = at_key(at.get("button_group"), f"branch_epoch_{parent.name}")
    assert [o.content for o in control.proto.options] == ["1", "2", "3", "4"]
    control.set_value(3).run()
    at_key(at.number_input, f"branch_{parent.name}_3_w_con").set_value(10.0)
    at_key(at.number_input, f"branch_{parent.name}_3_epochs").set_value(6)
    at_key(at.button, "train_branch").click().run()
    (made,) = begun
    settings = run_directory.settings(made)
    assert (settings.parent.run, settings.parent.epoch, settings.epochs) == (parent.name, 3, 6)
    assert [(c.epoch, c.set) for c in commands.read(made)] == [(4, {"w_con": 10.0})]
    assert "branched after epoch 3" in words(at)
    run_directory.write_status(made, run_directory.Status(state="stopped"))
    run_directory.move_to_trash(made)


def test_damaged_commands_take_the_marks_and_not_the_curves(there):
    _, branch = there
    whole = (branch / commands.FILE).read_bytes()
    (branch / commands.FILE).write_text("{\n")
    try:
        at = opened("pages/1_Train.py", run=branch.name)
        assert all(panel["marks"] == [] and panel["parent"] for panel in curves(at))
        assert f"Line 1 of commands.jsonl of {branch.name} is damaged" in as_read(words(at))
    finally:
        (branch / commands.FILE).write_bytes(whole)


def test_many_changes_at_once_are_counted_on_the_curve(there):
    _, branch = there
    commands.write(branch, [*commands.read(branch), Command(epoch=4, set={"lr": 1e-3, "w_adv": 2.0, "w_con": 3.0})])
    assert steering.marks(service.run_info(branch.name))[-1] == (4, "3 settings")

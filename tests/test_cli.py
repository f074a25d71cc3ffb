"""The command line: results on stdout, exit codes as promised, errors in one line."""

import io
import json
import os
import signal
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from unittest.mock import patch

import numpy as np
import pytest
from PIL import Image

from ganad import __main__, glossary, service
from ganad.runs import run_directory
from tests.conftest import ROOT, put_finished
from tests.waiting import PATIENCE_S, until

SMALL = ["--normal", "8", "--limit", "300", "--epochs", "1", "--set", "filters=4", "--set", "test_limit=300"]
SMALL += ["--set", "precision=float32"]


def ganad(*words):
    """`python -m ganad WORDS` in this very process: what a shell would see of it. An error that nobody catches is one here."""
    words = ["ganad", *map(str, words)]
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err, patch.object(sys, "argv", words):
        code = __main__.main()
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


def in_a_shell(*words):
    """The same in a process of its own, as a shell starts it."""
    return subprocess.run(
        [sys.executable, "-m", "ganad", *map(str, words)], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_train_prints_the_runs_folder_alone_on_the_last_line(runs_dir):
    done = ganad("train", *SMALL, "--name", "first try")
    assert done.returncode == 0, done.stderr
    run = done.stdout.splitlines()[-1]
    assert os.path.isdir(run)
    assert done.stdout.strip() == run
    assert "AUROC" in done.stderr
    again = json.loads(ganad("list", "--json").stdout)
    assert [(r["state"], r["preset"], r["normal"]) for r in again] == [("finished", "tuned", [8])]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["train"], "name at least one"),
        (["train", "--normal", "11"], "digits lie in 0..9, got 11"),
        (["train", "--normal", "8", "--preset", "best"], "tuned, many, paper"),
        (["train", "--normal", "8", "--set", "lr"], "KEY=VALUE"),
        (["train", "--normal", "8", "--set", "bogus=1"], "no setting 'bogus'"),
        (["train", "--normal", "8", "--epochs", "2", "--set", "epochs=3"], "use --epochs alone"),
        (["train", "--normal", "8", "--set", "normal=3"], "use --normal alone"),
        (["train", "--normal", "8", "--set", "method=egbad"], "use --method alone"),
        (["train", "--normal", "8", "--set", "epochs=0"], "epochs"),
        (["train", "--normal", "eight"], "no class is called 'eight'"),
        (["train", "--bogus"], "--bogus"),
        (["evaluate", "1", "--weights", "0", "0", "0"], "weights are three numbers"),
        (
            ["evaluate", "1", "--weight", "residual=much"],
            "one of residual, discrimination, latent, got 'residual=much'",
        ),
        (["evaluate", "1", "--weight", "ink=1"], "one of residual, discrimination, latent, got 'ink=1'"),
        (["no-such-command"], "no-such-command"),
    ],
)
def test_wrong_arguments_end_with_2_and_one_sentence(runs_dir, words, said):
    put_finished(runs_dir)
    done = ganad(*words)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert not done.stdout


def test_what_a_shell_gets_is_what_the_command_said(runs_dir):
    put_finished(runs_dir)
    for words, code in ((["list", "--json"], 0), (["evaluate", "77"], 1), (["train", "--normal", "11"], 2)):
        here, there = ganad(*words), in_a_shell(*words)
        assert here.returncode == there.returncode == code
        assert (here.stdout, here.stderr) == (there.stdout, there.stderr)


def test_what_cannot_be_done_ends_with_1(runs_dir, tmp_path):
    for words in (["evaluate", "77"], ["resume", "77"], ["score", "77", "x.png"]):
        done = ganad(*words)
        assert done.returncode == 1, words
        assert "no run '77'" in done.stderr
    run = put_finished(runs_dir)
    assert "nothing to resume" in ganad("resume", run.name).stderr
    done = ganad("score", run.name, tmp_path / "gone.png")
    assert done.returncode == 1
    assert "gone.png" in done.stderr


def test_a_failed_training_ends_with_1_and_its_reason(runs_dir, tmp_path):
    done = ganad("train", *SMALL, "--data", tmp_path / "nowhere")
    assert done.returncode == 1
    assert "nowhere" in done.stderr


def test_ctrl_c_stops_in_good_order_with_130_and_resume_goes_on(runs_dir):
    words = [sys.executable, "-m", "ganad", "train", *SMALL[:4], "--epochs", "4000", *SMALL[6:]]
    child = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(lambda: any(run_directory.read_status(run).step >= 3 for run in run_directory.listing(runs_dir)))
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=PATIENCE_S)
    (run,) = run_directory.listing(runs_dir)
    assert child.returncode == 130, err
    assert out.strip() == str(run)
    assert "resume" in err
    assert run_directory.status(run).state == "stopped"


def test_evaluate_prints_the_promised_keys_and_other_weights_change_the_area(runs_dir):
    run = put_finished(runs_dir)
    said = json.loads(ganad("evaluate", run.name, "--json").stdout)
    promised = {"auroc", "average_precision", "prevalence", "threshold", "weights", "parts", "per_digit"}
    assert promised | {"n_normal", "n_anomalous"} <= said.keys()
    assert said["n_normal"] + said["n_anomalous"] == 10_000
    other = json.loads(ganad("evaluate", run.name, "--weights", 1, 0, 0, "--json").stdout)
    assert other["auroc"] == pytest.approx(said["parts"]["residual"]["auroc"])
    assert other["auroc"] != said["auroc"]
    single = json.loads(ganad("evaluate", run.name, "--weight", "latent=0", "--weight", "residual=2", "--json").stdout)
    assert single["weights"] == said["weights"] | {"residual": 2.0, "latent": 0.0}
    assert single["auroc"] == pytest.approx(other["auroc"])


def test_score_judges_files_and_raw_ones_exactly_as_the_test_set(runs_dir, tmp_path):
    run = put_finished(runs_dir)
    found = run_directory.read_scores(run)
    pictures = service.test_images(run.name)
    for i in (0, 1):
        Image.fromarray(pictures[i]).save(tmp_path / f"{i}.png")
    said = json.loads(ganad("score", run.name, tmp_path / "0.png", tmp_path / "1.png", "--raw", "--json").stdout)
    assert [s["file"] for s in said] == [str(tmp_path / "0.png"), str(tmp_path / "1.png")]
    for i, s in enumerate(said):
        assert s.keys() == {"file", "score", "percentile", "verdict", "threshold", "parts"}
        for part, value in s["parts"].items():
            assert value == pytest.approx(found.test.parts[part][i], rel=1e-3)
        assert s["verdict"] == ("anomalous" if s["score"] > s["threshold"] else "normal")
    paper = np.full((200, 200), 255, dtype=np.uint8)
    paper[30:170, 40:180] -= np.asarray(Image.fromarray(pictures[61]).resize((140, 140)))
    Image.fromarray(paper).save(tmp_path / "photo.jpg")
    done = ganad("score", run.name, tmp_path / "photo.jpg")
    assert done.returncode == 0
    assert "of held-out normals" in done.stdout


def test_help_says_what_the_printed_words_mean_as_the_pages_do():
    for command, words in (("evaluate", ("AUROC", "false alarms at most")), ("score", ("percentile", "latent"))):
        said = " ".join(ganad(command, "--help").stdout.split())
        for word in words:
            assert f"{word}: {glossary.MEANING[word]}." in said


def test_help_is_there_for_every_command():
    for words in ([], ["train"], ["evaluate"], ["score"], ["list"], ["resume"], ["stop"], ["bench", "speed"]):
        done = ganad(*words, "--help")
        assert done.returncode == 0
        assert "Usage" in done.stdout

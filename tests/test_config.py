"""Settings: said once, refused in their own words, and repeatable from one line."""

import json
import shlex
import sys

import pytest

from ganad import service
from ganad.config import GROUPS, METHOD_NAMES, PRESETS, SETTINGS_OF, UNSET, command, from_text, parse, resolve
from ganad.errors import ConfigError
from ganad.runs import run_directory
from ganad.training import worker
from tests.conftest import ROOT

EVERY = [(m, p) for m in PRESETS for p in PRESETS[m]]


@pytest.mark.parametrize(("method", "preset"), EVERY)
def test_every_preset_is_valid_and_survives_json(method, preset):
    settings = resolve(method, preset, normal=(3, 8))
    assert parse(settings.model_dump(mode="json")) == settings
    assert settings.normal == (3, 8)


def test_the_articles_experiment_fixes_its_own_digits_and_images():
    s = resolve("egbad", "article")
    assert (s.normal, s.limit, s.test_digits, s.test_limit) == ((7, 8), 400, (2, 7, 8), 600)
    assert (s.image_size, s.latent, s.weights) == (64, 20, (0.9, 0.1, 0.0))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (dict(normal=(12,)), "digits lie in 0..9, got 12"),
        (dict(normal=()), "at least one digit"),
        (dict(normal=tuple(range(10))), "nothing is left to be an anomaly"),
        (dict(normal=(8,), epochs=0), "epochs"),
        (dict(normal=(8,), lr=2.0), "lr"),
        (dict(normal=(8,), bogus=1), "no setting 'bogus'"),
        (dict(normal=(8,), image_size=28), "image_size of ganomaly must be 32 or 64"),
        (dict(normal=(8,), test_digits=(8,)), "all normal"),
        (dict(normal=(8,), weights=(0, 0, 0)), "weights are three numbers"),
        (dict(normal=(8,), weights=(-1, 0, 1)), "weights are three numbers"),
        (dict(), "name at least one"),
    ],
)
def test_what_does_not_fit_is_refused_in_the_words_of_the_setting(asked, said):
    with pytest.raises(ConfigError, match=said.replace("(", r"\(")):
        resolve("ganomaly", "tuned", **asked)


def test_an_unknown_method_or_preset_is_answered_with_the_known_ones():
    with pytest.raises(ConfigError, match="ganomaly, egbad"):
        resolve("vae", "tuned", normal=(8,))
    with pytest.raises(ConfigError, match="tuned, many, paper"):
        resolve("ganomaly", "best", normal=(8,))


@pytest.mark.parametrize(("method", "preset"), EVERY)
def test_the_command_of_a_run_repeats_its_settings(method, preset):
    s = resolve(
        method, preset, normal=(1, 7), seed=3, epochs=2, name="a b", limit=UNSET, lr=3e-4, weights=(1, 0.5, 0),
        precision="float32", test_digits=(2, 7), test_limit=UNSET,
    )  # fmt: skip
    words = shlex.split(command(s))[4:]
    asked, normal = {}, []
    for flag, value in zip(words[::2], words[1::2], strict=True):
        if flag == "--normal":
            normal.append(int(value))
        elif flag == "--set":
            key, _, text = value.partition("=")
            asked[key] = from_text(key, text)
        else:
            asked[flag[2:]] = value
    assert resolve(asked.pop("method"), asked.pop("preset"), normal=tuple(normal), **asked) == s


@pytest.mark.parametrize("method", SETTINGS_OF)
def test_every_setting_is_read_by_a_training_or_its_listing(method, runs_dir, monkeypatch):
    kind, read = SETTINGS_OF[method], set()
    plain = kind.__getattribute__

    def noted(self, name):
        if sys._getframe(1).f_globals["__name__"] != "ganad.config":
            read.add(name)
        return plain(self, name)

    few = dict(normal=(8,), epochs=1, limit=300, test_limit=100, filters=4, latent=6, precision="float32")
    few |= dict(sample=100, search_steps=3, search_candidates=8) if method == "anogan" else {}
    run = run_directory.create(resolve(method, "tuned", **few))
    monkeypatch.setattr(kind, "__getattribute__", noted)
    assert worker.work(run) == "finished"
    service.run_info(run.name)
    assert kind.model_fields.keys() - read == set(), "settings that nobody reads"


def test_every_setting_has_a_help_text():
    for kind in SETTINGS_OF.values():
        assert all(f.description for f in kind.model_fields.values())


def test_method_names_settings_and_presets_go_together():
    assert METHOD_NAMES.keys() == SETTINGS_OF.keys() == PRESETS.keys()


@pytest.mark.parametrize(
    ("method", "old", "new"), [(m, o, n) for m, k in SETTINGS_OF.items() for o, n in k.old_names.items()]
)
def test_the_old_name_of_a_setting_is_still_read(method, old, new):
    usual = resolve(method, "tuned", normal=(8,))
    value = {bool: not getattr(usual, new), int: 77, float: 0.25}[type(getattr(usual, new))]
    saved = usual.model_dump(mode="json")
    del saved[new]
    assert getattr(parse(saved | {old: value}), new) == value
    assert getattr(resolve(method, "paper", normal=(8,), **{old: value}), new) == value


@pytest.mark.parametrize("method", SETTINGS_OF)
def test_every_shipped_run_of_before_opens_with_settings_of_today(method):
    for path in (ROOT / "checkpoints").glob(f"{method}-*/config.json"):
        saved = json.loads(path.read_text())
        found = parse(saved).model_dump(mode="json")
        old = SETTINGS_OF[method].old_names
        assert {k: found[old.get(k, k)] for k in saved} == saved


@pytest.mark.parametrize("method", SETTINGS_OF)
def test_every_setting_of_the_form_has_a_label_of_its_own_in_a_group(method):
    kind = SETTINGS_OF[method]
    elsewhere = {"method", "preset", "normal", "epochs", "seed", "data", "parent", "leave_out_foreign"}
    form = kind.model_fields.keys() - elsewhere
    assert kind.labels.keys() == form
    assert {group for group, _ in kind.labels.values()} <= set(GROUPS)
    assert len({label for _, label in kind.labels.values()}) == len(form)

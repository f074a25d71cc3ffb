"""A search: which settings to try next, out of a study's space, by Optuna's tree-structured Parzen estimator.

A trial is one choice of settings, trained on each normal class and seed of the plan, one after the other; its value is the mean of
their objectives. What is tried next depends on study.json and on how earlier trials ended, on nothing else: trial k learns from
those up to k minus `at_once`, however soon others are done. So a search that is done again, on this machine or a cluster,
tries the same. Choices are kept in `trials.json`; all else is read from the runs.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ganad.errors import GanadError, RunError
from ganad.runs.trials import curve
from ganad.studies import store
from ganad.studies.plan import StudyPlan
from ganad.studies.space import Space
from ganad.studies.store import EARLY, Planned
from ganad.training.optuna_if_there import HOW_TO_GET_IT, quiet_optuna

AT_RANDOM = 10
"""Trials that are drawn at random before any is suggested; at most a third of them all."""
ANEW = 50
"""So often a trial is drawn again that was there already; in a space that is used up it then comes again, and costs nothing."""


@dataclass(frozen=True)
class Trial:
    """One choice of settings and its runs, in the order in which they are trained."""

    values: dict[str, str]
    runs: list[Planned]

    @property
    def stopped_early(self) -> bool:
        """Whether one of its runs ended itself; the others are left out then."""
        return any(run.state == EARLY for run in self.runs)


def available() -> bool:
    """Whether Optuna is installed."""
    return importlib.util.find_spec("optuna") is not None


def suggest(
    plan: StudyPlan, before: list[dict[str, str]], results: list[float | dict[int, float] | None]
) -> dict[str, str]:
    """The settings of the next trial: setting -> value as `--set` writes it.

    before: the settings of all earlier trials; results: of the first of them, what they gave: their objective, or epoch -> objective
    of one that was stopped early, or None of one that failed. Those without a result are at work. Raises GanadError without Optuna.
    """  # fmt: skip
    optuna = quiet_optuna()
    states, spaces = optuna.trial.TrialState, plan.spaces()
    kinds = {name: _distribution(optuna, space) for name, space in spaces.items()}
    seeds = np.random.SeedSequence([plan.search_seed, len(before)]).generate_state(1 + ANEW)
    at_random = min(AT_RANDOM, max(1, plan.trials // 3))
    study = optuna.create_study(direction="maximize")
    for number, values in enumerate(before):
        said: dict[str, Any] = {"state": states.RUNNING}
        if number < len(results):
            result = results[number]
            if isinstance(result, dict):
                said = {"state": states.PRUNED, "intermediate_values": result}
            elif result is None:
                said = {"state": states.FAIL}
            else:
                said = {"state": states.COMPLETE, "value": result}
        params = {n: values[n] if s.choices else s.number(values[n]) for n, s in spaces.items()}
        study.add_trial(optuna.trial.create_trial(params=params, distributions=kinds, **said))
    for attempt, seed in enumerate(seeds.tolist()):
        # What was tried already is not tried again: the estimator asks for the same, so chance chooses then.
        sampler = (
            optuna.samplers.RandomSampler(seed)
            if attempt
            else optuna.samplers.TPESampler(seed=seed, n_startup_trials=at_random)
        )
        params = _asked(optuna, study, sampler, kinds)
        chosen = {n: params[n] if s.choices else s.text(params[n]) for n, s in spaces.items()}
        if chosen not in before:
            break
    return chosen


def _asked(optuna: Any, study: Any, sampler: Any, kinds: dict[str, Any]) -> dict[str, Any]:
    """What a sampler suggests after the trials of a study, which stays as it is."""
    twin = optuna.create_study(direction="maximize", sampler=sampler)
    twin.add_trials(study.get_trials(deepcopy=False))
    return twin.ask(kinds).params


def _distribution(optuna: Any, space: Space) -> Any:
    if space.choices:
        return optuna.distributions.CategoricalDistribution(space.choices)
    if space.whole:
        return optuna.distributions.IntDistribution(int(space.low), int(space.high), log=space.log)
    return optuna.distributions.FloatDistribution(space.low, space.high, log=space.log)


class Search:
    """What of a search may be trained now; asked again whenever a run has ended."""

    def __init__(self, study: Path):
        """Raises GanadError where Optuna is needed and missing."""
        self.study, self.plan = study, store.plan_of(study)
        if not available():
            raise GanadError(HOW_TO_GET_IT)
        self.handed: set[str] = set()
        self.ended: set[str] = set()

    def has_ended(self, run_key: str) -> None:
        """Told of each run that has ended, in whichever state: it is not begun again by this process."""
        self.ended.add(run_key)

    def ready(self) -> list[Planned]:
        """Runs that may begin now, each handed out once; the settings of new trials are chosen and kept on the way."""
        trials, made = self._trials(), []
        for number in range(self.plan.trials):
            known = max(0, number + 1 - self.plan.at_once)  # the trials whose end this one has to know
            if number >= self.plan.at_once and not all(self._done(t) for t in trials[:known]):
                break
            if number == len(trials):
                values = suggest(self.plan, [t.values for t in trials], [self._result(t) for t in trials[:known]])
                store.keep_trial(self.study, values)
                trials = self._trials()
            trial = trials[number]
            if self._done(trial) or any(r.key in self.handed - self.ended for r in trial.runs):
                continue
            at, following = next((i, r) for i, r in enumerate(trial.runs) if not self._over(r))
            self.handed.add(following.key)
            made.append(replace(following, trial=self._rivals(trials[:known], at, following.key)))
        return made

    def _trials(self) -> list[Trial]:
        there = store.runs_of(self.study)
        return [Trial(v, store.planned_of(self.plan.runs_of(v), there)) for v in store.trials(self.study)]

    def _over(self, run: Planned) -> bool:
        return run.state in ("finished", EARLY) or run.key in self.ended

    def _done(self, trial: Trial) -> bool:
        return trial.stopped_early or all(self._over(run) for run in trial.runs)

    def _result(self, trial: Trial) -> float | dict[int, float] | None:
        """As `suggest` takes it."""
        for run in trial.runs:
            if run.state == EARLY:
                return curve(run.run) or None
        known = store.objectives(self.study)
        values = [known.get(run.run.name) if run.run and run.state == "finished" else None for run in trial.runs]
        return None if None in values else float(np.mean(values))

    def _rivals(self, before: list[Trial], at: int, own_key: str) -> dict[str, Any] | None:
        """trial.json of a run: the curves of earlier trials on the same class and seed. None where nothing is stopped early."""
        if self.plan.stop_early == "none":
            return None
        others = []
        for trial in before:
            run = trial.runs[at]
            if run.run is not None and run.key != own_key:
                others.append({"curve": _curve(run.run), "finished": run.state == "finished"})
        return {"stop_early": self.plan.stop_early, "others": others}


def _curve(run: Path) -> dict[str, float]:
    try:
        return {str(epoch): value for epoch, value in curve(run).items()}
    except RunError:
        return {}

"""A trial of a search is judged after each kept epoch and ends itself where the trials before it were better.

By the objective of the study: held-out normals against training images of the other classes. The test set has no part in it.
Optuna's pruners decide. What a trial is compared with is written down before it begins, so it ends at the same epoch each time,
on whichever machine and however many are at work beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ganad.data import sources
from ganad.errors import RunError
from ganad.evaluation import metrics
from ganad.models import Method
from ganad.runs import run_directory
from ganad.runs.trials import NOTE, TRIAL, curve, ended_itself
from ganad.scoring.score import score
from ganad.training.optuna_if_there import quiet_optuna

LEAST_BEFORE = 4
"""Trials that have to be finished before the median says anything."""
WARM_UP = 0.25
"""Share of the epochs in which no trial ends by the median: a GAN's first epochs say little."""
REDUCTION = 3
"""By successive halving one of so many goes on at 1, 3, 9, ... judged epochs."""


class EarlyStopping:
    """The judge of one run, for the process that trains it."""

    def __init__(self, run: Path, dataset: Any, split: Any, settings: Any, trial: dict[str, Any]):
        self.run, self.split, self.settings = run, split, settings
        try:
            self.others = [
                ({int(epoch): float(value) for epoch, value in other["curve"].items()}, bool(other["finished"]))
                for other in trial["others"]
            ]
            self.how = str(trial["stop_early"])
        except (KeyError, TypeError, ValueError, AttributeError):
            raise RunError(f"{TRIAL} of {run.name} is damaged: remove it, then resume.") from None
        self.strange = dataset.train.images[sources.reference_rows(dataset, settings)]
        self.goes_on = ended_itself(run)  # somebody resumed it by hand: then it trains to its end

    @classmethod
    def of(cls, run: Path, dataset: Any, split: Any, settings: Any) -> EarlyStopping | None:
        """The judge that a run asks for; None for one that is no trial. Raises RunError for a damaged trial.json."""
        trial = run_directory.read_json(run / TRIAL)
        return None if trial is None else cls(run, dataset, split, settings, trial)

    def objective(self, method: Method, on_batch: Callable[[int], None]) -> float | None:
        """The AUROC, 0 to 1, of held-out normals against the reference anomalies; None while the method has no reconstructions yet.

        It is the objective that the run would have if it ended now, but for densities, typicality and transform error: these are fitted once,
        after the last step, which takes longer than an epoch. The method is left in eval().
        """
        if method.eval().generated(1) is not None:
            return None
        weights = self.settings.weights
        normal, strange = (
            metrics.total(score(method, images, on_batch=on_batch).parts, weights)
            for images in (self.split.val.images, self.strange)
        )
        return metrics.area(normal, strange)

    def stops(self, epoch: int) -> bool:
        """Whether the run ends after this epoch, which is then noted. Asked once its row is in metrics.jsonl."""
        own = curve(self.run)
        if self.goes_on or epoch == self.settings.epochs or epoch not in own:
            return False
        if not behind(self.how, own, self.others, self.settings.epochs):
            return False
        run_directory.write_json(self.run / NOTE, {"epoch": epoch, "objective": own[epoch]})
        return True


def behind(how: str, own: dict[int, float], others: list[tuple[dict[int, float], bool]], epochs: int) -> bool:
    """Whether a trial with this curve, epoch -> objective, would be ended now by `how`: median, asha or none.

    others: the trials before it, (curve, whether it was trained to its end), in their order. epochs: of a whole training.
    Raises GanadError without Optuna.
    """
    if how == "none":
        return False
    optuna = quiet_optuna()
    pruner = (
        optuna.pruners.MedianPruner(n_startup_trials=LEAST_BEFORE, n_warmup_steps=int(WARM_UP * epochs))
        if how == "median"
        else optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=REDUCTION)
    )
    study = optuna.create_study(direction="maximize", pruner=pruner)
    for values, finished in others:
        trial = study.ask()
        for at, value in sorted(values.items()):
            trial.report(value, at)
            trial.should_prune()  # the pruner notes how far it came
        if finished and values:
            study.tell(trial, values[max(values)])
        else:
            state = optuna.trial.TrialState.PRUNED if values else optuna.trial.TrialState.FAIL
            study.tell(trial, state=state)
    trial, ends = study.ask(), False
    for at, value in sorted(own.items()):
        trial.report(value, at)
        ends = trial.should_prune()
    return bool(ends)

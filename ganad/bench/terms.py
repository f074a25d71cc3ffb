"""What a term of the score is worth at other weights, asked of images that may choose: held-out normals and training images of other classes.

The test set is not read, so a weight chosen by this table leaves the figures on test images honest. With one exception the terms are
fitted after the training: a run that has one is weighed anew as it is, for another the term is fitted here, as its training would have.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch

from ganad.data import sources
from ganad.errors import ConfigError, RunError
from ganad.evaluation import metrics
from ganad.models import Method, build
from ganad.models.looks import LOWEST
from ganad.runs import checkpoint, run_directory
from ganad.scoring.score import fit_statistics, to_input

FITTED = {
    "w_density": "density",
    "w_typicality": "typicality",
    "w_residual_density": "residuals.mixture",
    "w_feature_density": "features.mixture",
    "w_encoder_density": "encoded.mixture",
    "w_transform": "transforms",
    "w_transform_density": "transform_features.mixture",
    "w_first_layer_density": "first_layer.mixture",
}
"""Setting -> what of a method is fitted after the training and counts so much."""
LOOKS = "look_turn"
"""A setting of the score that weighs nothing: how far the image is turned for the further looks at it."""
TERMS = (*FITTED, "w_bce", LOOKS)
"""Settings of the score that no step of the training asks for."""
HELD_OUT, EACH = 1000, 150
"""Images at most: held-out normal ones, and training images of each other class."""
BATCH = 200
"""Images that are scored together."""
SEARCHED = 5
"""So many times fewer of both where each is searched for."""
Log = Callable[[str], None]


@dataclass(frozen=True)
class Row:
    """AUROC of one run with a term weighed in several ways, the run's other settings as they are.

    own            what the term counts in the run
    auroc          weight of the term -> AUROC of the whole score
    alone          AUROC of the term by itself; None for what is no term
    normal, others images of either kind
    """

    run: str
    own: float
    auroc: Mapping[float, float]
    alone: float | None
    normal: int
    others: int


def runs_with(setting: str) -> list[str]:
    """Shipped runs in which a term counts, and whose nets are there."""
    return [
        run.name
        for run in sorted(run_directory.listing(run_directory.shelf()))
        if getattr(run_directory.settings(run), setting, 0) > 0 and (run / "weights.safetensors").exists()
    ]


def compare(
    names: Sequence[str],
    setting: str,
    values: Sequence[float],
    log: Log,
    *,
    also: Mapping[str, float] = MappingProxyType({}),
    held_out: int = HELD_OUT,
    each: int = EACH,
) -> list[Row]:
    """A row for each run. also: other terms that the runs have -> what they count meanwhile.

    Raises ConfigError for a setting that is no such weight, RunError for a run that lacks it, one of the others or its nets.
    """
    for asked in (setting, *also):
        if asked not in TERMS:
            raise ConfigError(f"a setting that weighs a term of the score is wanted: {', '.join(TERMS)}; got {asked!r}")
    if setting in also:
        raise ConfigError(
            f"{setting} is weighed by the values that are compared, so it cannot count {also[setting]:g} meanwhile."
        )
    if not names:
        raise RunError(f"No shipped run has {setting} above 0: name finished runs.")
    return [_row(run_directory.find(name), setting, values, log, also, held_out, each) for name in names]


def _row(
    run: Path, setting: str, values: Sequence[float], log: Log, also: Mapping[str, float], held_out: int, each: int
) -> Row:
    settings = run_directory.settings(run)
    for term in (setting, *also):
        if not hasattr(settings, term):
            raise RunError(f"{run.name} is a run of {settings.title}, whose score has no {term}.")
    fewer = SEARCHED if settings.scores_by_search else 1
    dataset = sources.load(settings.data)
    split = sources.split(dataset, settings)
    normal = split.val.images[: held_out // fewer]
    others = dataset.train.images[sources.reference_rows(dataset, settings, each // fewer)]
    log(f"{run.name}: {len(normal)} held-out normal images, {len(others)} training images of other classes")
    images = np.concatenate([normal, others])
    n = len(normal)

    def area(looks: Mapping[str, np.ndarray]) -> float:
        total = metrics.total(lowest(looks), settings.weights)
        return metrics.area(total[:n], total[n:])

    def asked(weight: float) -> Mapping[str, np.ndarray]:
        method = weighed(run, setting, weight, split.train.images)
        for other, value in also.items():
            reweigh(method, other, getattr(settings, other), value)
        return parts_by_look(method, images)

    if setting == LOOKS:
        areas, alone = {value: area(asked(value)) for value in values}, None
    else:
        without, once = asked(0.0), asked(1.0)
        # A part is a sum, so each weight adds so many times the same.
        term = {part: once[part] - without[part] for part in without}
        areas = {value: area({part: without[part] + value * term[part] for part in term}) for value in values}
        alone = area(term)
    return Row(
        run=run.name,
        own=getattr(settings, setting),
        auroc=areas,
        alone=alone,
        normal=n,
        others=len(others),
    )


@torch.no_grad()
def parts_by_look(method: Method, images: np.ndarray) -> dict[str, np.ndarray]:
    """part -> (L, N) raw values, a row for each look at the images (N, 28, 28) uint8, of which the first is at each as it is."""
    folded, settings = method.eval().folded(), method.settings
    device = next(method.parameters()).device
    columns: dict[str, list[np.ndarray]] = defaultdict(list)
    for at in range(0, len(images), BATCH):
        x = to_input(images[at : at + BATCH], settings.image_size, device)
        for part, values in folded.all_looks(x).by_name.items():
            columns[part].append(values.view(-1, len(x)).double().cpu().numpy())
    return {part: np.concatenate(values, axis=1) for part, values in columns.items()}


def lowest(looks: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """part -> (N,) of all looks, from (L, N), as `Method.parts` has it."""
    return {part: values.min(axis=0) if part in LOWEST else values[0] for part, values in looks.items()}


def weighed(run: Path, setting: str, weight: float, train: np.ndarray) -> Method:
    """The method of a run with one term of its score weighed so, its other terms as they are.

    train: its training images (N, 28, 28) uint8; a term that the run has not is fitted to them.
    """
    settings = run_directory.settings(run)
    own = getattr(settings, setting)
    if setting in FITTED and own == 0 and weight > 0:
        method = build(settings.model_copy(update={setting: weight}))
        of_run = checkpoint.load_method(run).scoring_state()
        method.load_scoring_state(method.scoring_state() | of_run)
        if settings.fits_transform_error:
            method.transforms.is_kept = True
        fit_statistics(method, train)
        method.load_scoring_state(method.scoring_state() | of_run)
        return method.eval()
    method = checkpoint.load_method(run)
    if own != weight:
        reweigh(method, setting, own, weight)
    return method


def reweigh(method: Method, setting: str, own: float, weight: float) -> None:
    """Let a term count so much. own: what it counts in the method. Raises RunError where nothing was fitted that could be weighed."""
    if setting not in FITTED:
        method.settings = method.settings.model_copy(update={setting: weight})
    elif own > 0:
        method.get_submodule(FITTED[setting]).unit.mul_(weight / own)
    elif weight > 0:
        raise RunError(f"The run has no {setting}, which is fitted after a training: ask for it by itself first.")


def table(rows: Sequence[Row], setting: str) -> str:
    """The rows and their mean as Markdown; bold is the weight that all runs have, where it is one of those asked for."""
    values = list(rows[0].auroc)
    bold = {r.own for r in rows}

    def line(name: str, areas: Sequence[float], alone: Sequence[float]) -> str:
        cells = [f"**{a:.4f}**" if bold == {v} else f"{a:.4f}" for v, a in zip(values, areas, strict=True)]
        return f"| {' | '.join([name, *cells, *(f'{a:.4f}' for a in alone)])} |"

    is_term = setting != LOOKS
    head = [f"**{v:g}**" if bold == {v} else f"{v:g}" for v in values] + ["alone"] * is_term
    lines = [f"| `{setting}` | {' | '.join(head)} |", "|---|" + "---:|" * len(head)]
    alone = [[r.alone] * is_term for r in rows]
    lines += [line(r.run, list(r.auroc.values()), a) for r, a in zip(rows, alone, strict=True)]
    if len(rows) > 1:
        means = np.array([list(r.auroc.values()) for r in rows]).mean(axis=0)
        lines.append(line("mean", means.tolist(), np.mean(alone, axis=0).tolist()))
    return "\n".join(lines)

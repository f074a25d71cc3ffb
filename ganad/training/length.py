"""How many steps a training has, how many its preset is meant for, and the sentence for one that was too short.

What counts is steps, not epochs: two epochs of few images are a handful of steps. GANomaly's mean AUROC over the ten digits, for
one, is 0.67 after a third of its usual steps and 0.96 after a good half (docs/performance.md).
"""

from __future__ import annotations

import math

from ganad.config import VAL_SHARE, Settings, resolve
from ganad.wording import plural

ONE_DIGIT = round(6_000 * (1 - VAL_SHARE))
"""Training images of one digit of MNIST, about, what is held out taken away: 5,400. Presets were tuned on so many."""
TRAINING_IMAGES = 200
"""Images that a run learns from whose parts are taken after a kept epoch, to be compared with held-out ones."""
HELD_OUT_FOLLOWED, TEST_FOLLOWED = 100, 500
"""Images at most, the same ones after every kept epoch, by which one can watch a run learn."""
ENOUGH = 0.5
"""A training with fewer steps than this share of its preset's is called short."""


def steps_per_epoch(images: int, batch_size: int) -> int:
    """A last batch smaller than half is dropped: batch statistics over a handful of images do harm."""
    full, rest = divmod(images, batch_size)
    return max(1, full + (rest >= batch_size / 2))


def usual(settings: Settings) -> tuple[int, int]:
    """(epochs, steps) of the preset that the settings began with, by itself: on one digit of MNIST, or on its own `limit`."""
    preset = resolve(settings.method, settings.preset, normal=settings.normal)
    images = round(preset.limit * (1 - VAL_SHARE)) if preset.limit else ONE_DIGIT
    return preset.epochs, preset.epochs * steps_per_epoch(images, preset.batch_size)


def too_short(settings: Settings, steps: int) -> str:
    """One sentence or two when a finished training had fewer than half its preset's usual steps, else an empty text.

    steps: updates of all players in the whole training; 0 where it is not known, of which nothing is said.
    """
    epochs, enough = usual(settings)
    if not 0 < steps < ENOUGH * enough:
        return ""
    here = math.ceil(enough * settings.epochs / steps)  # epochs of these images with the preset's number of steps
    advice = f"Train for {here:,} epochs to have as many" if here > settings.epochs else "Train for longer"
    if settings.limit:
        advice += f", or for {epochs:,} without the limit of {settings.limit:,} images"
    return (
        f"This was a short training: {_steps(steps)}. This preset's default is {epochs:,} epochs = {enough:,} steps, "
        f"{_times(enough / steps)} as many; with fewer than half of them the nets are usually half trained, "
        f"and reconstructions and AUROC say little. {advice}."
    )


def _steps(n: int) -> str:
    return plural(n, "step")


def _times(ratio: float) -> str:
    return f"{ratio:.0f} times" if ratio >= 10 else f"{ratio:.1f} times"

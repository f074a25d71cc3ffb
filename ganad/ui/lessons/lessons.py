"""The lessons themselves."""

from __future__ import annotations

from ganad.ui.lessons.steps import Lesson, Seen, Step


def _drew(now: Seen, then: Seen) -> bool:
    return bool(now.drawing) and now.drawing != then.drawing


def _new_run(now: Seen, then: Seen, *, contaminated: bool = False, few: int | None = None) -> bool:
    new = now.trained - then.trained
    return any((r.contamination > 0) == contaminated and (few is None or (r.images or 10**9) <= few) for r in new)


TOUR = Lesson(
    "tour",
    "Ninety seconds",
    "From a drawing of your own to a verdict, an image and a threshold.",
    "ganomaly-n8",
    (
        Step(
            "Score", "Draw an 8 on the sheet and watch the verdict follow the pen. Then press **Explain in detail**.", _drew,
            "This detector has only ever seen 8s. What it redraws looks like your 8, so the score stays low.",
        ),
        Step(
            "Score", "Clear the sheet, draw a 3, and press **Explain in detail** again.", _drew,
            "It can only draw 8s, so it redraws your 3 as one. The difference, and a code that normal images do not have, is the score.",
        ),
        Step(
            "Browse", "Pick any image that the detector judged wrong: the filter *missed* or *false alarms* finds some.",
            lambda now, then: now.image is not None and now.image_is_anomalous != now.image_called_anomalous,
            "No detector is right about everything. The lens and the parts of the score show why it was wrong here.",
        ),
        Step(
            "Evaluate", "Move the threshold: drag the line in the histogram, or change the share of false alarms.",
            lambda now, then: now.threshold != then.threshold,
            "A lower threshold catches more anomalies and raises more false alarms. The ROC curve holds every such choice; where to stand on it is yours to decide.",
        ),
    ),
)  # fmt: skip

ONES = Lesson(
    "ones",
    "Why a 1 fools a reconstruction",
    "A simple image is easy to redraw, normal or not.",
    "ganomaly-n8",
    (
        Step(
            "Evaluate", "Let the residual alone decide: move **Residual** up, and the other weights to 0.",
            lambda now, then: now.residual_alone,
            "Look at the row of digit 1: almost none of the 1s is above the threshold now.",
        ),
        Step(
            "Browse", "Pick a 1 that was missed: the digit 1, and the filter *missed*.",
            lambda now, then: now.residual_alone and now.image_class == "1" and now.image_is_anomalous is True and now.image_called_anomalous is False,
            "A 1 has little ink, so little can be wrong about it: its residual is small even where the reconstruction is no 1 at all.",
        ),
        Step(
            "Evaluate", "Go back to the run's own weights with **Back to defaults**.",
            lambda now, then: now.weights == now.usual_weights,
            "The latent part asks where the code lies and how usual that is for so much ink. It catches two thirds of the 1s, and more of every other digit.",
        ),
    ),
)  # fmt: skip

POISON = Lesson(
    "contamination",
    "A contaminated training set",
    "What a detector learns when some of its normals are none.",
    "ganomaly-n8",
    (
        Step(
            "Train", "Train a run with other digits among its normals: under *Advanced settings*, **Share of other digits among the normals** 0.1, and 3 under **Which other digits**. "
            "Few epochs will do.", lambda now, then: _new_run(now, then, contaminated=True),
            "One in ten of its normal images was a 3, among those it learned from and among those its threshold comes from.",
        ),
        Step(
            "Browse", "Look at your run's 3s: pick one that was missed.",
            lambda now, then: now.image_class == "3" and now.image_called_anomalous is False and now.run in {r.name for r in now.trained if r.contamination},
            "It has learned to redraw 3s. And since 3s are among the held-out images too, the threshold has moved up to let them pass.",
        ),
        Step(
            "Compare", "Compare it with the shipped run: look at **Digits**.", lambda now, then: now.page == "Compare",
            "The 3 loses most. Another digit that looks like it may lose as well. A held-out set that nobody has checked promises less than it seems to.",
        ),
    ),
)  # fmt: skip

FEW = Lesson(
    "few",
    "Too few images",
    "How much does a detector need to see?",
    "ganomaly-n8",
    (
        Step(
            "Train", "Train a run on few images: under *Advanced settings*, **Training images at most** 300.",
            lambda now, then: _new_run(now, then, few=500),
            "A tenth of them was held out. The finished panel says how short the training was, and by how much.",
        ),
        Step(
            "Evaluate", "Open Evaluate with your run, and look at how many held-out normals the threshold rests on.",
            lambda now, then: now.page == "Evaluate" and now.run in {r.name for r in now.trained if (r.images or 10**9) <= 500},
            "With 30 held-out images a rate of 5 % is one image. The promise holds on average over such sets, and a single set can be far off.",
        ),
    ),
)  # fmt: skip

PATIENCE = Lesson(
    "patience",
    "AnoGAN's patience",
    "What an encoder is for.",
    "anogan-n8",
    (
        Step(
            "Browse", "Pick any image, and watch the search for its code below.", lambda now, then: now.searches and now.image is not None,
            "AnoGAN has no encoder. For each image it walks through codes until the generator draws something near: a hundred steps for one image.",
        ),
        Step(
            "Methods", "Choose **A race: a search against one pass**, and press Start.", lambda now, then: now.racing,
            "EGBAD and GANomaly have learned the way from an image to its code. One pass instead of a search: about a hundred times as fast, and no worse.",
        ),
    ),
)  # fmt: skip

BREAK = Lesson(
    "break",
    "Break it",
    "Find a drawing of a wrong digit that passes.",
    "ganomaly-n8",
    (
        Step(
            "Score", "Draw anything but an 8 that the detector still calls **normal**. Press *Explain in detail*, and say what you drew.",
            lambda now, then: _drew(now, then) and now.drawing_called == "normal" and now.claimed not in ("", "8"),
            "You found a blind spot. Whatever shares its strokes with a normal digit, or has very little ink, is a good try. An honest figure for how often that happens is the share of missed anomalies on Evaluate.",
            asks_what_was_drawn=True,
        ),
    ),
)  # fmt: skip

LESSONS = {lesson.id: lesson for lesson in (TOUR, ONES, PATIENCE, BREAK, FEW, POISON)}
"""By their name in a link, in the order in which they are offered."""

"""AnoGAN, watched: a step of its GAN, and the search that scores an image."""

from __future__ import annotations

import numpy as np
import torch

from ganad.models.anogan import Anogan
from ganad.models.looks import further_looks
from ganad.walkthrough import gan_scene
from ganad.walkthrough.recording import noise, record
from ganad.walkthrough.scenes import Edge, Moment, Node, Scene, Term

LOOKS = 4
"""How often the search is shown on its way."""


def scenes(method: Anogan, batch: torch.Tensor) -> list[Scene]:
    """A step on batch (B, 1, S, S) and the search for its first image."""
    method.eval()
    search = _search(method, batch[:1])
    method.train()
    with record(method, dict(method.nets.items())) as recording:
        method.step(batch, noise(method.settings.seed))
    return [gan_scene.anogan(recording, len(batch)), search]


def _search(method: Anogan, x: torch.Tensor) -> Scene:
    s = method.settings
    steps = list(method.search(x))
    last = len(steps) - 1
    seen = sorted({round(last * k / LOOKS) for k in range(1, LOOKS + 1)})
    pictures = {k: method.picture(steps[k].z)[0].numpy() for k in (0, *seen)}
    nets = {name: method.scoring_net(name) for name in ("generator", "discriminator")}
    with torch.no_grad(), record(method, nets) as recording:
        f = method.discriminate(x)
        _, residual, discrimination, latent = method.compare(x, f, steps[-1].z)
        latent = method.with_typicality(latent, residual, x)
    with torch.no_grad():
        looks = (x, *further_looks(x, s.further_looks))
        discrimination = min(
            method.discrimination_part(discrimination, look, method.discriminate(look)) for look in looks
        )
    looked, drawn, looked_again = recording.events
    w_r, w_d, w_l = s.weights
    unusual, dense = method.typicality is not None, method.features is not None
    guessed, copied, first = s.w_transform > 0, method.transform_features is not None, method.first_layer is not None
    asked = (
        ("how unlikely those of x are", dense),
        ("how badly a copy of D guesses how x was turned, scaled and sheared", guessed),
        ("how rare what that copy sees in x is", copied),
        ("how rare what its first layer sees is", first),
    )
    of_features = [words for words, counts in asked if counts]
    return Scene(
        title="Scoring an image",
        nodes=(
            Node("x", "x", "image", 2, 0),
            Node("z", "z", "code", 0, 1),
            Node("G", "G", "net", 1, 1, "generator"),
            Node("x_hat", "G(z)", "image", 2, 1),
            Node("D", "D", "net", 3, 1, "discriminator"),
            Node("f", "f(x)", "features", 4, 0),
            Node("f_hat", "f(G(z))", "features", 4, 1),
            Node("residual", "residual", "number", 1, 2),
            Node("discrimination", "discrimination", "number", 2, 2),
            Node("latent", "latent", "number", 3, 2),
            Node("score", "score", "number", 4, 2),
        ),
        edges=(Edge("z", "G"), Edge("G", "x_hat"), Edge("x", "D"), Edge("x_hat", "D"), Edge("D", "f"), Edge("D", "f_hat")),
        formulas=(
            (Term("residual = "), Term("Σ |x − G(z)|", "residual")),
            (Term("discrimination = "), Term("Σ |f(x) − f(G(z))|" + " + density of f(x)" * dense + " + transform error of x" * guessed + " + density of what D's copy sees" * copied + " + density of what its first layer sees" * first, "discrimination")),
            (Term("latent = "), Term("mean z²" + " + typicality" * unusual, "latent")),
            (Term("score = "), Term(f"{w_r:g} · residual + {w_d:g} · discrimination + {w_l:g} · latent", "score")),
        ),
        moments=(
            Moment("An image", "It may be normal or not: nobody has told the detector.", lit=("x",), values=(("x", x[0].numpy()),)),
            Moment(
                "A code to begin with", "There is no encoder: nobody knows which z would draw x. So the search begins with drawn numbers.", lit=("z", "G", "x_hat"),
                flow=(("z", "G"), ("G", "x_hat")), values=(("z", steps[0].z[0].numpy()), ("x_hat", pictures[0]), ("score", float(steps[0].score[0]))),
            ),
            *(
                Moment(
                    f"After {k} of {last} steps", "Each step asks in which direction of z the score falls, and goes a little that way. The nets stay as they are: only z moves.",
                    lit=("z", "x_hat", "score"), flow=(("z", "G"), ("G", "x_hat")), terms=("score",),
                    values=(("z", steps[k].z[0].numpy()), ("x_hat", pictures[k]), ("score", float(steps[k].score[0]))),
                    call=drawn if k == last else None,
                )
                for k in seen
            ),
            Moment(
                "The discriminator looks at both", "Its features f say what it sees in x, and in the nearest image that the generator can draw.", lit=("D", "f", "f_hat"),
                flow=(("x", "D"), ("x_hat", "D"), ("D", "f"), ("D", "f_hat")), values=(("f", _vector(looked.outputs[1])), ("f_hat", _vector(looked_again.outputs[1]))),
                call=looked,
            ),
            Moment(
                "What is left", "A part of the score each: pixels, features" + f" with {', and '.join(of_features)}" * bool(of_features) + f" (as it is and turned by {s.further_looks:g}° to either side: the lowest counts)" * bool(of_features and s.further_looks) + ", and how far z is from what was drawn in training"
                + ", with how unusual such a residual is for so much ink" * unusual + f". {last} steps in place of one pass: that is why EGBAD and GANomaly learn an encoder.", lit=("residual", "discrimination", "latent", "score"), terms=("residual", "discrimination", "latent", "score"),
                values=(
                    ("residual", float(residual[0])), ("discrimination", float(discrimination[0])), ("latent", float(latent[0])),
                    ("score", float(w_r * residual[0] + w_d * discrimination[0] + w_l * latent[0])),
                ),
            ),
        ),
    )  # fmt: skip


def _vector(values: np.ndarray) -> np.ndarray:
    return values.reshape(-1)

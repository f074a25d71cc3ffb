"""A training step of a GAN of images and random numbers alone: AnoGAN's, and the first phase of f-AnoGAN."""

from __future__ import annotations

import numpy as np

from ganad.walkthrough.common import image_and_noise
from ganad.walkthrough.recording import Recording
from ganad.walkthrough.scenes import Call, Edge, Moment, Node, Scene, Term

NODES = (
    Node("x", "x", "image", 2, 0),
    Node("z", "z", "code", 0, 2),
    Node("G", "G", "net", 1, 2, "generator"),
    Node("x_tilde", "G(z)", "image", 2, 2),
    Node("D", "D", "net", 3, 1, "discriminator"),
    Node("d_real", "D(x)", "number", 4, 0),
    Node("d_fake", "D(G(z))", "number", 4, 2),
    Node("loss", "loss", "number", 4, 1),
)
EDGES = (
    Edge("z", "G"),
    Edge("G", "x_tilde"),
    Edge("x", "D"),
    Edge("x_tilde", "D"),
    Edge("D", "d_real"),
    Edge("D", "d_fake"),
)


def anogan(recording: Recording, batch: int) -> Scene:
    """AnoGAN's step: D learns to tell x from G(z), then G learns to fool it."""
    (draw,), looks, (d, g) = recording.calls("generator"), recording.calls("discriminator"), recording.updates
    real, fake, after = (probability(c) for c in looks)
    return Scene(
        title="A training step",
        nodes=NODES,
        edges=EDGES,
        formulas=(
            (Term("L_D = "), Term("−log D(x)", "real"), Term(" "), Term("− log(1 − D(G(z)))", "fake")),
            (Term("L_G = "), Term("−log D(G(z))", "fool")),
        ),
        moments=(
            image_and_noise(looks[0].inputs[0], draw.inputs[0], batch),
            Moment(
                "The generator draws", "z → G → G(z): an image that nobody has written.", lit=("G", "x_tilde"), flow=(("z", "G"), ("G", "x_tilde")),
                values=(("x_tilde", draw.outputs[0]),), call=draw,
            ),
            Moment(
                "The discriminator looks at x", "It says how sure it is that x is real: 1 is certain, 0 is certainly drawn.",
                lit=("D", "x", "d_real"), flow=(("x", "D"), ("D", "d_real")), values=(("d_real", real),), call=looks[0],
            ),
            Moment(
                "... and at the drawn one", "The same net, the same weights.", lit=("D", "x_tilde", "d_fake"), flow=(("x_tilde", "D"), ("D", "d_fake")),
                values=(("d_fake", fake),), call=looks[1],
            ),
            Moment(
                "The discriminator learns",
                "Its loss is small where D(x) is near 1 and D(G(z)) near 0. It is a mean over the batch; only the weights of D change.",
                lit=("d_real", "d_fake", "loss", "D"), terms=("real", "fake"), values=(("loss", d.loss),), learns=d.nets,
            ),
            Moment(
                "It is asked again", "D has changed a little, and judges the same drawn image anew.", lit=("D", "d_fake"),
                flow=(("x_tilde", "D"), ("D", "d_fake")), values=(("d_fake", after),), call=looks[2],
            ),
            Moment(
                "The generator learns",
                "Its loss is small where the discriminator takes G(z) for real. The gradient flows back through D, which stays as it is: only G changes.",
                lit=("d_fake", "loss", "G"), flow=(("G", "x_tilde"), ("x_tilde", "D")), terms=("fool",), values=(("loss", g.loss),), learns=g.nets,
            ),
        ),
    )  # fmt: skip


def wasserstein(recording: Recording, batch: int, losses: dict[str, float], critic_steps: int) -> Scene:
    """f-AnoGAN's first phase: a critic estimates how far drawn images are from real ones, and G comes nearer."""
    draw, looks, updates = recording.calls("generator")[0], recording.calls("discriminator"), recording.updates
    real, fake = (value(c) for c in looks[:2])
    penalty, distance = losses["discriminator/penalty"], losses["discriminator/distance"]
    g = [
        Moment(
            "The generator learns",
            f"Every {critic_steps} updates of the critic: it draws anew, and its loss is the critic's opinion of that with the sign turned round. Only G changes.",
            lit=("d_fake", "loss", "G", "x_tilde"), flow=(("G", "x_tilde"), ("x_tilde", "D")), terms=("fool",),
            values=(("x_tilde", recording.calls("generator")[1].outputs[0]), ("d_fake", value(looks[-1])), ("loss", u.loss)),
            learns=u.nets, call=recording.calls("generator")[1],
        )
        for u in updates[1:]
    ]  # fmt: skip
    return Scene(
        title="A step of the GAN",
        nodes=NODES,
        edges=EDGES,
        formulas=(
            (Term("L_D = "), Term("mean D(G(z)) − mean D(x)", "distance"), Term(" "), Term("+ w · (‖∇D‖ − 1)²", "penalty")),
            (Term("L_G = "), Term("−mean D(G(z))", "fool")),
        ),
        moments=(
            image_and_noise(looks[0].inputs[0], draw.inputs[0], batch),
            Moment(
                "The generator draws", "z → G → G(z).", lit=("G", "x_tilde"), flow=(("z", "G"), ("G", "x_tilde")), values=(("x_tilde", draw.outputs[0]),), call=draw,
            ),
            Moment(
                "The critic values x", "No probability but any number, the higher the more real.", lit=("D", "x", "d_real"),
                flow=(("x", "D"), ("D", "d_real")), values=(("d_real", real),), call=looks[0],
            ),
            Moment(
                "... and the drawn one", "Over many images the difference of the two estimates how far drawn images are from real ones (Wasserstein's distance).",
                lit=("D", "x_tilde", "d_fake"), flow=(("x_tilde", "D"), ("D", "d_fake")), terms=("distance",), values=(("d_fake", fake),), call=looks[1],
            ),
            Moment(
                "The critic learns",
                f"It should value real images higher by as much as it can (now by {distance:.3g} in the mean), with a slope near 1 between the two: "
                f"the penalty is {penalty:.3g}. Only the critic changes.",
                lit=("d_real", "d_fake", "loss", "D"), terms=("distance", "penalty"), values=(("loss", updates[0].loss),), learns=updates[0].nets,
            ),
            *g,
        ),
    )  # fmt: skip


def probability(call: Call) -> float:
    """What a discriminator's logit, its first output, says: how sure it is that it sees something real, in (0, 1)."""
    return float(1 / (1 + np.exp(-np.float64(value(call)))))


def value(call: Call) -> float:
    """The first output of a discriminator: one number."""
    return float(call.outputs[0])

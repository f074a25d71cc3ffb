"""EGBAD, watched."""

from __future__ import annotations

import torch

from ganad.models.egbad import Egbad
from ganad.walkthrough.common import image_and_noise
from ganad.walkthrough.gan_scene import probability
from ganad.walkthrough.recording import noise, record
from ganad.walkthrough.scenes import Edge, Moment, Node, Scene, Term
from ganad.walkthrough.scoring_scene import scoring, watch

NODES = (
    Node("x", "x", "image", 0, 0),
    Node("E", "E", "net", 1, 0, "encoder"),
    Node("z_hat", "E(x)", "code", 2, 0),
    Node("z", "z", "code", 0, 2),
    Node("G", "G", "net", 1, 2, "generator"),
    Node("x_tilde", "G(z)", "image", 2, 2),
    Node("D", "D", "net", 3, 1, "discriminator"),
    Node("d_real", "D(x, E(x))", "number", 4, 0),
    Node("d_fake", "D(G(z), z)", "number", 4, 2),
    Node("loss", "loss", "number", 4, 1),
)
EDGES = (
    Edge("x", "E"), Edge("E", "z_hat"), Edge("z", "G"), Edge("G", "x_tilde"), Edge("x", "D"), Edge("z_hat", "D"), Edge("z", "D"),
    Edge("x_tilde", "D"), Edge("D", "d_real"), Edge("D", "d_fake"),
)  # fmt: skip


def scenes(method: Egbad, batch: torch.Tensor) -> list[Scene]:
    """A step on batch (B, 1, S, S) and the score of its first image."""
    nets = {name: method.scoring_net(name) for name in ("encoder", "generator", "discriminator")}
    method.eval()
    scored = watch(method, nets, batch[:1])
    method.train()
    with record(method, dict(method.nets.items())) as recording:
        losses = method.step(batch, noise(method.settings.seed))
    return [
        _step(method, recording, losses, len(batch)),
        scoring(method, scored, ("encoder", "generator", "encoder")),
    ]


def _step(method: Egbad, recording, losses, batch: int) -> Scene:
    s = method.settings
    encode, draw, looks = (
        recording.calls("encoder")[0],
        recording.calls("generator")[0],
        recording.calls("discriminator"),
    )
    real, fake, fake_after, real_after = (probability(c) for c in looks)
    d, eg = recording.updates
    asked = (
        (s.w_cycle, "|x − G(E(x))|", "cycle"), (s.w_cycle_z, "(z − E(G(z)))²", "cycle_z"), (s.w_latent, "(E(x) − E(G(E(x))))²", "code"),
    )  # fmt: skip
    more = tuple(Term(f" + {w:g} · mean {text}", name) for w, text, name in asked if w)
    added = " This run adds terms that the paper does not have: a pair shall lead back to itself." if more else ""
    return Scene(
        title="A training step",
        nodes=NODES,
        edges=EDGES,
        formulas=(
            (Term("L_D = "), Term("−log D(x, E(x))", "real"), Term(" "), Term("− log(1 − D(G(z), z))", "fake")),
            (Term("L_G,E = "), Term("−log D(G(z), z)", "fool_fake"), Term(" "), Term("− log(1 − D(x, E(x)))", "fool_real"), *more),
        ),
        moments=(
            image_and_noise(encode.inputs[0], draw.inputs[0], batch),
            Moment(
                "The encoder: from an image to a code", "x → E → E(x).", lit=("E", "z_hat"), flow=(("x", "E"), ("E", "z_hat")),
                values=(("z_hat", encode.outputs[0]),), call=encode,
            ),
            Moment(
                "The generator: from a code to an image", "z → G → G(z). So there are two pairs of an image and a code.", lit=("G", "x_tilde"),
                flow=(("z", "G"), ("G", "x_tilde")), values=(("x_tilde", draw.outputs[0]),), call=draw,
            ),
            Moment(
                "The discriminator looks at the encoder's pair",
                "An image and its code together. 1: certainly the encoder's, with a real image; 0: certainly the generator's.",
                lit=("D", "x", "z_hat", "d_real"), flow=(("x", "D"), ("z_hat", "D"), ("D", "d_real")), values=(("d_real", real),), call=looks[0],
            ),
            Moment(
                "... and at the generator's pair", "The same net, the same weights.", lit=("D", "x_tilde", "z", "d_fake"),
                flow=(("x_tilde", "D"), ("z", "D"), ("D", "d_fake")), values=(("d_fake", fake),), call=looks[1],
            ),
            Moment(
                "The discriminator learns",
                "Its loss is small where it tells the pairs apart. It is a mean over the batch; only the weights of D change.",
                lit=("d_real", "d_fake", "loss", "D"), terms=("real", "fake"), values=(("loss", d.loss),), learns=d.nets,
            ),
            Moment(
                "It is asked again", "D has changed a little, and judges the same two pairs anew.", lit=("D", "d_real", "d_fake"),
                flow=(("x", "D"), ("z_hat", "D"), ("x_tilde", "D"), ("z", "D")), values=(("d_fake", fake_after), ("d_real", real_after)), call=looks[3],
            ),
            Moment(
                "Encoder and generator learn",
                "They want the opposite: that both pairs look alike. They can only do that by inverting each other: E(G(z)) = z and G(E(x)) = x." + added,
                lit=("d_real", "d_fake", "loss", "E", "G"), flow=(("z_hat", "D"), ("x_tilde", "D")),
                terms=("fool_fake", "fool_real", *(t.id for t in more)), values=(("loss", eg.loss),), learns=eg.nets,
            ),
        ),
    )  # fmt: skip

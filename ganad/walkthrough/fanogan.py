"""f-AnoGAN, watched: a step of its Wasserstein GAN, a step of its encoder, and a score."""

from __future__ import annotations

import torch

from ganad.models.fanogan import Fanogan
from ganad.walkthrough import gan_scene
from ganad.walkthrough.common import REDRAWN, REDRAWN_EDGES
from ganad.walkthrough.recording import Recording, noise, record
from ganad.walkthrough.scenes import Moment, Node, Scene, Term
from ganad.walkthrough.scoring_scene import scoring, watch

NAMES = ("encoder", "generator", "discriminator")


def scenes(method: Fanogan, batch: torch.Tensor) -> list[Scene]:
    """A step of each phase on batch (B, 1, S, S), and the score of its first image."""
    scoring_nets = {name: method.scoring_net(name) for name in NAMES}
    method.eval()
    scored = watch(method, scoring_nets, batch[:1])
    method.train()
    method.set_progress(method.phases()[1])
    watched = {
        "encoder": method.nets["encoder"],
        "generator": scoring_nets["generator"],
        "discriminator": scoring_nets["discriminator"],
    }
    with record(method, watched) as of_encoder:
        losses = {name: float(value) for name, value in method.step(batch, noise(method.settings.seed)).items()}
    method.train()
    method.set_progress(0.0)
    method.critic_updates = method.settings.critic_steps - 1  # the step in which the generator learns too
    with record(method, {name: method.nets[name] for name in NAMES[1:]}) as of_gan:
        gan = {name: float(value) for name, value in method.step(batch, noise(method.settings.seed)).items()}
    return [
        gan_scene.wasserstein(of_gan, len(batch), gan, method.settings.critic_steps),
        _encoder_step(method, of_encoder, losses, len(batch)),
        scoring(method, scored, ("encoder", "generator", "encoder")),
    ]


def _encoder_step(method: Fanogan, recording: Recording, losses: dict[str, float], batch: int) -> Scene:
    s = method.settings
    (encode,), (draw,), (real, fake) = (recording.calls(name) for name in NAMES)
    (update,) = recording.updates
    mean = f"It is a mean over {batch} images."
    return Scene(
        title="A step of the encoder",
        nodes=(
            *REDRAWN,
            Node("loss", "loss", "number", 2, 2),
        ),
        edges=REDRAWN_EDGES,
        formulas=((Term("L_E = "), Term("mean (x − x̂)²", "pixels"), Term(" + "), Term(f"{s.w_features:g} · mean (f(x) − f(x̂))²", "features")),),
        moments=(
            Moment(
                "An image", f"The GAN is trained and stands still now. The step takes {batch} images at once; one is shown.", lit=("x",), values=(("x", encode.inputs[0]),),
            ),
            Moment(
                "The encoder: which code would draw it?", "x → E → z.", lit=("E", "z"), flow=(("x", "E"), ("E", "z")), values=(("z", encode.outputs[0]),), call=encode,
            ),
            Moment(
                "The generator draws that code", "z → G → x̂.", lit=("G", "x_hat"), flow=(("z", "G"), ("G", "x_hat")), values=(("x_hat", draw.outputs[0]),), call=draw,
            ),
            Moment(
                "The critic looks at both", "Its features f say what it sees in x and in x̂.", lit=("D", "f", "f_hat"),
                flow=(("x", "D"), ("x_hat", "D"), ("D", "f"), ("D", "f_hat")), values=(("f", real.outputs[1]), ("f_hat", fake.outputs[1])), call=real,
            ),
            Moment(
                "The pixels", f"x̂ should look like x. Here {losses['encoder/pixels']:.3g}. {mean}", lit=("x", "x_hat", "loss"), terms=("pixels",),
                values=(("loss", losses["encoder/pixels"]),),
            ),
            Moment(
                "The features", f"... and to the critic too. Here {losses['encoder/features']:.3g}. {mean}", lit=("f", "f_hat", "loss"), terms=("features",),
                values=(("loss", losses["encoder/features"]),),
            ),
            Moment(
                "The encoder learns", "The gradient flows back through critic and generator, which stay as they are.", lit=("loss", "E"),
                terms=("pixels", "features"), values=(("loss", update.loss),), learns=update.nets,
            ),
        ),
    )  # fmt: skip

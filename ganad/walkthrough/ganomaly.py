"""GANomaly, watched."""

from __future__ import annotations

import torch

from ganad.models.ganomaly import Ganomaly, l2_normalize
from ganad.walkthrough.common import ENCODED_AGAIN, REDRAWN_EDGES
from ganad.walkthrough.gan_scene import probability
from ganad.walkthrough.recording import Recording, noise, record
from ganad.walkthrough.scenes import Moment, Node, Scene, Term
from ganad.walkthrough.scoring_scene import scoring, watch

NODES = (
    Node("x", "x", "image", 0, 0),
    Node("E", "E", "net", 1, 0, "encoder", "generator"),
    Node("z", "z", "code", 2, 0),
    Node("G", "G", "net", 3, 0, "generator"),
    Node("x_hat", "x̂", "image", 4, 0),
    Node("f", "f(x)", "features", 1, 1),
    Node("D", "D", "net", 2, 1, "discriminator"),
    Node("f_hat", "f(x̂)", "features", 3, 1),
    Node("E2", "E₂", "net", 4, 1, "encoder", "generator"),
    Node("z_hat", "ẑ", "code", 4, 2),
    Node("loss", "loss", "number", 2, 2),
    Node("d_real", "D(x)", "number", 0, 2),
    Node("d_fake", "D(x̂)", "number", 3, 2),
)
EDGES = (*REDRAWN_EDGES, *ENCODED_AGAIN)


def scenes(method: Ganomaly, batch: torch.Tensor) -> list[Scene]:
    """A step on batch (B, 1, S, S) and the score of its first image."""
    method.eval()
    scored = watch(method, _nets(method.scoring_net("generator"), method.scoring_net("discriminator")), batch[:1])
    method.train()
    with record(method, _nets(method.nets["generator"], method.nets["discriminator"])) as recording:
        losses = {name: float(value) for name, value in method.step(batch, noise(method.settings.seed)).items()}
    return [
        _step(method, recording, losses, len(batch)),
        scoring(method, scored, ("encoder1", "decoder", "encoder2")),
    ]


def _nets(generator: torch.nn.Module, discriminator: torch.nn.Module) -> dict[str, torch.nn.Module]:
    return {
        "encoder1": generator.encoder1,
        "decoder": generator.decoder,
        "encoder2": generator.encoder2,
        "discriminator": discriminator,
    }


def _step(method: Ganomaly, recording: Recording, losses: dict[str, float], batch: int) -> Scene:
    s = method.settings
    (encode,), (draw,), (again,) = (recording.calls(name) for name in ("encoder1", "decoder", "encoder2"))
    real, fake = recording.calls("discriminator")
    g, d = recording.updates
    z, z_hat = draw.inputs[0], again.outputs[0]
    if s.normalize_latent:
        z_hat = l2_normalize(torch.from_numpy(z_hat)[None])[0].numpy()
    mean = f"It is a mean over {batch} images."
    scaled = " Codes are scaled to one length, which the paper does not do." if s.normalize_latent else ""
    return Scene(
        title="A training step",
        nodes=NODES,
        edges=EDGES,
        formulas=(
            (
                Term("L_G = "), Term(f"{s.w_adv:g} · mean (f(x) − f(x̂))²", "adversarial"), Term(" + "),
                Term(f"{s.w_con:g} · mean |x − x̂|", "contextual"), Term(" + "), Term(f"{s.w_enc:g} · mean (z − ẑ)²", "encoder"),
            ),
            (Term("L_D = "), Term("½ (−log D(x)", "real"), Term(" "), Term("− log(1 − D(x̂)))", "fake")),
        ),
        moments=(
            Moment(
                "An image", f"x is the picked image, as if it were a training image. The step takes {batch} at once; one is shown.", lit=("x",), values=(("x", encode.inputs[0]),),
            ),
            Moment(
                "The encoder sums it up", f"x → E → z: {s.latent} numbers." + scaled, lit=("E", "z"), flow=(("x", "E"), ("E", "z")), values=(("z", z),), call=encode,
            ),
            Moment(
                "The decoder redraws it", "z → G → x̂.", lit=("G", "x_hat"), flow=(("z", "G"), ("G", "x_hat")), values=(("x_hat", draw.outputs[0]),), call=draw,
            ),
            Moment(
                "A second encoder reads the redrawn image", "x̂ → E₂ → ẑ. A net of its own, with other weights than E.", lit=("E2", "z_hat"),
                flow=(("x_hat", "E2"), ("E2", "z_hat")), values=(("z_hat", z_hat),), call=again,
            ),
            Moment(
                "The discriminator looks at x", "It gives features f(x), and says how sure it is that x is no redrawn image.", lit=("D", "f", "d_real"),
                flow=(("x", "D"), ("D", "f")), values=(("f", real.outputs[1]), ("d_real", probability(real))), call=real,
            ),
            Moment(
                "... and at x̂", "The same net, the same weights.", lit=("D", "f_hat", "d_fake"), flow=(("x_hat", "D"), ("D", "f_hat")),
                values=(("f_hat", fake.outputs[1]), ("d_fake", probability(fake))), call=fake,
            ),
            Moment(
                "Contextual loss: the pixels", f"x̂ should look like x. Here {losses['generator/contextual']:.3g}. {mean}", lit=("x", "x_hat", "loss"), terms=("contextual",),
                values=(("loss", losses["generator/contextual"]),),
            ),
            Moment(
                "Encoder loss: the codes", f"ẑ should be like z. Here {losses['generator/encoder']:.3g}. {mean}", lit=("z", "z_hat", "loss"), terms=("encoder",),
                values=(("loss", losses["generator/encoder"]),),
            ),
            Moment(
                "Adversarial loss: the features", f"x̂ should look to the discriminator like x. Here {losses['generator/adversarial']:.3g}. {mean}",
                lit=("f", "f_hat", "loss"), terms=("adversarial",), values=(("loss", losses["generator/adversarial"]),),
            ),
            Moment(
                "Both encoders and the decoder learn", "From the weighted sum of the three. The gradient flows back through D, which stays as it is.",
                lit=("loss", "E", "G", "E2"), terms=("adversarial", "contextual", "encoder"), values=(("loss", g.loss),), learns=g.nets,
            ),
            Moment(
                "The discriminator learns", "Its loss is small where D(x) is near 1 and D(x̂) near 0. It is a mean over the batch; only the weights of D change.",
                lit=("loss", "d_real", "d_fake", "D"), terms=("real", "fake"), values=(("loss", d.loss),), learns=d.nets,
            ),
        ),
    )  # fmt: skip

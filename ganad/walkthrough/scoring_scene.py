"""How one image is scored in a pass: the scene that EGBAD, GANomaly and f-AnoGAN share."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn

from ganad.config import METHOD_NAMES
from ganad.models import Method
from ganad.models.base import Parts
from ganad.models.ganomaly import l2_normalize
from ganad.walkthrough.common import ENCODED_AGAIN, REDRAWN, REDRAWN_EDGES
from ganad.walkthrough.recording import Recording, record
from ganad.walkthrough.scenes import Moment, Node, Scene, Term

_FORMULAS = {
    "egbad": ("Σ |x − x̂|", "Σ |f(x, z) − f(x̂, z)|", "mean (z − ẑ)²"),
    "ganomaly": ("Σ |x − x̂|", "mean (f(x) − f(x̂))²", "mean (z − ẑ)²"),
    "fanogan": ("mean (x − x̂)²", "mean (f(x) − f(x̂))²", "mean (z − ẑ)²"),
}


class Watched(NamedTuple):
    """How one image was scored: what the nets did in the look at it as it is, the parts of that look, and those of all looks."""

    recording: Recording
    parts: Parts
    lowest: Parts


def watch(method: Method, nets: dict[str, nn.Module], x: torch.Tensor) -> Watched:
    """Score x (1, 1, S, S) and note what `nets` do."""
    with torch.no_grad():
        with record(method, nets) as recording:
            parts = method.one_look(x)
        return Watched(recording, parts, method.parts(x))


def scoring(method: Method, watched: Watched, names: tuple[str, str, str]) -> Scene:
    """The scene. names: the first encoder, the generator and the second encoder in the recording."""
    recording, parts, lowest = watched
    s = method.settings
    first, redraws, second = names
    encode = recording.calls(first)[0]
    redraw = recording.calls(redraws)[0]
    again = recording.calls(second)[-1]
    of_x, of_x_hat = _features(recording, s.method)
    x = encode.inputs[0]
    z, z_hat = redraw.inputs[0].reshape(-1), again.outputs[0]
    if getattr(s, "normalize_latent", False):
        z_hat = l2_normalize(torch.from_numpy(z_hat)[None])[0].numpy()
    residual, discrimination, latent = (float(p[0]) for p in parts[:3])
    counted = {"discrimination": float(lowest.discrimination[0]), "latent": float(lowest.latent[0])}
    formulas = _FORMULAS[s.method]
    sure = " + w · −log D(x, z)" if getattr(s, "w_bce", 0) else ""
    guesses = {part: s.fits_transform_error and s.transform_error_in == part for part in ("discrimination", "latent")}
    seen = " + density of f(x)" * s.fits_feature_density + " + transform error of x" * guesses["discrimination"]
    dense, unusual, of_residual = (w > 0 for w in s.latent_statistics)
    added = (
        " + density" * dense
        + " + typicality" * unusual
        + " + density of x − x̂" * of_residual
        + " + density of E's features" * s.fits_encoder_density
        + " + transform error of x" * guesses["latent"]
    )
    turned = "how badly a copy of the discriminator guesses how x was turned, scaled and sheared"
    rare = _added(
        ("how rare such a code is among normal images", dense),
        ("how unusual the likelihood of the code is for so much ink", unusual),
        ("how rare what is left over, x − x̂, is among normal images", of_residual),
        ("how rare what the encoder sees in x below the code is among them", s.fits_encoder_density),
        (turned, guesses["latent"]),
    )
    doubted = _added(
        ("how little it believes in x and its code", bool(sure)),
        ("how rare what it sees in x is among normal images", s.fits_feature_density),
        (turned, guesses["discrimination"]),
    )
    score = sum(w * p for w, p in zip(s.weights, (residual, *counted.values()), strict=True))
    least = "lowest of three looks: " * bool(s.further_looks)
    further = (
        Moment(
            "Two more looks",
            f"All of this is done again for x turned by {s.further_looks:g} degrees to either side. Of the three looks the lowest discrimination and the lowest latent part count: "
            "an image that is merely written askew is no anomaly.",
            lit=("x", "discrimination", "latent"),
            terms=("discrimination", "latent"),
            values=tuple(counted.items()),
        ),
    ) * bool(s.further_looks)
    same = "the same encoder" if first == second else "a second encoder"
    return Scene(
        title="Scoring an image",
        nodes=(
            *REDRAWN,
            Node("E2", "E" if first == second else "E₂", "net", 4, 1, "encoder"),
            Node("z_hat", "ẑ", "code", 4, 2),
            Node("residual", "residual", "number", 0, 2),
            Node("discrimination", "discrimination", "number", 1, 2),
            Node("latent", "latent", "number", 2, 2),
            Node("score", "score", "number", 3, 2),
        ),
        edges=(*REDRAWN_EDGES, *ENCODED_AGAIN),
        formulas=(
            (Term("residual = "), Term(formulas[0], "residual")),
            (Term(f"discrimination = {least}"), Term(formulas[1] + sure + seen, "discrimination")),
            (Term(f"latent = {least}"), Term(formulas[2] + added, "latent")),
            (Term("score = "), Term(" + ".join(f"{w:g} · {p}" for w, p in zip(s.weights, ("residual", "discrimination", "latent"), strict=True)), "score")),
        ),
        moments=(
            Moment("An image", "It may be normal or not: nobody has told the detector.", lit=("x",), values=(("x", x),)),
            Moment(
                "The encoder sums it up",
                f"x → E → z: {x.size:,} pixels become {z.size:,} numbers. What normal images have in common can stay out of them.",
                lit=("E", "z"), flow=(("x", "E"), ("E", "z")), values=(("z", z),), call=encode,
            ),
            Moment(
                "The generator redraws it",
                "z → G → x̂. It has only ever learned to draw normal images, so what is strange about x is drawn as something normal.",
                lit=("G", "x_hat"), flow=(("z", "G"), ("G", "x_hat")), values=(("x_hat", redraw.outputs[0]),), call=redraw,
            ),
            Moment(
                "Residual: how much differs in the pixels",
                "x and x̂ are compared pixel by pixel.",
                lit=("x", "x_hat", "residual"), terms=("residual",), values=(("residual", residual),),
            ),
            Moment(
                "The discriminator looks at both",
                "Its features f say what it sees in x, and in x̂." + (" Both times with the code of x beside the image." if s.method == "egbad" else ""),
                lit=("D", "f", "f_hat"), flow=(("x", "D"), ("x_hat", "D"), ("D", "f"), ("D", "f_hat")),
                values=(("f", of_x[1]), ("f_hat", of_x_hat[1])), call=of_x[0],
            ),
            Moment(
                "Discrimination: how much differs in the features",
                "Two images may differ in few pixels and still look different to the discriminator." + doubted,
                lit=("f", "f_hat", "discrimination"), terms=("discrimination",), values=(("discrimination", discrimination),),
            ),
            Moment(
                "The redrawn image is encoded too",
                f"x̂ → E → ẑ, by {same}.",
                lit=("E2", "z_hat"), flow=(("x_hat", "E2"), ("E2", "z_hat")), values=(("z_hat", z_hat),), call=again,
            ),
            Moment(
                "Latent: how much differs in the codes",
                "The codes of x and of x̂ are compared number by number." + rare,
                lit=("z", "z_hat", "latent"), terms=("latent",), values=(("latent", latent),),
            ),
            *further,
            Moment(
                "The score",
                f"A weighted sum, with the weights that this run of {METHOD_NAMES[s.method]} is scored with. The sliders of Evaluate change them.",
                lit=("residual", "discrimination", "latent", "score"), terms=("score",), values=(("score", score),),
            ),
        ),
    )  # fmt: skip


def _features(recording: Recording, method: str):
    """((call, features) of x, the same of x̂)."""
    calls = recording.calls("discriminator")[:2]
    return tuple((c, c.outputs[1] if len(c.outputs) > 1 else c.outputs[0]) for c in calls)


def _added(*asked: tuple[str, bool]) -> str:
    """A sentence with the words of those terms that count; empty where none does."""
    counting = [words for words, counts in asked if counts]
    return f" Added: {', '.join(counting)}." if counting else ""

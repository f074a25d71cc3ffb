"""The scoring program of each method, run step by step in torch, gives what `parts` gives; its file holds the same nets."""

import json

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize, softplus

from ganad.config import resolve
from ganad.models import build
from ganad.models.typicality import log_ink
from ganad.scoring import browser_nets

NORMAL = {"normal": (8,)}
CASES = [
    ("ganomaly", "tuned", {}), ("ganomaly", "tuned", {"normalize_latent": False}), ("ganomaly", "many", {}),
    ("egbad", "tuned", {}), ("egbad", "tuned", {"w_encoder_density": 0.0}), ("egbad", "tuned", {"w_residual_density": 0.0}), ("egbad", "many", {"w_residual_density": 1.0}), ("egbad", "article", {}), ("egbad", "paper", {"filters": 8}), ("egbad", "paper", {"w_encoder_density": 1.0}), ("egbad", "article", {"w_encoder_density": 1.0}), ("fanogan", "tuned", {}),
    ("fanogan", "tuned", {"w_density": 1.0, "w_feature_density": 2.0, "w_residual_density": 1.0}), ("fanogan", "tuned", {"w_feature_density": 0.0}),
    ("egbad", "tuned", {"w_transform": 1.0}), ("fanogan", "tuned", {"w_transform": 1.0}),
    ("ganomaly", "tuned", {"w_transform": 1.0}),
]  # fmt: skip


def made(method, preset, changes):
    """A net with random weights, its statistics fitted, and batch norms that have seen images."""
    torch.manual_seed(0)
    net = build(resolve(method, preset, **NORMAL | {"filters": 8} | changes), seed=0)
    rng = torch.Generator().manual_seed(0)
    side = net.settings.image_size
    images = torch.rand((60, 1, side, side), generator=rng) * 2 - 1
    with torch.no_grad():
        for inner in net.modules():
            if isinstance(inner, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
                inner.running_mean.uniform_(-0.1, 0.1)
                inner.running_var.uniform_(0.5, 2)
    net.eval().fit_statistics(lambda: [images[:40]], lambda: [images[40:]])
    return net.folded(), images[:5]


def run(net, program, x):
    """Each step as its words say, on a batch."""
    values = {"x": x}
    for step in program.steps:
        a, *b = (values[name] for name in step.inputs)
        match step.operation:
            case "net":
                out = program.nets[step.of](a)
            case "normalize":
                out = normalize(a, dim=1) * a.shape[1] ** 0.5
            case "concatenate":
                out = torch.cat([a, b[0]], dim=1)
            case "sum_abs":
                out = (a - b[0]).abs().flatten(1).sum(dim=1)
            case "mean_square":
                out = (a - b[0]).square().flatten(1).mean(dim=1)
            case "add_softplus_of_negative":
                out = a + step.weight * softplus(-b[0].flatten())
            case "latent_part":
                out = a
                if net.density is not None:
                    surprise = net.density.surprise(b[0])
                    statistics = torch.stack([surprise, log_ink(b[1])], dim=1)
                    out = a + net.density(surprise) + net.typicality(statistics)
                if net.residuals is not None:
                    squares = (b[1] - b[2])[:, 0].unflatten(1, (-1, 2)).unflatten(3, (-1, 2)).mean(dim=(2, 4))
                    mixture = net.residuals.mixture
                    out = out + mixture(mixture.surprise(squares.flatten(1) @ net.residuals.axes))
                if net.encoded is not None:
                    out = out + net.encoded.mixture(net.encoded.mixture.surprise(b[3] @ net.encoded.axes))
            case "discrimination_part":
                out = a
                if net.features is not None:
                    mixture = net.features.mixture
                    out = a + mixture(mixture.surprise(b[1] @ net.features.axes))
                if net.transforms is not None:
                    out = out + net.transforms(b[0])
            case "add_transform_error":
                out = a if net.transforms is None else a + net.transforms(b[0])
        values[step.output] = out
    return values


@pytest.mark.parametrize(("method", "preset", "changes"), CASES)
def test_the_program_says_in_steps_what_the_method_computes(method, preset, changes):
    net, x = made(method, preset, changes)
    with torch.no_grad():
        values, parts = run(net, net.scoring_program(), x), net.one_look(x)
    for name, part in parts.by_name.items():
        assert torch.allclose(values[name], part, rtol=1e-5), name
    assert torch.allclose(values["reconstruction"], parts.reconstruction)
    assert torch.allclose(values.get("z", values.get("code")).flatten(1), parts.z)


def test_a_method_that_searches_has_no_program_and_no_file():
    net = build(resolve("anogan", "tuned", **NORMAL), seed=0)
    assert net.scoring_program() is None
    assert browser_nets.pack(net) is None


@pytest.mark.parametrize(("preset", "changes"), [("article", {}), ("tuned", {"filters": 64})])
def test_what_a_browser_cannot_take_has_no_file(preset, changes):
    net = build(resolve("egbad", preset, **NORMAL, **changes), seed=0)
    assert browser_nets.pack(net) is None
    assert (
        net.settings.image_size == 64 or browser_nets.multiplications(net.folded()) > browser_nets.MOST_MULTIPLICATIONS
    )


def test_the_file_holds_weights_channels_last_in_half_precision_and_biases_in_single():
    net, _ = made("egbad", "tuned", {})
    file = browser_nets.pack(net)
    start = 4 + int.from_bytes(file[:4], "little")
    header = json.loads(file[4:start])
    first, conv = header["nets"]["maps"][0], net.nets["encoder"][0]
    at, length = first["weight"]["at"], first["weight"]["length"]
    weight = np.frombuffer(file, "<f2", length, start + at).reshape(first["out"], 4, 4, first["in"])
    assert first["weight"]["half"]
    assert not first["bias"]["half"]
    assert np.allclose(weight.transpose(0, 3, 1, 2), conv.weight.numpy(), rtol=1e-3, atol=1e-6)
    bias = np.frombuffer(file, "<f4", first["bias"]["length"], start + first["bias"]["at"])
    assert np.array_equal(bias, conv.bias.numpy())
    kinds = {layer["kind"] for layers in header["nets"].values() for layer in layers}
    assert kinds == {"conv", "deconv", "linear", "leaky_relu", "average_pool", "tanh", "flatten", "unflatten"}


def test_multiplications_are_those_of_the_layers():
    net = build(resolve("ganomaly", "tuned", **NORMAL), seed=0)
    s = net.settings
    down = [(16, 1, s.filters), (8, s.filters, 2 * s.filters), (4, 2 * s.filters, 4 * s.filters)]
    pyramid = sum(16 * side * side * i * o for side, i, o in down)
    ends = 16 * 4 * s.filters * s.latent
    logits, typicality = 2 * 16 * 4 * s.filters, 2 * 2
    # Two encoders, D twice, and the decoder, which is an encoder upside down; all of it for each of three looks.
    assert browser_nets.multiplications(net.folded()) == 3 * (5 * pyramid + 3 * ends + logits + typicality)

"""A step in slow motion: every number is the nets' own, and who is said to learn is whose weights change."""

import collections

import numpy as np
import pytest
import torch
from torch.nn import functional

from ganad import service
from ganad.config import METHOD_NAMES, resolve
from ganad.models import build
from ganad.models.base import Method
from ganad.scoring.score import score, to_input
from ganad.walkthrough.recording import record
from ganad.walkthrough.walkthrough import scenes

SMALL = dict(filters=8, latent=6, batch_size=6)


@pytest.fixture(scope="module")
def digits():
    return service.test_images("ganomaly-n8")[:6]


def method(name):
    torch.manual_seed(0)
    steps = {"search_steps": 8, "search_restarts": 1} if name == "anogan" else {}
    return build(resolve(name, "tuned", normal=(8,), **SMALL, **steps)).eval()


def held(scene, up_to=None):
    """node -> value after these moments."""
    known = {}
    for moment in scene.moments[:up_to]:
        known |= dict(moment.values)
    return known


@pytest.mark.parametrize("name", METHOD_NAMES)
def test_who_is_said_to_learn_is_whose_weights_change(name, digits, monkeypatch):
    changed, plain = [], Method.update

    def watched(self, *args, **more):
        before = {net: [p.detach().clone() for p in module.parameters()] for net, module in self.nets.items()}
        plain(self, *args, **more)
        changed.append(
            {n for n, module in self.nets.items() if any(not torch.equal(a, b) for a, b in zip(before[n], module.parameters(), strict=True))}
        )  # fmt: skip

    monkeypatch.setattr(Method, "update", watched)
    made = scenes(method(name), digits[0], digits[1:])
    said = [set(moment.learns) for scene in made for moment in scene.moments if moment.learns]
    assert sorted(map(sorted, said)) == sorted(map(sorted, changed))
    for scene in made:
        for moment in scene.moments:
            learners = {n.weights for n in scene.nodes if n.kind == "net" and n.id in moment.lit}
            assert set(moment.learns) <= learners, "a net that learns is lit in the diagram"


@pytest.mark.parametrize("name", METHOD_NAMES)
def test_the_score_in_slow_motion_is_the_score(name, digits):
    own = method(name)
    expected = score(own, digits[:1])
    last = held(scenes(own, digits[0], digits[1:])[-1])
    for part, values in expected.parts.items():
        assert last[part] == pytest.approx(values[0], rel=1e-4, abs=1e-5)
    total = sum(w * v[0] for w, v in zip(own.settings.weights, expected.parts.values(), strict=True))
    assert last["score"] == pytest.approx(total, rel=1e-4, abs=1e-5)
    np.testing.assert_allclose(last["z"], expected.z[0], atol=1e-4)


def test_the_values_of_a_step_are_those_of_the_nets_in_training(digits):
    x = to_input(digits, 32)
    own = method("ganomaly").train()
    with torch.no_grad():
        x_hat, z, z_hat = own.nets["generator"](x)
        logit, features = own.nets["discriminator"](x)
    known = held(scenes(method("ganomaly"), digits[0], digits[1:])[0])
    for node, tensor in {"x": x, "x_hat": x_hat, "z": z, "z_hat": z_hat, "f": features}.items():
        np.testing.assert_allclose(known[node], tensor[0].numpy(), atol=1e-4)
    assert known["d_real"] == pytest.approx(float(torch.sigmoid(logit[0])), abs=1e-4)

    own = method("egbad").train()
    with torch.no_grad():
        z_hat = own.nets["encoder"](x)
        logit = own.nets["discriminator"](x, z_hat)[0]
    made = scenes(method("egbad"), digits[0], digits[1:])[0]
    np.testing.assert_allclose(held(made)["z_hat"], z_hat[0].numpy(), atol=1e-4)
    first = next(dict(m.values)["d_real"] for m in made.moments if "d_real" in dict(m.values))
    assert first == pytest.approx(float(torch.sigmoid(logit[0])), abs=1e-4)
    assert held(made)["d_real"] != pytest.approx(first, abs=1e-4), "D has learned in between"


@pytest.mark.parametrize("name", METHOD_NAMES)
def test_edges_and_lights_name_nodes_and_every_lit_term_is_written(name, digits):
    for scene in scenes(method(name), digits[0], digits[1:]):
        nodes = {n.id for n in scene.nodes}
        assert len({(n.column, n.row) for n in scene.nodes}) == len(scene.nodes), "two nodes in one place"
        edges = {(e.start, e.end) for e in scene.edges}
        terms = {t.id for formula in scene.formulas for t in formula}
        assert {n for e in edges for n in e} <= nodes
        for moment in scene.moments:
            assert set(moment.flow) <= edges
            assert set(moment.lit) | dict(moment.values).keys() <= nodes
            assert set(moment.terms) <= terms
        filled = {n.id for n in scene.nodes if n.kind != "net"}
        assert held(scene).keys() == filled, "every value is known at the end"


def test_each_layer_is_what_its_module_makes_of_the_layer_before():
    own = method("egbad")
    net, z = own.nets["generator"], torch.randn(3, 6, generator=torch.Generator().manual_seed(1))
    with torch.no_grad(), record(own, {"generator": net}) as recording:
        made = net(z)
    (call,) = recording.calls("generator")
    x, outputs = z, []
    with torch.no_grad():
        for module in net:
            x = module(x.clone())
            outputs.append(x[0].clone().numpy())
    for layer, expected in zip(call.layers, outputs[1:], strict=True):  # the first only gives z a height and a width
        np.testing.assert_allclose(layer.output, expected, atol=1e-6)
    np.testing.assert_allclose(call.outputs[0], made[0].numpy(), atol=1e-6)


def test_a_layer_keeps_what_its_output_is_the_sum_of(digits):
    """In a step of training too, where the weights of D are others before and after it has learned."""
    calls = [moment.call for moment in scenes(method("egbad"), digits[0], digits[1:])[0].moments if moment.call]
    weighed = [layer for call in calls for layer in call.layers if layer.weight is not None]
    kinds = collections.Counter((layer.window or (0, 0, 0))[1] for layer in weighed)
    assert kinds.keys() == {2, 1, -1, -2, 0}, "convolutions, transposed ones and linear layers"
    for layer in weighed:
        x, w = torch.from_numpy(layer.given)[None], torch.from_numpy(layer.weight)
        bias = None if layer.bias is None else torch.from_numpy(layer.bias)
        if layer.window is None:
            again = functional.linear(x, w, bias)
        elif layer.window[1] > 0:
            again = functional.conv2d(x, w, bias, layer.window[1], layer.window[2])
        else:
            again = functional.conv_transpose2d(x, w.transpose(0, 1), bias, -layer.window[1], layer.window[2])
        np.testing.assert_allclose(again[0].numpy(), layer.output, atol=1e-5)
    first = [call.layers[0].weight for call in calls if call.net == "discriminator"]
    assert first[0] is first[1], "a weight that is the same is kept once"
    assert not np.array_equal(first[1], first[-1]), "D has learned between its passes"


def test_recording_leaves_the_method_as_it_was():
    own = method("egbad")
    with record(own, {"generator": own.nets["generator"]}):
        pass
    assert "update" not in vars(own)
    assert not any(m._forward_hooks for m in own.modules())


def test_a_shipped_run_is_watched_without_being_changed():
    weights = service.method("egbad-n8").scoring_state()
    before = {name: tensor.clone() for name, tensor in weights.items()}
    row = 3
    made = service.walkthrough("egbad-n8", service.test_images("egbad-n8")[row])
    stored = service.scores("egbad-n8").test.parts
    for part in ("residual", "discrimination", "latent"):
        assert held(made[-1])[part] == pytest.approx(stored[part][row], rel=2e-3)
    after = service.method("egbad-n8").scoring_state()
    assert all(torch.equal(before[name], after[name]) for name in before)

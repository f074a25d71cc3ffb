"""Weights in fewer bytes: how far they may be off, and what stays as it is."""

import pytest
import torch

from ganad.errors import RunError
from ganad.runs import checkpoint
from ganad.runs.small_weights import LARGE, STEP, shrink, widen
from tests.conftest import SHIPPED

RNG = torch.Generator().manual_seed(0)
STATE = {
    "wide.weight": torch.randn((40, LARGE // 40), generator=RNG) * torch.logspace(-6, 3, 40)[:, None],
    "density.whiten": torch.randn((10, LARGE // 5), generator=RNG),
    "rare.axes": torch.randn((LARGE // 50, 64), generator=RNG),
    "narrow.weight": torch.randn((4, 5), generator=RNG),
    "conv.weight": torch.randn((32, 64, 4, 4), generator=RNG),
    "small.conv.weight": torch.randn((8, 16, 4, 4), generator=RNG),
    "conv.bias": torch.randn(64, generator=RNG),
    "norm.num_batches_tracked": torch.tensor(7),
}


@pytest.mark.parametrize("name", ["wide.weight", "conv.weight", "rare.axes"])
def test_a_number_of_a_large_layer_is_off_by_half_a_step_of_its_output_at_most(name):
    small = shrink(STATE)
    assert small[name].dtype == torch.int8
    outputs = STATE[name].flatten(1)
    off = (widen(small)[name].flatten(1) - outputs).abs()
    assert (off <= outputs.abs().amax(dim=1, keepdim=True) / 254 * 1.001).all()


def test_all_else_is_in_half_precision_and_vectors_and_counts_as_they_are():
    small, wide = shrink(STATE), widen(shrink(STATE))
    assert {small[k].dtype for k in ("narrow.weight", "small.conv.weight", "density.whiten")} == {torch.float16}
    torch.testing.assert_close(wide["small.conv.weight"], STATE["small.conv.weight"], rtol=2**-11, atol=1e-7)
    assert torch.equal(wide["conv.bias"], STATE["conv.bias"])
    assert wide["norm.num_batches_tracked"] == 7


def test_nothing_is_lost_or_added_and_what_is_whole_stays_whole():
    assert widen(shrink(STATE)).keys() == STATE.keys()
    assert all(torch.equal(a, b) for a, b in zip(widen(STATE).values(), STATE.values(), strict=True))


def test_a_row_of_zeros_stays_zeros():
    zeros = {"some.weight": torch.zeros(20, LARGE // 20)}
    assert torch.equal(widen(shrink(zeros))["some.weight"], zeros["some.weight"])


def test_a_file_whose_steps_have_lost_their_weights_is_named(tmp_path):
    state = shrink(checkpoint.load_method(SHIPPED["egbad"]).scoring_state())
    (name,) = [k for k in state if k.endswith(STEP) and "joint" in k]
    del state[name.removesuffix(STEP)]
    (tmp_path / "config.json").write_bytes((SHIPPED["egbad"] / "config.json").read_bytes())
    checkpoint.save_tensors(tmp_path, state)
    with pytest.raises(RunError, match=r"do not fit its config\.json"):
        checkpoint.load_method(tmp_path)

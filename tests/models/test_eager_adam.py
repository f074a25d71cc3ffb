"""The optimiser of all trainings: torch's Adam in every bit, without loading a compiler."""

import subprocess
import sys

import torch

from ganad.models.ops.eager_adam import EagerAdam


def _trained(optimiser, steps, state=None):
    """The weights of a small net after some steps, and the state that the optimiser has then."""
    net = torch.nn.Linear(7, 3)
    with torch.no_grad():
        net.weight.copy_(torch.arange(21).view(3, 7) / 21)
        net.bias.zero_()
    adam = optimiser(net.parameters(), lr=0.01, betas=(0.5, 0.999), fused=True)
    if state:
        adam.load_state_dict(state)
    rng = torch.Generator().manual_seed(0)
    for _ in range(steps):
        adam.zero_grad()
        net(torch.randn(5, 7, generator=rng)).square().sum().backward()
        adam.step()
    return torch.cat([net.weight.flatten(), net.bias]).detach(), adam.state_dict()


def test_it_takes_the_steps_of_adam_bit_for_bit():
    own, _ = _trained(EagerAdam, 20)
    theirs, _ = _trained(torch.optim.Adam, 20)
    assert torch.equal(own, theirs)
    assert not torch.equal(own, _trained(EagerAdam, 19)[0])


def test_either_goes_on_from_the_state_of_the_other():
    _, own = _trained(EagerAdam, 5)
    _, theirs = _trained(torch.optim.Adam, 5)
    assert own.keys() == theirs.keys()
    assert own["param_groups"] == theirs["param_groups"]
    assert torch.equal(_trained(EagerAdam, 5, state=theirs)[0], _trained(torch.optim.Adam, 5, state=own)[0])


TRAIN = """
import sys, torch
from ganad.config import resolve
from ganad.models import build
method = build(resolve(sys.argv[1], "tuned", normal=(8,)))
method.step(torch.zeros(4, 1, method.settings.image_size, method.settings.image_size), torch.Generator().manual_seed(0))
method.load_training_state(method.training_state())
print("torch._dynamo" in sys.modules)
"""


def test_a_training_does_not_load_the_compiler():
    answer = subprocess.run([sys.executable, "-c", TRAIN, "egbad"], capture_output=True, text=True)
    assert answer.stdout.strip() == "False", answer.stdout + answer.stderr

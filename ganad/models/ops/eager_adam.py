"""torch's Adam without the preparations for `torch.compile`, which nothing here is compiled with.

The first optimiser of a process makes torch load its compiler: another second of a slow core before the first step, about as
much as torch itself takes. Four methods of an optimiser are wrapped in what the compiler has to be told; here they are used without.
"""

from __future__ import annotations

import inspect

import torch


class EagerAdam(torch.optim.Adam):
    """The same numbers, bit for bit, and the same state as `torch.optim.Adam`."""

    step = torch.no_grad()(inspect.unwrap(torch.optim.Adam.step))
    add_param_group = inspect.unwrap(torch.optim.Adam.add_param_group)
    state_dict = inspect.unwrap(torch.optim.Adam.state_dict)
    load_state_dict = inspect.unwrap(torch.optim.Adam.load_state_dict)

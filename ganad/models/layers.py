"""What the nets share: first weights, and noise from a given generator."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def init_dcgan(net: nn.Module) -> None:
    """Weights of convolutions and linear layers from N(0, 0.02), batch norm scales from N(1, 0.02)."""
    for m in net.modules():
        if isinstance(m, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(m.weight, 0.0, 0.02)
            if m.bias is not None:
                nn.init.zeros_(m.bias)
        elif isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.normal_(m.weight, 1.0, 0.02)
            nn.init.zeros_(m.bias)


class Dropout(nn.Module):
    """Dropout whose noise comes from `rng`, which the step sets; without one, or in eval(), it does nothing."""

    def __init__(self, share: float):
        super().__init__()
        self.share = share
        self.rng: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.share == 0 or self.rng is None:
            return x
        keep = torch.rand(x.shape, generator=self.rng, device=x.device) >= self.share
        return x * keep / (1 - self.share)

"""A step of GANomaly as the released code takes it: the yardstick of the speed table and of the step's tests.

Nothing here is clever, and nothing is shared with ganad/models: float32, D looks four times, gradients that are thrown
away are computed all the same, losses from probabilities, Adam as it comes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def encoder(size: int, filters: int, out: int) -> nn.ModuleList:
    """[pyramid, last]: (B, 1, S, S) -> (B, c, 4, 4) -> (B, out, 1, 1)."""
    pyramid = nn.Sequential(nn.Conv2d(1, filters, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True))
    c = filters
    for _ in range(size.bit_length() - 4):  # one halving is done, and the last side is 4
        pyramid.extend([nn.Conv2d(c, 2 * c, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * c), nn.LeakyReLU(0.2, True)])
        c *= 2
    return nn.ModuleList([pyramid, nn.Conv2d(c, out, 4, 1, 0, bias=False)])


def decoder(size: int, filters: int, latent: int) -> nn.Sequential:
    """(B, nz, 1, 1) -> (B, 1, S, S)."""
    c = filters * size // 8
    net = nn.Sequential(nn.ConvTranspose2d(latent, c, 4, 1, 0, bias=False), nn.BatchNorm2d(c), nn.ReLU(True))
    while c > filters:
        net.extend([nn.ConvTranspose2d(c, c // 2, 4, 2, 1, bias=False), nn.BatchNorm2d(c // 2), nn.ReLU(True)])
        c //= 2
    return net.extend([nn.ConvTranspose2d(c, 1, 4, 2, 1, bias=False), nn.Tanh()])


class PlainGanomaly(nn.Module):
    """Both nets and their Adam. Parameters come in the order of those of ganad.models.ganomaly.Ganomaly."""

    def __init__(self, size: int = 32, filters: int = 64, latent: int = 100, lr: float = 2e-4):
        super().__init__()
        self.net_g = nn.ModuleList(
            [encoder(size, filters, latent), decoder(size, filters, latent), encoder(size, filters, latent)]
        )
        self.net_d = encoder(size, filters, 1)
        self.adam_g = torch.optim.Adam(self.net_g.parameters(), lr=lr, betas=(0.5, 0.999), foreach=False, fused=False)
        self.adam_d = torch.optim.Adam(self.net_d.parameters(), lr=lr, betas=(0.5, 0.999), foreach=False, fused=False)

    def look(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B,) probability of being real, and the features that it is read from."""
        features = self.net_d[0](x)
        return torch.sigmoid(self.net_d[1](features)).view(-1), features

    def step(self, x: Tensor) -> dict[str, float]:
        """One update of both players on x (B, 1, S, S) in [-1, 1]; gradients stay in .grad."""
        first, decode, second = self.net_g
        z = first[1](first[0](x))
        x_hat = decode(z)
        z_hat = second[1](second[0](x_hat))
        p_real, _ = self.look(x)
        p_fake, _ = self.look(x_hat.detach())

        self.adam_g.zero_grad()
        adversarial = nn.functional.mse_loss(self.look(x_hat)[1], self.look(x)[1])
        contextual = nn.functional.l1_loss(x_hat, x)
        latent = nn.functional.mse_loss(z_hat, z)
        loss_g = adversarial + 50 * contextual + latent
        loss_g.backward(retain_graph=True)

        self.adam_d.zero_grad()  # the line above has left gradients in D that are not its own
        bce = nn.functional.binary_cross_entropy
        loss_d = (bce(p_real, torch.ones_like(p_real)) + bce(p_fake, torch.zeros_like(p_fake))) / 2
        loss_d.backward()
        self.adam_g.step()
        self.adam_d.step()
        return {
            "loss/generator": loss_g.item(),
            "loss/discriminator": loss_d.item(),
            "generator/adversarial": adversarial.item(),
            "generator/contextual": contextual.item(),
            "generator/encoder": latent.item(),
        }

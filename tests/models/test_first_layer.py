"""What a net's first layer sees, averaged over the quarters and the ninths of an image."""

import numpy as np
import torch
from torch import nn

from ganad.models.first_layer import REGIONS, averages


def test_each_number_is_the_mean_of_a_map_over_a_region_of_the_image():
    torch.manual_seed(0)
    layers = nn.Sequential(
        nn.Conv2d(1, 3, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(3, 5, 4), nn.LeakyReLU(0.2)
    )
    x = torch.rand(2, 1, 24, 24) * 2 - 1
    with torch.no_grad():
        found = averages(layers, x).numpy()
        maps = torch.where(layers[0](x) > 0, layers[0](x), 0.2 * layers[0](x)).numpy()
    assert maps.shape == (2, 3, 12, 12)
    expected = [
        maps[:, m, i : i + side, j : j + side].mean(axis=(1, 2))
        for side in (6, 4)  # quarters, then ninths
        for m in range(3)
        for i in range(0, 12, side)
        for j in range(0, 12, side)
    ]
    np.testing.assert_allclose(found, np.stack(expected, axis=1), rtol=1e-5, atol=1e-6)
    assert found.shape == (2, 3 * REGIONS)

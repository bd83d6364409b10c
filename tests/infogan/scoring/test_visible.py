"""What is left of codes that are drawn, and of codes that are hidden."""

import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from infogan.codes.categorical import Categorical
from infogan.codes.latents import Latents
from infogan.scoring.label_free import information
from infogan.scoring.visible import BLUR, in_8_bits, seen


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1.0, 1.0)])
def test_8_bits(low, high):
    """Levels stay, what is between goes to the nearest, what is outside to the ends."""
    levels = torch.arange(256).div(255) * (high - low) + low
    images = levels.reshape(1, 1, 16, 16)
    torch.testing.assert_close(in_8_bits(images, (low, high)), images)
    step = (high - low) / 255
    torch.testing.assert_close(in_8_bits(images + 0.4 * step, (low, high)), images)
    moved = in_8_bits(images + 0.6 * step, (low, high)).flatten()
    torch.testing.assert_close(moved[:-1], levels[1:])
    assert moved[-1] == pytest.approx(high)
    assert in_8_bits(images - 1, (low, high)).min() == pytest.approx(low)


@pytest.mark.parametrize("size", [32, 64])
def test_a_raster_goes_and_an_area_stays(size):
    """Of a wave of period p the kernel exp(-k² / 2σ²) leaves Σ cos(2 π k / p) exp(-k² / 2σ²) / Σ exp(-k² / 2σ²)."""
    sigma = BLUR * size
    across = torch.arange(size).expand(1, 3, size, size)
    weights = {k: math.exp(-(k**2) / (2 * sigma**2)) for k in range(-9, 10)}
    for period, least, most in ((2, -0.01, 0.25), (size // 2, 0.96, 1.0)):
        wave = 0.5 + 0.2 * torch.cos(2 * math.pi * across / period)
        left = (seen(wave, (0.0, 1.0)) - 0.5)[0, 0, size // 2, size // 4 : 3 * size // 4]
        kept = sum(w * math.cos(2 * math.pi * k / period) for k, w in weights.items()) / sum(weights.values())
        assert least < kept < most
        assert left.max().item() == pytest.approx(0.2 * kept, abs=0.004)
    area = torch.full((2, 1, size, size), 100 / 255)
    torch.testing.assert_close(seen(area, (0.0, 1.0)), area)


class Paints(nn.Module):
    """Four categories of c1 as areas of 20 levels more on one side, of c2 as rasters of `levels`, each line as wide as
    that, and as none."""

    image_shape = (1, 32, 32)

    def __init__(self, levels, wide):
        super().__init__()
        y, x = torch.meshgrid(torch.arange(32), torch.arange(32), indexing="ij")
        v, u = y // wide, x // wide
        areas = [(x < 16), (x >= 16), (y < 16), (y >= 16)]
        rasters = [(u + v) % 2 - 0.5, u % 2 - 0.5, v % 2 - 0.5, 0.0 * u]
        self.areas = nn.Parameter(torch.stack([20 / 255 * area.float() for area in areas]))
        self.rasters = nn.Parameter(torch.stack([levels / 255 * raster for raster in rasters]))

    def forward(self, latent):
        drawn = torch.einsum("nk,khw->nhw", latent[:, :4], self.areas)
        hidden = torch.einsum("nk,khw->nhw", latent[:, 4:8], self.rasters)
        return (0.4 + drawn + hidden)[:, None]


class Reads(nn.Module):
    """By the nearest of the 16 images, as surely as they are `near`."""

    def __init__(self, generator, near):
        super().__init__()
        self.near = nn.Parameter(torch.tensor(near))
        rows = torch.cat([torch.eye(4).repeat_interleave(4, 0), torch.eye(4).repeat(4, 1)], dim=1)
        with torch.no_grad():
            self.images = generator(rows).flatten(1)

    def forward(self, images):
        squared = torch.cdist(images.flatten(1), self.images).square()
        joint = torch.softmax(-squared / (2 * self.near**2), dim=1).reshape(-1, 4, 4)
        return images, torch.cat([joint.sum(2), joint.sum(1)], dim=1).clamp_min(1e-6).log()


def shares(levels, wide=1):
    generator = Paints(levels, wide)
    model = SimpleNamespace(
        latents=Latents((Categorical("c1", 4), Categorical("c2", 4)), 0, "uniform"),
        generator=generator,
        discriminator=Reads(generator, 17 / 255),
        value_range=(0.0, 1.0),
        config=SimpleNamespace(data=SimpleNamespace(batch_size=64)),
    )
    return information(model, 400, 0)


def test_a_code_that_is_hidden_is_lost_and_one_that_is_drawn_is_not():
    """A raster of 4 levels, which no eye sees; areas that 20 levels part."""
    found = shares(4)
    for name in ("c1", "c2"):
        assert found[name]["eval"]["mean"] > 0.9 * math.log(4), "Q reads both"
    assert found["c1"]["visible_share"] > 0.95
    assert found["c2"]["visible_share"] < 0.3
    assert found["c2"]["visible"] < 0.3 * math.log(4)


def test_a_coarse_raster_is_not_hidden():
    """Lines of four pixels stay, however faint: it is about how fine a pattern is."""
    assert shares(4, wide=4)["c2"]["visible_share"] > 0.9


def test_a_code_that_is_not_read_has_no_share():
    found = shares(0)["c2"]
    assert found["visible_share"] is None
    assert found["visible"] == pytest.approx(0, abs=0.05)

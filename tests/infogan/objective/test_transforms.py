"""Transforms against what they do to images that can be drawn by hand."""

import math

import pytest
import torch

from infogan.objective.transforms import AFFINE, affine

NOTHING = {"rotation": 0.0, "scale": 0.0, "shear": 0.0, "shift": 0.0}


def numbers(**changed):
    """0.5, which changes nothing, but for the named ones."""
    names = ["angle", "size", "slant", "right", "down"]
    assert len(names) == AFFINE
    return torch.tensor([[changed.get(name, 0.5) for name in names]])


def bump(x, y, size=33):
    """A smooth spot at (x, y) of [-1, 1]², (1, 1, size, size)."""
    axis = (torch.arange(size) + 0.5) * 2 / size - 1
    return torch.exp(-((axis[None] - x) ** 2 + (axis[:, None] - y) ** 2) / 0.02)[None, None]


def centre(image):
    """Where the spot is, (x, y)."""
    size = image.shape[-1]
    axis = (torch.arange(size) + 0.5) * 2 / size - 1
    mass = image[0, 0] / image.sum()
    return (mass.sum(0) * axis).sum().item(), (mass.sum(1) * axis).sum().item()


def test_the_middle_of_each_range_changes_nothing():
    images = torch.rand(3, 2, 9, 9, generator=torch.Generator().manual_seed(0))
    moved = affine(images, numbers().repeat(3, 1), rotation=30, scale=0.5, shear=0.4, shift=0.3)
    torch.testing.assert_close(moved, images)


@pytest.mark.parametrize(("u", "degrees"), [(1.0, 20.0), (0.0, -20.0), (0.75, 10.0)])
def test_rotation(u, degrees):
    """What is drawn at p comes from R p: the spot at (0.5, 0) goes to R⁻¹ (0.5, 0)."""
    x, y = centre(affine(bump(0.5, 0.0), numbers(angle=u), **{**NOTHING, "rotation": 20}))
    a = math.radians(degrees)
    assert (x, y) == pytest.approx((0.5 * math.cos(a), -0.5 * math.sin(a)), abs=0.01)


@pytest.mark.parametrize(("u", "size"), [(1.0, 1.25), (0.0, 0.75)])
def test_scale(u, size):
    x, y = centre(affine(bump(0.4, -0.4), numbers(size=u), **{**NOTHING, "scale": 0.25}))
    assert (x, y) == pytest.approx((0.4 / size, -0.4 / size), abs=0.01)


def test_shear():
    """x comes from x + s y: at the height 0.5 the spot moves by -s / 2, on the middle line not at all."""
    x, y = centre(affine(bump(0.2, 0.5), numbers(slant=1.0), **{**NOTHING, "shear": 0.3}))
    assert (x, y) == pytest.approx((0.2 - 0.15, 0.5), abs=0.01)
    assert centre(affine(bump(0.2, 0.0), numbers(slant=1.0), **{**NOTHING, "shear": 0.3})) == pytest.approx(
        (0.2, 0.0), abs=0.01
    )


@pytest.mark.parametrize(("name", "moved"), [("right", (-0.2, 0.0)), ("down", (0.0, -0.2))])
def test_shift(name, moved):
    """A tenth of the width is 0.2 of [-1, 1]."""
    found = centre(affine(bump(0.0, 0.0), numbers(**{name: 1.0}), **{**NOTHING, "shift": 0.1}))
    assert found == pytest.approx(moved, abs=0.01)


def test_what_comes_in_repeats_the_border():
    images = torch.full((1, 1, 8, 8), 0.7)
    torch.testing.assert_close(affine(images, numbers(right=1.0), **{**NOTHING, "shift": 0.4}), images)


def test_each_image_has_numbers_of_its_own():
    images = bump(0.3, 0.0).repeat(2, 1, 1, 1)
    both = affine(images, torch.cat([numbers(right=1.0), numbers(right=0.0)]), **{**NOTHING, "shift": 0.1})
    assert [centre(image[None])[0] for image in both] == pytest.approx([0.1, 0.5], abs=0.01)

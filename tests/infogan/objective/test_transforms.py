"""Transforms against what they do to images that can be drawn by hand."""

import math

import pytest
import torch

from infogan.config.regularisers import Transforms
from infogan.objective.transforms import cut_out, noise_like, transformed, unclamped
from infogan.objective.transforms import numbers as columns

NAMES = ["angle", "size", "slant", "right", "down"]


def numbers(**changed):
    """0.5, which changes nothing, but for the named ones."""
    assert {*changed} <= {*NAMES}
    return torch.tensor([[changed.get(name, 0.5) for name in NAMES]])


def affine(images, u, **ranges):
    return transformed(images, u, Transforms(**ranges), (0.0, 1.0))


def one(value, count=1):
    return torch.full((count, 1), value)


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
    x, y = centre(affine(bump(0.5, 0.0), numbers(angle=u), rotation=20))
    a = math.radians(degrees)
    assert (x, y) == pytest.approx((0.5 * math.cos(a), -0.5 * math.sin(a)), abs=0.01)


@pytest.mark.parametrize(("u", "size"), [(1.0, 1.25), (0.0, 0.75)])
def test_scale(u, size):
    x, y = centre(affine(bump(0.4, -0.4), numbers(size=u), scale=0.25))
    assert (x, y) == pytest.approx((0.4 / size, -0.4 / size), abs=0.01)


def test_shear():
    """x comes from x + s y: at the height 0.5 the spot moves by -s / 2, on the middle line not at all."""
    x, y = centre(affine(bump(0.2, 0.5), numbers(slant=1.0), shear=0.3))
    assert (x, y) == pytest.approx((0.2 - 0.15, 0.5), abs=0.01)
    assert centre(affine(bump(0.2, 0.0), numbers(slant=1.0), shear=0.3)) == pytest.approx((0.2, 0.0), abs=0.01)


@pytest.mark.parametrize(("name", "moved"), [("right", (-0.2, 0.0)), ("down", (0.0, -0.2))])
def test_shift(name, moved):
    """A tenth of the width is 0.2 of [-1, 1]."""
    found = centre(affine(bump(0.0, 0.0), numbers(**{name: 1.0}), shift=0.1))
    assert found == pytest.approx(moved, abs=0.01)


def test_what_comes_in_repeats_the_border():
    images = torch.full((1, 1, 8, 8), 0.7)
    torch.testing.assert_close(affine(images, numbers(right=1.0), shift=0.4), images)


def test_each_image_has_numbers_of_its_own():
    images = bump(0.3, 0.0).repeat(2, 1, 1, 1)
    both = affine(images, torch.cat([numbers(right=1.0), numbers(right=0.0)]), shift=0.1)
    assert [centre(image[None])[0] for image in both] == pytest.approx([0.1, 0.5], abs=0.01)


def test_as_many_numbers_as_are_used():
    assert columns(Transforms()) == 0
    assert columns(Transforms(rotation=1.0)) == columns(Transforms(shift=0.1, scale=0.1)) == 5
    everything = dict.fromkeys(Transforms.model_fields, 0.5) | {"flip": True}
    assert columns(Transforms(**everything)) == 5 + 3 + 1 + 4 + 2 + 2
    images = torch.rand(6, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    u = torch.rand(6, 17, generator=torch.Generator().manual_seed(1))
    changed = transformed(images, u, Transforms(**everything), (0.0, 1.0))
    assert changed.shape == images.shape and changed.min() >= 0 and changed.max() <= 1
    assert torch.equal(transformed(images, u[:, :0], Transforms(), (0.0, 1.0)), images)


@pytest.mark.parametrize(("u", "mirrored"), [(0.49, False), (0.51, True)])
def test_flip(u, mirrored):
    images = torch.rand(1, 3, 6, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(affine(images, one(u), flip=True), images.flip(3) if mirrored else images)


def test_a_mirrored_image_is_moved_like_any_other():
    """Mirrored about the middle of the result: what would be at x is at -x."""
    still = centre(affine(bump(0.3, 0.0), torch.tensor([[0.5, 0.5, 0.5, 1.0, 0.5, 0.0]]), shift=0.1, flip=True))
    turned = centre(affine(bump(0.3, 0.0), torch.tensor([[0.5, 0.5, 0.5, 1.0, 0.5, 1.0]]), shift=0.1, flip=True))
    assert still == pytest.approx((0.1, 0.0), abs=0.01)
    assert turned == pytest.approx((-0.1, 0.0), abs=0.01)


@pytest.mark.parametrize(("place", "x", "found"), [(0.5, 0.25, 0.5), (1.0, 0.25, -0.5), (0.0, -0.25, 0.5)])
def test_crop(place, x, found):
    """Half of the width is left, in the middle, at the right and at the left end: x comes from x / 2 and ± 1 / 2."""
    u = torch.tensor([[1.0, place, 0.5]])
    assert centre(affine(bump(x, 0.0, 65), u, crop=0.5)) == pytest.approx((found, 0.0), abs=0.01)


@pytest.mark.parametrize("value_range", [(0.0, 1.0), (-1.0, 1.0)])
def test_brightness_and_contrast_know_the_range(value_range):
    low, high = value_range
    images = torch.tensor([0.25, 0.75]).reshape(1, 1, 1, 2) * (high - low) + low
    back = lambda x: ((x - low) / (high - low)).flatten().tolist()  # noqa: E731
    brighter = transformed(images, one(1.0), Transforms(brightness=0.2), value_range)
    darker = transformed(images, one(0.0), Transforms(brightness=0.2), value_range)
    assert back(brighter) == pytest.approx([0.45, 0.95]) and back(darker) == pytest.approx([0.05, 0.55])
    assert back(transformed(images, one(1.0), Transforms(contrast=0.5), value_range)) == pytest.approx([0.125, 0.875])
    assert back(transformed(images, one(1.0), Transforms(brightness=0.5), value_range)) == pytest.approx([0.75, 1.0])


def test_saturation():
    red = torch.tensor([0.6, 0.2, 0.2]).reshape(1, 3, 1, 1)
    gray = 0.299 * 0.6 + 0.701 * 0.2
    none = transformed(red, one(0.0), Transforms(saturation=1.0), (0.0, 1.0))
    assert none.flatten().tolist() == pytest.approx([gray] * 3)
    more = transformed(red, one(1.0), Transforms(saturation=0.5), (0.0, 1.0))
    assert more.flatten().tolist() == pytest.approx([gray + 1.5 * (v - gray) for v in (0.6, 0.2, 0.2)])


@pytest.mark.parametrize(("u", "turned"), [(1.0, [0.6, 0.3, 0.2]), (0.0, [0.2, 0.6, 0.3]), (0.5, [0.3, 0.2, 0.6])])
def test_hue_by_a_third_of_the_turn_changes_the_channels_round(u, turned):
    colour = torch.tensor([0.3, 0.2, 0.6]).reshape(1, 3, 1, 1)
    found = transformed(colour, one(u), Transforms(hue=120.0), (0.0, 1.0)).flatten().tolist()
    assert found == pytest.approx(turned, abs=1e-6)


@pytest.mark.parametrize("name", ["saturation", "hue"])
def test_gray_images_have_no_colour(name):
    images = torch.rand(2, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(transformed(images, one(0.9, 2), Transforms(**{name: 0.9}), (0.0, 1.0)), images)


def test_blur_widens_by_its_variance():
    """The variance of a spot and that of the Gaussian add up; an image that is the same everywhere stays."""
    spot = bump(0.0, 0.0, 65)
    axis = torch.arange(65) - 32.0

    def variance(image):
        mass = image[0, 0].sum(0) / image.sum()
        return (mass * axis**2).sum().item()

    for u in (0.0, 0.5, 1.0):
        blurred = affine(spot, one(u), blur=3.0)
        assert variance(blurred) - variance(spot) == pytest.approx((3.0 * u) ** 2, rel=0.05, abs=1e-3)
        assert blurred.sum().item() == pytest.approx(spot.sum().item(), rel=1e-3)
    torch.testing.assert_close(affine(torch.full((1, 3, 9, 9), 0.4), one(1.0), blur=2.0), torch.full((1, 3, 9, 9), 0.4))


def test_noise_is_normal_white_and_a_function_of_its_number():
    images = torch.zeros(2, 3, 64, 64)
    noise = noise_like(images, torch.tensor([0.25, 0.7500001]))
    assert torch.equal(noise[1:], noise_like(images[1:], torch.tensor([0.7500001])))
    for each in noise.flatten(1):
        assert abs(each.mean().item()) < 0.03 and each.std().item() == pytest.approx(1, abs=0.03)
        assert (each.abs() < 1).float().mean().item() == pytest.approx(0.683, abs=0.015)
        assert abs((each[:-1] * each[1:]).mean().item()) < 0.03
    assert abs((noise[0] * noise[1]).mean().item()) < 0.03
    moved = transformed(images + 0.5, one(0.3, 2), Transforms(noise=0.1), (0.0, 1.0))
    assert moved.std().item() == pytest.approx(0.1, abs=0.005)
    assert torch.equal(moved[0], moved[1])


@pytest.mark.parametrize(
    ("across", "along", "columns", "rows"),
    [(0.5, 0.5, (2, 6), (1, 3)), (0.25, 0.5, (0, 4), (1, 3)), (0.0, 0.999, (0, 2), (3, 4)),
     (0.999, 0.0, (6, 8), (0, 1))],
)  # fmt: skip
def test_cutout_by_hand(across, along, columns, rows):
    """Half of 4×8 pixels is 2×4, at the border what lies inside; the middle of [-1, 1] is 0."""
    images = torch.full((1, 3, 4, 8), 0.7)
    expected = images.clone()
    expected[:, :, rows[0] : rows[1], columns[0] : columns[1]] = 0.0
    found = transformed(images, torch.tensor([[across, along]]), Transforms(cutout=0.5), (-1.0, 1.0))
    assert torch.equal(found, expected)


def test_cutout_takes_the_share_that_chance_gives_it_and_no_gradient_is_under_it():
    """Of a side s with its centre anywhere s - s² / 4 lies inside: the two dimensions are independent."""
    u = torch.rand(20_000, 2, generator=torch.Generator().manual_seed(0))
    images = torch.full((20_000, 1, 16, 16), 0.7, requires_grad=True)
    changed = cut_out(images, u[:, 0], u[:, 1], 0.5, 0.5)
    gone = changed == 0.5
    assert gone.float().mean().item() == pytest.approx((0.5 - 0.5**2 / 4) ** 2, abs=0.003)
    changed.sum().backward()
    assert torch.equal(images.grad == 0, gone)
    middle = torch.full((1, 1, 16, 16), 0.7)
    assert transformed(middle, torch.full((1, 2), 0.5), Transforms(cutout=0.5), (0.0, 2.0)).max() == 1.0


def test_unclamped_values_keep_their_gradient():
    bright, u = torch.full((1, 1, 2, 2), 0.9, requires_grad=True), one(1.0)
    for change, value, gradient in ((transformed, 1.0, 0.0), (unclamped, 1.1, 1.0)):
        changed = change(bright, u, Transforms(brightness=0.2), (0.0, 1.0))
        (found,) = torch.autograd.grad(changed.sum(), bright)
        assert changed.max().item() == pytest.approx(value) and found.unique().tolist() == [gradient]

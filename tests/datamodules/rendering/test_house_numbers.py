"""What is told of a house number is what is drawn."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from infogan.datamodules.rendering.house_numbers import (
    BLURS,
    CONTRASTS,
    FACTORS,
    FONTS,
    MIDDLE,
    STOPS,
    digits,
    draw,
    render_house_numbers,
    scene,
)
from infogan.datamodules.rendering.makers import HouseNumberMaker

ROWS = range(40)
SCENES = [scene(row, 0) for row in ROWS]
INSIDE = (slice(None), slice(4, -4), slice(4, -4))


def plain(found, **changes):
    """The same digit in even light, without what is not told: no noise, stain, shadow, other ground or neighbour, no
    colour, upright in the middle."""
    still = {
        "noise": 0,
        "stains": 0,
        "shadow": 0,
        "band": (0.9, 0.0),
        "slope": 0,
        "digit_chroma": 0,
        "ground_chroma": 0,
    }
    upright = {"tilt": 0, "shear": 0, "keystone": (0, 0), "shift": (0, 0), "neighbours": 0, "lighting": 0}
    return replace(found, **still, **upright, **changes)


def ink(found):
    """Where digits are, (32, 32): the picture in black and white."""
    return draw(plain(found, contrast=1.0) if found.neighbours == 0 else replace(found, contrast=1.0))[1] / 255


def test_an_image_is_a_function_of_its_row_and_the_seed():
    images, factors = render_house_numbers(range(6), 0)
    assert (images.shape, images.dtype, factors.shape, factors.dtype) == ((6, 3, 32, 32), np.uint8, (6, 8), np.float32)
    parts = [HouseNumberMaker(2)(rows) for rows in (range(0, 1), range(1, 4))]
    assert (np.concatenate([part.images for part in parts]) == images[2:]).all()
    assert (np.concatenate([part.factors for part in parts]) == factors[2:]).all()
    others, _ = render_house_numbers(range(6), 1)
    assert all((other != image).any() for other, image in zip(others, images, strict=True))
    assert len({image.tobytes() for image in images}) == 6


def test_another_process_draws_the_same():
    code = (
        "import sys; from infogan.datamodules.rendering.house_numbers import render_house_numbers;"
        "sys.stdout.buffer.write(render_house_numbers(range(3, 5), 0)[0].tobytes()); assert 'torch' not in sys.modules"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert found == render_house_numbers(range(3, 5), 0)[0].tobytes()


def test_factors_are_told_in_their_order():
    _, factors = render_house_numbers(range(3), 0)
    for row, values in zip(SCENES, factors, strict=False):
        assert values.tolist() == np.float32([getattr(row, name) for name in FACTORS]).tolist()


def test_labels_are_the_digits_that_are_drawn():
    """Of the ten pictures with another digit each, that of the label is the picture."""
    labels = digits(ROWS, 0)
    assert labels.dtype == np.int64
    assert labels[5:9].tolist() == digits(range(5, 9), 0).tolist()
    images, _ = render_house_numbers(ROWS, 0)
    for found, label, image in zip(SCENES, labels, images, strict=True):
        same = [digit for digit in range(10) if (draw(replace(found, digit=digit)) == image).all()]
        assert same == [label]


def test_factors_are_spread_evenly_and_apart():
    """4,000 rows: a share of p lies within 4 √(p (1 - p) / 4000) of p, a correlation within 4 / √4000 of 0."""
    scenes = [scene(row, 0) for row in range(4000)]
    table = np.array([[found.digit, *(getattr(found, name) for name in FACTORS)] for found in scenes])
    named = dict(zip(("digit", *FACTORS), table.T, strict=True))
    for name, count in (("digit", 10), ("font", len(FONTS)), ("neighbours", 4)):
        shares = np.bincount(named[name].astype(int), minlength=count) / 4000
        assert len(shares) == count
        assert np.abs(shares - 1 / count).max() < 4 * np.sqrt((count - 1) / count**2 / 4000)
    for name, low, high in (
        ("digit_hue", 0, 360), ("ground_hue", 0, 360), ("direction", 0, 360), ("lighting", -1, 1), ("blur", *BLURS),
    ):  # fmt: skip
        unit = (named[name] - low) / (high - low)
        assert 0 <= unit.min() < 0.01 < 0.99 < unit.max() < 1
        assert abs(unit.mean() - 0.5) < 4 / np.sqrt(12 * 4000)
    assert CONTRASTS[0] <= np.abs(named["contrast"]).min() < np.abs(named["contrast"]).max() <= CONTRASTS[1]
    assert abs((named["contrast"] > 0).mean() - 0.5) < 4 * np.sqrt(0.25 / 4000)
    others = np.corrcoef(table.T)[~np.eye(9, dtype=bool)]
    assert np.abs(others).max() < 4 / np.sqrt(4000)


@pytest.mark.parametrize("found", SCENES[:12], ids=lambda found: f"{found.digit}")
def test_more_light_is_a_higher_mean(found):
    means = [draw(replace(found, lighting=lighting)).mean() for lighting in np.linspace(-1, 1, 9)]
    assert (np.diff(means) > 0).all()


def test_lighting_is_in_powers_of_two():
    """What is not clipped is twice as bright at 1 / STOPS more."""
    found = plain(SCENES[0], contrast=0.3)
    dark, bright = (draw(replace(found, lighting=lighting)).astype(float) for lighting in (-0.8, -0.8 + 1 / STOPS))
    assert bright.max() < 255
    assert np.abs(bright - 2 * dark).max() <= 1.5
    assert draw(found).min() == round(255 * MIDDLE * (0.5 - 0.15))


@pytest.mark.parametrize("direction", range(0, 360, 45))
def test_light_comes_from_its_direction(direction):
    """Of an even ground the brightness rises along (cos, sin), upwards counted as positive, by the slope from the
    middle to the edge."""
    found = plain(SCENES[3], contrast=1e-9, direction=direction)
    image = draw(replace(found, slope=0.4))[1].astype(float) / draw(found)[1].astype(float) - 1
    across, down = (image.mean(axis=0), image.mean(axis=1))
    x = (np.arange(32) + 0.5) / 16 - 1
    slopes = [np.polyfit(x, across, 1)[0], -np.polyfit(x, down, 1)[0]]
    expected = 0.4 * np.array([np.cos(np.deg2rad(direction)), np.sin(np.deg2rad(direction))])
    assert np.abs(np.array(slopes) - expected).max() < 0.01


def test_a_shadow_falls_away_from_the_light():
    found = plain(SCENES[3], contrast=0.6)
    for direction, axis, sign in ((0, 1, -1), (180, 1, 1), (90, 0, 1), (270, 0, -1)):
        lit, shaded = (draw(replace(found, direction=direction, shadow=depth))[1] for depth in (0, 0.8))
        darker, shape = lit.astype(float) - shaded, ink(found)
        places = np.arange(32)

        def centre(weights, along=axis, places=places):
            return (weights.sum(axis=1 - along) * places).sum() / weights.sum()

        assert darker.min() >= 0
        assert sign * (centre(darker) - centre(shape)) > 0.5


@pytest.mark.parametrize("contrast", [-0.75, -0.2, 0.2, 0.75])
def test_contrast_is_of_the_digit_to_the_ground(contrast):
    for found in SCENES[:10]:
        image, share = (
            draw(plain(found, contrast=contrast, blur=0.3, weight=4))[1],
            ink(plain(found, blur=0.3, weight=4)),
        )
        inside, outside = image[share > MIDDLE - 0.005], image[share < 0.005]
        assert len(inside) > 5
        assert len(outside) > 50
        assert np.abs(inside - 255 * MIDDLE * (0.5 + contrast / 2)).max() < 2
        assert np.abs(outside - 255 * MIDDLE * (0.5 - contrast / 2)).max() < 2


@pytest.mark.parametrize("hue", [0, 77, 120, 200, 301])
def test_hues_are_of_what_they_are_of(hue):
    """The angle of the sum of the three colours, each in its direction: red 0°, green 120°, blue 240°."""
    turns = np.exp(1j * np.deg2rad([0, 120, 240]))
    share = ink(plain(SCENES[2], blur=0.3, weight=4))
    for part, where in (("digit", share > MIDDLE - 0.005), ("ground", share < 0.005)):
        changes = {f"{part}_hue": hue, f"{part}_chroma": 0.3}
        image = draw(replace(plain(SCENES[2], contrast=0.5, blur=0.3, weight=4), **changes)).astype(float)
        colour = image[:, where].mean(axis=1)
        assert np.rad2deg(np.angle((colour * turns).sum())) % 360 == pytest.approx(hue, abs=1.5)
        other = image[:, share < 0.005 if part == "digit" else share > MIDDLE - 0.005].mean(axis=1)
        assert np.ptp(other) < 0.5


def test_neighbours_are_on_their_sides():
    for found in SCENES[:12]:
        near = plain(found, contrast=1.0, digit=1, gap=0.04, width=0.75, left=8, right=8)
        near = replace(near, height=0.75)
        for neighbours, sides in ((0, (False, False)), (1, (True, False)), (2, (False, True)), (3, (True, True))):
            share = draw(replace(near, neighbours=neighbours))[1] / 255
            assert (bool(share[:, :3].max() > 0.5), bool(share[:, -3:].max() > 0.5)) == sides


def test_blur_takes_the_edges_away():
    for found in SCENES[:6]:
        edges = [
            np.square(np.diff(draw(plain(found, contrast=0.7, blur=blur))[1].astype(float))).sum()
            for blur in np.linspace(*BLURS, 5).tolist()
        ]
        assert (np.diff(edges) < 0).all()


def test_fonts_differ():
    shapes = [draw(plain(SCENES[0], contrast=0.7, font=font, digit=2, weight=0)) for font in range(len(FONTS))]
    apart = [np.abs(a.astype(float) - b).mean() for k, a in enumerate(shapes) for b in shapes[:k]]
    assert min(apart) > 1


def test_a_digit_fills_its_height():
    """From the first to the last row that has ink of it: within a pixel and a half of `height`."""
    for found in SCENES:
        rows = np.flatnonzero(ink(plain(found, digit=0, blur=0.3)).max(axis=1) > 0.4 * MIDDLE)
        assert abs(rows[-1] - rows[0] + 1 - 32 * found.height) < 1.6

"""Pictures read, described and edited, with a Q and codes whose answers are known."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from infogan.codes.categorical import Categorical
from infogan.codes.latents import Latents
from infogan.codes.uniform import Uniform
from infogan.errors import ConfigError, DataError
from infogan.trained import editing
from infogan.trained.inversion import Inversion

DIGIT, SLANT = Categorical("digit", 3), Uniform("slant", -1.0, 1.0, 1.0)
LATENTS = Latents((DIGIT, SLANT), 2, "uniform")
LOGITS = np.log([0.1, 0.2, 0.7])


def trained(matching=None, slant=0.25):
    """A model whose Q reads the same from every image: category 2 with 70 %, and `slant`."""
    q = torch.tensor([[*LOGITS, slant]], dtype=torch.float32)
    scored = None if matching is None else DIGIT
    return SimpleNamespace(latents=LATENTS, posterior=lambda images: q, matching=matching, scored_code=scored)


IMAGE = np.zeros((4, 4, 1), np.uint8)


def test_a_reading_has_the_values_and_how_likely_a_category_is():
    found = editing.reading(trained(), IMAGE)
    assert {name: [*value] for name, value in found.values.items()} == {"digit": [2], "slant": [0.25]}
    assert found.likely == {"digit": pytest.approx(0.7)}, "a number has no groups"


@pytest.mark.parametrize(
    ("matching", "words"),
    [(None, "digit = 2 (70%), slant = +0.25"), ({0: "a", 1: "b", 2: "ü"}, "digit = 2 (70%, class ü), slant = +0.25")],
)
def test_a_reading_in_words(matching, words):
    model = trained(matching)
    assert editing.described(editing.reading(model, IMAGE), model) == words


def test_what_was_read_is_what_is_selected():
    """Also where Q reads more than training drew."""
    model = trained(slant=1.5)
    selected = editing.as_read(model, editing.reading(model, IMAGE).values)
    rows, labels = editing.edited(model, torch.zeros(1, LATENTS.width), selected, 5)
    assert LATENTS.values(rows).tolist() == [[2, 1.5]]
    assert labels == ["digit=2\nslant=+1.5"]


def test_only_one_code_may_move():
    both = LATENTS.selections({"digit": [0, 1], "slant": "-1:1"})
    with pytest.raises(ConfigError, match=r"codes\.digit and codes\.slant take several values"):
        editing.refuse_two_strips(both)
    for name, selection in both.items():
        editing.refuse_two_strips({name: selection})
    editing.refuse_two_strips(LATENTS.selections({"digit": 1, "slant": "-1:1"}))


@pytest.mark.parametrize(("error", "lines"), [(0.49, 1), (0.51, 2)])
def test_a_poor_reconstruction_is_called_so(error, lines):
    said = editing.judged(Inversion(torch.zeros(1, 6), error, 1.0))
    assert len(said) == lines
    assert said[0] == f"reconstructed: pixels are off by {error:.3f} (RMS), by 1.000 with random noise"


@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_becomes_the_models(channels, tmp_path):
    """One colour stays that colour, at any size; the array may be written to."""
    Image.new("RGB", (30, 20), (200, 200, 200)).save(tmp_path / "gray.png")
    pixels = editing.read(tmp_path / "gray.png", (channels, 8, 8))
    assert (pixels.shape, pixels.dtype) == ((8, 8, channels), np.uint8)
    assert set(pixels.flatten().tolist()) == {200}
    pixels[0, 0, 0] = 1


def test_bytes_that_are_no_picture_are_named_by_where_they_are_from():
    with pytest.raises(DataError, match="the picture from the page"):
        editing.fitted(b"nothing", "the picture from the page", (1, 8, 8))

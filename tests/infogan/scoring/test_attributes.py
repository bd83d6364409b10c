"""Attributes against codes, with a Q that is made up: what was put in is told, and chosen without the test split."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from infogan.codes.categorical import Categorical
from infogan.codes.latents import Latents
from infogan.codes.uniform import Uniform
from infogan.metrics.attributes import either_way
from infogan.run_folder.evaluation import Attributes
from infogan.scoring.attributes import attribute_scores
from infogan.scoring.real_images import EncodedImages

LATENTS = Latents((Categorical("c1", 4), Uniform("c2", -1.0, 1.0, 1.0), Categorical("c3", 2)), 3, "uniform")
NAMES = ("two", "outer", "left", "chance", "score", "never")
DATA = SimpleNamespace(data_set="made_up", factor_names=NAMES)


def encoded(count, seed, honest=True):
    """Images of which Q is sure. `two`: category 2 of c1; `outer`: 0 or 3 of it; `left`: c2 below 0; `chance`: nothing
    tells it; `score` is no attribute, `never` does not vary. Without `honest` the attributes are of other images."""
    random = np.random.default_rng(seed)
    category, value, coin = random.integers(4, size=count), random.uniform(-1, 1, count), random.integers(2, size=count)
    q = np.concatenate([20.0 * np.eye(4)[category], value[:, None], 20.0 * np.eye(2)[coin]], axis=1)
    attributes = [category == 2, np.isin(category, [0, 3]), value < 0, random.random(count) < 0.5]
    factors = np.column_stack([*attributes, random.random(count), np.zeros(count)]).astype(np.float32)
    if not honest:
        factors = factors[random.permutation(count)]
    return EncodedImages(torch.tensor(q, dtype=torch.float32), None, factors)


@pytest.fixture(scope="module")
def found():
    pictures = {}
    values = attribute_scores(LATENTS, {"train": encoded(3000, 0), "test": encoded(2000, 1)}, DATA, pictures)
    return values, pictures


def test_what_tells_each_attribute(found):
    rows = found[0]["by_attribute"]
    assert list(rows) == ["two", "outer", "left", "chance"], "neither what has other values nor what never varies"
    assert (rows["two"]["reading"], rows["two"]["sum"]) == ("c1=2", "c1=2")
    assert rows["two"]["auroc"] == rows["two"]["sum_auroc"] == 1
    assert rows["two"]["share"] == pytest.approx(0.25, abs=0.04)
    # H = ln 2 of the attribute, ln 4 of the code, which knows it: 2 ln 2 / (ln 2 + ln 4) = 2/3
    assert (rows["outer"]["nmi_code"], rows["outer"]["sum"]) == ("c1", "c1=0,3")
    assert rows["outer"]["nmi"] == pytest.approx(2 / 3, abs=0.01)
    assert rows["outer"]["sum_auroc"] == 1
    # one category of the two: above for half of those with it, a tie for the rest: ½ + ½ ½
    assert rows["outer"]["auroc"] == pytest.approx(0.75, abs=0.03)
    assert (rows["left"]["reading"], rows["left"]["auroc"]) == ("not c2", 1)
    assert rows["left"]["nmi"] < 0.01
    for name in ("two", "outer", "left"):
        assert rows[name]["probe"] > 0.99
    for score in ("auroc", "sum_auroc", "probe"):
        assert abs(rows["chance"][score] - 0.5) < 0.06
        assert found[0][f"mean_{score}"] == pytest.approx(np.mean([row[score] for row in rows.values()]))


def test_what_each_category_follows(found):
    rows = found[0]["by_reading"]
    assert list(rows) == ["c1=0", "c1=1", "c1=2", "c1=3", "c2", "c3=0", "c3=1"]
    assert (rows["c1=2"]["attribute"], rows["c1=2"]["auroc"]) == ("two", 1)
    assert rows["c1=0"]["attribute"] == "outer"
    assert rows["c1=1"]["attribute"] == "not outer"
    assert rows["c1=1"]["auroc"] == pytest.approx(0.75, abs=0.03)
    assert (rows["c2"]["attribute"], rows["c2"]["auroc"]) == ("not left", 1)
    assert "share" not in rows["c2"]
    assert rows["c1=3"]["share"] == pytest.approx(0.25, abs=0.04)
    assert abs(rows["c3=0"]["auroc"] - 0.5) < 0.06


def test_codes_by_attribute_and_their_tad(found):
    """`two` and `outer` are told by c1, `left` by c2; all others are at chance: (1 - ½) + (¾ - ½) + (1 - ½), but `two`
    takes ln 4 - ¾ ln 3 - ½ ln 2 = 0.216 nats of `outer`, more than a fifth of ln 2 and of its own 0.562: both go."""
    by_code, tad = found[0]["by_code"], found[0]["tad"]
    table = np.array([list(row.values()) for row in by_code.values()])
    assert list(by_code) == ["c1", "c2", "c3"]
    assert table[[0, 0, 1], [0, 1, 2]] == pytest.approx([1, 0.75, 1], abs=0.03)
    assert np.abs(np.delete(table.ravel(), [0, 1, 6]) - 0.5).max() < 0.06
    assert (tad["captured"], tad["attributes"]) == (1, 2)
    assert tad["score"] == pytest.approx(0.5, abs=0.05)
    assert tad["score"] == pytest.approx(table[1, 2] - either_way(np.delete(table[:, 2], 1)).max(), abs=0.03)


def test_the_picture(found):
    values, pictures = found
    assert list(pictures) == ["attributes"]
    assert 250 < pictures["attributes"].width < 640
    assert Attributes(**values).by_attribute["two"].sum == "c1=2"
    attributes, categories = Attributes(**values).tables.values()
    assert {line[0] for line in attributes[1]} == {*NAMES[:4]}
    assert [line[-1] for line in attributes[1]] == sorted(row["probe"] for row in values["by_attribute"].values())[::-1]
    assert len(categories[1]) == 7
    assert all(len(line) == len(columns) for columns, lines in (attributes, categories) for line in lines)


def test_what_is_chosen_is_chosen_without_the_test_split():
    """Attributes of other images tell the test split nothing, however well the training split was told."""
    samples = {"train": encoded(3000, 0), "test": encoded(2000, 1, honest=False)}
    rows = attribute_scores(LATENTS, samples, DATA, {})["by_attribute"]
    assert rows["two"]["reading"] == "c1=2"
    for row in rows.values():
        assert max(abs(row[score] - 0.5) for score in ("auroc", "sum_auroc", "probe")) < 0.06


def test_without_categories():
    """Nothing to sum, no groups to share information."""
    latents = Latents((Uniform("c1", -1.0, 1.0, 1.0),), 3, "uniform")
    whole = {"train": encoded(500, 0), "test": encoded(400, 1)}
    samples = {split: EncodedImages(part.q[:, 4:5], None, part.factors) for split, part in whole.items()}
    values = attribute_scores(latents, samples, DATA, {})
    assert values["by_attribute"]["left"].keys() == {"share", "reading", "auroc", "probe"}
    assert values["tad"]["score"] == 0.5, "the one code against chance"
    assert "mean_sum_auroc" not in values


def test_without_attributes():
    samples = {split: EncodedImages(encoded(50, 0).q, None, None) for split in ("train", "test")}
    assert attribute_scores(LATENTS, samples, DATA, {}) == "data=made_up has no known factors"
    factors = np.arange(100, dtype=np.float32).reshape(50, 2)
    samples = {split: EncodedImages(encoded(50, 0).q, None, factors) for split in ("train", "test")}
    data = SimpleNamespace(data_set="made_up", factor_names=("x", "y"))
    assert attribute_scores(LATENTS, samples, data, {}).startswith("data=made_up has no attributes: no factor is 0")

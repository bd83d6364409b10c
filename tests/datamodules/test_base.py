from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from infogan.datamodules import base
from infogan.datamodules.base import BatchStream, DataContext, ImageDataModule, TrainingBatches, epoch_order, held_out
from infogan.datamodules.build_store import Originals, part_of_arrays
from infogan.datamodules.digits import Digits
from infogan.errors import DataError
from infogan.networks.value_range import scaled

NUMBERED = torch.arange(11, dtype=torch.uint8).reshape(11, 1, 1, 1)
"""Eleven images that tell which they are."""


def stream(start=0, batch_size=4, seed=0, **kwargs):
    for batches in TrainingBatches(NUMBERED, batch_size, seed, start, lambda iteration: {}, **kwargs):
        assert list(batches) == ["game"]
        yield batches["game"].flatten().tolist()


def test_epoch_order_is_a_permutation():
    order = epoch_order(0, 0, 1000)
    assert order.dtype == np.int64
    assert sorted(order) == list(range(1000))
    assert (order == np.arange(1000)).mean() < 0.02


def test_epoch_order_is_a_pure_function_of_seed_and_epoch():
    first = epoch_order(3, 5, 100)
    np.random.seed(1)
    assert (epoch_order(3, 5, 100) == first).all()
    for other in ((3, 6), (4, 5), (5, 3)):
        assert (epoch_order(*other, 100) == first).mean() < 0.2


def test_an_epoch_repeats_nothing():
    batches = list(islice(stream(), 2))  # 11 images: two batches of four, three images left out
    assert [len(batch) for batch in batches] == [4, 4]
    assert len({image for batch in batches for image in batch}) == 8
    assert batches == [epoch_order(0, 0, 11)[:4].tolist(), epoch_order(0, 0, 11)[4:8].tolist()]


def test_the_next_epoch_has_another_order():
    batches = list(islice(stream(), 4))
    assert batches[2:] == [epoch_order(0, 1, 11)[:4].tolist(), epoch_order(0, 1, 11)[4:8].tolist()]
    assert batches[:2] != batches[2:]


@pytest.mark.parametrize("start", range(8))
def test_a_stream_can_be_resumed(start):
    whole = list(islice(stream(), 12))
    assert list(islice(stream(start), 12 - start)) == whole[start:]


@pytest.mark.parametrize("ranks", [2, 4])
def test_ranks_share_the_batch(ranks):
    whole = list(islice(stream(), 5))
    shares = [list(islice(stream(rank=rank, ranks=ranks), 5)) for rank in range(ranks)]
    for iteration, batch in enumerate(whole):
        parts = [share[iteration] for share in shares]
        assert {len(part) for part in parts} == {4 // ranks}
        assert sorted(image for part in parts for image in part) == sorted(batch)


def further(iteration):
    """Three further images in every second iteration."""
    return {} if iteration % 2 else {"r": 3}


def test_further_images_are_drawn_by_the_same_rule_in_an_order_of_their_own():
    batches = list(islice(TrainingBatches(NUMBERED, 4, 0, 0, further), 8))
    assert [list(batch) for batch in batches] == [["game", "r"], ["game"]] * 4
    assert [batch["game"].flatten().tolist() for batch in batches] == list(islice(stream(), 8))
    orders = [epoch_order(0, epoch, 11, "r")[:9].reshape(3, 3).tolist() for epoch in range(3)]
    expected = [orders[k // 3][k % 3] for k in range(0, 8, 2)]
    assert [batch["r"].flatten().tolist() for batch in batches[::2]] == expected
    assert not (epoch_order(0, 0, 11, "r") == epoch_order(0, 0, 11)).all()
    assert not (epoch_order(0, 0, 11, "r") == epoch_order(0, 0, 11, "s")).all()
    resumed = list(islice(TrainingBatches(NUMBERED, 4, 0, 5, further), 3))
    for batch, whole in zip(resumed, batches[5:], strict=True):
        assert {name: images.tolist() for name, images in batch.items()} == {
            name: images.tolist() for name, images in whole.items()
        }


def test_other_seeds_give_other_batches():
    assert list(islice(stream(seed=0), 4)) != list(islice(stream(seed=1), 4))


def test_a_batch_is_uint8():
    batch = BatchStream(torch.zeros(8, 3, 5, 6, dtype=torch.uint8), 4, 0).at(0)
    assert batch.shape == (4, 3, 5, 6)
    assert batch.dtype == torch.uint8


@pytest.fixture
def digits(tmp_path):
    def build(batch_size=100, value_range=(-1.0, 1.0), seed=0):
        return Digits(DataContext(Path("nowhere"), tmp_path / "stores", batch_size, value_range, seed))

    return build


def test_digits(digits):
    train, test = digits().split("train"), digits().split("test")
    assert train.images.shape == (1437, 1, 8, 8)
    assert test.images.shape == (360, 1, 8, 8)
    assert Digits.expected_train_size == digits().train_size == 1437
    assert digits().class_names == tuple("0123456789")
    for data in (train, test):
        assert (data.images.dtype, data.labels.dtype) == (torch.uint8, torch.int64)
        assert (data.images.min(), data.images.max()) == (0, 255)
        assert len(data.labels) == len(data.images)
        assert data.labels.unique().tolist() == list(range(10))
    assert digits().classes == 10


def test_digits_are_stratified(digits):
    train, test = (digits().split(split).labels.bincount() for split in ("train", "test"))
    assert ((train - 0.8 * (train + test)).abs() <= 1).all()


def test_digits_are_split_once_for_all_seeds(digits):
    one, two = digits(seed=0).split("train"), digits(seed=1).split("train")
    assert torch.equal(one.images, two.images)
    assert torch.equal(one.labels, two.labels)


def test_digits_splits_are_disjoint_and_complete(digits):
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    splits = [digits().split(split) for split in ("train", "test")]
    pairs = [
        (*image.flatten().tolist(), label)
        for data in splits
        for image, label in zip(data.images, data.labels.tolist(), strict=True)
    ]
    originals = [(*np.rint(x * 255 / 16).astype(int).tolist(), int(y)) for x, y in zip(images, labels, strict=True)]
    assert sorted(pairs) == sorted(originals)


def test_batches_keep_the_splits_order(digits):
    data = digits()
    parts = list(data.batches("test", 100))
    assert [len(part) for part in parts] == [100, 100, 100, 60]
    assert torch.equal(torch.cat(parts), scaled(data.split("test").images, (-1.0, 1.0)))
    rows = torch.arange(3, 303, 2)
    assert torch.equal(torch.cat(list(data.batches("test", 100, rows))), torch.cat(parts)[rows])


class Fake(ImageDataModule):
    data_set, licence, image_shape = "fake", "none", (1, 2, 2)
    reads, side = 0, 2

    def originals(self):
        self.reads += 1
        images = np.arange(3 * self.side**2, dtype=np.uint8).reshape(3, 1, self.side, self.side)
        return Originals(part_of_arrays(images), part_of_arrays(images[:1]), "thin air", factor_names=())


def fake(tmp_path, batch_size=2):
    return Fake(DataContext(tmp_path, tmp_path / "stores", batch_size, (0.0, 1.0), 0))


def test_originals_are_read_once_and_a_split_is_mapped_once(tmp_path, capsys):
    data = fake(tmp_path)
    data.prepare_data()
    assert data.split("train") is data.split("train")
    assert data.split("train").images.flatten().tolist() == list(range(12))
    data.prepare_data()
    assert data.reads == 1
    assert capsys.readouterr().out.count("\n") == 2
    again = fake(tmp_path)
    again.prepare_data()
    assert again.reads == 0
    assert torch.equal(again.split("train").images, data.split("train").images)
    assert capsys.readouterr().out == ""


def test_images_of_another_shape_are_refused(tmp_path):
    data = fake(tmp_path)
    data.side = 3
    with pytest.raises(DataError, match=r"data=fake: images are uint8 of \(1, 3, 3\), not uint8 of \(1, 2, 2\)"):
        data.prepare_data()
    assert not [path for path in (tmp_path / "stores").rglob("*") if path.is_file() and path.suffix != ".lock"]


def test_without_labels_there_are_no_classes(tmp_path):
    data = fake(tmp_path)
    assert (data.classes, data.class_names, data.factor_names, data.train_size) == (0, (), (), 3)
    with pytest.raises(DataError, match="data=fake has no labels"):
        data.labels("train")


def test_a_store_is_made_anew_when_its_originals_change(tmp_path):
    original = tmp_path / "original"
    original.write_text("one")

    class Watching(Fake):
        def files(self):
            return [original] if original.exists() else []

    def prepared():
        data = Watching(DataContext(tmp_path, tmp_path / "stores", 2, (0.0, 1.0), 0))
        data.prepare_data()
        return data

    assert [prepared().reads, prepared().reads] == [1, 0]
    original.write_text("another")
    assert [prepared().reads, prepared().reads] == [1, 0]
    original.unlink()
    assert prepared().reads == 0, "what was decoded is there, and all that is left"


@pytest.mark.parametrize("count", [2, 10, 95, 1000])
def test_a_tenth_is_held_out(count):
    train, test = held_out(count)
    assert sorted([*train, *test]) == list(range(count))
    assert (sorted(train), sorted(test)) == (list(train), list(test))
    assert len(test) == max(1, round(count / 10))
    again = held_out(count)
    assert (again[0] == train).all()
    assert (again[1] == test).all()
    if count == 1000:
        assert 350 < test.mean() < 650, "it is drawn from all of them"


def test_batches_are_scaled_on_the_device(digits):
    batch = torch.tensor([[[[0, 255]]]], dtype=torch.uint8)
    given = digits().on_after_batch_transfer({"game": batch, "r": batch}, 0)
    assert list(given) == ["game", "r"]
    assert all(images.tolist() == [[[[-1.0, 1.0]]]] for images in given.values())


def test_a_damaged_store_is_told_before_anything_is_trained(tmp_path):
    fake(tmp_path).prepare_data()
    (path,) = tmp_path.rglob("train.images")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(DataError, match=r"train\.images is damaged: delete \S+, and the next run builds it again$"):
        fake(tmp_path).prepare_data()


def test_who_waited_for_another_to_build_uses_what_that_one_built(tmp_path, monkeypatch):
    building, other = base.building, fake(tmp_path)

    @contextmanager
    def after_another(folder):
        monkeypatch.setattr(base, "building", building)
        other.prepare_data()
        with building(folder):
            yield

    monkeypatch.setattr(base, "building", after_another)
    data = fake(tmp_path)
    data.prepare_data()
    assert (other.reads, data.reads) == (1, 0)
    assert data.train_size == 3

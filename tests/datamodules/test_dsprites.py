import numpy as np
import pytest

from infogan.datamodules.base import DataContext, held_out
from infogan.datamodules.dsprites import DSprites
from infogan.errors import DataError

RNG = np.random.default_rng(0)
COUNT = 300


class Evil:
    def __reduce__(self):
        return (print, ("executed",))


def contents(count=COUNT):
    """The official keys; the images tell their row in their first bits, and the factors do in x."""
    rows = np.arange(count)
    images = np.zeros((count, 64, 64), np.uint8)
    images[:, 0, :16] = (rows[:, None] >> np.arange(16)) & 1
    values = np.column_stack([np.ones(count), rows % 3 + 1, RNG.random((count, 2)), rows, RNG.random(count)])
    return {
        "imgs": images,
        "latents_values": values,
        "latents_classes": values.astype(np.int64),
        "metadata": np.array({"evil": Evil()}, dtype=object),
        "original_dataset_indices": rows,
    }


def write(root, changes=None, packed=True):
    (root / "dsprites").mkdir(exist_ok=True)
    save = np.savez_compressed if packed else np.savez
    save(root / "dsprites" / "dsprites_part.npz", **(contents() | (changes or {})))
    return root / "dsprites" / "dsprites_part.npz"


def dsprites(root, path=None):
    return DSprites(DataContext(root, root / "stores", 2, (0.0, 1.0), 0), None if path is None else str(path))


def row_of(images):
    bits = images[:, 0, 0, :16].numpy().astype(int)
    assert {*bits.flatten().tolist()} <= {0, 255}
    return (bits // 255 * (1 << np.arange(16))).sum(axis=1)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("named", [True, False])
def test_the_official_keys(tmp_path, packed, named, capsys):
    path = write(tmp_path, packed=packed)
    data = dsprites(tmp_path, path if named else None)
    data.prepare_data()
    assert (len(data.split("train").images), len(data.split("test").images)) == (270, 30)
    assert data.factor_names == ("shape", "scale", "orientation", "x", "y")
    for split in ("train", "test"):
        found = data.split(split)
        assert (row_of(found.images) == found.factors[:, 3].numpy()).all()
        assert (found.factors[:, 0] == found.factors[:, 3] % 3 + 1).all()
    assert "executed" not in capsys.readouterr().out, "metadata is never unpickled"


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"imgs": contents()["imgs"].astype(np.int64)}, "imgs is int64"),
        ({"imgs": contents()["imgs"][:-1]}, "not 300×64×64 uint8"),
        ({"imgs": contents()["imgs"][:, :32]}, "not 300×64×64 uint8"),
        ({"imgs": contents()["imgs"] * 7}, "has values beside 0 and 1"),
        ({"imgs": contents()["imgs"] * np.arange(1, 65, dtype=np.uint8)}, "has values beside 0 and 1"),
        ({"imgs": 255 - contents()["imgs"]}, "has values beside 0 and 1"),
        ({"imgs": np.asfortranarray(contents()["imgs"])}, "imgs is uint8"),
        ({"latents_values": contents()["latents_values"][:, :5]}, "not N×6"),
        ({"latents_values": contents()["latents_classes"]}, "not N×6"),
        ({"latents_values": np.array({"evil": Evil()}, dtype=object)}, "is not dSprites' .npz"),
    ],
)
def test_another_layout(tmp_path, changes, line, capsys):
    write(tmp_path, changes)
    with pytest.raises(DataError) as error:
        dsprites(tmp_path).prepare_data()
    assert "dsprites_part.npz" in str(error.value)
    assert line in str(error.value)
    assert "\n" not in str(error.value)
    assert "executed" not in capsys.readouterr().out
    assert not list((tmp_path / "stores").rglob("*.images"))


@pytest.mark.parametrize("cut", [0, 10, 3000, -30])
def test_a_truncated_file(tmp_path, cut):
    path = write(tmp_path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DataError, match=r"dsprites_part\.npz is [^\n]*damaged"):
        dsprites(tmp_path).prepare_data()


def test_one_flipped_byte_in_the_images(tmp_path):
    path = write(tmp_path, packed=False)
    whole = bytearray(path.read_bytes())
    whole[500_000] ^= 1
    path.write_bytes(whole)
    with pytest.raises(DataError, match=r"dsprites_part\.npz is damaged: Bad CRC-32"):
        dsprites(tmp_path).prepare_data()


def test_factors_that_unpack_to_more_than_there_are(tmp_path):
    """70 MB of zeros in 70 kB."""
    path = write(tmp_path, {"latents_values": np.zeros((1_500_000, 6))})
    assert path.stat().st_size < 200_000
    with pytest.raises(DataError, match=r"dsprites_part\.npz is .*damaged: latents_values has 72,000,128 bytes$"):
        dsprites(tmp_path).prepare_data()


@pytest.mark.parametrize("count", [0, 2])
def test_which_file_is_meant(tmp_path, count):
    (tmp_path / "dsprites").mkdir()
    for k in range(count):
        (tmp_path / "dsprites" / f"{k}.npz").write_bytes(b"")
    with pytest.raises(DataError, match=r"one \.npz file is needed in \S+dsprites, and there (is none|are 2): get "):
        dsprites(tmp_path).prepare_data()


def test_the_part_at_hand(real_data, tmp_path):
    if not (real_data / "dsprites").is_dir():
        pytest.skip(f"no dSprites in {real_data}")
    data = DSprites(DataContext(real_data, tmp_path / "stores", 64, (0.0, 1.0), 0), None)
    data.prepare_data()
    assert data.train_size + len(data.split("test").images) == 64_834
    factors = data.split("train").factors
    assert [len(column.unique()) for column in factors.T] == [3, 6, 40, 32, 32]
    assert {*data.split("test").images.unique().tolist()} == {0, 255}


def test_rows_across_chunks(tmp_path):
    images = np.zeros((600, 64, 64), np.uint8)
    images.reshape(600, -1)[np.arange(600), np.arange(600)] = 1
    write(tmp_path, {"imgs": images, "latents_values": np.ones((600, 6))})
    for split, rows in zip(("train", "test"), held_out(600), strict=True):
        found = dsprites(tmp_path).split(split).images.flatten(1).int().argmax(1)
        assert found.tolist() == rows.tolist()


@pytest.mark.parametrize("key", ["imgs", "latents_values"])
def test_a_missing_key(tmp_path, key):
    some = {name: array for name, array in contents().items() if name != key and array.dtype != object}
    (tmp_path / "dsprites").mkdir()
    np.savez(tmp_path / "dsprites" / "some.npz", **some)
    with pytest.raises(DataError, match=rf"some\.npz is [^\n]*damaged: [^\n]*{key}"):
        dsprites(tmp_path).prepare_data()


def test_a_hidden_file_beside_it_is_not_meant(tmp_path):
    path = write(tmp_path)
    path.with_name(f"._{path.name}").write_bytes(b"of a Mac")
    assert dsprites(tmp_path).train_size == 270


@pytest.mark.parametrize("change", [lambda images: images.astype(bool), lambda images: images * np.uint8(255)])
def test_white_as_copies_write_it(tmp_path, change):
    write(tmp_path, {"imgs": change(contents()["imgs"])})
    data = dsprites(tmp_path)
    for split in ("train", "test"):
        assert (row_of(data.split(split).images) == data.split(split).factors[:, 3].numpy()).all()

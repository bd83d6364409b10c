import hashlib

import pytest

from infogan.datamodules.sources.official import md5_of, own
from infogan.errors import DataError


def test_md5(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 5000)
    assert md5_of(path) == hashlib.md5(bytes(range(256)) * 5000).hexdigest()
    with pytest.raises(DataError, match="could not be read"):
        md5_of(tmp_path / "gone")


@pytest.mark.parametrize("count", [1, 299, 301])
def test_a_file_of_another_length_is_its_owners(tmp_path, count):
    remark = own(tmp_path / "file.mat", "a" * 32, "b" * 32, count, 300)
    assert remark == f"file.mat is not the official file: its {count} images (of 300) are used as they are"


def test_a_file_of_the_same_length_may_be_damaged(tmp_path):
    with pytest.raises(DataError, match=rf"file\.mat is not the official file \(md5 {'a' * 32}, expected {'b' * 32}\)"):
        own(tmp_path / "file.mat", "a" * 32, "b" * 32, 300, 300)

"""JSON files that are missing are empty; damaged ones are named."""

import pytest

from infogan.config.fields import Section
from infogan.errors import RunError
from infogan.run_folder.contents import read_object, read_provenance, read_section


class Point(Section):
    x: int


def test_objects(tmp_path):
    path = tmp_path / "a.json"
    assert read_object(path) == {}
    path.write_text('{"x": [1]}')
    assert read_object(path) == {"x": [1]}


@pytest.mark.parametrize("content", ["", "{", "[1]", "5", '{"x": ' + "[" * 100_000, "\udcff", "9" * 5000])
def test_a_damaged_file_is_named(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content.encode(errors="surrogateescape"))
    for read in (read_object, lambda path: read_section(path, Point)):
        with pytest.raises(RunError) as raised:
            read(path)
        assert str(raised.value).startswith(f"{path} ") and "\n" not in str(raised.value)


def test_sections(tmp_path):
    path = tmp_path / "a.json"
    assert read_section(path, Point) is None
    path.write_text('{"x": 3}')
    assert read_section(path, Point) == Point(x=3)
    path.write_text('{"x": "3", "y": 1}')
    with pytest.raises(RunError) as raised:
        read_section(path, Point)
    assert str(raised.value) == f"{path} is damaged: x=3: input should be a valid integer; y: there is no such key"


def test_starts(tmp_path):
    assert read_provenance(tmp_path) == []
    (tmp_path / "provenance.json").write_text('[{"command": "one"}, {}]')
    assert read_provenance(tmp_path) == [{"command": "one"}, {}]
    (tmp_path / "provenance.json").write_text("[1]")
    with pytest.raises(RunError, match="holds no list of starts"):
        read_provenance(tmp_path)

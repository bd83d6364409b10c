"""metrics.csv: columns by name, whatever else lies in the file is refused in one line."""

from pathlib import Path

import pytest

from infogan.errors import RunError
from infogan.run_folder.metrics import (
    CLUSTERING,
    IMAGES_PER_SECOND,
    RAREST,
    REAL_INFORMATION,
    SHARED,
    Metrics,
    append_metrics,
    information,
    of_real_images,
    read_metrics,
    write_metrics,
)

OLDER_RUN = Path(__file__).parents[2] / "data_of_5d507ff" / "run"


def test_a_file_of_5d507ff():
    metrics = read_metrics(OLDER_RUN)
    assert metrics.iteration == 40 and [row["iteration"] for row in metrics.rows] == [10, 20, 30, 40]
    assert [iteration for iteration, _ in metrics.points("acc")] == [20, 40]
    assert metrics.columns[-3:] == list(CLUSTERING)
    assert metrics.last(information("c1")) == metrics.rows[-1]["information/c1"]
    assert len(metrics.points(IMAGES_PER_SECOND)) == 4


def test_a_run_without_rows(tmp_path):
    metrics = read_metrics(tmp_path)
    assert (metrics.rows, metrics.columns, metrics.iteration) == ([], [], 0)
    assert (metrics.last("acc"), metrics.points("acc")) == (None, [])


def test_columns_of_real_images_are_those_of_a_code():
    columns = ["information/c1", "regulariser/smooth", "regulariser/a/c1/information", "regulariser/b/c2/information",
               "regulariser/a/c1/rarest", "regulariser/a/c1_c2/shared", "regulariser/information"]  # fmt: skip
    assert of_real_images(columns, REAL_INFORMATION) == {columns[2]: "c1", columns[3]: "c2"}
    assert of_real_images(columns, RAREST) == {columns[4]: "c1"}
    assert of_real_images(columns, SHARED) == {columns[5]: "c1_c2"}


def test_the_last_value_is_the_last_that_was_measured():
    metrics = Metrics([{"iteration": 1, "acc": 0.5}, {"iteration": 2, "acc": 0.75}, {"iteration": 3}])
    assert metrics.last("acc") == 0.75
    assert metrics.points("acc") == [(1, 0.5), (2, 0.75)]


def test_what_is_written_is_read(tmp_path):
    rows = [{"iteration": 1, "a": 0.1}, {"iteration": 2, "b": 1e-300}]
    write_metrics(tmp_path, ["iteration", "a", "b"], rows[:1])
    append_metrics(tmp_path, ["iteration", "a", "b"], rows[1:])
    assert (tmp_path / "metrics.csv").read_text() == "iteration,a,b\n1,0.1,\n2,,1e-300\n"
    assert read_metrics(tmp_path).rows == rows


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"iteration,acc\n1,good\n", "could not be read: could not convert string to float: 'good'"),
        (b"iteration,acc\n1,0.5,7\n", "could not be read: "),
        (b"iteration,acc\n1.5,0.5\n", "could not be read: "),
        (b"acc\n0.5\n", "is damaged: a row names no iteration"),
        (b"\xff\xfe\x00", "could not be read: "),
    ],
)
def test_a_damaged_one_ends_in_one_line(tmp_path, content, message):
    (tmp_path / "metrics.csv").write_bytes(content)
    with pytest.raises(RunError) as raised:
        read_metrics(tmp_path)
    assert str(raised.value).startswith(f"{tmp_path}/metrics.csv ") and message in str(raised.value)
    assert "\n" not in str(raised.value)

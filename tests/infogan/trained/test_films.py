"""Films: which frames, in which order, for how long, and the file that comes of them."""

import numpy as np
import pytest
from PIL import Image

from infogan.errors import ConfigError, RunError
from infogan.trained import films

COLOURS = {5: 10, 10: 100, 15: 200}


@pytest.fixture
def run(tmp_path):
    """A run folder with grids of two codes after 5, 10 and 15 iterations, each of one gray."""
    (tmp_path / "figures" / "history").mkdir(parents=True)
    for iteration, gray in COLOURS.items():
        for name, size in (("c1", (20, 10)), ("c2", (30, 8))):
            picture = Image.new("RGB", size, (gray, gray, gray))
            picture.save(tmp_path / "figures" / "history" / f"{name}_{iteration:08d}.png")
    return tmp_path


def grays(frames):
    return [frame.getpixel((0, 0))[0] for frame in frames]


@pytest.mark.parametrize(
    ("frames", "shown"),
    [(3, [10, 100, 200]), (7, [10] * 2 + [100] * 2 + [200] * 3), (2, [100, 200]), (1, [200])],
)
def test_each_time_is_shown_for_about_as_long(run, frames, shown):
    """In order; of fewer frames than times the last is one."""
    assert grays(films.over_training(run, ["c1"], frames)) == shown


def test_codes_lie_side_by_side_on_the_size_of_the_largest(run):
    frame = next(iter(films.over_training(run, ["c1", "c2"], 3)))
    assert frame.size == (60, 10)
    assert [frame.getpixel(place)[0] for place in ((0, 9), (19, 9), (30, 7), (59, 7))] == [10] * 4
    assert frame.getpixel((25, 0)) == frame.getpixel((30, 9)) == (255, 255, 255), "paper, where a grid is smaller"


def test_a_time_without_all_codes_is_left_out(run):
    (run / "figures" / "history" / "c2_00000010.png").unlink()
    assert grays(films.over_training(run, ["c1", "c2"], 2)) == [10, 200]
    (run / "figures" / "history" / "c2_00000015.png").unlink()
    with pytest.raises(RunError, match="has not even two grids"):
        next(iter(films.over_training(run, ["c1", "c2"], 2)))


def test_the_file(tmp_path):
    """Even numbers of pixels, which H.264 needs, as many frames, as long, without end."""
    drawn = [Image.new("RGB", (21, 10), (gray, gray, gray)) for gray in (0, 120, 240)]
    path = tmp_path / "film.gif"
    assert films.write_film(path, iter(drawn), 5, "gif") == (22, 10)
    with Image.open(path) as film:
        assert (film.size, film.n_frames, film.info["loop"]) == ((22, 10), 3, 0)
        for k, gray in enumerate((0, 120, 240)):
            film.seek(k)
            assert film.info["duration"] == 200
            assert np.abs(np.asarray(film.convert("RGB"), int)[:, :21] - gray).max() <= 2


def test_mp4_where_its_package_is(monkeypatch):
    monkeypatch.setattr(films, "find_spec", lambda name: None)
    assert films.available() == "gif"
    films.check_package("gif")
    with pytest.raises(ConfigError, match=r"pip install 'infogan-lab\[film\]', or format=gif"):
        films.check_package("mp4")
    monkeypatch.setattr(films, "find_spec", lambda name: name)
    assert films.available() == "mp4"
    films.check_package("mp4")

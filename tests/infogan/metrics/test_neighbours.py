import numpy as np
import pytest

from infogan.metrics import neighbours
from infogan.metrics.neighbours import nearest

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (300, 3, 9, 9), dtype=np.uint8)


def by_hand(queries, images, count):
    differences = (queries[:, None].astype(float) - images) / 255
    distances = np.sqrt(np.square(differences).mean(axis=(2, 3, 4)))
    order = np.argsort(distances, axis=1)[:, :count]
    return order, np.take_along_axis(distances, order, axis=1)


@pytest.mark.parametrize("chunk_bytes", [1, 7 * 4 * 243, 1 << 26])
@pytest.mark.parametrize("count", [1, 5, 300])
def test_the_nearest_in_order(monkeypatch, chunk_bytes, count):
    monkeypatch.setattr(neighbours, "CHUNK_BYTES", chunk_bytes)
    queries = RNG.integers(0, 256, (4, 3, 9, 9), dtype=np.uint8)
    indices, distances = nearest(queries, IMAGES, count)
    expected_indices, expected = by_hand(queries, IMAGES, count)
    assert (indices == expected_indices).all()
    assert distances == pytest.approx(expected, rel=1e-12)


def test_a_memorised_image_is_found_at_distance_0():
    indices, distances = nearest(IMAGES[[17, 203]], IMAGES, 2)
    assert indices[:, 0].tolist() == [17, 203]
    assert (distances[:, 0] == 0).all()
    assert 0.3 < distances[:, 1].min() < 0.5  # of independent pixels it is 1/√6 = 0.41


def test_one_gray_level_in_one_pixel_of_a_large_image_is_seen():
    image = np.full((1, 3, 128, 128), 255, np.uint8)
    near, far = image.copy(), image.copy()
    near[0, 0, 0, 0], far[0, 0, 0, :2] = 254, 254
    indices, distances = nearest(image, np.concatenate([far, image, near]), 3)
    assert indices.tolist() == [[1, 2, 0]]
    assert distances[0] == pytest.approx(np.sqrt([0, 1, 2]) / 255 / np.sqrt(3 * 128 * 128), rel=1e-12)


def test_black_and_white_are_1_apart():
    black = np.zeros((1, 2, 2), np.uint8)
    assert nearest(black, black + 255, 1)[1].tolist() == [[1.0]]


def test_images_mapped_into_memory(tmp_path):
    IMAGES.tofile(tmp_path / "images")
    mapped = np.memmap(tmp_path / "images", np.uint8, "r", shape=IMAGES.shape)
    assert nearest(IMAGES[:3], mapped, 1)[0].tolist() == [[0], [1], [2]]


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ValueError, match="there are 300 images"):
        nearest(IMAGES[:1], IMAGES, 301)
    with pytest.raises(ValueError, match="are not alike"):
        nearest(IMAGES[:1, :1], IMAGES, 1)
    with pytest.raises(ValueError, match="are not alike"):
        nearest(IMAGES[:1] / 255, IMAGES, 1)

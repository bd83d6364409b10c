"""The images of a data set that are most like given ones, pixel by pixel: has a generator learned them by heart?"""

import numpy as np

CHUNK_BYTES = 1 << 26
"""Of images as float32 at once."""


def nearest(queries: np.ndarray, images: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(Q, …) and (N, …) uint8 → the `count` images nearest to each query, nearest first, both (Q, count).

    The first are indices into `images`, the second the root mean square of the differences of pixels in [0, 1].
    `images` may be mapped into memory: a part is read at a time.
    Raises ValueError where there are fewer images than `count`, or the shapes or types do not fit.
    """
    if queries.shape[1:] != images.shape[1:] or {queries.dtype, images.dtype} != {np.dtype(np.uint8)}:
        raise ValueError(f"{queries.dtype} {queries.shape} and {images.dtype} {images.shape} are not alike")
    if count > len(images):
        raise ValueError(f"{count} neighbours were asked for, and there are {len(images)} images")
    wanted = _unit(queries)
    rows = max(1, CHUNK_BYTES // (4 * wanted.shape[1]))
    indices: np.ndarray = np.empty((len(queries), 0), np.int64)
    scores: np.ndarray = np.empty((len(queries), 0), np.float32)
    for first in range(0, len(images), rows):
        part = _unit(images[first : first + rows])
        score = np.square(part).sum(axis=1) - 2 * wanted @ part.T  # |x|² - 2qx orders as |q - x|² does
        index = np.broadcast_to(np.arange(first, first + len(part)), score.shape)
        scores, indices = np.hstack([scores, score]), np.hstack([indices, index])
        best = np.argpartition(scores, min(count, scores.shape[1]) - 1, axis=1)[:, :count]
        scores, indices = (np.take_along_axis(table, best, axis=1) for table in (scores, indices))
    indices = np.sort(indices, axis=1)
    distances = np.stack([_distances(query, images[index]) for query, index in zip(queries, indices, strict=True)])
    order = np.argsort(distances, axis=1, kind="stable")
    return np.take_along_axis(indices, order, axis=1), np.take_along_axis(distances, order, axis=1)


def _unit(images: np.ndarray) -> np.ndarray:
    """(N, …) uint8 → (N, pixels) float32 in [-0.5, 0.5]: about 0, where sums of squares round least."""
    return images.reshape(len(images), -1).astype(np.float32) / 255 - 0.5


def _distances(query: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Of one image to (count, …) others, exact: no difference of large sums."""
    differences = (images.astype(np.float64) - query) / 255
    return np.sqrt(np.square(differences).reshape(len(images), -1).mean(axis=1))

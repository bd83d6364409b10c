"""The image store: whole or not there, mapped, checked."""

import json
import os
import pickle
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from infogan.datamodules.build_store import CHUNK, Chunk, Originals, Part, build_store, building, part_of_arrays
from infogan.datamodules.store import drawn_rows, fingerprint, open_store, store_folder
from infogan.errors import DataError
from tests.infogan.processes import Forked

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (600, 3, 4, 5), dtype=np.uint8)
LABELS, FACTORS = RNG.integers(0, 2, 600), RNG.random((600, 2)).astype(np.float32)


def originals(**changes):
    parts = {
        "train": part_of_arrays(IMAGES, LABELS, FACTORS),
        "test": part_of_arrays(IMAGES[:7], LABELS[:7], FACTORS[:7]),
    }
    return Originals(**(parts | {"source": "here", "class_names": ("a", "b"), "factor_names": ("f", "g")} | changes))


def build(folder, given=None, options=None):
    with building(folder):
        return build_store(folder, given or originals(), (3, 4, 5), "things", options or {"size": 4}, "origin")


def files(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")


def test_what_goes_in_comes_out(tmp_path):
    build(tmp_path / "s")
    store = open_store(tmp_path / "s")
    store.verify()
    train, test = store.split("train"), store.split("test")
    assert (train.images.dtype, train.labels.dtype, train.factors.dtype) == (torch.uint8, torch.int64, torch.float32)
    assert (train.images.numpy() == IMAGES).all()
    assert (train.labels.numpy() == LABELS).all()
    assert (train.factors.numpy() == FACTORS).all()
    assert (test.images.numpy() == IMAGES[:7]).all()
    assert (store.class_names, store.factor_names) == (("a", "b"), ("f", "g"))
    assert (store.count("train"), store.count("test")) == (600, 7)
    manifest = store.manifest
    assert (manifest["source"], manifest["options"], manifest["fingerprint"]) == ("here", {"size": 4}, "origin")
    parts = {f"{split}.{kind}" for split in ("train", "test") for kind in ("images", "labels", "factors")}
    assert set(files(tmp_path)) == {"manifest.json", *parts}


def test_without_labels_and_factors(tmp_path):
    store = build(tmp_path / "s", originals(train=part_of_arrays(IMAGES), test=part_of_arrays(IMAGES)))
    assert (store.split("train").labels, store.split("test").factors) == (None, None)


def test_the_folder_is_a_function_of_data_set_and_options(tmp_path):
    one = store_folder(tmp_path, "chairs", {"size": 64, "path": "x"})
    assert one == store_folder(tmp_path, "chairs", {"path": "x", "size": 64})
    others = {store_folder(tmp_path, "chairs", o) for o in ({"size": 32, "path": "x"}, {"size": 64, "path": "y"}, {})}
    assert len({one, *others, store_folder(tmp_path, "faces", {"size": 64, "path": "x"})}) == 5
    assert one.parent == tmp_path / "chairs"


@pytest.mark.parametrize("kind", ["images", "labels", "factors"])
@pytest.mark.parametrize("damage", ["flipped", "shorter", "longer", "gone"])
def test_a_damaged_file_is_named(tmp_path, kind, damage):
    build(tmp_path / "s")
    path = tmp_path / "s" / f"train.{kind}"
    contents = bytearray(path.read_bytes())
    contents[17] ^= 1
    damaged = {"flipped": contents, "shorter": contents[:-1], "longer": contents + b"x"}
    path.unlink() if damage == "gone" else path.write_bytes(damaged[damage])
    line = rf"train\.{kind} is (damaged|missing): delete \S+, and the next run builds it again$"
    with pytest.raises(DataError, match=line):
        open_store(tmp_path / "s").verify()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"splits": 3}', '{"splits": {"train": {}}}', "\udc80"])
def test_a_damaged_manifest_is_named(tmp_path, text):
    build(tmp_path / "s")
    (tmp_path / "s" / "manifest.json").write_text(text, errors="surrogateescape")
    with pytest.raises(
        DataError, match=r"manifest\.json could not be read .*: delete \S+, and the next run builds it again$"
    ):
        open_store(tmp_path / "s")


def test_where_there_is_no_store(tmp_path):
    assert open_store(tmp_path / "s") is None


def failing(rows):
    if rows.start >= CHUNK:
        raise DataError("image 300 is broken")
    return Chunk(IMAGES[rows.start : rows.stop])


def test_a_failure_leaves_nothing_and_the_older_store_as_it_was(tmp_path):
    broken = originals(train=Part(600, failing))
    with pytest.raises(DataError, match="image 300 is broken"):
        build(tmp_path / "s", broken)
    assert files(tmp_path) == []
    build(tmp_path / "s")
    with pytest.raises(DataError, match="image 300 is broken"):
        build(tmp_path / "s", broken)
    open_store(tmp_path / "s").verify()
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["s"]


def test_a_new_store_replaces_the_old_one(tmp_path):
    build(tmp_path / "s")
    build(tmp_path / "s", originals(train=part_of_arrays(IMAGES[:3])))
    assert open_store(tmp_path / "s").count("train") == 3
    assert not (tmp_path / "s" / "train.labels").exists()


@pytest.mark.parametrize(
    "made", [np.zeros((2, 3, 4, 6), np.uint8), np.zeros((2, 3, 4, 5), np.float32), np.zeros((2, 4, 5, 3), np.uint8)]
)
def test_images_of_another_kind_are_refused(tmp_path, made):
    with pytest.raises(DataError, match=r"^data=things: images are .*, not uint8 of \(3, 4, 5\)$"):
        build(tmp_path / "s", originals(train=part_of_arrays(made)))
    assert files(tmp_path) == []


def every_second(rows):
    kept = np.arange(0, len(rows), 2)
    return Chunk(IMAGES[rows.start : rows.stop][kept], kept)


def test_what_is_left_out_is_counted_and_the_rest_stays_aligned(tmp_path):
    store = build(tmp_path / "s", originals(train=Part(600, every_second, LABELS, FACTORS)))
    train = store.split("train")
    assert (train.images.numpy() == IMAGES[::2]).all()
    assert (train.labels.numpy() == LABELS[::2]).all()
    assert (train.factors.numpy() == FACTORS[::2]).all()
    assert [store.manifest["splits"][split]["skipped"] for split in ("train", "test")] == [300, 0]


def with_factors(rows):
    return Chunk(IMAGES[rows.start : rows.stop], factors=FACTORS[rows.start : rows.stop])


def test_factors_that_become_known_with_the_images(tmp_path):
    store = build(tmp_path / "s", originals(train=Part(600, with_factors)))
    assert (store.split("train").factors.numpy() == FACTORS).all()


def test_nothing_is_no_data_set(tmp_path):
    with pytest.raises(DataError, match="data=things: there is no image in its test split"):
        build(tmp_path / "s", originals(test=part_of_arrays(IMAGES[:0])))
    assert files(tmp_path) == []


def remainder(rows):
    """Images that tell which they are; at the top of a module, since it goes to other processes."""
    return Chunk(np.stack([np.full((3, 4, 5), row % 251, np.uint8) for row in rows]))


def test_in_several_processes_the_order_is_kept(tmp_path):
    count = 5 * CHUNK + 3
    pickle.dumps(remainder)
    store = build(tmp_path / "s", originals(train=Part(count, remainder, parallel=True)))
    build(tmp_path / "alone", originals(train=Part(count, remainder)))
    for file in ("train.images", "manifest.json"):
        assert (tmp_path / "s" / file).read_bytes() == (tmp_path / "alone" / file).read_bytes()
    assert (store.split("train").images[:, 0, 0, 0].numpy() == np.arange(count) % 251).all()


def test_a_failure_in_another_process(tmp_path):
    with pytest.raises(DataError, match=r"^image 300 is broken$"):
        build(tmp_path / "s", originals(train=Part(5 * CHUNK, failing, parallel=True)))
    assert files(tmp_path) == []


def killed(rows):
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_that_is_killed(tmp_path):
    with pytest.raises(DataError, match=r"^data=things: a process that made images was killed; was there memory"):
        build(tmp_path / "s", originals(train=Part(5 * CHUNK, killed, parallel=True)))
    assert files(tmp_path) == []


def test_a_fingerprint_tells_names_sizes_and_times(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("1")
    two.write_text("2")
    first = fingerprint([one, two])
    assert fingerprint([two, one]) == first
    assert fingerprint([]) is None
    assert len({first, fingerprint([one, two], 1), fingerprint([one, two], 2)}) == 3
    assert fingerprint([], 1) is None
    os.utime(two, ns=(0, 0))
    assert fingerprint([one, two]) not in (first, None)


SLOW = """
import sys, time, numpy as np
from pathlib import Path
from infogan.datamodules.build_store import *
from infogan.datamodules.store import open_store
folder, log = Path(sys.argv[1]), Path(sys.argv[2])

def make(rows):
    log.open("a").write("made\\n")
    time.sleep(float(sys.argv[3]))
    return Chunk(np.zeros((len(rows), 1, 2, 2), np.uint8))

with building(folder):
    if open_store(folder) is None:
        build_store(folder, Originals(Part(600, make), Part(1, make), "slow"), (1, 2, 2), "slow", {}, None)
open_store(folder).verify()
"""
"""A build of four chunks in a process of its own."""


def slow(tmp_path, seconds):
    return Forked(tmp_path / "s", tmp_path / "log", seconds, program=("-c", SLOW))


def wait_for(condition):
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_of_two_processes_one_builds(tmp_path):
    both = [slow(tmp_path, 0.2), slow(tmp_path, 0.2)]
    assert [process.wait(120) for process in both] == [0, 0]
    assert (tmp_path / "log").read_text().count("made") == 4


def test_who_waits_says_for_whom(tmp_path):
    first = slow(tmp_path, 60)
    wait_for(lambda: (tmp_path / "log").is_file())
    second = slow(tmp_path, 0)
    name = f"process {first.pid} on {socket.gethostname()}"
    assert second.stdout.readline() == f"waiting for {name}, which makes the image store {tmp_path / 's'}\n"
    first.kill()
    assert second.communicate(timeout=120)[0] == ""
    assert (first.wait(), second.returncode) == (-signal.SIGKILL, 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".s.lock", "log", "s"], "its name goes with the lock"


SCRIPT = """
import sys
from pathlib import Path
import numpy as np
from infogan.datamodules.build_store import Chunk, Originals, Part, build_store, building

root = Path(sys.argv[1])
with (root / "log").open("a") as log:
    log.write("run\\n")

def make(rows):
    return Chunk(np.full((len(rows), 1, 2, 2), rows.start // 256, np.uint8))

if sys.argv[2] == "folder":
    from infogan.datamodules.base import DataContext
    from infogan.datamodules.folder import Folder

    data = Folder(DataContext(root, root / "stores", 2, (0.0, 1.0), 0), str(root / "mine"), 8, 1, False)
    data.prepare_data()
    print(data.train_size)
else:
    parts = Part(600, make, parallel=True), Part(1, make)
    with building(root / "s"):
        store = build_store(root / "s", Originals(*parts, "script"), (1, 2, 2), "script", {}, None)
    print(store.split("train").images[:, 0, 0, 0].bincount().tolist())
"""
"""Somebody's own script: no `if __name__ == "__main__"`."""


@pytest.mark.parametrize(("kind", "printed"), [("folder", "540"), ("processes", "[256, 256, 88]")])
def test_a_script_of_ones_own_runs_once(tmp_path, kind, printed):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    (tmp_path / "mine").mkdir()
    for k in range(600):
        Image.new("L", (8, 8), k % 251).save(tmp_path / "mine" / f"{k}.png")
    command = [sys.executable, script, tmp_path, kind]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, [printed]), done.stderr
    assert (tmp_path / "log").read_text() == "run\n"


@pytest.mark.parametrize("maker", ["sources.pictures", "rendering.makers", "rendering.chairs", "rendering.faces"])
def test_a_worker_needs_no_pytorch(maker):
    """It would cost each of them seconds, and one starts on every core."""
    code = f"import sys, infogan.datamodules.workers, infogan.datamodules.{maker}; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


ENDLESS = """
import os, sys, time
from pathlib import Path
from infogan.datamodules.workers import made_in_order

log = Path(sys.argv[1])

def make(rows):
    with log.open("a") as file:
        file.write(f"{os.getpid()}\\n")
    time.sleep(600)

list(made_in_order(make, [range(1), range(1)]))
"""


def test_processes_end_with_the_one_that_they_work_for(tmp_path):
    def running(pid):
        try:
            return bool(Path(f"/proc/{pid}/cmdline").read_bytes())  # it is empty once nothing runs
        except OSError:
            return False

    log = tmp_path / "log"
    process = subprocess.Popen([sys.executable, "-c", ENDLESS, log])
    wait_for(lambda: log.is_file() and len(log.read_text().split()) == 2)
    process.kill()
    process.wait()
    pids = log.read_text().split()
    assert str(process.pid) not in pids
    wait_for(lambda: not any(running(pid) for pid in pids))


def test_a_killed_build_is_never_picked_up(tmp_path):
    process = slow(tmp_path, 60)
    wait_for(lambda: (tmp_path / "log").is_file())
    process.send_signal(signal.SIGKILL)
    process.wait()
    (partial,) = tmp_path.glob(".s.*.staged")
    assert open_store(tmp_path / "s") is None
    build(tmp_path / "s").verify()
    assert not partial.exists()


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path):
    """The kernel's limit on a file's size stands in for the disk: the same write fails in the same place."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(
            DataError, match=r"^the image store \S+ could not be written: .+ \(paths\.stores moves it\)$"
        ):
            build(tmp_path / "s")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert files(tmp_path) == []


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"^paths\.stores: \S+ cannot be written: "):
        build(tmp_path / "file" / "stores" / "s")


def test_a_split_is_mapped_not_read(tmp_path):
    """The pages of a mapped file are not this process's own memory."""

    def private():
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon:")) / 1024

    big = Part(4000, lambda rows: Chunk(np.ones((len(rows), 3, 64, 64), np.uint8)))
    with building(tmp_path / "s"):
        store = build_store(
            tmp_path / "s", originals(train=big, test=Part(1, big.make)), (3, 64, 64), "things", {}, None
        )
    before = private()
    images = store.split("train").images
    assert images.numpy().sum(dtype=np.int64) == images.numel()  # NumPy adds without a copy in a wider type
    assert private() - before < 20, "the images are 47 MB"
    assert json.loads((tmp_path / "s" / "manifest.json").read_text())["format"] == 1


def test_a_store_that_is_replaced_is_never_seen_half(tmp_path, monkeypatch):
    """Looked at whenever a file goes: a kill there leaves what is seen there."""
    build(tmp_path / "s")
    unlink, seen = os.unlink, []

    def look(*args, **kwargs):
        unlink(*args, **kwargs)
        store = open_store(tmp_path / "s")
        seen.append(store is not None and store.verify() is None)

    monkeypatch.setattr(os, "unlink", look)
    build(tmp_path / "s", originals(train=part_of_arrays(IMAGES[:3])))
    assert len(seen) >= 7, "the older store's files"
    assert open_store(tmp_path / "s").count("train") == 3
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["s"]


@pytest.mark.parametrize(
    ("old", "new"),
    [('"count": 600', '"count": 599'), ('"count": 600', '"count": 6000'), ('"count": 7', '"count": 1'), ("4,", "3,")],
)
def test_a_manifest_that_does_not_agree_with_its_files(tmp_path, old, new):
    build(tmp_path / "s")
    path = tmp_path / "s" / "manifest.json"
    start, images, splits = path.read_text().partition('"image_shape"')
    assert old in images + splits
    path.write_text(start + (images + splits).replace(old, new))
    with pytest.raises(
        DataError, match=r"manifest\.json could not be read .* do not agree\): delete \S+, and the next"
    ):
        open_store(tmp_path / "s")


def test_fewer_images_than_rows_are_no_store(tmp_path):
    with pytest.raises(AssertionError):
        build(tmp_path / "s", originals(train=Part(9, lambda rows: Chunk(IMAGES[:5]))))
    assert files(tmp_path) == []


def test_rows_that_stand_for_a_set():
    assert drawn_rows(5, 5, seed=0).tolist() == drawn_rows(5, 9, seed=0).tolist() == [0, 1, 2, 3, 4]
    rows = drawn_rows(1000, 100, seed=0)
    assert (rows.diff() > 0).all(), "ascending, each once"
    assert rows.div(100, rounding_mode="floor").bincount(minlength=10).min() > 0
    assert torch.equal(rows, drawn_rows(1000, 100, seed=0))
    assert not torch.equal(rows, drawn_rows(1000, 100, seed=1))

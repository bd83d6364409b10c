"""What W&B keeps of a run on the disk, read back: unsent in `offline-run-*`, a copy of what was sent in `run-*`."""

import json
import time

from wandb.proto import wandb_internal_pb2

BLOCK, FILE_HEADER, RECORD_HEADER = 32768, 7, 7
FULL, FIRST, LAST_PART = 1, 2, 4


def records(folder, kind="offline-run"):
    """Every record of the run's files, oldest first.

    W&B's own process may still be writing when `finish` has returned: each file is read until it holds its last record.
    """
    found = []
    for path in sorted((folder / "wandb").glob(f"{kind}-*/*.wandb")):
        deadline = time.monotonic() + 60
        while not (of_file := records_of(path)) or of_file[-1].WhichOneof("record_type") != "exit":
            assert time.monotonic() < deadline, f"{path} has no end"
            time.sleep(0.05)
        found += of_file
    return found


def records_of(path):
    """The records that a file holds by now. It is a LevelDB log: records cut at 32 KiB blocks."""
    found = []
    if path.stat().st_size > FILE_HEADER:
        data, position, parts = path.read_bytes(), FILE_HEADER, b""
        assert data.startswith(b":W&B")
        while position + RECORD_HEADER <= len(data):
            left = BLOCK - position % BLOCK
            if left < RECORD_HEADER:
                position += left
                continue
            length, kind = int.from_bytes(data[position + 4 : position + 6], "little"), data[position + 6]
            position += RECORD_HEADER
            if position + length > len(data):
                break  # the rest is still being written
            part = data[position : position + length]
            parts = part if kind in (FULL, FIRST) else parts + part
            position += length
            if kind in (FULL, LAST_PART):
                record = wandb_internal_pb2.Record()
                record.ParseFromString(parts)
                found.append(record)
    return found


def history(found):
    return [
        {"/".join(item.nested_key) or item.key: json.loads(item.value_json) for item in record.history.item}
        for record in found
        if record.WhichOneof("record_type") == "history"
    ]


def summary_of(found):
    """The last value of each summary, by key."""
    summary = {}
    for record in found:
        if record.WhichOneof("record_type") == "summary":
            summary |= {
                "/".join(item.nested_key) or item.key: json.loads(item.value_json) for item in record.summary.update
            }
    return summary

"""`python -m benchmarks.memory [preset [images]]`: the most memory that `infogan.compare` and `infogan.evaluate` take.

Two untrained models of a preset (celeba64, whose images are 64² in colour) and `images` (50,000) real and generated
ones: what a model has learned changes neither time nor memory. Each command is a process of its own. The exit code is 1
where one of them held more than LIMIT_MB at a time, the pages of the image store that are mapped included.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, cast

from hydra import compose, initialize_config_module
from omegaconf import OmegaConf

from infogan.codes.latents import Latents
from infogan.config.check import check
from infogan.experiments.build import build_data, build_module
from infogan.experiments.prepare import create
from infogan.run_folder.files import write_json
from infogan.run_folder.paths import checkpoint_path
from infogan.run_folder.trees import save_tree

LIMIT_MB = 2000
RUNS = 2
DATA_SET = "benchmarks.synthetic:Synthetic"


def untrained(outputs: Path, preset: str, images: int, seed: int) -> Path:
    """The folder of a run that ended after an iteration of which nothing came."""
    with initialize_config_module("infogan.conf", version_base="1.3"):
        own = [f"data={preset}", f"seed={seed}", "logger=none", f"paths.stores={outputs}/stores"]
        values = cast(dict[str, Any], OmegaConf.to_container(compose("train", own), resolve=True))
    values["trainer"]["max_iterations"] = 1
    config = check(values)
    module, shape = build_module(config), build_data(config).image_shape
    synthetic = {"name": DATA_SET, "count": images, "shape": [*shape], "classes": 10}
    config = check({**values, "data": {**synthetic, "batch_size": config.data.batch_size}})
    folder = create(config, outputs / "runs", f"run_{seed}")
    save_tree(checkpoint_path(folder, 1), {"state_dict": module.state_dict(), "iteration": 1})
    of_codes = Latents.from_config(config.model).entropies
    unknown = dict.fromkeys(("images_per_second", "acc", "nmi", "ari", "matching"))
    unknown |= {key: {} for key in ("information", "information_train_mode", "information_at_mse")}
    summary = {"data": "synthetic", "seed": seed, "iterations": 1, **unknown, "entropy": of_codes, "lambda": {}}
    write_json(folder / "summary.json", summary | {"checkpoint": "checkpoints/iteration_00000001.safetensors"})
    return folder


def measured(command: str, *arguments: str) -> dict[str, float]:
    """Peak MB, seconds and CPU seconds of a command as a process of its own. Raises SystemExit where it fails."""
    start = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", f"infogan.{command}", f"imports=[{DATA_SET}]", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},  # where the data set is
    )
    assert process.stdout is not None
    said = process.stdout.read().decode(errors="replace")
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"error: infogan.{command} ended with exit code {os.waitstatus_to_exitcode(status)}: {said}")
    seconds = {"seconds": time.monotonic() - start, "cpu_seconds": usage.ru_utime + usage.ru_stime}
    return {"peak_MB": usage.ru_maxrss / 1024, **seconds}


def main() -> None:
    preset, images = (sys.argv[1:] + ["celeba64", "50000"][len(sys.argv) - 1 :])[:2]
    with tempfile.TemporaryDirectory() as temporary:
        outputs = Path(temporary)
        runs = [untrained(outputs, preset, int(images), seed) for seed in range(RUNS)]
        found = {
            "compare": measured("compare", f"runs=[{','.join(map(str, runs))}]", f"paths.outputs={outputs}"),
            "evaluate": measured("evaluate", f"run={runs[0]}", f"metrics.samples={images}"),
        }
    print(json.dumps({"preset": preset, "images": int(images), "runs": RUNS, **found}, indent=2))
    raise SystemExit(int(max(command["peak_MB"] for command in found.values()) > LIMIT_MB))


if __name__ == "__main__":
    main()

"""How a run was started: command, revision, versions, machine."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from infogan.run_folder.files import write_json
from infogan.run_folder.ranks import is_rank_zero


def provenance() -> dict[str, Any]:
    """What a reader needs to repeat the run: the command, the code's revision, versions and machine."""
    import platform

    import lightning
    import torch

    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", "-C", Path(__file__).parent, *words], capture_output=True, encoding="utf-8", check=True
            )
        except (OSError, subprocess.CalledProcessError):  # no git here, or an installed package
            return None
        return done.stdout.strip()

    changes = git("status", "--porcelain", "--untracked-files=no")
    return {
        "command": command(),
        "revision": git("rev-parse", "HEAD"),
        "uncommitted_changes": None if changes is None else bool(changes),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "lightning": lightning.__version__,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {torch.backends.cpu.get_cpu_capability()}",
        "gpus": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
    }


def command() -> str:
    """What was typed; for the job of a sweep the command that makes this run alone, since it may run in a launcher's
    worker, whose command line is the launcher's."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    if HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN:
        name, arguments = f"-m {HydraConfig.get().help.app_name}", HydraConfig.get().overrides.task
    else:
        module, arguments = getattr(sys.modules["__main__"], "__spec__", None), sys.argv[1:]
        name = f"-m {module.name}" if module else sys.argv[0]
    return f"python {name} {shlex.join(arguments)}".strip()


def add_provenance(folder: Path) -> None:
    """Adds this start of the run to provenance.json, a list: the first made it, each later one continued it."""
    if is_rank_zero():
        path = folder / "provenance.json"
        earlier = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
        write_json(path, [*earlier, provenance()])

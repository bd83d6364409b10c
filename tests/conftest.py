"""Shared by all tests: the real configuration with tiny limits, and where real data lies."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf

from infogan.arguments import in_hydras_grammar

TINY = ["logger=none", "trainer=cpu", "trainer.threads=1", "callbacks.log_every=5", "callbacks.traversal_rows=2"]

Compose = Callable[..., dict[str, Any]]


@pytest.fixture
def compose_values(tmp_path: Path) -> Compose:
    """The composed configuration of `python -m infogan.train <overrides>` as plain values, run folders in tmp_path;
    where no override chooses data or model, that of the paper's objective on digits."""

    def values(*overrides: str) -> dict[str, Any]:
        if not any(each.startswith(("data=", "model=", "experiment=")) for each in overrides):
            overrides = ("model=paper_digits", *overrides)
        with initialize_config_module("infogan.conf", version_base="1.3"):
            composed = compose("train", in_hydras_grammar([*TINY, f"paths.outputs={tmp_path}", *overrides]))
        return OmegaConf.to_container(composed, resolve=True)

    return values


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reaches a server: W&B finds no key, and its global files stay in tmp_path."""
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("WANDB_DATA_DIR", str(tmp_path / "wandb-data"))
    monkeypatch.setenv("WANDB_CACHE_DIR", str(tmp_path / "wandb-cache"))


@pytest.fixture(autouse=True)
def _own_stores(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each test builds its own image stores."""
    monkeypatch.setenv("INFOGAN_STORES", str(tmp_path / "stores"))


@pytest.fixture
def real_data() -> Path:
    """The folder with MNIST/raw and FashionMNIST/raw; tests that need it are skipped where it is not."""
    root = Path(os.environ.get("INFOGAN_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not (root / "MNIST" / "raw").is_dir():
        pytest.skip(f"no real data: {root}/MNIST/raw does not exist (INFOGAN_DATA names another root)")
    return root


@pytest.fixture
def call(monkeypatch, capsys):
    """Runs a command's `main` with arguments in this process; returns its exit code, standard output and error."""

    def run(main, *arguments):
        monkeypatch.setattr(sys, "argv", [main.__module__, *arguments])
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = stop.code
        return code, *capsys.readouterr()

    return run

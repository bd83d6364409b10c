"""Shared by all tests: the real configuration with tiny limits, and where real data lies."""

import os
import pickle
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_module
from hydra._internal.config_repository import ConfigRepository
from hydra._internal.hydra import Hydra
from hydra.core.object_type import ObjectType
from omegaconf import OmegaConf

from infogan.arguments import in_hydras_grammar

TINY = ["logger=none", "trainer=cpu", "trainer.threads=1", "callbacks.log_every=5", "callbacks.traversal_rows=2"]

Compose = Callable[..., dict[str, Any]]


CONF = Path(__file__).parents[1] / "conf"


@pytest.fixture(scope="session", autouse=True)
def _hydra_does_nothing_twice() -> Iterator[None]:
    """Else half of the suite's time is Hydra's. For each composition it reads and parses all files again: those of
    packages are read once here, those in folders each time. And before a job it composes all to find one value,
    hydra.mode: that is found once for the words that can decide it, which are choices of groups and keys of hydra."""
    load_config, get_mode = ConfigRepository.load_config, Hydra.get_mode
    files: dict[Any, bytes] = {}
    modes: dict[Any, Any] = {}

    def load_once(self: ConfigRepository, config_path: str) -> Any:
        source = self._find_object_source(config_path, ObjectType.CONFIG)
        if source is None or source.scheme() != "pkg":
            return load_config(self, config_path)
        key = source.provider, source.path, config_path
        if key not in files:
            files[key] = pickle.dumps(load_config(self, config_path))
        return pickle.loads(files[key])

    def decides(word: str) -> bool:
        key = word.partition("=")[0].lstrip("+~")
        return key.startswith("hydra") or "/" in key or "=" not in word or (CONF / key).is_dir()

    def find_once(self: Hydra, config_name: str | None, overrides: list[str]) -> Any:
        folders = [part.path for part in self.config_loader.get_search_path().get_path()]
        words = [word for word in overrides if decides(word)]
        key = config_name, *folders, *words
        if key not in modes:
            modes[key] = get_mode(self, config_name, words)
        return modes[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ConfigRepository, "load_config", load_once)
        patch.setattr(Hydra, "get_mode", find_once)
        yield


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Image stores that tests share, with the extractors that are trained on them: functions of the images alone."""
    return tmp_path_factory.mktemp("stores")


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

"""What the machine can do is asked before a training begins; what is set for it is put back after."""

import os

import pytest
import torch

from infogan.config.check import check
from infogan.errors import ConfigError
from infogan.experiments.machine import arithmetic, as_cuda_graph, best_precision, check_accelerator, on_gpu, threads


@pytest.fixture
def machine(monkeypatch):
    """Makes the machine one with so many GPUs, with bf16 or without, and a CPU of these features."""

    def of(gpus, bf16=False, features=()):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: bf16)
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: dict.fromkeys(features, True))

    return of


@pytest.mark.parametrize(
    ("gpus", "overrides", "message"),
    [
        (0, ["trainer.accelerator=gpu"], "trainer.accelerator=gpu: PyTorch sees no GPU"),
        (1, ["trainer.accelerator=gpu", "trainer.devices=2"], "trainer.devices=2: this machine has 1 GPUs"),
        (0, ["trainer.precision=tf32"], "trainer.precision=tf32: this is for GPUs"),
        (1, ["trainer.accelerator=cpu", "trainer.precision=fp16"], "trainer.precision=fp16: this is for GPUs"),
        (0, ["trainer.cuda_graph=true"], "trainer.cuda_graph=true: this is for GPUs"),
        (2, ["trainer.accelerator=gpu", "trainer.devices=2", "trainer.cuda_graph=true"], "this is for one GPU"),
    ],
)
def test_what_this_machine_has_not(machine, compose_values, gpus, overrides, message):
    machine(gpus)
    with pytest.raises(ConfigError) as raised:
        check_accelerator(check(compose_values(*overrides)))
    assert message in str(raised.value)


def test_what_it_has(machine, compose_values):
    machine(2)
    for overrides in (["trainer.accelerator=gpu", "trainer.devices=2"], ["trainer.accelerator=cpu"]):
        check_accelerator(check(compose_values(*overrides)))


@pytest.mark.parametrize(
    ("gpus", "accelerator", "devices", "graph", "expected"),
    [
        (0, "auto", 1, "auto", False),
        (1, "auto", 1, "auto", True),
        (1, "cpu", 1, "auto", False),
        (2, "gpu", 2, "auto", False),
        (1, "gpu", 1, "false", False),
    ],
)
def test_cuda_graphs_are_for_one_gpu(machine, compose_values, gpus, accelerator, devices, graph, expected):
    machine(gpus)
    options = [f"trainer.accelerator={accelerator}", f"trainer.devices={devices}", f"trainer.cuda_graph={graph}"]
    assert as_cuda_graph(check(compose_values(*options))) is expected


def test_the_best_precision_is_the_narrowest_that_is_not_emulated(machine, compose_values):
    on_any, on_cpu = (check(compose_values(f"trainer.accelerator={kind}")) for kind in ("auto", "cpu"))
    machine(1, bf16=True)
    assert (best_precision(on_any), best_precision(on_cpu)) == ("bf16", "float32")
    machine(1, bf16=False, features=["avx512_bf16"])
    assert (best_precision(on_any), best_precision(on_cpu)) == ("fp16", "bf16")
    machine(0, features=["amx_bf16"])
    assert best_precision(on_any) == "bf16" and not on_gpu(on_any)


def test_threads_are_put_back(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    before = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError), threads(1):
        assert torch.get_num_threads() == 1
        assert (os.environ["OMP_NUM_THREADS"], os.environ["MKL_NUM_THREADS"]) == ("1", "1")
        _ = 1 / 0
    assert torch.get_num_threads() == before
    assert os.environ["OMP_NUM_THREADS"] == "5" and "MKL_NUM_THREADS" not in os.environ
    with threads(None):
        assert torch.get_num_threads() == before


def test_arithmetic_is_put_back(compose_values):
    def state():
        cudnn = torch.backends.cudnn
        return torch.get_num_threads(), torch.get_float32_matmul_precision(), cudnn.allow_tf32, cudnn.deterministic

    before = state()
    for precision, expected in (("float32", ("highest", False, True)), ("tf32", ("high", True, True))):
        trainer = check(compose_values(f"trainer.precision={precision}", "trainer.threads=1")).trainer
        with pytest.raises(ZeroDivisionError), arithmetic(trainer):
            assert state() == (1, *expected)
            _ = 1 / 0
        assert state() == before

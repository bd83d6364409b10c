"""What this machine can do: accelerators, precision, threads."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from infogan.config.training import Config, TrainerConfig
from infogan.errors import ConfigError

PRECISIONS = {"float32": "32-true", "tf32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}
"""Lightning's names."""

OF_GPUS = {"precision": ("tf32", "fp16"), "cuda_graph": (True,)}
"""What only a GPU can do, by key of `trainer`."""


def check_accelerator(config: Config) -> None:
    """Raises ConfigError where this machine has not the GPUs that are asked for."""
    import torch

    if config.trainer.accelerator == "gpu" and not torch.cuda.is_available():
        raise ConfigError("trainer.accelerator=gpu: PyTorch sees no GPU on this machine; trainer=cpu runs without one")
    if on_gpu(config) and config.trainer.devices > torch.cuda.device_count():
        raise ConfigError(
            f"trainer.devices={config.trainer.devices}: this machine has {torch.cuda.device_count()} GPUs"
        )
    for key, values in OF_GPUS.items():
        if (value := getattr(config.trainer, key)) in values and not on_gpu(config):
            given = str(value).lower()  # as in YAML
            raise ConfigError(f"trainer.{key}={given}: this is for GPUs, and the training would run on the CPU")
    if config.trainer.cuda_graph is True and config.trainer.devices > 1:
        raise ConfigError(f"trainer.cuda_graph=true: this is for one GPU, and trainer.devices={config.trainer.devices}")


def as_cuda_graph(config: Config) -> bool:
    """Whether the iterations of this training are replayed as a CUDA graph."""
    if config.trainer.cuda_graph == "auto":
        return on_gpu(config) and config.trainer.devices == 1
    return config.trainer.cuda_graph


def on_gpu(config: Config) -> bool:
    """Whether the trainer would take a GPU here."""
    import torch

    return config.trainer.accelerator != "cpu" and torch.cuda.is_available()


def best_precision(config: Config) -> str:
    """bf16 where the device computes in it without emulation; else fp16 on a GPU, float32 on a CPU."""
    import torch

    if on_gpu(config):
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    features = torch.cpu.get_capabilities()
    return "bf16" if features.get("avx512_bf16") or features.get("amx_bf16") else "float32"


@contextmanager
def threads(number: int | None) -> Iterator[None]:
    """The CPU computes with so many threads: PyTorch, NumPy and scikit-learn, whether they are loaded already or will
    be. None: their own choice, which is all cores."""
    if number is None:
        yield
        return
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    asked_for = {name: os.environ.get(name) for name in READ_WHEN_LOADED}
    os.environ.update(dict.fromkeys(READ_WHEN_LOADED, str(number)))
    torch.set_num_threads(number)
    try:
        with threadpool_limits(number):
            yield
    finally:
        torch.set_num_threads(before)
        for name, value in asked_for.items():
            del os.environ[name]
            if value is not None:
                os.environ[name] = value


READ_WHEN_LOADED = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Where libraries look for their number of threads."""


@contextmanager
def arithmetic(config: TrainerConfig) -> Iterator[None]:
    """PyTorch computes with the threads and the precision of float32's products that the configuration asks for, and
    the same each time: some of cuDNN's convolutions add up in the order in which their threads are done."""
    import torch

    threads, products = torch.get_num_threads(), torch.get_float32_matmul_precision()
    cudnn, tf32 = torch.backends.cudnn, config.precision == "tf32"
    convolutions = cudnn.allow_tf32, cudnn.deterministic
    try:
        if config.threads is not None:
            torch.set_num_threads(config.threads)
        torch.set_float32_matmul_precision("high" if tf32 else "highest")
        cudnn.allow_tf32, cudnn.deterministic = tf32, True  # by default float32's convolutions are in TF32
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_float32_matmul_precision(products)
        cudnn.allow_tf32, cudnn.deterministic = convolutions

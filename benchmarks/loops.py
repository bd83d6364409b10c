"""The loops that are compared, each as a function that runs a number of iterations."""

import copy
import itertools
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import lightning as L
import numpy as np
import torch
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf
from torch import Tensor
from torch.func import functional_call

from benchmarks.synthetic import Synthetic
from infogan.codes.latents import Latents
from infogan.config.check import check
from infogan.config.training import Config
from infogan.datamodules.base import BatchStream, Setting
from infogan.experiments.build import build_module, build_trainer
from infogan.experiments.machine import best_precision, check_accelerator, on_gpu
from infogan.experiments.signals import StopSignals
from infogan.networks.value_range import scaled, value_range
from infogan.objective.adversarial import discriminator_loss, generator_loss
from infogan.objective.information import information_bound, weighted_information
from infogan.training.cuda_graph import CapturedIteration

Run = Callable[[int], None]
"""Runs that many iterations."""

Tensors = dict[str, Tensor]


def configuration(overrides: list[str]) -> Config:
    """The configuration of a training with these overrides, whose precision fits the device. Nothing is logged but to
    the run folder, and Q learns with D, as the bare loop does it."""
    fixed = ["logger=none", "model.posterior_optimizer=discriminator"]
    with initialize_config_module("infogan.conf", version_base="1.3"):
        values = cast(dict[str, Any], OmegaConf.to_container(compose("train", [*overrides, *fixed]), resolve=True))
    config = check(values)
    check_accelerator(config)
    if config.trainer.precision == "auto":
        trainer = config.trainer.model_copy(update={"precision": best_precision(config)})
        config = config.model_copy(update={"trainer": trainer})
    return config


def device_of(config: Config) -> torch.device:
    return torch.device("cuda" if on_gpu(config) else "cpu")


def bare(config: Config, images: int) -> Run:
    """The same networks, losses and optimizers on `images` random images, without Lightning, callbacks or logging."""
    device = device_of(config)
    module = build_module(config).to(device)
    g, d, latents = module.generator, module.discriminator, module.latents
    optimizer_d, optimizer_g = module.configure_optimizers()
    parameters_d = list(d.parameters())
    weights_d = {code.name: code.lambda_posterior for code in latents.codes}
    weights_g = {code.name: code.lambda_ for code in latents.codes}

    def iterate(real: Tensor, latent: Tensor) -> dict[str, Tensor]:
        with autocast(config):
            fake = g(latent)
        with autocast(config):
            real_logits = d.head(d.trunk(real))
            fake_logits, q = d(fake.detach())
            loss_d = discriminator_loss(real_logits, fake_logits) - information(latents, latent, q, weights_d)
        optimizer_d.zero_grad()
        loss_d.backward()
        optimizer_d.step()
        for p in parameters_d:
            p.requires_grad_(False)
        with autocast(config):
            fake_logits, q = d(fake)
            loss_g = generator_loss(fake_logits) - information(latents, latent, q, weights_g)
        optimizer_g.zero_grad()
        loss_g.backward()
        optimizer_g.step()
        for p in parameters_d:
            p.requires_grad_(True)
        return {"loss/discriminator": loss_d.detach(), "loss/generator": loss_g.detach()}

    step = CapturedIteration(iterate, [optimizer_d, optimizer_g]) if module.as_cuda_graph else iterate
    pixels = random_images(images, g.image_shape).to(device)
    batches = iter(BatchStream(pixels, config.data.batch_size, config.seed, start=0))
    scale = value_range(config.model.generator)
    counter = itertools.count()

    def run(iterations: int) -> None:
        for iteration in itertools.islice(counter, iterations):
            latent = latents.sample(0, "train", iteration, range(config.data.batch_size)).to(device)
            step(scaled(next(batches), scale), latent)

    return run


def information(latents: Latents, latent: Tensor, q: Tensor, weights: dict[str, float]) -> Tensor:
    """Σ λ_j L_j of these latents and of what Q makes of their images."""
    likelihoods = latents.log_likelihoods(latent, q)
    bounds = {code.name: information_bound(likelihoods[code.name], code.entropy) for code in latents.codes}
    return weighted_information(bounds, weights)


def autocast(config: Config) -> torch.autocast:
    """As the configuration's precision asks for it."""
    return torch.autocast(device_of(config).type, torch.bfloat16, enabled=config.trainer.precision == "bf16")


ENSEMBLE = 8


def ensemble(config: Config, images: int) -> Run:
    """`bare` for ENSEMBLE models at once, each with its own seed, images and latents: their weights are stacked, and
    `torch.func.vmap` makes one product of those of all models. An iteration is one of every model."""
    device = device_of(config)
    modules = [build_module(config.model_copy(update={"seed": seed})).to(device) for seed in range(ENSEMBLE)]
    latents = modules[0].latents
    g, d = (copy.deepcopy(part).to("meta") for part in (modules[0].generator, modules[0].discriminator))
    weights_g, buffers_g = torch.func.stack_module_state([module.generator for module in modules])
    weights_d, buffers_d = torch.func.stack_module_state([module.discriminator for module in modules])
    frozen_d = {name: weight.detach() for name, weight in weights_d.items()}
    rates, betas = (config.model.learning_rate_discriminator, config.model.learning_rate_generator), config.model.betas
    optimizer_d, optimizer_g = (
        torch.optim.Adam(weights.values(), rate, betas=(betas[0], betas[1]), fused=True)
        for weights, rate in zip((weights_d, weights_g), rates, strict=True)
    )
    lambda_d = {code.name: code.lambda_posterior for code in latents.codes}
    lambda_g = {code.name: code.lambda_ for code in latents.codes}

    def generated(weights: Tensors, buffers: Tensors, latent: Tensor) -> Tensor:
        return functional_call(g, (weights, buffers), (latent,))

    def loss_of_d(weights: Tensors, buffers: Tensors, real: Tensor, fake: Tensor, latent: Tensor) -> Tensor:
        real_logits, _ = functional_call(d, (weights, buffers), (real,))
        fake_logits, q = functional_call(d, (weights, buffers), (fake,))
        return discriminator_loss(real_logits, fake_logits) - information(latents, latent, q, lambda_d)

    def loss_of_g(weights: Tensors, buffers: Tensors, fake: Tensor, latent: Tensor) -> Tensor:
        fake_logits, q = functional_call(d, (weights, buffers), (fake,))
        return generator_loss(fake_logits) - information(latents, latent, q, lambda_g)

    def iterate(real: Tensor, latent: Tensor) -> dict[str, Tensor]:
        with autocast(config):
            fake = torch.vmap(generated)(weights_g, buffers_g, latent)
            losses_d = torch.vmap(loss_of_d)(weights_d, buffers_d, real, fake.detach(), latent)
        optimizer_d.zero_grad()
        losses_d.sum().backward()
        optimizer_d.step()
        with autocast(config):
            losses_g = torch.vmap(loss_of_g)(frozen_d, buffers_d, fake, latent)
        optimizer_g.zero_grad()
        losses_g.sum().backward()
        optimizer_g.step()
        return {"loss/discriminator": losses_d.detach().sum(), "loss/generator": losses_g.detach().sum()}

    step = CapturedIteration(iterate, [optimizer_d, optimizer_g]) if modules[0].as_cuda_graph else iterate
    pixels = random_images(images, modules[0].generator.image_shape).to(device)
    streams = [iter(BatchStream(pixels, config.data.batch_size, seed, start=0)) for seed in range(ENSEMBLE)]
    scale = value_range(config.model.generator)
    counter = itertools.count()

    def run(iterations: int) -> None:
        for iteration in itertools.islice(counter, iterations):
            drawn = [latents.sample(s, "train", iteration, range(config.data.batch_size)) for s in range(ENSEMBLE)]
            step(torch.stack([scaled(next(stream), scale) for stream in streams]), torch.stack(drawn).to(device))

    return run


MATRIX = {"cpu": 2048, "cuda": 8192}
"""Rows of the square matrices, by device."""


def matmul(config: Config) -> Run:
    """Products of two square matrices in the configuration's precision: what the machine can do at best."""
    device = device_of(config)
    size = MATRIX[device.type]
    dtype = torch.bfloat16 if config.trainer.precision == "bf16" else torch.float32
    a, b = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))

    def run(iterations: int) -> None:
        for _ in range(iterations):
            torch.mm(a, b)

    return run


def flop(config: Config) -> int:
    """Floating-point operations of one iteration that its result needs, 2 for a multiplication with its addition: G's
    forward once and backward; D's forward and backward on real and on generated images, and its forward and the
    gradient of the images once more in G's phase.
    """
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"):
        module = build_module(config).to("meta")
    g, d = module.generator, module.discriminator
    batch = config.data.batch_size
    with FlopCounterMode(display=False) as counter:
        fake = g(torch.empty(batch, module.latents.width, device="meta"))
        for images in (torch.empty_like(fake), fake.detach()):
            logits, q = d(images)
            (logits.sum() + q.sum()).backward()
        d.requires_grad_(False)
        logits, q = d(fake)
        (logits.sum() + q.sum()).backward()
    return counter.get_total_flops()


def random_images(count: int, shape: tuple[int, ...]) -> Tensor:
    """uint8 noise: what is in an image does not change what it costs."""
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (count, *shape), dtype=np.uint8))


class Blocks(L.Callback):
    """The last of all callbacks. Hands each finished block of iterations to `orders`, and waits there for the next."""

    def __init__(self, orders: Iterator[int]) -> None:
        self.orders = orders
        self._left = 0

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._left = next(self.orders)

    def on_train_batch_end(self, trainer: L.Trainer, *args: Any) -> None:
        self._left -= 1
        if self._left == 0:
            self._left = next(self.orders, 0)
            trainer.should_stop = self._left == 0


class Waiting:
    """The batches of what `make` returns, and the seconds that the loop has waited for them."""

    def __init__(self, make: Callable[[], BatchStream]) -> None:
        self.make = make
        self.seconds = 0.0

    def __iter__(self) -> Iterator[Tensor]:
        stream = iter(self.make())
        while True:
            start = time.perf_counter()
            batch = next(stream)
            self.seconds += time.perf_counter() - start
            yield batch


def lightning(config: Config, images: int, orders: Iterator[int]) -> dict[str, Any]:
    """Training as `infogan.train` does it, on `images` random images, one block of iterations an order.

    What happens once in many iterations (scores, traversals, a checkpoint) is timed apart, after the blocks. Returns
    the seconds waited for batches, and of each such event the seconds that one takes and its interval in iterations.
    """
    from infogan.callbacks.checkpoints import Checkpoints
    from infogan.callbacks.conclusion import Conclusion
    from infogan.callbacks.scores import Scores
    from infogan.callbacks.traversals import Traversals

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "checkpoints").mkdir()
        module = build_module(config)
        setting = Setting(folder, folder, config.data.batch_size, module.value_range, config.seed)
        data = Synthetic(setting, images, module.generator.image_shape, classes=10)
        trainer, _ = build_trainer(config, folder, data, 0, StopSignals())
        waiting = Waiting(data.train_dataloader)
        data.train_dataloader = lambda: waiting  # type: ignore[method-assign, assignment, return-value]
        callbacks: list[Any] = trainer.callbacks  # type: ignore[attr-defined]
        rare = [callback for callback in callbacks if isinstance(callback, Scores | Traversals | Checkpoints)]
        callbacks[:] = [c for c in callbacks if c not in rare and not isinstance(c, Conclusion)] + [Blocks(orders)]
        trainer.fit(module, data)
        module.to(device_of(config))
        events = {}
        for callback in rare:
            interval, callback.every = callback.every, 1
            for _ in range(2):  # the first one sets things up
                start = time.perf_counter()
                callback.on_train_batch_end(trainer, module, None, torch.empty(0), 0)
            events[type(callback).__name__] = {"seconds": time.perf_counter() - start, "every": interval}
        return {"waited_s": waiting.seconds, "iterations": module.iteration, "events": events}

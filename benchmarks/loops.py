"""The loops that are compared, each as a function that runs a number of iterations."""

import copy
import itertools
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
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
from infogan.config.check import check
from infogan.config.training import Config
from infogan.datamodules.base import BatchStream, DataContext, TrainingBatches
from infogan.experiments.build import build_module, build_trainer
from infogan.experiments.machine import best_precision, check_accelerator, on_gpu
from infogan.networks import Discriminator
from infogan.networks.value_range import scaled
from infogan.objective.play import Play
from infogan.objective.terms import loss
from infogan.training.cuda_graph import CapturedIteration
from infogan.training.signals import StopSignals

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
    """The same networks, objective and optimizers on `images` random images, without Lightning, callbacks and logs."""
    device = device_of(config)
    module = build_module(config).to(device)
    g, d, latents, objective = module.generator, module.discriminator, module.latents, module.objective
    values = module.value_range
    optimizer_d, optimizer_g = module.configure_optimizers()
    parameters_d = list(d.parameters())

    def iterate(inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        latent, real = latents.assemble(inputs["draws"]), inputs["real"]
        with autocast(config):
            fake = g(latent)
        with autocast(config):
            loss_d = loss(objective.discriminator(Play(d, latents, latent, real, fake.detach(), values), {}))
        optimizer_d.zero_grad()
        loss_d.backward()
        optimizer_d.step()
        for p in parameters_d:
            p.requires_grad_(False)
        with autocast(config):
            loss_g = loss(objective.generator(Play(d, latents, latent, real, fake, values), {}))
        optimizer_g.zero_grad()
        loss_g.backward()
        optimizer_g.step()
        for p in parameters_d:
            p.requires_grad_(True)
        return {"loss/discriminator": loss_d.detach(), "loss/generator": loss_g.detach()}

    step = CapturedIteration(iterate, [optimizer_d, optimizer_g]) if module.as_cuda_graph else iterate
    pixels = random_images(images, g.image_shape).to(device)
    batches = BatchStream(pixels, config.data.batch_size, config.seed)
    counter = itertools.count()

    def run(iterations: int) -> None:
        for iteration in itertools.islice(counter, iterations):
            draws = latents.draws.draw(0, "train", iteration, range(config.data.batch_size)).to(device)
            step({"real": scaled(batches.at(iteration), values), "draws": draws})

    return run


def autocast(config: Config) -> torch.autocast:
    """As the configuration's precision asks for it."""
    return torch.autocast(device_of(config).type, torch.bfloat16, enabled=config.trainer.precision == "bf16")


ENSEMBLE = 8


class Stateless:
    """A discriminator whose weights are given to it, as `Play` asks it."""

    def __init__(self, network: Discriminator, weights: Tensors, buffers: Tensors) -> None:
        self.network, self.state = network, weights | buffers

    def trunk(self, images: Tensor) -> Tensor:
        return self._called("trunk", images)

    def head(self, features: Tensor) -> Tensor:
        return self._called("head", features)

    def posterior(self, features: Tensor) -> Tensor:
        return self._called("posterior", features)

    def _called(self, part: str, x: Tensor) -> Tensor:
        prefix = f"{part}."
        own = {name.removeprefix(prefix): value for name, value in self.state.items() if name.startswith(prefix)}
        return functional_call(self.network.get_submodule(part), own, (x,))


def ensemble(config: Config, images: int) -> Run:
    """`bare` for ENSEMBLE models at once, each with its own seed, images and latents: their weights are stacked, and
    `torch.func.vmap` makes one product of those of all models. An iteration is one of every model."""
    device = device_of(config)
    modules = [build_module(config.model_copy(update={"seed": seed})).to(device) for seed in range(ENSEMBLE)]
    latents, objective, values = modules[0].latents, modules[0].objective, modules[0].value_range
    g, d = copy.deepcopy(modules[0].generator).to("meta"), copy.deepcopy(modules[0].discriminator).to("meta")
    weights_g, buffers_g = torch.func.stack_module_state([module.generator for module in modules])
    weights_d, buffers_d = torch.func.stack_module_state([module.discriminator for module in modules])
    frozen_d = {name: weight.detach() for name, weight in weights_d.items()}
    rates, betas = (config.model.learning_rate_discriminator, config.model.learning_rate_generator), config.model.betas
    optimizer_d, optimizer_g = (
        torch.optim.Adam(weights.values(), rate, betas=(betas[0], betas[1]), fused=True)
        for weights, rate in zip((weights_d, weights_g), rates, strict=True)
    )

    def generated(weights: Tensors, buffers: Tensors, latent: Tensor) -> Tensor:
        return functional_call(g, (weights, buffers), (latent,))

    def loss_of_d(weights: Tensors, buffers: Tensors, real: Tensor, fake: Tensor, latent: Tensor) -> Tensor:
        play = Play(Stateless(d, weights, buffers), latents, latent, real, fake, values)
        return loss(objective.discriminator(play, {}))

    def loss_of_g(weights: Tensors, buffers: Tensors, real: Tensor, fake: Tensor, latent: Tensor) -> Tensor:
        play = Play(Stateless(d, weights, buffers), latents, latent, real, fake, values)
        return loss(objective.generator(play, {}))

    def iterate(inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        real, latent = inputs["real"], torch.stack([latents.assemble(draws) for draws in inputs["draws"]])
        with autocast(config):
            fake = torch.vmap(generated)(weights_g, buffers_g, latent)
            losses_d = torch.vmap(loss_of_d)(weights_d, buffers_d, real, fake.detach(), latent)
        optimizer_d.zero_grad()
        losses_d.sum().backward()
        optimizer_d.step()
        with autocast(config):
            losses_g = torch.vmap(loss_of_g)(frozen_d, buffers_d, real, fake, latent)
        optimizer_g.zero_grad()
        losses_g.sum().backward()
        optimizer_g.step()
        return {"loss/discriminator": losses_d.detach().sum(), "loss/generator": losses_g.detach().sum()}

    step = CapturedIteration(iterate, [optimizer_d, optimizer_g]) if modules[0].as_cuda_graph else iterate
    pixels = random_images(images, modules[0].generator.image_shape).to(device)
    streams = [BatchStream(pixels, config.data.batch_size, seed) for seed in range(ENSEMBLE)]
    counter = itertools.count()

    def run(iterations: int) -> None:
        for iteration in itertools.islice(counter, iterations):
            positions = range(config.data.batch_size)
            drawn = [latents.draws.draw(seed, "train", iteration, positions) for seed in range(ENSEMBLE)]
            real = torch.stack([scaled(stream.at(iteration), values) for stream in streams])
            step({"real": real, "draws": torch.stack(drawn).to(device)})

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

    def __init__(self, make: Callable[[], TrainingBatches]) -> None:
        self.make = make
        self.seconds = 0.0

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
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
        context = DataContext(folder, folder, config.data.batch_size, module.value_range, config.seed)
        data = Synthetic(context, images, module.generator.image_shape, classes=10)
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

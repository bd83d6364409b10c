"""`python -m benchmarks [overrides]`: what Lightning, callbacks and logging add to an iteration.

Blocks of the real training loop and of a bare loop alternate, so that a noisy machine slows both. What happens once in
many iterations (scores, traversals, a checkpoint) is timed apart and spread over its interval.
"""

import itertools
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import lightning as L
import torch
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf

from callbacks.checkpoints import Checkpoints
from callbacks.conclusion import Conclusion
from callbacks.scores import Scores
from callbacks.traversals import Traversals
from datamodules.base import BatchStream
from infogan import experiment
from infogan.config import check
from infogan.errors import ends_as_one_line
from infogan.losses import discriminator_loss, generator_loss, information_bound, weighted_information
from infogan.module import InfoGAN
from infogan.pixels import scaled
from infogan.signals import StopSignals

BLOCK, BLOCKS, WARM_UP = 20, 6, 5

FIXED = ["trainer.accelerator=cpu", "logger=none", "model.posterior_optimizer=discriminator"]
"""What the bare loop is written for."""


def bare_loop(
    module: InfoGAN, batches: Iterator[torch.Tensor], value_range: tuple[float, float], precision: str
) -> Callable[[], None]:
    """One iteration with the same networks, losses and optimizers, without Lightning, callbacks or logging."""
    g, d, latents = module.generator, module.discriminator, module.latents
    optimizer_d, optimizer_g = module.configure_optimizers()
    parameters_d = list(d.parameters())
    weights_d = {code.name: code.lambda_posterior for code in latents.codes}
    weights_g = {code.name: code.lambda_ for code in latents.codes}
    counter = itertools.count()

    def autocast() -> torch.autocast:
        return torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16")

    def information(latent: torch.Tensor, q: torch.Tensor, weights: dict[str, float]) -> torch.Tensor:
        likelihoods = latents.log_likelihoods(latent, q)
        bounds = {code.name: information_bound(likelihoods[code.name], code.entropy) for code in latents.codes}
        return weighted_information(bounds, weights)

    def iteration() -> None:
        real = scaled(next(batches), value_range)
        latent = latents.sample(0, "train", next(counter), range(module.batch_size))
        with autocast():
            fake = g(latent)
        with autocast():
            real_logits = d.head(d.trunk(real))
            fake_logits, q = d(fake.detach())
            loss_d = discriminator_loss(real_logits, fake_logits) - information(latent, q, weights_d)
        optimizer_d.zero_grad()
        loss_d.backward()
        optimizer_d.step()
        for p in parameters_d:
            p.requires_grad_(False)
        with autocast():
            fake_logits, q = d(fake)
            loss_g = generator_loss(fake_logits) - information(latent, q, weights_g)
        optimizer_g.zero_grad()
        loss_g.backward()
        optimizer_g.step()
        for p in parameters_d:
            p.requires_grad_(True)

    return iteration


class Alternate(L.Callback):
    """After each block of the real loop, the last of all callbacks, runs a block of the bare one. Seconds a block."""

    def __init__(self, bare: Callable[[], None]) -> None:
        self.bare = bare
        self.real_blocks: list[float] = []
        self.bare_blocks: list[float] = []
        self._start = 0.0

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, *args: Any) -> None:
        assert isinstance(pl_module, InfoGAN)
        now = time.perf_counter()
        if pl_module.iteration % BLOCK:
            return
        self.real_blocks.append(now - self._start)
        start = time.perf_counter()
        for _ in range(BLOCK):
            self.bare()
        self.bare_blocks.append(time.perf_counter() - start)
        self._start = time.perf_counter()


def measure(overrides: list[str]) -> dict[str, Any]:
    """Milliseconds an iteration of both loops, and of each rare event, with the share that all of it adds."""
    with initialize_config_module("infogan.conf", version_base="1.3"):
        values = cast(dict[str, Any], OmegaConf.to_container(compose("train", [*overrides, *FIXED]), resolve=True))
    with tempfile.TemporaryDirectory() as temporary:
        folder = experiment.create(check(values), Path(temporary), "benchmark")
        config = experiment.load_config(folder, {"trainer": {"max_iterations": BLOCK * (BLOCKS + 1)}})
        data, module = experiment.build_data(config), experiment.build_module(config)
        trainer, _ = experiment.build_trainer(config, folder, data, 0, StopSignals())
        images = data.split("train").images
        bare = bare_loop(
            experiment.build_module(config),
            iter(BatchStream(images, config.data.batch_size, config.seed, start=0)),
            data.value_range,
            config.trainer.precision,
        )
        for _ in range(WARM_UP):
            bare()
        callbacks: list[Any] = trainer.callbacks  # type: ignore[attr-defined]
        rare = [callback for callback in callbacks if isinstance(callback, Scores | Traversals | Checkpoints)]
        alternate = Alternate(bare)
        callbacks[:] = [c for c in callbacks if c not in rare and not isinstance(c, Conclusion)] + [alternate]
        trainer.fit(module, data)
        events = {}
        module.iteration -= 1  # the last iteration is left to the run's conclusion
        for callback in rare:
            interval, callback.every = callback.every, 1
            start = time.perf_counter()
            callback.on_train_batch_end(trainer, module, None, torch.empty(0), 0)
            events[type(callback).__name__] = (time.perf_counter() - start, interval)
    real, plain = alternate.real_blocks[1:], alternate.bare_blocks[1:]
    ratio = statistics.median(a / b for a, b in zip(real, plain, strict=True))
    iteration = statistics.median(plain) / BLOCK
    spread = {name: seconds / interval / iteration for name, (seconds, interval) in events.items()}
    return {
        "overrides": overrides,
        "precision": config.trainer.precision,
        "threads": torch.get_num_threads(),
        "bare_ms": 1000 * iteration,
        "lightning_ms": 1000 * statistics.median(real) / BLOCK,
        "blocks": {"real_s": real, "bare_s": plain},
        "loop_and_logging": ratio - 1,
        "events_ms": {name: 1000 * seconds for name, (seconds, _) in events.items()},
        "events": spread,
        "overhead": ratio - 1 + sum(spread.values()),
    }


def main() -> None:
    with ends_as_one_line():
        found = measure(sys.argv[1:])
    print(json.dumps(found, indent=2))
    print(f"bare loop {found['bare_ms']:.1f} ms, Lightning's {found['lightning_ms']:.1f} ms an iteration")
    print(f"loop and logging add {found['loop_and_logging']:+.1%}, with all callbacks {found['overhead']:+.1%}")


if __name__ == "__main__":
    main()

"""InfoGAN as a LightningModule: one iteration is a D phase and a G phase."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import lightning as L
import torch
from torch import Tensor, nn

from infogan.codes.draws import Draws
from infogan.codes.latents import Latents
from infogan.config.model import ModelConfig
from infogan.networks import Generator, build_discriminator, build_generator
from infogan.networks.layers import initialise
from infogan.networks.value_range import value_range
from infogan.objective.balance import balanced
from infogan.objective.objective import Objective
from infogan.objective.play import GAME, Play
from infogan.objective.regularisers.regulariser import Phase
from infogan.objective.terms import Terms, Weight, loss
from infogan.objective.transforms import numbers, unclamped
from infogan.run_folder.metrics import BALANCE, FAKE, REAL
from infogan.training.average import average_of, move_average, weight_of_newest
from infogan.training.cuda_graph import CapturedIteration


class InfoGAN(L.LightningModule):
    """Generator, discriminator and posterior, and the game they play: see `Objective`.

    D's optimizer owns trunk, D head and Q head; with `posterior_optimizer=generator` G's optimizer owns Q's head.
    `iteration` counts finished iterations; it is part of the checkpoint, and everything random is drawn from it.
    `as_cuda_graph`: whether training replays its iterations as CUDA graphs; for one GPU. `average`: that of G over
    training, None where there is to be none; each process makes the same.
    """

    def __init__(self, config: ModelConfig, batch_size: int, seed: int) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.model_config = config
        self.batch_size = batch_size
        self.seed = seed
        self.iteration = 0
        self.as_cuda_graph = False
        self._graphs: dict[tuple[str, ...], CapturedIteration] = {}
        self.latents = Latents.from_config(config)
        self.objective = Objective.from_config(config, self.latents)
        self.value_range = value_range(config.generator)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)  # spectral norm draws its first singular vectors from PyTorch's own generator
            self.generator = build_generator(config.generator, self.latents)
            self.discriminator = build_discriminator(
                config.discriminator, self.generator.image_shape, self.latents.outputs
            )
        random = torch.Generator().manual_seed(seed)
        initialise(self.generator, random)
        initialise(self.discriminator, random)
        regularisers = {name: each.regulariser for name, each in self.objective.regularisers.items()}
        self.regularisers = nn.ModuleDict({name: r.parts for name, r in regularisers.items() if r.parts is not None})
        initialise(self.regularisers, random)
        self.to(memory_format=torch.channels_last)
        self.average = None if config.ema_half_life is None else average_of(self.generator)
        if self.average is not None:  # DDP would send its buffers around
            self._ddp_params_and_buffers_to_ignore = [f"average.{name}" for name in self.average.state_dict()]

        owned: dict[Phase, list[nn.Module]] = {
            "discriminator": [self.discriminator.trunk, self.discriminator.head],
            "generator": [self.generator],
        }
        owned["discriminator" if self.objective.posterior_learns_with_d else "generator"].append(
            self.discriminator.posterior
        )
        for name, parts in self.regularisers.items():
            owned[regularisers[name].phase].append(parts)
        self._owned = {phase: [p for part in parts for p in part.parameters()] for phase, parts in owned.items()}
        self._norms: list[Tensor] = []
        for parameter in [*self._owned["discriminator"], *self._owned["generator"]]:
            # taken as soon as a gradient is there, which is still in the cache: later it costs twice as much
            parameter.register_post_accumulate_grad_hook(self._take_norm)

    @property
    def shown_generator(self) -> Generator:
        """The generator whose images are shown, scored and exported."""
        return self.generator if self.average is None else self.average

    def configure_optimizers(self) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
        """Adam for D and for G, in that order."""
        config = self.model_config
        beta1, beta2 = config.betas
        adam = partial(torch.optim.Adam, betas=(beta1, beta2), fused=True)
        return (
            adam(self._owned["discriminator"], config.learning_rate_discriminator),
            adam(self._owned["generator"], config.learning_rate_generator),
        )

    def further_images(self, iteration: int) -> dict[str, int]:
        """The real images that an iteration, counted from 0, wants beside the game's: see `Objective`."""
        return self.objective.further_images(iteration)

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> dict[str, Tensor]:
        """One iteration on this process's share of the real images, (N, C, H, W) in `value_range`, by who wants them.
        Returns the measured scalars, on the device, in the order in which one that is not finite spoils those after it.
        """
        due = self.objective.due(self.iteration)
        inputs = self._inputs(batch, due)
        measured = self._replayed(inputs, due) if self.as_cuda_graph else self._iterate(inputs, due)
        self.iteration += 1
        return measured

    def _iterate(self, inputs: Mapping[str, Tensor], due: tuple[str, ...]) -> dict[str, Tensor]:
        """All that an iteration does on the device, both updates included, and nothing that waits for it.

        One forward of G serves both phases. L_I is measured in the D phase, on fakes that Q has not seen, and in
        train mode.
        """
        optimizer_d, optimizer_g = self.optimizers()  # type: ignore[attr-defined]
        weights = self._weights(inputs, due)
        latent = self.latents.assemble(inputs["draws"])
        with self._casting_weights_once():
            fake = self.generator(latent)

        with self._casting_weights_once():
            play = self._play(inputs, due, latent, fake.detach())
            terms_d = self.objective.discriminator(play, weights)
        measured = self._update("discriminator", optimizer_d, terms_d)

        with self._casting_weights_once(), _frozen(self._owned["discriminator"]):
            images = fake.detach().requires_grad_() if self.objective.is_balanced else fake
            terms_g = self.objective.generator(self._play(inputs, due, latent, images), weights)
        derived = None
        if self.objective.is_balanced:
            derived, measured[BALANCE] = self._balanced(terms_g, images, fake)
        updated = self._update("generator", optimizer_g, terms_g, derived)
        if self.average is not None:
            with self._casting_weights_once():
                move_average(self.average, self.generator, inputs["average_weight"], latent)

        measured |= {name if name not in measured else f"generator/{name}": value for name, value in updated.items()}
        return measured | {
            REAL: play.real_logits.detach().float().sigmoid().mean(),
            FAKE: play.fake_logits.detach().float().sigmoid().mean(),
        }

    def _play(self, inputs: Mapping[str, Tensor], due: tuple[str, ...], latent: Tensor, fake: Tensor) -> Play:
        in_d, real = not fake.requires_grad, inputs["real"].detach()
        if in_d:
            real.requires_grad_(self.objective.differentiates_real(due))
            fake.requires_grad_(self.objective.differentiates_fake(due))
        apart = in_d and not self.objective.trunk_learns_information
        play = Play(self.discriminator, self.latents, latent, real, fake, self.value_range, inputs, apart)
        if (augment := self.model_config.augment) is None:
            return play
        change = partial(unclamped, transforms=augment.transforms, value_range=self.value_range)
        return replace(play, augment=change, posterior_augmented=augment.before_posterior)

    def _update(self, phase: Phase, optimizer: Any, terms: Terms, derived: Tensor | None = None) -> dict[str, Tensor]:
        """Moves the parameters that this phase's optimizer owns, by the gradient of the loss, or of `derived` where
        that is given. Returns the values of the terms, the loss and the norm of the gradient."""
        total = loss(terms)
        optimizer.zero_grad()
        self.manual_backward(total if derived is None else derived)
        norm = self._gradient_norm(phase)
        optimizer.step()
        values = {name: term.value.detach() for name, term in terms.items()}
        return {**values, f"loss/{phase}": total.detach(), **norm}

    def _balanced(self, terms: Terms, images: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """See `balanced`. The balance is the same whatever a loss is scaled by, unless its gradient overflows."""
        assert self.objective.balance is not None
        of_g = {id(parameter) for parameter in self.generator.parameters()}
        own = [parameter for parameter in self._owned["generator"] if id(parameter) not in of_g]
        scaler = getattr(self.trainer.precision_plugin, "scaler", None)
        loss_scale = None if scaler is None else scaler.scale(torch.ones((), device=self.device))
        return balanced(terms, images, fake, own, self.objective.balance, loss_scale)

    def _inputs(self, batch: Mapping[str, Tensor], due: tuple[str, ...]) -> dict[str, Tensor]:
        """What the iteration is a function of, beside the weights of the networks: on the device, the numbers that the
        host draws for this process's share among them."""
        real = batch[GAME]
        drawn = self.latents.draws.draw(self.seed, "train", self.iteration, self._share(self.batch_size))
        inputs = {"real": real, "draws": drawn}
        if (augment := self.model_config.augment) is not None:
            changes = Draws(numbers(augment.transforms), 0, "uniform")
            for name in ("augment_real", "augment_fake"):
                inputs[name] = changes.draw(self.seed, name, self.iteration, self._share(self.batch_size))
        if (half_life := self.model_config.ema_half_life) is not None:
            newest = weight_of_newest(self.iteration + 1, self.batch_size, half_life)
            inputs["average_weight"] = torch.tensor(newest)
        for name in due:
            each = self.objective.regularisers[name]
            if name in batch:
                inputs[f"{name}/images"] = batch[name]
            positions = self._share(each.regulariser.further_images or self.batch_size)
            draws = each.regulariser.draws(self.seed, self.iteration, positions)
            if draws is not None:
                inputs[f"{name}/draws"] = draws
            if not isinstance(each.schedule, float):
                inputs[f"{name}/weight"] = torch.tensor(each.weight(self.iteration))
        return {name: value.to(real.device, non_blocking=True) for name, value in inputs.items()}

    def _weights(self, inputs: Mapping[str, Tensor], due: tuple[str, ...]) -> dict[str, Weight]:
        """Of the regularisers that are due: a number, or where it changes a scalar on the device."""
        regularisers = self.objective.regularisers
        return {name: inputs.get(f"{name}/weight", regularisers[name].weight(self.iteration)) for name in due}

    def _share(self, rows: int) -> range:
        """This process's positions among the rows of all."""
        share = rows // self.trainer.world_size
        return range(self.trainer.global_rank * share, (self.trainer.global_rank + 1) * share)

    def _replayed(self, inputs: dict[str, Tensor], due: tuple[str, ...]) -> dict[str, Tensor]:
        """The iteration as a CUDA graph, one for each set of regularisers that is due."""
        if due not in self._graphs:
            optimizers = self.optimizers(use_pl_optimizer=False)
            self._graphs[due] = CapturedIteration(partial(self._iterate, due=due), optimizers)  # type: ignore[arg-type]
        graph = self._graphs[due]
        measured = graph(inputs)
        if graph.replays:
            self._count_updates()
        return measured

    def compile_networks(self, mode: str) -> None:
        """Compiles the networks in place, when they are first used: the names of their weights stay."""
        # All compiled modules count as one function to Dynamo, which by default gives up compiling its ninth variant:
        # each network has one for training, one with its weights frozen, one for eval, and further ones by batch size.
        torch._dynamo.config.recompile_limit = max(torch._dynamo.config.recompile_limit, 64)
        if self.objective.is_balanced:  # D is derived twice: its buffers cannot be given away at the first time
            torch._functorch.config.donated_buffer = False
        for network in (self.generator, *self.discriminator.children()):
            network.compile(mode=mode)

    def _count_updates(self) -> None:
        """Lightning counts calls of its optimizers, and ends a training by that count: a replay calls none."""
        progress = self.trainer.fit_loop.epoch_loop.manual_optimization.optim_step_progress
        for _ in self.trainer.optimizers:
            progress.increment_ready()
            progress.increment_completed()

    def _take_norm(self, parameter: Tensor) -> None:
        assert parameter.grad is not None
        self._norms.append(torch.linalg.vector_norm(parameter.grad))

    def _gradient_norm(self, phase: Phase) -> dict[str, Tensor]:
        """Of the gradients of the last backward pass, for this process's share of the batch. Nothing where the loss is
        scaled: an update whose gradients overflow is then left out, which is no fault."""
        norms, self._norms = self._norms, []
        if getattr(self.trainer.precision_plugin, "scaler", None) is not None:
            return {}
        return {f"gradient_norm/{phase}": torch.linalg.vector_norm(torch.stack(norms))}

    @contextmanager
    def _casting_weights_once(self) -> Iterator[None]:
        """Autocast as the trainer's precision sets it, with its cache of cast weights on, and emptied at the end.

        Lightning turns the cache off, since it outlives an optimizer step: G would then see D's old weights.
        """
        device = self.device.type
        if not torch.is_autocast_enabled(device):
            yield
            return
        try:
            with torch.autocast(device, torch.get_autocast_dtype(device), cache_enabled=True):
                yield
        finally:
            torch.clear_autocast_cache()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["iteration"] = self.iteration

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.iteration = checkpoint["iteration"]


@contextmanager
def _frozen(parameters: list[nn.Parameter]) -> Iterator[None]:
    """No gradient is computed for these parameters in what is built inside."""
    for p in parameters:
        p.requires_grad_(False)
    try:
        yield
    finally:
        for p in parameters:
            p.requires_grad_(True)

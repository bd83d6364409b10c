"""InfoGAN as a LightningModule: one iteration is a D phase and a G phase."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import lightning as L
import torch
from torch import Tensor, nn

from infogan.codes.latents import Latents
from infogan.config.model import ModelConfig
from infogan.networks import Discriminator, Generator
from infogan.networks.layers import initialise
from infogan.networks.value_range import value_range
from infogan.objective.adversarial import discriminator_loss, generator_loss
from infogan.objective.information import information_bound, weighted_information
from infogan.training.cuda_graph import CapturedIteration


class InfoGAN(L.LightningModule):
    """Generator, discriminator and posterior, and the game they play (Chen et al. 2016, equation 6).

    min over G and Q, max over D of V(D, G) - Σ_j λ_j L_j(G, Q), as the authors' code does it:

    D phase, on detached fakes: -E log D(x) - E log(1 - D(G(z, c))) - Σ λ_j L_j moves trunk, D head and Q head.
    G phase, D and Q frozen: -E log D(G(z, c)) - Σ λ_j L_j moves G.

    With `posterior_optimizer=generator` the information term leaves the D phase, and in the G phase moves Q's head too;
    with `alone` it moves Q's head in the D phase, and not the trunk.
    `iteration` counts finished iterations; it is part of the checkpoint, and everything random is drawn from it.
    `as_cuda_graph`: whether training replays its iterations as a CUDA graph; for one GPU.
    """

    def __init__(self, config: ModelConfig, batch_size: int, seed: int) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.model_config = config
        self.batch_size = batch_size
        self.seed = seed
        self.iteration = 0
        self.as_cuda_graph = False
        self._graph: CapturedIteration | None = None
        self.latents = Latents.of(config)
        self.value_range = value_range(config.generator)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)  # spectral norm draws its first singular vectors from PyTorch's own generator
            self.generator = Generator(config.generator, self.latents.width)
            self.discriminator = Discriminator(config.discriminator, self.generator.image_shape, self.latents.outputs)
        random = torch.Generator().manual_seed(seed)
        initialise(self.generator, random)
        initialise(self.discriminator, random)
        self.to(memory_format=torch.channels_last)

        self._weights = {code.name: code.lambda_ for code in self.latents.codes}
        self._posterior_weights = {code.name: code.lambda_posterior for code in self.latents.codes}
        self._posterior_learns_with_d = config.posterior_optimizer != "generator"
        self._trunk_learns_information = config.posterior_optimizer == "discriminator"
        of_d: list[nn.Module] = [self.discriminator.trunk, self.discriminator.head]
        of_g: list[nn.Module] = [self.generator]
        (of_d if self._posterior_learns_with_d else of_g).append(self.discriminator.posterior)
        self._parameters_of_d = [p for part in of_d for p in part.parameters()]
        self._parameters_of_g = [p for part in of_g for p in part.parameters()]
        self._norms: list[Tensor] = []
        for parameter in [*self._parameters_of_d, *self._parameters_of_g]:
            # taken as soon as a gradient is there, which is still in the cache: later it costs twice as much
            parameter.register_post_accumulate_grad_hook(self._take_norm)

    def configure_optimizers(self) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
        """Adam for D and for G, in that order."""
        config = self.model_config
        beta1, beta2 = config.betas
        return (
            torch.optim.Adam(
                self._parameters_of_d, config.learning_rate_discriminator, betas=(beta1, beta2), fused=True
            ),
            torch.optim.Adam(self._parameters_of_g, config.learning_rate_generator, betas=(beta1, beta2), fused=True),
        )

    def on_train_start(self) -> None:
        if self.as_cuda_graph:
            self._graph = CapturedIteration(self._iterate, self.optimizers(use_pl_optimizer=False))  # type: ignore[arg-type]

    def training_step(self, real: Tensor, batch_idx: int) -> dict[str, Tensor]:
        """One iteration on (N, C, H, W) real images in `value_range`. Returns the measured scalars, on the device, in
        the order in which one that is not finite spoils those after it.
        """
        positions = range(self.trainer.global_rank, self.batch_size, self.trainer.world_size)
        latent = self.latents.sample(self.seed, "train", self.iteration, positions).to(real.device, non_blocking=True)
        if self._graph is None:
            measured = self._iterate(real, latent)
        else:
            measured = self._graph(real, latent)
            if self._graph.replays:
                self._count_updates()
        self.iteration += 1
        return measured

    def _iterate(self, real: Tensor, latent: Tensor) -> dict[str, Tensor]:
        """All that an iteration does on the device, both updates included, and nothing that waits for it.

        One forward of G serves both phases. L_I is measured in the D phase, on fakes that Q has not seen, and in
        train mode.
        """
        optimizer_d, optimizer_g = self.optimizers()  # type: ignore[attr-defined]
        with self._casting_weights_once():
            fake = self.generator(latent)

        with self._casting_weights_once():
            real_logits = self.discriminator.head(self.discriminator.trunk(real))
            features = self.discriminator.trunk(fake.detach())
            fake_logits = self.discriminator.head(features)
            loss_d = discriminator_loss(real_logits, fake_logits)
            if self._posterior_learns_with_d:
                q = self.discriminator.posterior(features if self._trunk_learns_information else features.detach())
                information = self.information(latent, q)
                loss_d = loss_d - weighted_information(information, self._posterior_weights)
        optimizer_d.zero_grad()
        self.manual_backward(loss_d)
        norm_d = self._gradient_norm("discriminator")
        optimizer_d.step()

        with self._casting_weights_once(), _frozen(self._parameters_of_d):
            fake_logits_g, q = self.discriminator(fake)
            information_g = self.information(latent, q)
            loss_g = generator_loss(fake_logits_g) - weighted_information(information_g, self._weights)
            if not self._posterior_learns_with_d:
                information = information_g
        optimizer_g.zero_grad()
        self.manual_backward(loss_g)
        norm_g = self._gradient_norm("generator")
        optimizer_g.step()

        return {
            "loss/discriminator": loss_d.detach(),
            **norm_d,
            "loss/generator": loss_g.detach(),
            **norm_g,
            "D/real": real_logits.detach().float().sigmoid().mean(),
            "D/fake": fake_logits.detach().float().sigmoid().mean(),
            **{f"information/{name}": bound.detach() for name, bound in information.items()},
        }

    def information(self, latent: Tensor, q: Tensor) -> dict[str, Tensor]:
        """L_I of each code in nats, by name: the latents that made the images, (N, width), and Q's output → scalars."""
        likelihoods = self.latents.log_likelihoods(latent, q)
        return {code.name: information_bound(likelihoods[code.name], code.entropy) for code in self.latents.codes}

    def compile_networks(self, mode: str) -> None:
        """Compiles the networks in place, when they are first used: the names of their weights stay."""
        # All compiled modules count as one function to Dynamo, which by default gives up compiling its ninth variant:
        # each network has one for training, one with its weights frozen, one for eval, and further ones by batch size.
        torch._dynamo.config.recompile_limit = max(torch._dynamo.config.recompile_limit, 64)
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

    def _gradient_norm(self, of: str) -> dict[str, Tensor]:
        """Of the gradients of the last backward pass, for this process's share of the batch. Nothing where the loss is
        scaled: an update whose gradients overflow is then left out, which is no fault."""
        norms, self._norms = self._norms, []
        if getattr(self.trainer.precision_plugin, "scaler", None) is not None:
            return {}
        return {f"gradient_norm/{of}": torch.linalg.vector_norm(torch.stack(norms))}

    @contextmanager
    def _casting_weights_once(self) -> Iterator[None]:
        """Autocast as the trainer's precision sets it, with its cache of cast weights on, and emptied at the end.

        Lightning turns the cache off, since it outlives an optimizer step: G would then see D's old weights.
        """
        device = self.device.type
        if not torch.is_autocast_enabled(device):
            yield
            return
        with torch.autocast(device, torch.get_autocast_dtype(device), cache_enabled=True):
            yield
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
    yield
    for p in parameters:
        p.requires_grad_(True)

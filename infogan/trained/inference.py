"""A trained model on many images: in batches, without gradients, in eval mode unless asked otherwise."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from infogan.codes.latents import Latents
from infogan.networks import Discriminator, Generator
from infogan.objective.information import information_bound
from infogan.terminal import counted

AT_ONCE, VALUES_AT_ONCE = 500, 500 * 64 * 64
"""Images that a network gets at a time, and values of their pixels, at most: its activations take some 50 times the
memory of a large image."""


def at_once(image_shape: Sequence[int]) -> int:
    """How many images of (C, H, W) a network gets at a time: AT_ONCE of up to 64² in gray, fewer of larger ones."""
    return max(1, min(AT_ONCE, VALUES_AT_ONCE // math.prod(image_shape)))


@contextmanager
def evaluating(*networks: nn.Module, batch_statistics: bool = False) -> Iterator[None]:
    """No gradients, and the networks in eval mode, afterwards back in the mode that they were in.

    With `batch_statistics` batch norm uses those of each batch as it does in training, and still learns nothing.
    """
    modes = [network.training for network in networks]
    norms = [m for network in networks for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    averages = [(norm.running_mean, norm.running_var) for norm in norms]
    for network in networks:
        network.eval()
    if batch_statistics:
        for norm in norms:  # without averages a norm takes the batch's own, and does not wait for other ranks
            norm.running_mean = norm.running_var = None
    try:
        with torch.no_grad():
            yield
    finally:
        for norm, (mean, variance) in zip(norms, averages, strict=True):
            norm.running_mean, norm.running_var = mean, variance
        for network, mode in zip(networks, modes, strict=True):
            network.train(mode)


def generate(generator: Generator, latent: Tensor) -> Tensor:
    """(N, width) latents → (N, C, H, W) images in the generator's range, on its device."""
    device = next(generator.parameters()).device
    with evaluating(generator):
        return torch.cat([generator(part.to(device)) for part in latent.split(at_once(generator.image_shape))])


def encode(discriminator: Discriminator, batches: Iterable[Tensor]) -> Tensor:
    """Batches of images in the generator's range → Q's output for all of them, (N, outputs), on the CPU."""
    device = next(discriminator.parameters()).device
    with evaluating(discriminator):
        parts = (part for images in batches for part in images.split(at_once(images.shape[1:])))
        return torch.cat([discriminator(images.to(device))[1].cpu() for images in parts])


def reread(
    generator: Generator,
    discriminator: Discriminator,
    latent: Tensor,
    batch_size: int,
    batch_statistics: bool = False,
    advance: Callable[[int], object] = lambda count: None,
    between: Callable[[Tensor], Tensor] = lambda images: images,
) -> Tensor:
    """What Q makes of G's images of these latents, or of what `between` makes of the images: (N, width) → Q's output,
    (N, outputs), on the CPU.

    `batch_statistics` is train mode, in batches of at most `batch_size`; else the running averages are used. `advance`
    hears how many more are done.
    """
    device = next(generator.parameters()).device
    if not batch_statistics:
        batch_size = min(batch_size, at_once(generator.image_shape))
    with evaluating(generator, discriminator, batch_statistics=batch_statistics):
        parts = latent.tensor_split(math.ceil(len(latent) / batch_size))  # even parts: none is a batch of one
        counting = counted(parts, advance, len)
        return torch.cat([discriminator(between(generator(part.to(device))))[1].cpu() for part in counting])


def fresh_information(
    generator: Generator,
    discriminator: Discriminator,
    latents: Latents,
    seed: int,
    samples: int,
    batch_size: int,
    batch_statistics: bool,
    advance: Callable[[int], object] = lambda count: None,
) -> tuple[dict[str, float], dict[str, float]]:
    """L_I of each code in nats, by name, over `samples` latents that training has not seen.

    `batch_statistics` is train mode, in batches of at most `batch_size`; else the running averages are used.
    `advance` hears how many more latents are done. The second dictionary holds, for continuous codes with fixed σ, the
    bound with σ² = MSE, the best of that form.
    """
    latent = latents.sample(seed, "information", 0, range(samples))
    q = reread(generator, discriminator, latent, batch_size, batch_statistics, advance)
    likelihoods = latents.log_likelihoods(latent, q)
    values, parameters = latents.split(latent), latents.split_posterior(q)
    information, at_mse = {}, {}
    for code in latents.codes:
        information[code.name] = information_bound(likelihoods[code.name], code.entropy).item()
        refitted = code.refitted_log_likelihood(values[code.name], parameters[code.name])
        if refitted is not None:
            at_mse[code.name] = refitted.item() + float(code.entropy)
    return information, at_mse

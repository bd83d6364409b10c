"""What a model shows by itself, without labels: information over fresh latents, consistency, use of the categories."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from infogan.codes.code import Code
from infogan.metrics.bootstrap import bootstrap_interval
from infogan.metrics.consistency import category_agreement, usage_entropy, value_agreement
from infogan.objective.information import information_bound, information_of_joint, joint_of_pairs
from infogan.scoring.against_labels import groups
from infogan.scoring.real_images import BATCH_SIZE, EncodedImages, encode_split
from infogan.scoring.visible import seen
from infogan.trained.inference import reread
from infogan.trained.model import Trained

if TYPE_CHECKING:
    from infogan.datamodules.base import ImageDataModule

IMAGES = 10_000
"""Real images, at most, and fresh latents that scores without labels are measured on."""

LEAST_READ = 0.05
"""Of a code that Q hardly reads nothing can be hidden."""


def information(trained: Trained, count: int, seed: int) -> dict[str, Any]:
    """L_I of each code over fresh latents, in nats: in eval and in train mode with its bootstrap interval, for a fixed
    σ also with σ² = MSE, and H(c).

    visible: L_I in eval mode, read from the images as they are `seen`, and as a share of all that Q reads; a code of
    which it reads less than LEAST_READ of what there is to know has no such share.
    """
    latents = trained.latents
    latent = latents.sample(seed, "evaluation", 0, range(count))
    networks = (trained.generator, trained.discriminator, latent, trained.config.data.batch_size)
    found: dict[str, Any] = {name: {"entropy": entropy} for name, entropy in latents.entropies.items()}
    for mode in ("eval", "train"):
        q = reread(*networks, batch_statistics=mode == "train")
        for name, likelihood in latents.log_likelihoods(latent, q).items():
            entropy = latents.entropies[name]
            low, high = bootstrap_interval(likelihood.double().numpy(), seed)
            bound = information_bound(likelihood.double(), entropy).item()
            found[name][mode] = {"mean": bound, "low": low + entropy, "high": high + entropy}
        if mode == "eval":
            for code, value, parameter in _by_code(trained, latent, q):
                refitted = code.refitted_log_likelihood(value, parameter)
                if refitted is not None:
                    found[code.name]["at_mse"] = refitted.item() + latents.entropies[code.name]
    q = reread(*networks[:3], BATCH_SIZE, between=partial(seen, value_range=trained.value_range))
    for name, likelihood in latents.log_likelihoods(latent, q).items():
        bound = information_bound(likelihood.double(), latents.entropies[name]).item()
        whole, share = (latents.code(name).share_read(value) for value in (found[name]["eval"]["mean"], bound))
        found[name]["visible"] = bound
        found[name]["visible_share"] = max(0.0, share) / whole if whole >= LEAST_READ else None
    return found


def label_free(trained: Trained, real: EncodedImages | None, count: int, seed: int) -> dict[str, Any]:
    """What one run says of itself, without labels.

    consistency: does Q read the same from two images of one code with other noise, 0 to 1 for each code. usage: how
    evenly it uses a code's categories on real images, entropy in nats. score: the mean consistency times the mean of
    usage / H(c).
    """
    latents = trained.latents
    codes, noise = (latents.sample(seed, stream, 0, range(count)) for stream in ("consistency", "other noise"))
    other = torch.cat([codes[:, : latents.codes_width], noise[:, latents.codes_width :]], dim=1)
    first, second = (reread(trained.generator, trained.discriminator, rows, BATCH_SIZE) for rows in (codes, other))
    consistency, usage = {}, {}
    for code in latents.codes:
        if code.groups is not None:
            consistency[code.name] = category_agreement(
                groups(latents, first, code), groups(latents, second, code), code.groups
            )
            if real is not None:
                usage[code.name] = usage_entropy(groups(latents, real.q, code), code.groups)
        else:
            a, b = (code.columns(latents.split(latents.posterior_mean(q))[code.name]).numpy() for q in (first, second))
            consistency[code.name] = float(np.mean([value_agreement(*pair) for pair in zip(a.T, b.T, strict=True)]))
    evenness = [usage[name] / latents.entropies[name] for name in usage]
    score = float(np.mean(list(consistency.values())) * (np.mean(evenness) if evenness else 1.0))
    return {"score": score, "consistency": consistency, "usage": usage}


def real_information(
    trained: Trained, data: "ImageDataModule", seed: int, read: EncodedImages | None = None
) -> dict[str, float]:
    """What the groups of each code tell of real images that mild transforms T leave: I(q(x), q(T x)) in nats, from 0 to
    ln K, by code; see `information_of_joint`. Empty where no code has groups.

    High where an image and its transform are read alike, surely, and all groups are used. Over at most IMAGES images of
    the training split, drawn by `seed`; `read`: those, where Q has read them already.
    """
    latents = trained.latents
    grouping = [code for code in latents.codes if code.groups is not None]
    if not grouping:
        return {}
    first = encode_split(trained, data, "train", IMAGES, seed) if read is None else read
    second = encode_split(trained, data, "train", IMAGES, seed, changed=True)
    views = [latents.split_posterior(view.q.double()) for view in (first, second)]
    found = {}
    for code in grouping:
        p, q = (code.probabilities(view[code.name]) for view in views)
        assert p is not None
        assert q is not None
        found[code.name] = information_of_joint(joint_of_pairs(p, q)).item()
    return found


def _by_code(trained: Trained, latent: Tensor, q: Tensor) -> Iterator[tuple[Code, Tensor, Tensor]]:
    values, parameters = trained.latents.split(latent), trained.latents.split_posterior(q)
    return ((code, values[code.name], parameters[code.name]) for code in trained.latents.codes)

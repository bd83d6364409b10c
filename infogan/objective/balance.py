"""The balance of the G phase: at the generated images the codes do not pull harder than the game."""

from collections.abc import Sequence

import torch
from torch import Tensor

from infogan.objective.across_ranks import over_all_ranks
from infogan.objective.play import GAME
from infogan.objective.terms import Term, Terms, loss
from infogan.run_folder.metrics import INFORMATION


def balance(game: Tensor, information: Tensor, ratio: float) -> Tensor:
    """min(1, r ‖∇ₓ game‖ / ‖∇ₓ information‖), each norm the mean over the images of all processes of each image's:
    (N, C, H, W) gradients → scalar in [0, 1].

    1 where information asks nothing, 0 where the quotient is undefined: neither asks anything, or both have overflowed.
    """
    quotient = ratio * mean_norm(game) / mean_norm(information)
    return torch.nan_to_num(quotient, nan=0.0).clamp_max(1.0)


def mean_norm(gradient: Tensor) -> Tensor:
    """The mean over the images of all processes of each image's gradient norm: (N, C, H, W) → scalar."""
    return over_all_ranks(torch.linalg.vector_norm(gradient.flatten(1), dim=1).mean())


def balanced(
    terms: Terms, images: Tensor, fake: Tensor, own: Sequence[Tensor], ratio: float, loss_scale: Tensor | None
) -> tuple[Tensor, Tensor]:
    """The terms of the G phase, whose information is scaled by `balance` at the images before it reaches G → a scalar
    to derive, which is no loss but has the gradient, and the balance.

    `terms` are of `images`, a leaf with the values of `fake`, which G made and which is derived instead. The balance
    changes nothing else: `own`, the parameters that the phase moves beside G's (Q's head with
    `posterior_optimizer=generator`, parts of regularisers), have the gradient that they would have without it.
    Regularisers keep their weight at the images too.

    `loss_scale`: the gradients are computed of losses times this much, so that those of float16 do not vanish. One that
    overflows is infinite or not a number in the result as well, for the scaler to leave the update out.
    """
    parts = [part for part in _parts(terms) if not all(term.is_off for term in part.values())]
    derived = [_gradients(loss(part), [images, *own], loss_scale, part is not parts[-1]) for part in parts]
    (game, information, *others), *of_own = [[*column] for column in zip(*derived, strict=True)]
    assert game is not None
    assert information is not None
    share = balance(game, information, ratio)
    pull = game + share * information
    for gradient in others:
        pull = pull if gradient is None else pull + gradient
    total = (fake * pull).sum()
    for parameter, gradients in zip(own, of_own, strict=True):
        for gradient in gradients:
            if gradient is not None:
                total = total + (parameter * gradient).sum()
    return total, share


def _parts(terms: Terms) -> list[Terms]:
    """The game, the information, and the rest."""
    found: list[dict[str, Term]] = [{}, {}, {}]
    for name, term in terms.items():
        found[0 if name.startswith(f"{GAME}/") else 1 if name.startswith(INFORMATION) else 2][name] = term
    return [*found]


def _gradients(
    value: Tensor, inputs: Sequence[Tensor], loss_scale: Tensor | None, graph_stays: bool
) -> list[Tensor | None]:
    """Of a scalar by the inputs, in float32 at least; None where it does not depend on one."""
    scaled = value if loss_scale is None else value * loss_scale
    found = torch.autograd.grad(scaled, inputs, retain_graph=graph_stays, allow_unused=True)
    wide = [None if each is None else each.to(torch.promote_types(each.dtype, torch.float32)) for each in found]
    return [each if each is None or loss_scale is None else each / loss_scale for each in wide]

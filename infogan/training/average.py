"""An average of a network over its training (Polyak and Juditsky 1992): it makes better images than the last step."""

import copy
from typing import TypeVar

import torch
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)


def weight_of_newest(updates: int, batch_size: int, half_life: float) -> float:
    """w_t = (1 - β) / (1 - βᵗ) after t `updates`, 1 or more, where β = 2^(-batch_size / half_life): with
    a_t = a_{t-1} + w_t (θ_t - a_{t-1}) the average is a_t = Σ_i (1 - β) β^(t - i) θ_i / (1 - βᵗ).

    Its weights sum to 1 from the first update on (the bias correction of Kingma and Ba 2015): w_1 = 1, the initial
    network never counts, and before half a life has passed the average is nearly the plain mean of all updates.
    `half_life`: in images.
    """
    beta = 2 ** (-batch_size / half_life)
    return (1 - beta) / (1 - beta**updates)


def average_of(network: Network) -> Network:
    """A copy in which `move_average` keeps the average; it does not learn."""
    return copy.deepcopy(network).requires_grad_(False)


@torch.no_grad()
def move_average(average: nn.Module, network: nn.Module, weight: Tensor) -> None:
    """average += weight (network - average), `weight` a scalar on the device, for all weights at once.

    The running means and variances of batch norm are averaged with the weights: in eval mode, in which the average
    makes all its images, its norms then use what the activations were while the weights were those that it averages.
    The statistics of the average's own activations would cost a forward pass in train mode each iteration; over a
    half-life in which the weights move little the two are alike, and the average never has statistics of one moment
    with weights of another. Counters are copied.
    """
    averages: list[Tensor] = [*average.parameters()]
    values: list[Tensor] = [*network.parameters()]
    counters = []
    for kept, value in zip(average.buffers(), network.buffers(), strict=True):
        if kept.is_floating_point():
            averages.append(kept)
            values.append(value)
        else:
            counters.append((kept, value))
    steps = torch._foreach_sub(values, averages)
    torch._foreach_mul_(steps, weight)
    torch._foreach_add_(averages, steps)
    for kept, value in counters:
        kept.copy_(value)

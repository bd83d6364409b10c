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
def move_average(average: nn.Module, network: nn.Module, weight: Tensor, inputs: Tensor) -> None:
    """average += weight (network - average) for all weights at once, `weight` a scalar on the device; and where the
    network has batch norm, one forward of the average on `inputs`, those of the network in this iteration.

    In eval mode, in which the average makes all its images, batch norm needs the means and variances of the average's
    own activations. Those of the network, averaged as its weights are, are others: the activations of averaged weights
    vary less than activations do on average, and the images come out flat. So the average, in train mode, follows its
    own statistics, as any network does; over several devices those of the whole batch.
    """
    averages: list[Tensor] = [*average.parameters()]
    values: list[Tensor] = [*network.parameters()]
    steps = torch._foreach_sub(values, averages)
    torch._foreach_mul_(steps, weight)
    torch._foreach_add_(averages, steps)
    if next(average.buffers(), None) is not None:
        average(inputs)

"""An iteration as a CUDA graph: its hundreds of kernels are started at once, and the host has next to nothing to do."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.optim import Optimizer

from infogan.errors import RunError

WARM_UP = 3
"""Iterations that are run as they are, in which libraries choose their kernels and optimizers make their state."""


class CapturedIteration:
    """An iteration that is run as it is WARM_UP times, then captured, and replayed from then on.

    `iterate` takes tensors by name, of the same shapes each time, asks nothing of the device, and returns scalars by
    name. It steps the `optimizers`. `replays`: whether the last call was a replay that ran no Python of `iterate`. A
    call raises RunError where it cannot be captured.
    """

    def __init__(self, iterate: Callable[..., dict[str, Tensor]], optimizers: Sequence[Optimizer]) -> None:
        self.iterate = iterate
        self.optimizers = optimizers
        self.replays = False
        self._calls = 0
        self._graph: torch.cuda.CUDAGraph | None = None
        self._inputs: dict[str, Tensor] = {}
        self._names: list[str] = []
        self._measured = torch.empty(0)

    def __call__(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        self._calls += 1
        if self._calls <= WARM_UP:
            return self._aside(inputs)
        self.replays = self._graph is not None
        if self._graph is None:
            self._graph = self._capture(inputs)
        for name, kept in self._inputs.items():
            kept.copy_(inputs[name], non_blocking=True)
        self._graph.replay()
        return dict(zip(self._names, self._measured.clone().unbind(), strict=True))

    def _aside(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """On a stream of its own, as the capture will be: work on the default stream cannot be captured with it."""
        main, aside = torch.cuda.current_stream(), torch.cuda.Stream()
        aside.wait_stream(main)
        with torch.cuda.stream(aside):
            measured = self.iterate(inputs)
        main.wait_stream(aside)
        return measured

    def _capture(self, inputs: Mapping[str, Tensor]) -> torch.cuda.CUDAGraph:
        self._inputs = {name: given.clone() for name, given in inputs.items()}
        try:
            graph = torch.cuda.CUDAGraph()
            with _capturable(self.optimizers), torch.cuda.graph(graph):
                measured = self.iterate(self._inputs)
                self._names, self._measured = list(measured), torch.stack(list(measured.values()))
        except RuntimeError as error:
            reason = str(error).splitlines()[0]
            raise RunError(
                f"the iteration could not be captured as a CUDA graph ({reason}); trainer.cuda_graph=false does without"
            ) from error
        return graph


@contextmanager
def _capturable(optimizers: Sequence[Optimizer]) -> Iterator[None]:
    """Optimizers refuse to be captured unless they are set to be capturable. Set for good, the checkpoint would say
    so, and a run that continues without a graph would be warned of it."""
    groups = [group for optimizer in optimizers for group in optimizer.param_groups]
    before = [group["capturable"] for group in groups]
    for group in groups:
        group["capturable"] = True
    try:
        yield
    finally:
        for group, value in zip(groups, before, strict=True):
            group["capturable"] = value

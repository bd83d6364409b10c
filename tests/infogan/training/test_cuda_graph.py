"""What can be said of a capture without a GPU; with one: test_gpu.py."""

from contextlib import contextmanager

import pytest
import torch

from infogan.errors import RunError
from infogan.training.cuda_graph import WARM_UP, CapturedIteration


def test_an_iteration_that_cannot_be_captured(monkeypatch):
    """The first ones are run as they are; the optimizers are left as they were."""
    weight = torch.nn.Parameter(torch.ones(()))
    optimizer = torch.optim.Adam([weight])
    capturable, calls = [], []

    @contextmanager
    def graph(_):
        capturable.append(optimizer.param_groups[0]["capturable"])
        raise RuntimeError("operation not permitted when stream is capturing\nCUDA kernel errors might be …")
        yield

    for name in ("current_stream", "Stream"):
        monkeypatch.setattr(torch.cuda, name, Stream)
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: stream)
    monkeypatch.setattr(torch.cuda, "CUDAGraph", object)
    monkeypatch.setattr(torch.cuda, "graph", graph)

    def iterate(inputs):
        calls.append(inputs["x"].item())
        return {"loss": inputs["x"] + weight.detach()}

    captured = CapturedIteration(iterate, [optimizer])
    assert [captured({"x": torch.tensor(float(k))})["loss"].item() for k in range(WARM_UP)] == [1.0, 2.0, 3.0]
    line = (
        r"^the iteration could not be captured as a CUDA graph \(operation not permitted when stream is capturing\); "
    )
    with pytest.raises(RunError, match=rf"{line}trainer\.cuda_graph=false does without$"):
        captured({"x": torch.tensor(3.0)})
    assert calls == [0.0, 1.0, 2.0]
    assert capturable == [True]
    assert optimizer.param_groups[0]["capturable"] is False


class Stream:
    def wait_stream(self, other):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

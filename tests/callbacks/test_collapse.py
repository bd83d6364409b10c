"""A run is ended when D has won for long, or when all generated images are alike; a healthy one is left alone."""

from types import SimpleNamespace

import pytest
import torch

from callbacks.collapse import Collapse, latents, spread
from callbacks.training_log import TrainingLog
from infogan.config import check
from infogan.errors import Collapsed
from infogan.experiment import build_module, create, train
from infogan.storage import load_tree, newest_checkpoint


@pytest.fixture
def module(compose_values):
    return build_module(check(compose_values()))


def watch(module, collapse, gaps):
    """Feeds one D(real) - D(fake) an iteration, from the module's next one. The log has its numbers every 2."""
    log = TrainingLog(2)
    collapse.setup(SimpleNamespace(callbacks=[log]), module, "fit")
    for gap in gaps:
        module.iteration += 1
        log.latest = {"D/real": 0.5 + gap / 2, "D/fake": 0.5 - gap / 2}
        collapse.on_train_batch_end(None, module, {}, None, 0)


@pytest.mark.parametrize(
    ("gaps", "end"),
    [
        ([0.4] * 20, None),
        ([0.9] * 5, None),  # too short
        ([0.9] * 20, 6),
        ([0.3] * 10 + [0.9] * 20, 16),
        ([0.3, 0.3, 0.95, 0.95] * 5, None),  # 0.73 at most in the mean of a window
        ([float("nan")] * 10, 6),
    ],
)
def test_d_has_won(module, gaps, end):
    collapse = Collapse(window=6, largest_gap=0.8, least_spread=0.0)
    if end is None:
        watch(module, collapse, gaps)
        return
    with pytest.raises(Collapsed, match=rf"^collapsed at iteration {end}: .* last 6 D\(real\) - D\(fake\) was "):
        watch(module, collapse, gaps)


def test_all_images_alike(module):
    healthy = spread(module, latents(module)).item()
    assert 0.01 < healthy < 0.5
    watch(module, Collapse(4, 0.8, least_spread=0.9 * healthy), [0.0] * 20)
    with torch.no_grad():
        for parameter in module.generator.parameters():
            parameter.zero_()
    assert spread(module, latents(module)).item() == 0
    module.iteration = 0
    with pytest.raises(Collapsed, match=r"^collapsed at iteration 6: .* generated images were alike"):
        watch(module, Collapse(4, 0.8, least_spread=0.9 * healthy), [0.0] * 20)


def test_window_goes_on_after_a_stop(module):
    first = Collapse(window=6, largest_gap=0.8, least_spread=0.0)
    watch(module, first, [0.9] * 4)
    second = Collapse(window=6, largest_gap=0.8, least_spread=0.0)
    second.load_state_dict(first.state_dict())
    with pytest.raises(Collapsed, match="iteration 6"):
        watch(module, second, [0.9] * 2)


def test_training_is_the_same_under_watch(compose_values, tmp_path):
    values = compose_values("trainer.max_iterations=10")
    alone, watched = (create(check(values), tmp_path, name) for name in ("alone", "watched"))
    train(alone)
    train(watched, [Collapse(window=5, largest_gap=0.99, least_spread=0.0)])
    a, b = (load_tree(newest_checkpoint(folder)) for folder in (alone, watched))
    assert len(b["callbacks"]["Collapse"]["gaps"]) == 1
    assert max(float((x - b["state_dict"][name]).abs().max()) for name, x in a["state_dict"].items()) == 0.0

"""The average of G in its closed form, and that it is what everybody is shown."""

import numpy as np
import pytest
import torch
from torch import nn

import infogan
from infogan.config.check import check
from infogan.experiments.build import build_module
from infogan.experiments.fit import train
from infogan.experiments.prepare import create
from infogan.run_folder.configuration import load_config
from infogan.run_folder.paths import newest_checkpoint
from infogan.run_folder.trees import load_tree
from infogan.trained.exported_files import write_model
from infogan.trained.model import load_run
from infogan.training.average import average_of, move_average, weight_of_newest
from tests.infogan.training.options import EMA

BATCH = 64


def averaged(values, half_life):
    """What `move_average` makes of a weight that takes these values, one an update."""
    network = nn.Linear(1, 1, bias=False)
    average = average_of(network)
    for t, value in enumerate(values, 1):
        nn.init.constant_(network.weight, value)
        move_average(average, network, torch.tensor(weight_of_newest(t, BATCH, half_life)), torch.ones(2, 1))
    return average.weight.item()


@pytest.mark.parametrize("half_life", [10, 640, 50_000])
def test_it_is_the_weighted_mean_of_all_updates(half_life):
    """By the definition: update i of t counts as 2^(-(t - i) BATCH / half_life)."""
    values = np.random.default_rng(0).normal(size=40)
    counts = 0.5 ** (np.arange(39, -1, -1) * BATCH / half_life)
    assert averaged(values, half_life) == pytest.approx((counts * values).sum() / counts.sum(), rel=1e-4)


def test_what_lies_a_half_life_back_counts_half_as_much():
    """Ten updates of 64 images: a single 1, ten updates from the end and at the end."""
    old, new = [0.0] * 50, [0.0] * 50
    old[39], new[49] = 1.0, 1.0
    assert averaged(old, 640) / averaged(new, 640) == pytest.approx(0.5, rel=1e-4)


def test_the_initial_weights_never_count():
    assert averaged([3.0], 1e6) == 3.0
    assert averaged([3.0, 5.0], 1e6) == pytest.approx(4.0, abs=1e-3), "at first it is the plain mean"
    assert averaged([7.0] * 100, 1e6) == pytest.approx(7.0, rel=1e-5)


def test_statistics_of_batch_norm_are_those_of_the_average():
    """A weight that is +1 and -1 in turn has the average 0 after two updates, 1/3 after three: so have the means of its
    activations, and their deviations, whatever those of the network are."""
    network = nn.Sequential(nn.Linear(1, 1, bias=False), nn.BatchNorm1d(1, momentum=1.0))
    average = average_of(network)
    x = torch.tensor([[1.0], [2.0], [6.0]])  # mean 3, variance 7
    for t, (value, expected) in enumerate([(1.0, 1.0), (-1.0, 0.0), (1.0, 1 / 3)], 1):
        nn.init.constant_(network[0].weight, value)
        move_average(average, network, torch.tensor(weight_of_newest(t, BATCH, 1e9)), x)
        assert average[1].running_mean.item() == pytest.approx(3 * expected, abs=1e-4)
        assert average[1].running_var.item() == pytest.approx(7 * expected**2, abs=1e-4)
    assert average[1].num_batches_tracked == 3 and network[1].num_batches_tracked == 0
    assert not any(parameter.requires_grad for parameter in average.parameters())
    assert all(parameter.requires_grad for parameter in network.parameters())


@pytest.fixture
def run(compose_values, tmp_path, monkeypatch):
    """A run of 9 iterations, and the states of G that it went through."""
    states = []
    move = move_average

    def watched(average, network, *rest):
        states.append({name: value.double().detach().clone() for name, value in network.named_parameters()})
        move(average, network, *rest)

    monkeypatch.setattr("infogan.training.module.move_average", watched)
    quiet = ["callbacks.scores_every=100", "callbacks.traversals_every=100", "trainer.precision=float32"]
    folder = create(check(compose_values("trainer.max_iterations=9", EMA, *quiet)), tmp_path, "run")
    train(folder)
    return folder, states


def test_everybody_is_shown_the_average(run, tmp_path):
    """The checkpoint, an opened run, an exported model and the module itself: none of them G as it is."""
    folder, states = run
    tree = load_tree(newest_checkpoint(folder))["state_dict"]
    counts = [0.5 ** ((9 - t) * BATCH / 500) for t in range(1, 10)]
    shown, exported = load_run(folder), tmp_path / "exported"
    exported.mkdir()
    write_model(shown, exported)
    opened = infogan.load(exported)
    for name in states[0]:
        values = [state[name] for state in states]
        expected = sum(c * v for c, v in zip(counts, values, strict=True)) / sum(counts)
        for found in (tree[f"average.{name}"], shown.generator.state_dict()[name], opened.generator.state_dict()[name]):
            torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-7)
        torch.testing.assert_close(tree[f"generator.{name}"].double(), values[-1])
        if name.endswith("weight"):
            assert (expected - values[-1]).abs().max() > 1e-3
    for name, kept in shown.generator.named_buffers():
        assert torch.equal(kept, tree[f"average.{name}"]) and torch.equal(kept, opened.generator.get_buffer(name))
        assert name.endswith("tracked") or not torch.equal(kept, tree[f"generator.{name}"])
    module = build_module(load_config(folder))
    module.load_state_dict(tree)
    assert module.shown_generator is module.average
    assert (shown.generate(count=8, seed=1) == opened.generate(count=8, seed=1)).all()


def test_a_checkpoint_without_an_average_is_one_line(run):
    from infogan.errors import RunError
    from infogan.run_folder.trees import save_tree

    folder, _ = run
    path = newest_checkpoint(folder)
    tree = load_tree(path)
    kept = {name: value for name, value in tree["state_dict"].items() if not name.startswith("average.")}
    for state in (kept, {3: 4}, [], 5):
        save_tree(path, tree | {"state_dict": state})
        with pytest.raises(RunError, match="does not fit the model of"):
            load_run(folder)


def test_the_optimizers_and_other_processes_know_nothing_of_it(compose_values):
    module = build_module(check(compose_values(EMA)))
    own = {id(parameter) for parameter in module.average.parameters()}
    assert not any(id(p) in own for o in module.configure_optimizers() for g in o.param_groups for p in g["params"])
    names = {name for name in module.state_dict() if name.startswith("average.")}
    assert set(module._ddp_params_and_buffers_to_ignore) == names and len(names) > 5
    plain = build_module(check(compose_values()))
    assert plain.average is None and plain.shown_generator is plain.generator
    assert {*module.state_dict()} - {*plain.state_dict()} == names
    for name, value in plain.state_dict().items():
        assert torch.equal(module.state_dict()[name], value)

"""Training with regularisers: what they move, that a stopped run continues exactly, that two processes are one, and
that nothing is computed for one that is off."""

import subprocess
import sys

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from infogan.config.check import check
from infogan.config.regularisers import RegulariserSection
from infogan.errors import ConfigError
from infogan.experiments.build import build_module
from infogan.experiments.fit import train
from infogan.experiments.prepare import reopen
from infogan.objective.terms import Term
from infogan.run_folder.paths import newest_checkpoint
from infogan.run_folder.trees import load_tree
from tests.infogan.processes import rows, tensors
from tests.infogan.training.options import SHORT

AFFINE = "transforms: {rotation: 15, scale: 0.15, shear: 0.2, shift: 0.075}"
R1 = "+model.regularisers.smooth={kind: r1, weight: [[0, 0], [10, 2.0]], every: 4}"
OPTIONS = "weight: 1, every: 1, codes: [c1], images: 96, marginals: 1.5, apart: 0"
CONSISTENT = f"+model.regularisers.same={{kind: consistency, {OPTIONS}, {AFFINE}}}"
ALIGNED = (
    "+model.regularisers.turned={kind: alignment, weight: 1, every: 1, code: c2, mirrored: true, "
    "transforms: {shift: 0.1}}"
)
LAST = 30


def columns(folder, prefix):
    return {name: [row[name] for row in rows(folder)] for name in rows(folder)[0] if name.startswith(prefix)}


def test_the_terms_are_logged_when_they_are_due(make_run):
    folder = make_run("run", LAST, R1, CONSISTENT, "callbacks.log_every=1")
    train(folder)
    found = columns(folder, "regulariser/")
    same = [f"regulariser/same/c1/{name}" for name in ("information", "marginals", "agreement", "rarest")]
    assert list(found) == [*same, "regulariser/smooth"]
    due = [k for k, value in enumerate(found["regulariser/smooth"]) if value]
    assert due == list(range(4, LAST, 4)), "in iteration 0 its weight is 0"
    information = [float(value) for value in found["regulariser/same/c1/information"]]
    assert len(information) == LAST
    assert all(0 <= value <= 2.303 for value in information)
    assert sum(information[-5:]) > 2 * sum(information[:5]), "it is maximised"


@pytest.mark.parametrize("stop", [7, 20])
def test_resume_is_exact(make_run, stop):
    whole, stopped = make_run("whole", LAST, R1, CONSISTENT), make_run("stopped", stop, R1, CONSISTENT)
    train(whole)
    train(stopped)
    train(reopen(stopped, {"trainer": {"max_iterations": LAST}}))
    a, b = (load_tree(newest_checkpoint(folder)) for folder in (whole, stopped))
    for part in ("state_dict", "optimizer_states"):
        pairs = list(zip(tensors(a[part]), tensors(b[part]), strict=True))
        assert len(pairs) > 20 and all(torch.equal(x, y) for x, y in pairs)
    assert rows(whole) == rows(stopped)


def test_each_regulariser_changes_the_weights_of_d(make_run):
    states = []
    for name, overrides in (("none", []), ("r1", [R1]), ("consistent", [CONSISTENT])):
        folder = make_run(name, 12, *overrides)
        train(folder)
        states.append(load_tree(newest_checkpoint(folder))["state_dict"])
    none, r1, consistent = states
    assert not torch.equal(none["discriminator.trunk.0.weight"], r1["discriminator.trunk.0.weight"])
    assert not torch.equal(none["discriminator.posterior.3.weight"], consistent["discriminator.posterior.3.weight"])


class Counted(TorchDispatchMode):
    """How many operations reach the device."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
        self.count += 1
        return function(*arguments, **(keywords or {}))


class Alone:
    """What an iteration needs of a trainer and its optimizers, without Lightning."""

    world_size, global_rank, precision_plugin = 1, 0, None


def operations(values, iteration):
    """Of one iteration of a fresh module on random images, from the second on, and the module."""
    module = build_module(check(values))
    optimizers = module.configure_optimizers()
    module.optimizers = lambda use_pl_optimizer=True: optimizers
    module.manual_backward = lambda loss: loss.backward()
    module._fabric = None
    module.__dict__["_trainer"] = Alone()
    images = torch.rand(64, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    for module.iteration in (1, iteration):
        with Counted() as counted:
            due = module.objective.due(module.iteration)
            batch = {"game": images} | dict.fromkeys(module.further_images(module.iteration), images[:50])
            module._iterate(module._inputs(batch, due), due)
    return counted.count


def test_nothing_is_computed_for_a_regulariser_that_is_off(compose_values):
    plain = operations(compose_values(*SHORT), 5)
    lazy = [operations(compose_values(*SHORT, R1), iteration) for iteration in (5, 8)]
    off = R1.replace("[[0, 0], [10, 2.0]]", "0")
    assert lazy[0] == plain
    assert operations(compose_values(*SHORT, off), 8) == plain
    assert lazy[1] > plain + 20


class Headed:
    """A regulariser of another package with a head of its own: it learns to tell which images are real."""

    phase, further_images = "discriminator", 0
    differentiates_real = differentiates_fake = False

    class section(RegulariserSection):
        pass

    def __init__(self, name):
        self.name, self.parts = name, nn.Linear(128, 1)

    @classmethod
    def from_section(cls, name, section, latents):
        return cls(name)

    def draws(self, seed, iteration, positions):
        return None

    def terms(self, play, weight):
        value = (self.parts(play.real_features) - 1).square().mean() + self.parts(play.fake_features).square().mean()
        return {f"regulariser/{self.name}": Term(value, weight, unit="1")}


HEADED = "+model.regularisers.head={kind: 'tests.infogan.training.test_regularisers:Headed', weight: 0.1, every: 1}"


def test_parts_that_learn_belong_to_the_optimizer_of_their_phase_and_to_the_checkpoint(make_run):
    folder = make_run("run", 6, HEADED)
    train(folder)
    tree = load_tree(newest_checkpoint(folder))
    first, last = build_module(check_of(folder)), tree["state_dict"]
    names = {name for name in last if name.startswith("regularisers.")}
    assert names == {"regularisers.head.weight", "regularisers.head.bias"}
    assert not torch.equal(first.state_dict()["regularisers.head.weight"], last["regularisers.head.weight"])
    d, g = first.configure_optimizers()
    own = first.regularisers["head"].weight
    assert any(p is own for group in d.param_groups for p in group["params"])
    assert not any(p is own for group in g.param_groups for p in group["params"])
    plain = build_module(check_of(folder).model_copy(update={"model": without_regularisers(folder)}))
    for name, weight in plain.state_dict().items():
        assert torch.equal(first.state_dict()[name], weight), "the networks start as without it"


def check_of(folder):
    from infogan.run_folder.configuration import load_config

    return load_config(folder)


def without_regularisers(folder):
    return check_of(folder).model.model_copy(update={"regularisers": {}})


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ([CONSISTENT.replace("c1", "c2")], r"model\.regularisers\.same\.codes=\['c2'\]: can be of c1"),
        ([CONSISTENT.replace("96", "2000")], r"model\.regularisers\.same\.images=2000: digits has 1437 images"),
        (
            [CONSISTENT.replace("96", "97"), "trainer.devices=2"],
            r"model\.regularisers\.same\.images=97: must give each",
        ),
        ([R1, "trainer.devices=2"], r"model\.regularisers\.smooth: PyTorch cannot derive batch norm twice"),
    ],
    ids=["no groups", "more than the data", "cannot be shared", "synchronised batch norm"],
)
def test_what_cannot_be_trained_is_refused_before_a_folder_is_made(make_run, tmp_path, overrides, message):
    with pytest.raises(ConfigError, match=message):
        make_run("run", 5, *overrides)
    assert not (tmp_path / "run").exists()


WITHOUT_BATCH_NORM = [
    f"model.{layer}.batch_norm=false"
    for layer in ("generator.layers.0", "generator.layers.1", "discriminator.trunk.1", "discriminator.posterior.0")
]


@pytest.mark.long
def test_two_processes_are_one(tmp_path):
    """Also of R1, and of an information, which no mean over processes would give."""
    folders = []
    for devices in (1, 2):
        outputs = tmp_path / str(devices)
        options = ["logger=none", "trainer=cpu", "trainer.threads=1", "trainer.max_iterations=8", *SHORT, R1,
        CONSISTENT, ALIGNED,
                   *WITHOUT_BATCH_NORM, "callbacks.log_every=1", f"trainer.devices={devices}",
                   f"paths.outputs={outputs}"]  # fmt: skip
        subprocess.run([sys.executable, "-m", "infogan.train", *options], check=True, stdout=subprocess.DEVNULL)
        folders.extend(outputs.iterdir())
    one, two = (columns(folder, ("regulariser/", "loss/", "information/")) for folder in folders)
    assert list(one) == list(two)
    assert {"regulariser/same/c1/information", "regulariser/turned/c2/moments"} <= set(one)
    for name in one:
        for a, b in zip(one[name], two[name], strict=True):
            assert (a == b == "") or float(a) == pytest.approx(float(b), rel=1e-3, abs=1e-5), name

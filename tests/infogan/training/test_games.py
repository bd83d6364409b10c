"""Training with every option of the game on: what it moves, what it measures, exact resume, two processes as one."""

import subprocess
import sys

import pytest
import torch
from torch.nn import functional as F

from infogan.codes.draws import Draws
from infogan.config.check import check
from infogan.datamodules.base import epoch_order
from infogan.errors import ConfigError
from infogan.experiments.build import build_data, build_module
from infogan.experiments.fit import train
from infogan.experiments.prepare import reopen
from infogan.objective.transforms import numbers, unclamped
from infogan.run_folder.paths import newest_checkpoint
from infogan.run_folder.trees import load_tree
from tests.infogan.processes import rows, tensors
from tests.infogan.training.options import AUGMENT, CHANGED, EMA, HINGE, R1, R2, RELATIVISTIC, SHORT
from tests.infogan.training.test_module import fit, part
from tests.infogan.training.test_regularisers import WITHOUT_BATCH_NORM, columns, operations

LAST = 24
OPTIONS = {"relativistic": RELATIVISTIC, "hinge": HINGE}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_each_phase_moves_its_own(compose_values, options):
    _, module, snapshots, outputs = fit(compose_values("trainer.precision=float32", *options))
    # the last bias adds a number to all logits: of it a relativistic D learns nothing, nor one within hinge's margin
    bias = {"discriminator.head.0.bias"}
    assert snapshots.changed(0) | bias == part(module, "discriminator.")
    assert snapshots.changed(1) == part(module, "generator."), "the average moves after it"
    assert snapshots.changed(2) | bias == part(module, "discriminator.", "average.")
    assert {"regulariser/smooth", "game/discriminator", "game/generator"} <= {*outputs.rows[0]}


@pytest.mark.parametrize("before_posterior", [False, True])
def test_the_relativistic_game_on_changed_images(compose_values, before_posterior):
    """Both losses of the first iteration and Q's information, by hand; D has made its step when G is asked."""
    changed = CHANGED.replace("false", str(before_posterior).lower())
    values = compose_values("trainer.precision=float32", "model.adversarial=relativistic", changed)
    _, _, snapshots, outputs = fit(values, 1)
    config, (row,) = check(values), outputs.rows
    module, data = build_module(config), build_data(config)
    data.prepare_data()
    order = torch.from_numpy(epoch_order(0, 0, 1437))
    real = data.split("train").images[order[:64]].float() / 255
    latent = module.latents.sample(0, "train", 0, range(64))
    transforms = config.model.augment.transforms
    draws = Draws(numbers(transforms), 0, "uniform")

    def shown(images, name):
        return unclamped(images, draws.draw(0, name, 0, range(64)), transforms, (0.0, 1.0))

    with torch.no_grad():
        fake = module.generator(latent)
        pairs = shown(real, "augment_real"), shown(fake, "augment_fake")
        on_real, on_fake = (module.discriminator(images)[0] for images in pairs)
        assert row["game/discriminator"] == pytest.approx(F.softplus(on_fake - on_real).mean().item(), rel=1e-4)
        assert row["D/real"] == pytest.approx(on_real.sigmoid().mean().item(), rel=1e-4)
        q = module.discriminator(pairs[1] if before_posterior else fake)[1]
        cross_entropy = F.cross_entropy(q[:, :10], latent[:, :10].argmax(1))
        assert row["information/c1"] == pytest.approx(2.302585 - cross_entropy.item(), abs=1e-4)
        module.load_state_dict(snapshots.taken[1], strict=False)
        on_real, on_fake = (module.discriminator(images)[0] for images in pairs)
        assert row["game/generator"] == pytest.approx(F.softplus(on_real - on_fake).mean().item(), rel=1e-4)
    assert (pairs[1] - fake).abs().mean() > 0.05


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_resume_is_exact(make_run, options):
    whole, stopped = make_run("whole", LAST, *options), make_run("stopped", 9, *options)
    train(whole)
    train(stopped)
    train(reopen(stopped, {"trainer": {"max_iterations": LAST}}))
    a, b = (load_tree(newest_checkpoint(folder)) for folder in (whole, stopped))
    for key in ("state_dict", "optimizer_states"):
        pairs = list(zip(tensors(a[key]), tensors(b[key]), strict=True))
        assert len(pairs) > 20 and all(torch.equal(x, y) for x, y in pairs)
    assert any(name.startswith("average.") for name in a["state_dict"])
    assert rows(whole) == rows(stopped)


@pytest.mark.long
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_two_processes_are_one(tmp_path, options):
    """Their terms, and the averages of G that each makes for itself."""
    folders = []
    for devices in (1, 2):
        outputs = tmp_path / str(devices)
        fixed = ["logger=none", "trainer=cpu", "trainer.threads=1", "trainer.max_iterations=6", "callbacks.log_every=1"]
        of = [*fixed, *SHORT, *options, *WITHOUT_BATCH_NORM, f"trainer.devices={devices}", f"paths.outputs={outputs}"]
        subprocess.run([sys.executable, "-m", "infogan.train", *of], check=True, stdout=subprocess.DEVNULL)
        folders.extend(outputs.iterdir())
    one, two = (columns(folder, ("regulariser/", "loss/", "information/", "game/")) for folder in folders)
    assert list(one) == list(two) and {"regulariser/smooth", "regulariser/smooth_fakes"} <= {*one}
    for name in one:
        for a, b in zip(one[name], two[name], strict=True):
            assert (a == b == "") or float(a) == pytest.approx(float(b), rel=1e-3, abs=1e-5), name
    a, b = (load_tree(newest_checkpoint(folder))["state_dict"] for folder in folders)
    for name in (name for name in a if name.startswith("average.")):
        torch.testing.assert_close(a[name], b[name], rtol=1e-4, atol=1e-5)


def test_nothing_is_computed_for_what_is_off(compose_values):
    """A weight of 0 that is due is not; each option costs some operations, and hinge no pass of the trunk more."""
    plain = operations(compose_values(*SHORT), 5)
    assert operations(compose_values(*SHORT, R2.replace("[[0, 0], [10, 2.0]]", "0")), 8) == plain
    assert operations(compose_values(*SHORT, R2), 9) == plain
    costs = {
        name: operations(compose_values(*SHORT, *overrides), 8) - plain
        for name, overrides in {
            "r1": [R1],
            "r2": [R2],
            "average": [EMA],
            "hinge": ["model.adversarial=hinge"],
            "relativistic": ["model.adversarial=relativistic"],
            "changed": [CHANGED.replace("false", "true")],
            "changed, Q apart": [CHANGED],
        }.items()
    }
    assert abs(costs["hinge"]) < 5 and 5 < costs["average"] < 25, "G's forward with it"
    assert 5 < costs["relativistic"] < 15, "D's forward on real images, a softplus less"
    assert 20 < costs["changed"] < costs["changed, Q apart"] - 20
    assert min(costs["r1"], costs["r2"]) > 20


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model.adversarial=wasserstein", r"model\.adversarial=wasserstein"),
        ("model.ema_half_life=0", r"model\.ema_half_life=0"),
        ("model.augment={before_posterior: false, transforms: {}}", r"model\.augment: transforms: none is asked for"),
        (f"model.augment={{transforms: {AUGMENT}}}", r"model\.augment\.before_posterior is missing"),
        ("model.augment={before_posterior: false, transforms: {cutout: 2}}", r"model\.augment\.transforms\.cutout=2"),
    ],
)
def test_mistakes_are_one_line(compose_values, override, message):
    with pytest.raises(ConfigError, match=rf"^{message}"):
        check(compose_values(override))


def test_r2_over_several_devices_with_batch_norm_is_refused(make_run):
    with pytest.raises(ConfigError, match=r"model\.regularisers\.smooth_fakes: PyTorch cannot derive batch norm twice"):
        make_run("run", 5, R2, "trainer.devices=2")


def test_diffaugment_by_name(compose_values):
    """The file of conf/augment, as a choice of its group."""
    model = check(compose_values("+augment@model.augment=diffaugment")).model
    assert model.augment.transforms.cutout == 0.5 and not model.augment.before_posterior

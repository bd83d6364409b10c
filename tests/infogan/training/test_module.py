"""The two phases: who is moved by what, and that an iteration is the paper's."""

import copy
import math

import lightning as L
import pytest
import torch
from lightning.pytorch.plugins.precision import MixedPrecision
from torch.nn import functional as F

from infogan.config.check import check
from infogan.datamodules.base import epoch_order
from infogan.experiments.build import build_data, build_module
from infogan.experiments.machine import PRECISIONS
from infogan.objective.objective import Objective, information

ITERATIONS = 3


class Snapshots(L.Callback):
    """The module's parameters before the first update and after every optimizer step."""

    def __init__(self):
        self.taken = []

    def on_train_start(self, trainer, pl_module):
        self.take(pl_module)
        for optimizer in trainer.optimizers:
            optimizer.register_step_post_hook(lambda *_: self.take(pl_module))

    def take(self, module):
        self.taken.append({name: p.detach().clone() for name, p in module.named_parameters()})

    def changed(self, step):
        before, after = self.taken[step], self.taken[step + 1]
        return {name for name in before if not torch.equal(before[name], after[name])}


class Outputs(L.Callback):
    def __init__(self):
        self.rows = []

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        self.rows.append({name: value.item() for name, value in outputs.items()})


def fit(values, iterations=ITERATIONS, scaler=None):
    config = check(values)
    module, data = build_module(config), build_data(config)
    snapshots, outputs = Snapshots(), Outputs()
    precision = PRECISIONS[config.trainer.precision]
    # Lightning takes fp16 on a CPU only from a plugin
    how = {"plugins": [MixedPrecision(precision, "cpu", scaler)]} if scaler is not None else {"precision": precision}
    initial = copy.deepcopy(module)
    trainer = L.Trainer(
        max_steps=2 * iterations,
        accelerator="cpu",
        **how,
        logger=False,
        callbacks=[snapshots, outputs],
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(module, data)
    return initial, module, snapshots, outputs


@pytest.fixture
def one_thread():
    """Sums in one order, however many cores there are."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def part(module, *names):
    return {name for name, _ in module.named_parameters() if name.startswith(names)}


@pytest.mark.parametrize("lambdas", [["model.lambda_categorical=1"], ["experiment=gan_baseline"]])
def test_authors_routing(compose_values, lambdas):
    _, module, snapshots, _ = fit(compose_values("trainer.precision=float32", *lambdas))
    assert snapshots.changed(0) == part(module, "discriminator.")
    assert snapshots.changed(1) == part(module, "generator.")


def test_generator_routing(compose_values):
    values = compose_values("trainer.precision=float32", "model.posterior_optimizer=generator")
    _, module, snapshots, _ = fit(values)
    assert snapshots.changed(0) == part(module, "discriminator.trunk.", "discriminator.head.")
    assert snapshots.changed(1) == part(module, "generator.", "discriminator.posterior.")


def test_posterior_that_does_not_learn(compose_values):
    values = compose_values("trainer.precision=float32", "experiment=gan_baseline", "model.lambda_posterior=0")
    _, module, snapshots, _ = fit(values)
    assert snapshots.changed(0) == part(module, "discriminator.trunk.", "discriminator.head.")
    assert snapshots.changed(1) == part(module, "generator.")


def test_head_of_d_gets_no_information_gradient(compose_values):
    after = []
    for weight in (1, 5):
        values = compose_values("trainer.precision=float32", f"model.lambda_categorical={weight}")
        _, _, snapshots, _ = fit(values, 1)
        after.append(snapshots.taken[1])
    assert torch.equal(after[0]["discriminator.head.0.weight"], after[1]["discriminator.head.0.weight"])
    assert not torch.equal(after[0]["discriminator.trunk.0.weight"], after[1]["discriminator.trunk.0.weight"])


def test_a_posterior_alone_leaves_the_trunk_to_the_game(compose_values):
    after = []
    for weight in (0, 1):
        values = compose_values(
            "trainer.precision=float32", "experiment=gan_baseline", f"model.lambda_posterior={weight}"
        )
        _, module, snapshots, _ = fit(values)
        after.append(snapshots.taken[-1])
        moved = (
            part(module, "discriminator.") if weight else part(module, "discriminator.trunk.", "discriminator.head.")
        )
        assert snapshots.changed(0) == moved
        assert snapshots.changed(1) == part(module, "generator.")
    game = {name for name in after[0] if not name.startswith("discriminator.posterior")}
    assert all(torch.equal(after[0][name], after[1][name]) for name in game)


def test_all_of_a_model_is_a_function_of_the_seed(compose_values):
    """Also the singular vectors with which spectral norm starts."""

    def state(seed):
        torch.seed()
        return build_module(check(compose_values("data=dsprites", f"seed={seed}"))).state_dict()

    first, again, other = state(0), state(0), state(1)
    assert any(name.endswith("._u") for name in first)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first if name.endswith("._u"))


def test_zero_lambda_leaves_posterior_a_weight_of_one(compose_values):
    module = build_module(check(compose_values("model.lambda_categorical=0", "+model.codes.c2.lambda_code=0.3")))
    assert module.objective.lambdas == {"c1": 0, "c2": 0.3, "c3": 1}
    assert module.objective.posterior_lambdas == {"c1": 1, "c2": 0.3, "c3": 1}


def reference_iteration(module, real, latent, optimizer_d, optimizer_g, lambdas, posterior_with_d, precision):
    """The same iteration, written from the paper with torch.distributions and probabilities instead of logits."""
    g, d = module.generator, module.discriminator

    def autocast():
        return torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16", cache_enabled=False)

    def judge(images):
        logits, q = d(images)
        return logits.double(), q.double()

    def information(q):
        c1 = torch.distributions.OneHotCategorical(logits=q[:, :10]).log_prob(latent[:, :10]).mean() + math.log(10)
        c2 = torch.distributions.Normal(q[:, 10], q[:, 11].exp()).log_prob(latent[:, 10]).mean() + math.log(2)
        c3 = torch.distributions.Normal(q[:, 12], 0.5).log_prob(latent[:, 11]).mean() + math.log(2)
        return lambdas[0] * c1 + lambdas[1] * c2 + lambdas[2] * c3

    with autocast():
        fake = g(latent)
        logits_real, _ = judge(real)
        logits_fake, q = judge(fake.detach())
    loss = -torch.log(torch.sigmoid(logits_real)).mean() - torch.log(1 - torch.sigmoid(logits_fake)).mean()
    if posterior_with_d:
        loss = loss - information(q)
    optimizer_d.zero_grad()
    loss.backward()
    optimizer_d.step()

    with autocast():
        logits_fake, q = judge(fake)
    loss_g = -torch.log(torch.sigmoid(logits_fake)).mean() - information(q)
    optimizer_g.zero_grad()
    loss_g.backward()
    optimizer_g.step()
    return loss.item(), loss_g.item()


@pytest.mark.parametrize("routing", ["discriminator", "generator"])
def test_iterations_are_the_papers(compose_values, one_thread, routing):
    values = compose_values(
        "trainer.precision=float32",
        f"model.posterior_optimizer={routing}",
        "model.codes.c2.sigma=learned",
        "model.codes.c3.sigma=0.5",
        "+model.codes.c3.lambda_code=0.7",
        "model.lambda_continuous=0.1",
        "model.lambda_categorical=1.5",
    )
    _, _, snapshots, outputs = fit(values)
    module = build_module(check(values))
    run_reference(module, values, [1.5, 0.1, 0.7], routing, 1)
    # Adam's first step is the sign of the gradient: where that is 0 but for rounding, the step is a coin toss.
    for name, p in module.named_parameters():
        assert ((snapshots.taken[2][name] - p).abs() > 1e-6).float().mean() < 0.01, name
    module = build_module(check(values))
    expected = run_reference(module, values, [1.5, 0.1, 0.7], routing)
    for row, (loss_d, loss_g) in zip(outputs.rows, expected, strict=True):
        assert row["loss/discriminator"] == pytest.approx(loss_d, rel=1e-4)
        assert row["loss/generator"] == pytest.approx(loss_g, rel=1e-4)


def test_generator_phase_sees_the_updated_discriminator_under_autocast(compose_values):
    """With a huge step of D, weights cast before it would give a very different loss of G."""
    values = compose_values("trainer.precision=bf16", "model.learning_rate_discriminator=0.05")
    initial, _, snapshots, outputs = fit(values, 1)
    latent = initial.latents.sample(0, "train", 0, range(64))

    def loss_of_g(weights):
        initial.load_state_dict(weights, strict=False)
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, cache_enabled=False):
            logits, q = initial.discriminator(initial.generator(latent))
        bounds = information(initial.latents, latent, q)
        return (F.softplus(-logits.float()).mean() - sum(bounds.values())).item()

    before, after_d, _ = snapshots.taken
    fresh, stale = loss_of_g(after_d), loss_of_g(before)
    assert abs(fresh - stale) > 0.5
    assert outputs.rows[0]["loss/generator"] == pytest.approx(fresh, abs=0.02 * abs(fresh - stale))


def run_reference(module, values, lambdas, routing, iterations=ITERATIONS):
    data = build_data(check(values))
    d, model = module.discriminator, values["model"]
    of_d = [*d.trunk.parameters(), *d.head.parameters()]
    of_g = list(module.generator.parameters())
    (of_d if routing == "discriminator" else of_g).extend(d.posterior.parameters())
    optimizer_d = torch.optim.Adam(of_d, model["learning_rate_discriminator"], betas=(0.5, 0.999))
    optimizer_g = torch.optim.Adam(of_g, model["learning_rate_generator"], betas=(0.5, 0.999))
    order = torch.from_numpy(epoch_order(0, 0, 1437))
    losses = []
    for i in range(iterations):
        real = data.split("train").images[order[64 * i : 64 * (i + 1)]].float() / 255
        latent = module.latents.sample(0, "train", i, range(64))
        precision = values["trainer"]["precision"]
        posterior_with_d = routing == "discriminator"
        losses.append(
            reference_iteration(module, real, latent, optimizer_d, optimizer_g, lambdas, posterior_with_d, precision)
        )
    return losses


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-5), ("bf16", 3e-3)])
def test_measured_values(compose_values, precision, tolerance):
    """What an iteration returns, against the networks before the update, in train mode."""
    values = compose_values(f"trainer.precision={precision}")
    module, _, _, outputs = fit(values, 1)
    data = build_data(check(values))
    latent = module.latents.sample(0, "train", 0, range(64))
    order = torch.from_numpy(epoch_order(0, 0, 1437))
    real = data.split("train").images[order[:64]].float() / 255
    with torch.no_grad():
        logits_real = module.discriminator(real)[0]
        logits_fake, q = module.discriminator(module.generator(latent))
    row = outputs.rows[0]
    assert row["D/real"] == pytest.approx(torch.sigmoid(logits_real).mean().item(), rel=tolerance)
    assert row["D/fake"] == pytest.approx(torch.sigmoid(logits_fake).mean().item(), rel=tolerance)
    cross_entropy = F.cross_entropy(q[:, :10], latent[:, :10].argmax(1)).item()
    assert row["information/c1"] == pytest.approx(math.log(10) - cross_entropy, abs=tolerance)
    gaussian = -0.5 * math.log(2 * math.pi) - (latent[:, 10] - q[:, 10]).square().mean().item() / 2
    assert row["information/c2"] == pytest.approx(math.log(2) + gaussian, abs=tolerance)
    assert row["gradient_norm/discriminator"] > 0
    assert row["gradient_norm/generator"] > 0


def test_fp16_leaves_out_an_update_that_overflows(compose_values):
    """The first iteration at this scale overflows: no weight moves, the scale is halved until the next does."""
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**40, backoff_factor=2.0**-40)
    _, module, snapshots, outputs = fit(compose_values("trainer.precision=fp16"), scaler=scaler)
    assert scaler.get_scale() == 1.0
    assert not snapshots.changed(0)
    assert part(module, "generator") == snapshots.changed(1)
    assert part(module, "discriminator") == snapshots.changed(2)
    assert all(math.isfinite(value) for row in outputs.rows for value in row.values())
    assert not any(name.startswith("gradient_norm") for name in outputs.rows[0])


def test_fp16_is_close_to_float32(compose_values):
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    _, _, _, of_fp16 = fit(compose_values("trainer.precision=fp16"), scaler=scaler)
    _, _, _, of_float32 = fit(compose_values("trainer.precision=float32"))
    for row, exact in zip(of_fp16.rows, of_float32.rows, strict=True):
        assert row == pytest.approx({name: exact[name] for name in row}, rel=0.02, abs=0.02)


@pytest.mark.long
@pytest.mark.parametrize("balance", ["null", "0.5"])
def test_compiled_networks_train_alike(compose_values, balance):
    options = ["trainer.precision=float32", f"model.balance={balance}"]
    initial, compiled, _, of_compiled = fit(compose_values(*options, "trainer.compile=default"))
    _, plain, _, of_plain = fit(compose_values(*options))
    assert compiled.state_dict().keys() == plain.state_dict().keys() == initial.state_dict().keys()
    for row, exact in zip(of_compiled.rows, of_plain.rows, strict=True):
        assert row == pytest.approx(exact, rel=1e-3, abs=1e-3)


def failing(*arguments, **options):
    raise RuntimeError("an exception inside of a phase")


@pytest.mark.parametrize("phase", ["discriminator", "generator"])
def test_an_exception_inside_leaves_nothing_frozen_and_no_weight_cast(compose_values, monkeypatch, phase):
    monkeypatch.setattr(Objective, phase, failing)
    cleared = []
    monkeypatch.setattr(torch, "clear_autocast_cache", lambda: cleared.append(True))
    values = compose_values("trainer.precision=bf16")
    config = check(values)
    module, data = build_module(config), build_data(config)
    quiet = dict.fromkeys(["logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"], False)
    trainer = L.Trainer(max_steps=2, accelerator="cpu", precision="bf16-mixed", **quiet)
    with pytest.raises(RuntimeError, match="inside of a phase"):
        trainer.fit(module, data)
    assert all(p.requires_grad for p in module.parameters())
    assert len(cleared) >= 2, "after G, and where it failed"

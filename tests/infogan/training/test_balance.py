"""Training with the balance: whose weights it moves how, exact resumption, float16, and that nothing is computed
where it is off. Its numbers: tests/infogan/objective/test_balance.py."""

import math

import pytest
import torch

from infogan.errors import ConfigError
from infogan.experiments.fit import train
from infogan.experiments.prepare import reopen
from infogan.run_folder.paths import newest_checkpoint
from infogan.run_folder.trees import load_tree
from tests.infogan.processes import rows, tensors
from tests.infogan.training import test_regularisers
from tests.infogan.training.options import SHORT
from tests.infogan.training.test_module import fit, part
from tests.infogan.training.test_regularisers import operations

BALANCED = ["model.balance=1.0", "model.lambda_categorical=20"]


def state(folder):
    return load_tree(newest_checkpoint(folder))["state_dict"]


def test_resume_is_exact(make_run):
    whole, stopped = make_run("whole", 20, *BALANCED), make_run("stopped", 7, *BALANCED)
    train(whole)
    train(stopped)
    train(reopen(stopped, {"trainer": {"max_iterations": 20}}))
    a, b = (load_tree(newest_checkpoint(folder)) for folder in (whole, stopped))
    for name in ("state_dict", "optimizer_states"):
        pairs = list(zip(tensors(a[name]), tensors(b[name]), strict=True))
        assert len(pairs) > 20 and all(torch.equal(x, y) for x, y in pairs)
    assert rows(whole) == rows(stopped)
    assert all(0 < float(row["balance"]) < 1 for row in rows(whole))


def test_g_alone_is_moved_otherwise(compose_values):
    """In the first G phase; Q's head moves as it would, also where G's optimizer owns it."""
    after = {}
    for balance in ("null", "0.01"):
        options = ["trainer.precision=float32", "model.posterior_optimizer=generator", f"model.balance={balance}"]
        _, module, snapshots, outputs = fit(compose_values(*options), 1)
        after[balance] = snapshots.taken[-1]
        assert snapshots.changed(1) == part(module, "generator.", "discriminator.posterior.")
    assert 0 < outputs.rows[0]["balance"] < 1
    for name, weight in after["null"].items():
        is_of_g = name.startswith("generator.")
        assert torch.allclose(weight, after["0.01"][name], rtol=0, atol=2e-6) != is_of_g, name


def test_a_large_balance_is_none(compose_values):
    """But for the order of sums: Adam's first step is the sign of the gradient, so the losses are compared."""
    runs = [fit(compose_values("trainer.precision=float32", f"model.balance={b}"))[3].rows for b in ("null", "1e9")]
    for plain, balanced in zip(*runs, strict=True):
        assert balanced.pop("balance") == 1.0
        assert balanced == pytest.approx(plain, rel=1e-3, abs=1e-4)


def test_nothing_is_computed_where_it_is_off(compose_values):
    plain = operations(compose_values(*SHORT), 5)
    assert operations(compose_values(*SHORT, "model.balance=1.0"), 5) > plain
    no_lambda = ["model.lambda_categorical=0", "model.lambda_continuous=0"]
    counts = [operations(compose_values(*SHORT, *no_lambda, f"model.balance={b}"), 5) for b in ("null", "1.0")]
    assert counts[0] == counts[1], "there is nothing to balance"


def test_the_host_asks_nothing_of_the_device(compose_values, monkeypatch):
    """No value is fetched for the balance: an iteration could not be captured as a CUDA graph. (On a CPU Adam does.)"""
    asked = []

    class Watched(test_regularisers.Counted):
        def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
            asked.append(str(function))
            return super().__torch_dispatch__(function, types, arguments, keywords)

    monkeypatch.setattr(test_regularisers, "Counted", Watched)
    fetched = []
    for balance in ("null", "1.0"):
        operations(compose_values(*SHORT, f"model.balance={balance}"), 5)
        fetched.append([name for name in asked if "_local_scalar_dense" in name or "nonzero" in name])
        assert len(asked) > 500
        asked.clear()
    assert fetched[0] == fetched[1]


def test_fp16_leaves_out_an_update_of_g_that_overflows(compose_values):
    """At this scale D overflows and halves it, then G does: neither moves, and the balance is a number all the same."""
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**60, backoff_factor=2.0**-30)
    _, module, snapshots, outputs = fit(compose_values("trainer.precision=fp16", *BALANCED), scaler=scaler)
    assert scaler.get_scale() == 1.0
    assert not snapshots.changed(0) and not snapshots.changed(1)
    assert part(module, "discriminator") == snapshots.changed(2)
    assert part(module, "generator") == snapshots.changed(3)
    for row in outputs.rows:
        assert all(math.isfinite(value) for value in row.values()) and 0 <= row["balance"] <= 1


def test_fp16_is_close_to_float32(compose_values):
    """The balance is the same whatever the losses are scaled by."""
    found = {}
    for power in (4, 12):
        scaler = torch.amp.GradScaler("cpu", init_scale=2.0**power)
        found[power] = fit(compose_values("trainer.precision=fp16", "model.balance=0.3"), scaler=scaler)[3].rows
    exact = fit(compose_values("trainer.precision=float32", "model.balance=0.3"))[3].rows
    for low, high, row in zip(*found.values(), exact, strict=True):
        assert high == pytest.approx({name: row[name] for name in high}, rel=0.02, abs=0.02)
        assert low["balance"] == pytest.approx(high["balance"], rel=0.02)
        assert 0.01 < high["balance"] < 0.99


@pytest.mark.parametrize("value", ["0", "-1.0", "inf", "true", "one"])
def test_what_no_balance_can_be(make_run, value):
    with pytest.raises(ConfigError, match=r"model\.balance"):
        make_run("run", 5, f"model.balance={value}")

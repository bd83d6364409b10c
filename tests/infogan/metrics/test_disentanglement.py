"""Known answers of every disentanglement score, with bounds on both sides."""

import numpy as np
import pytest

from infogan.metrics import disentanglement
from infogan.metrics.beta_vae import beta_vae, beta_vae_in_sample, pair_differences
from infogan.metrics.dci import Importances, completeness, importances
from infogan.metrics.dci import disentanglement as dci_disentanglement
from infogan.metrics.explicitness import explicitness
from infogan.metrics.factor_vae import factor_vae, factor_vae_in_sample, factor_vae_votes, majority_accuracy
from infogan.metrics.irs import irs
from infogan.metrics.mig import mig
from infogan.metrics.modularity import modularity
from infogan.metrics.mutual_information import binned, entropies, mutual_information
from infogan.metrics.sap import gap, sap, sap_in_sample

RNG = np.random.default_rng(0)
N, F = 3000, 10
FACTORS = RNG.integers(10, size=(N, F))
IDENTITY = FACTORS.astype(float)
ROTATION, _ = np.linalg.qr(RNG.standard_normal((F, F)))
CODES = {
    "identity": IDENTITY,
    "permuted": IDENTITY[:, RNG.permutation(F)],
    "scaled": -3 * IDENTITY + 5,
    "zeros": np.zeros((N, F)),
    "duplicated": np.column_stack([IDENTITY, IDENTITY]),
    "rotated": IDENTITY @ ROTATION,
    "missing": IDENTITY[:, : F - 1],
    "noise": RNG.standard_normal((N, F)),
}


def check(score, bounds):
    """`bounds`: name of the codes → (low, high)."""
    for name, (low, high) in bounds.items():
        value = score(CODES[name])
        assert isinstance(value, float)
        assert low <= value <= high, f"{name}: {value} is not in [{low}, {high}]"


def rng():
    return np.random.default_rng(0)


PERFECT = (0.999, 1.0)


def test_factor_vae():
    """A missing factor's groups go to some other code: one tenth is lost. Nothing to read: the largest class, 1/10."""
    bounds = {
        "identity": PERFECT, "permuted": PERFECT, "scaled": PERFECT, "duplicated": PERFECT, "zeros": (0.08, 0.13),
        "rotated": (0.3, 0.7), "missing": (0.88, 0.92), "noise": (0.08, 0.14),
    }  # fmt: skip
    check(lambda codes: factor_vae(codes, FACTORS, rng()), bounds)


def test_factor_vae_in_sample():
    """A random code gets more than chance, since it is scored on what was fitted: 0.25 for five factors."""
    bounds = {"identity": PERFECT, "permuted": PERFECT, "zeros": (0.1, 0.15), "rotated": (0.4, 0.8)}
    check(lambda codes: factor_vae_in_sample(codes, FACTORS, rng()), bounds)
    scores = [
        factor_vae_in_sample(np.random.default_rng(s).standard_normal((N, 5)), FACTORS[:, :5], np.random.default_rng(s))
        for s in range(10)
    ]
    assert 0.23 < np.mean(scores) < 0.28
    held_out = factor_vae(np.random.default_rng(0).standard_normal((N, 5)), FACTORS[:, :5], rng())
    assert 0.18 < held_out < 0.225


def test_factor_vae_drops_codes_that_hardly_vary():
    """A code of deviation 0.014 follows factor 0, which no other code does: it wins votes only if it may stand."""
    codes = np.column_stack([IDENTITY[:, 1:], 0.005 * FACTORS[:, 0]])
    votes = {
        least: factor_vae_votes(codes, FACTORS, rng(), groups=500, group_size=64, least_deviation=least)
        for least in (0.05, 0.0)
    }
    assert votes[0.05][-1].sum() == 0
    assert votes[0.05].sum() == votes[0.0].sum() == 500
    assert votes[0.0][-1, 0] == votes[0.0][:, 0].sum() > 30
    assert votes[0.0][-1].sum() == votes[0.0][-1, 0]


def test_majority_is_fitted_on_one_table_and_scored_on_another():
    fitted, scored = np.array([[3, 1], [0, 5]]), np.array([[1, 3], [2, 4]])
    assert majority_accuracy(fitted, scored) == pytest.approx((1 + 4) / 10)
    assert majority_accuracy(scored, fitted) == pytest.approx((1 + 5) / 9)


def test_beta_vae():
    """A missing factor is still read, by the absence of all others; a rotation is not."""
    bounds = {
        "identity": PERFECT, "permuted": PERFECT, "duplicated": PERFECT, "missing": (0.98, 1.0), "zeros": (0.08, 0.13),
        "rotated": (0.5, 0.9), "noise": (0.08, 0.13),
    }  # fmt: skip
    check(lambda codes: beta_vae(codes, FACTORS, rng()), bounds)
    check(
        lambda codes: beta_vae_in_sample(codes, FACTORS, rng()),
        {"identity": PERFECT, "zeros": (0.1, 0.16), "rotated": (0.45, 0.9)},
    )


@pytest.mark.parametrize("one_value", [False, True])
def test_pairs_share_the_named_factor_and_no_other(one_value):
    differences, names = pair_differences(IDENTITY, FACTORS, rng(), groups=200, pairs=30, one_value=one_value)
    shared = differences[np.arange(200), names]
    assert (shared == 0).all()
    others = differences[names[:, None] != np.arange(F)]
    assert 3.1 < others.mean() < 3.5, "E|a - b| of two dice of 0 to 9 is 99 / 30"


def test_mig():
    """Mutual information of a finite sample is biased upwards by about (K - 1)² / 2N nats: 0.0135 of ln 10 here."""
    bias = 81 / (2 * N) / np.log(10)
    bounds = {
        "identity": (1 - 1.8 * bias, 1 - 0.8 * bias), "permuted": (0.988, 0.996), "zeros": (0, 0), "duplicated": (0, 0),
        "missing": (0.88, 0.9), "rotated": (0.005, 0.2), "noise": (0, 0.02),
    }  # fmt: skip
    check(lambda codes: mig(codes, FACTORS), bounds)
    factors = rng().integers(10, size=(10_000, 10))
    assert 0.997 <= mig(factors.astype(float), factors) <= 0.999
    assert mig(IDENTITY[:, :1], FACTORS[:, :1]) == pytest.approx(1)


def test_modularity():
    bounds = {
        "identity": PERFECT, "duplicated": PERFECT, "missing": PERFECT, "zeros": (0, 0), "rotated": (0.5, 0.95)
    }  # fmt: skip
    check(lambda codes: modularity(codes, FACTORS), bounds)
    both = (FACTORS[:, 0] * 10 + FACTORS[:, 1]).astype(float)[:, None]
    two = np.column_stack([both, IDENTITY[:, :1]])
    m = mutual_information(two, FACTORS[:, :2]) ** 2
    by_hand = np.mean([1 - row.min() / row.max() for row in m])
    assert modularity(two, FACTORS[:, :2]) == pytest.approx(by_hand)
    assert 0.1 < by_hand < 0.995


def test_mutual_information_against_its_definition():
    """A code that is the parity of a die of 0 to 9 tells ln 2 of it; bins of an even ramp are evenly filled."""
    die = np.tile(np.arange(10), 100)[:, None]
    assert mutual_information(die % 2, die)[0, 0] == pytest.approx(np.log(2), abs=1e-9)
    assert entropies(die)[0] == pytest.approx(np.log(10), abs=1e-9)
    assert (np.bincount(binned(np.arange(2000.0))) == 100).all()
    assert len(np.unique(binned(np.arange(2000.0)))) == 20


def halves(codes, factors=FACTORS):
    return (codes[:2000], factors[:2000]), (codes[2000:], factors[2000:])


def test_sap():
    """With two values a line tells all; of ten ordered values it can only cut off the ends."""
    bits = RNG.integers(2, size=(N, 4))
    read = {"identity": bits, "zeros": np.zeros((N, 4)), "duplicated": np.repeat(bits, 2, axis=1)}
    score = {name: sap(*halves(codes.astype(float), bits)) for name, codes in read.items()}
    assert 0.44 <= score["identity"] <= 0.52, "the second-best code guesses: 1 - 1/2"
    assert score["zeros"] == score["duplicated"] == 0
    bounds = {"identity": PERFECT, "permuted": PERFECT, "zeros": (0, 0), "duplicated": (0, 0), "missing": (0.89, 0.91)}
    check(lambda codes: sap_in_sample(codes, FACTORS, [True] * F), bounds)
    check(lambda codes: sap_in_sample(codes, FACTORS, [True] * F), {"rotated": (0.02, 0.4), "noise": (0, 0.01)})
    unordered = sap_in_sample(IDENTITY[:, :2], FACTORS[:, :2], [False, False])
    assert unordered < 0.4 < sap_in_sample(IDENTITY[:, :2], FACTORS[:, :2], [True, True])


def test_gap_by_hand():
    assert gap(np.array([[0.9, 0.2], [0.4, 0.5], [0.1, 0.3]])) == pytest.approx((0.5 + 0.2) / 2)
    assert gap(np.array([[0.9, 0.2]])) == pytest.approx(0.55)


def test_dci_by_hand():
    assert dci_disentanglement(np.eye(4)) == completeness(np.eye(4)) == 1
    assert dci_disentanglement(np.ones((3, 4))) == pytest.approx(0)
    assert completeness(np.ones((3, 4))) == pytest.approx(0)
    assert dci_disentanglement(np.zeros((3, 4))) == completeness(np.zeros((3, 4))) == 0
    twice = np.vstack([np.eye(5), np.eye(5)]) / 2
    assert completeness(twice) == pytest.approx(1 - np.log(2) / np.log(10))
    assert dci_disentanglement(twice) == pytest.approx(1)
    table = np.array([[0.9, 0.1], [0.1, 0.3]])  # rows of weight 1 and 0.4
    entropy = [-sum(p * np.log2(p) for p in row / row.sum()) for row in table]
    assert dci_disentanglement(table) == pytest.approx(1 - (entropy[0] + 0.4 * entropy[1]) / 1.4)


def test_dci_of_trees():
    factors = RNG.integers(3, size=(600, 3))

    def found(codes):
        return importances((codes[:400], factors[:400]), (codes[400:], factors[400:]), seed=0, jobs=1)

    noise = 0.1 * RNG.standard_normal((600, 3))
    identity = found(factors + noise)
    assert (identity.table.diagonal() > 0.95).all()
    assert identity.table.sum(axis=0) == pytest.approx(np.ones(3))
    assert 0.98 <= identity.accuracy.mean() <= 1
    assert 0.9 <= dci_disentanglement(identity.table) <= 1
    duplicated = found(np.repeat(factors, 2, axis=1) + np.repeat(noise, 2, axis=1))
    assert completeness(duplicated.table) == pytest.approx(1 - np.log(2) / np.log(6), abs=0.1)
    assert found(np.zeros((600, 3))).accuracy.mean() < 0.45
    swapped = found((factors + noise)[:, ::-1])
    assert (swapped.table[::-1].diagonal() > 0.95).all()


def test_explicitness():
    few = FACTORS[:, :3]
    read = {"identity": IDENTITY[:, :3], "zeros": np.zeros((N, 2)), "rotated": IDENTITY[:, :3] @ ROTATION[:3, :3]}
    scores = {name: explicitness(*halves(codes, few)) for name, codes in read.items()}
    assert 0.99 <= scores["identity"] <= 1
    assert scores["zeros"] == pytest.approx(0.5)
    assert 0.6 < scores["rotated"] <= 1, "explicitness does not ask for single codes"
    binary = FACTORS[:, :1] // 5
    assert explicitness(*halves(IDENTITY[:, :1], binary)) == pytest.approx(1)


def test_irs():
    bounds = {
        "identity": PERFECT, "permuted": PERFECT, "duplicated": PERFECT, "missing": PERFECT, "zeros": (0, 0),
        "rotated": (0.1, 0.6),
    }  # fmt: skip
    check(lambda codes: irs(codes, FACTORS), bounds)
    dead = np.column_stack([IDENTITY, np.ones(N)])
    assert irs(dead, FACTORS) == pytest.approx(irs(IDENTITY, FACTORS))


def test_all_scores_together(monkeypatch):
    """Both protocols by name, from the right columns; the trees are stood in for, they take a minute."""
    asked = []
    identity, factors = IDENTITY[:900, :4], FACTORS[:900, :4]

    def stand_in(fitted, scored, seed, jobs):
        asked.append((fitted[0].shape, scored[0].shape))
        return Importances(np.eye(fitted[0].shape[1], 4), np.full(4, 0.5))

    monkeypatch.setattr(disentanglement, "importances", stand_in)
    full = np.column_stack([identity, np.zeros(900)])
    found = disentanglement.dlib_scores(full, identity, factors, seed=0, jobs=1)
    assert asked == [((600, 5), (300, 5)), ((600, 4), (300, 4))]
    assert found["factor_vae"] > 0.99
    assert 0.95 < found["mig"] < 0.98, "a finite sample of 600 takes 0.03 away"
    assert (found["dci_completeness"], found["dci_informativeness"]) == (1, 0.5)
    cr = disentanglement.infogan_cr_scores(full, identity, factors, [True] * 4, seed=0)
    assert set(cr) == {"factor_vae", "beta_vae", "sap"}
    assert min(cr.values()) > 0.98


def test_draws():
    found = disentanglement.over_draws(lambda seed: {"mig": [0.2, 0.6, 0.1][seed]}, range(3))
    assert found == {"mig": {"mean": pytest.approx(0.3), "low": 0.1, "high": 0.6}}

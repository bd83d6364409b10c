"""Rows that share the value of one factor: what FactorVAE's and β-VAE's scores are made from."""

import numpy as np

FACTOR_LEVELS, FACTOR_BINS = 100, 10
"""A factor with more different values than the first is taken for continuous, and cut into as many equally filled bins
as the second says: else no two images would share its value."""


def class_bounds(factor: np.ndarray) -> np.ndarray:
    """(N,) values of a factor → what lies between its classes, ascending; a constant has none.

    Each value is a class, or one of FACTOR_BINS equally filled bins where there are more than FACTOR_LEVELS.
    """
    values = np.unique(factor.astype(np.float64))
    if len(values) <= FACTOR_LEVELS:
        return (values[1:] + values[:-1]) / 2
    return np.unique(np.quantile(factor.astype(np.float64), np.arange(1, FACTOR_BINS) / FACTOR_BINS))


def levels(factors: np.ndarray) -> np.ndarray:
    """Factors as whole numbers from 0, continuous ones in bins: (N, F) values → (N, F) int64; see `class_bounds`."""
    columns = [np.searchsorted(class_bounds(values), values, side="right") for values in factors.T]
    return np.column_stack(columns).astype(np.int64)


def sharing(column: np.ndarray, rows: np.ndarray, size: int, random: np.random.Generator) -> np.ndarray:
    """For each of `rows`, `size` rows that have its value in `column`: (N,) integers from 0, (n,) → (n, size) rows.

    Drawn with replacement, so that it works on a part of a data set too, where not every combination of factors exists.
    """
    order = np.argsort(column, kind="stable")
    counts = np.bincount(column)
    starts = np.cumsum(counts) - counts
    value = column[rows, None]
    return order[starts[value] + (random.random((len(rows), size)) * counts[value]).astype(np.int64)]


def varying(factors: np.ndarray) -> np.ndarray:
    """Which factors take more than one value: (N, F) → indices. The others cannot be distinguished from anything."""
    return np.flatnonzero((factors != factors[0]).any(axis=0))

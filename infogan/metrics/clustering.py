"""A categorical code as a classifier: how well its categories fit the labels, which it has never seen."""

import numpy as np


def contingency(clusters: np.ndarray, labels: np.ndarray, n_clusters: int, n_classes: int) -> np.ndarray:
    """How often cluster k met class l: two (N,) integer arrays → (n_clusters, n_classes) counts."""
    pairs = clusters.astype(np.int64) * n_classes + labels
    return np.bincount(pairs, minlength=n_clusters * n_classes).reshape(n_clusters, n_classes)


def one_to_one_matching(table: np.ndarray) -> np.ndarray:
    """The label of each cluster when no two clusters may share one and the agreements are as many as possible.

    (K, L) counts → (K,) integers; -1 for clusters left without a label where K > L. Hungarian method.
    """
    from scipy.optimize import linear_sum_assignment

    clusters, labels = linear_sum_assignment(table, maximize=True)
    matching = np.full(len(table), -1)
    matching[clusters] = labels
    return matching


def accuracy(clusters: np.ndarray, labels: np.ndarray, matching: np.ndarray) -> float:
    """The share of images whose cluster is matched to their label, in [0, 1].

    Fit the matching on the training split and score the test split; see `one_to_one_matching`.
    """
    return float(np.mean(matching[clusters] == labels))


def normalised_mutual_information(clusters: np.ndarray, labels: np.ndarray) -> float:
    """NMI with the arithmetic mean of the two entropies, in [0, 1]; needs no matching."""
    from sklearn.metrics import normalized_mutual_info_score

    return float(normalized_mutual_info_score(labels, clusters))


def adjusted_rand_index(clusters: np.ndarray, labels: np.ndarray) -> float:
    """ARI: agreement of pairs, 0 for chance, 1 for the same partition, down to -0.5."""
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(labels, clusters))

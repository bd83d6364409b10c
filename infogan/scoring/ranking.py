"""Which run of several to trust: ranked without labels, correlations of scores, and their spread over seeds."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from infogan.scoring.agreement import READ_OTHERS, add_agreement, agreement_matrix, described
from infogan.scoring.many_runs import CRITERIA, LABEL_FREE, Run


@dataclass(frozen=True)
class Comparison:
    """Runs side by side. `runs` in the order of their settings; `ranking` from best to worst by `criterion`, None where
    they have none in common; `correlations` of three runs or more; `agreement`: see `agreement_matrix`, None for one.
    """

    runs: Sequence[Run]
    ranking: Sequence[Run]
    criterion: str | None
    correlations: Mapping[str, Mapping[str, float]]
    agreement: np.ndarray | None


def compare_runs(runs: Sequence[Run], seed: int, notify: Callable[[str], None]) -> Comparison:
    """Adds ModelCentrality to the scores of the runs, and ranks them. `notify` hears what is done."""
    agreement = None
    if len(runs) > 1:
        notify(described("ModelCentrality:", len(runs), READ_OTHERS, seed))
        agreement = agreement_matrix(runs, seed, notify)
        add_agreement(runs, "centrality", agreement)
    ranking, criterion = ranked(runs)
    return Comparison(runs, ranking, criterion, correlations(runs) if len(runs) > 2 else {}, agreement)


def ranked(runs: Sequence[Run]) -> tuple[list[Run], str | None]:
    """The runs from best to worst without labels, and the criterion that ranked them; as they are, and None, where
    there is none. Of two runs each agrees as much with the other: only what a run says of itself tells them apart.
    """
    criterion = next((name for name in choices(runs) if name == CRITERIA[-1] or len(runs) > 2), None)
    if criterion is None:
        return list(runs), None
    return sorted(runs, key=lambda run: run.scores[criterion], reverse=True), criterion


def choices(runs: Sequence[Run]) -> dict[str, Run]:
    """The run that each criterion chooses, for those that all runs have."""
    shared = [name for name in CRITERIA if all(name in run.scores for run in runs)]
    return {name: max(runs, key=lambda run: run.scores[name]) for name in shared}


def correlations(runs: Sequence[Run]) -> dict[str, dict[str, float]]:
    """Spearman's correlation over the runs: score without labels → supervised score → -1 to 1. Scores that not all runs
    have, or that are the same for all, are left out."""
    from scipy.stats import spearmanr

    shared = set.intersection(*(set(run.scores) for run in runs))
    columns = {name: [run.scores[name] for run in runs] for name in sorted(shared)}
    columns = {name: values for name, values in columns.items() if len(set(values)) > 1}
    free = [name for name in columns if name.startswith(LABEL_FREE)]
    return {
        name: {
            other: float(spearmanr(columns[name], columns[other]).statistic) for other in columns if other not in free
        }
        for name in free
    }


def spread(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Over the seeds of each setting: for every score that one of them has median, lowest, highest, and the count of
    those that have it."""
    return [
        {
            "settings": dict(group[0].settings),
            "seeds": [run.seed for run in group],
            "scores": {
                name: {
                    "median": float(np.median(values)),
                    "low": min(values),
                    "high": max(values),
                    "count": len(values),
                }
                for name in dict.fromkeys(name for run in group for name in run.scores)
                if (values := [run.scores[name] for run in group if name in run.scores])
            },
        }
        for group in by_setting(runs)
    ]


def by_setting(runs: Sequence[Run]) -> list[list[Run]]:
    """The runs that differ in nothing but the seed, together, in the order in which they come."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(json.dumps(run.settings, sort_keys=True), []).append(run)
    return list(groups.values())

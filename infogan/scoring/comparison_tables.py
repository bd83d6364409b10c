"""A comparison of runs on the terminal."""

from collections.abc import Mapping, Sequence
from statistics import median

from infogan.config.differences import as_text, in_order, short_names
from infogan.scoring.many_runs import CRITERIA, LABEL_FREE, LOWER_IS_BETTER, Run
from infogan.scoring.ranking import Comparison, by_setting, choices
from infogan.terminal import Column, Row, show_table

SCORES = 8
"""On the terminal, at most; comparison.csv has all."""


def show_comparison(comparison: Comparison) -> None:
    """The ranking, the spread over seeds, what each criterion's choice is worth with labels, and the correlations."""
    ranking = comparison.ranking
    shared = [name for name in ranking[0].scores if all(name in run.scores for run in ranking)]
    supervised = [name for name in shared if not name.startswith(LABEL_FREE)]
    criteria = [name for name in CRITERIA if name in shared]
    others = [name for name in shared if name not in criteria and name not in supervised]
    first = [*criteria, *supervised, *others][:SCORES]
    show_ranking(ranking, comparison.criterion, first)
    if any(len(group) > 1 for group in by_setting(ranking)):
        show_spread(ranking, first)
    if len(ranking) > 2 and supervised:
        show_choices(ranking, supervised[:SCORES])
        show_correlations(comparison.correlations, supervised[:SCORES])


def show_ranking(ranking: Sequence[Run], criterion: str | None, scores: Sequence[str]) -> None:
    """A line a run, best first."""
    title = "not ranked" if criterion is None else f"ranked by {criterion}, without labels"
    names = short_names([run.settings for run in ranking])
    columns = [Column("rank", right=True), *_of_settings(names), Column("seed", right=True)]
    columns += [*_of_scores(scores), Column("run", rank=1)]
    rows = [
        [str(rank), *_settings(run, names), str(run.seed), *(f"{run.scores[score]:.3f}" for score in scores), run.name]
        for rank, run in enumerate(ranking, 1)
    ]
    show_table(title, columns, rows)


def show_spread(ranking: Sequence[Run], scores: Sequence[str]) -> None:
    """How far the seeds of each setting are apart, a line a setting in their order."""
    names = short_names([run.settings for run in ranking])
    columns = [*_of_settings(names), Column("seeds", right=True), *_of_scores(scores)]
    rows = []
    for group in sorted(by_setting(ranking), key=lambda group: in_order(group[0].settings)):
        values = [sorted(run.scores[score] for run in group) for score in scores]
        cells = [f"{median(of_seeds):.3f} ({of_seeds[0]:.3f} … {of_seeds[-1]:.3f})" for of_seeds in values]
        rows.append([*_settings(group[0], names), str(len(group)), *cells])
    show_table("median of the seeds (lowest … highest)", columns, rows)


def show_choices(ranking: Sequence[Run], supervised: Sequence[str]) -> None:
    """What each criterion's choice is worth with labels, beside the best, the median and the worst run."""
    names = short_names([run.settings for run in ranking])
    columns = [Column("chosen by"), *_of_settings(names), Column("seed", right=True), *_of_scores(supervised)]
    values = {
        score: sorted(
            (run.scores[score] for run in ranking), reverse=not any(part in score for part in LOWER_IS_BETTER)
        )
        for score in supervised
    }
    rows: list[Row | None] = []
    for criterion, run in choices(ranking).items():
        places = [f"{run.scores[score]:.3f} ({values[score].index(run.scores[score]) + 1})" for score in supervised]
        rows.append([criterion, *_settings(run, names), str(run.seed), *places])
    rows.append(None)
    for word, pick in (("highest", max), ("median", median), ("lowest", min)):
        rows.append([word, *("" for _ in names), "", *(f"{pick(values[score]):.3f}" for score in supervised)])
    show_table(f"what the choice is worth with labels (place among {len(ranking)})", columns, rows)


def show_correlations(correlations: Mapping[str, Mapping[str, float]], supervised: Sequence[str]) -> None:
    """A line a score without labels, a column a supervised one."""
    rows = []
    for name, row in correlations.items():
        values = [row.get(score) for score in supervised]
        rows.append([name, *("" if value is None or value != value else f"{value:+.2f}" for value in values)])
    columns = [Column("without labels"), *_of_scores(supervised)]
    show_table("Spearman's correlation over the runs", columns, rows)


def _of_settings(names: Mapping[str, str]) -> list[Column]:
    return [Column(name, right=True) for name in names.values()]


def _settings(run: Run, names: Mapping[str, str]) -> list[str]:
    return [as_text(run.settings[key]) for key in names]


def _of_scores(scores: Sequence[str]) -> list[Column]:
    """The first are kept longest."""
    short = [score.removeprefix("image_quality/").removeprefix("disentanglement/") for score in scores]
    return [Column(name, rank=2 + k, right=True) for k, name in enumerate(short)]

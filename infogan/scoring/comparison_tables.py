"""A comparison of runs on the terminal."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING

from infogan.scoring.many_runs import CRITERIA, LABEL_FREE, LOWER_IS_BETTER, Run
from infogan.scoring.ranking import Comparison, by_setting, choices
from infogan.scoring.run_labels import label_of, short_names
from infogan.terminal import console_of_width

if TYPE_CHECKING:
    from rich.table import Table

COLUMNS = 8
"""Of scores on the terminal; comparison.csv has all."""


def show_comparison(comparison: Comparison) -> None:
    """The ranking, the spread over seeds, what each criterion's choice is worth with labels, and the correlations."""
    ranking = comparison.ranking
    shared = [name for name in ranking[0].scores if all(name in run.scores for run in ranking)]
    supervised = [name for name in shared if not name.startswith(LABEL_FREE)]
    criteria = [name for name in CRITERIA if name in shared]
    others = [name for name in shared if name not in criteria and name not in supervised]
    first = [*criteria, *supervised, *others][:COLUMNS]
    tables = [ranking_table(ranking, comparison.criterion, first)]
    if any(len(group) > 1 for group in by_setting(ranking)):
        tables.append(spread_table(ranking, first))
    if len(ranking) > 2 and supervised:
        tables.append(choices_table(ranking, supervised[:COLUMNS]))
        tables.append(correlations_table(comparison.correlations, supervised[:COLUMNS]))
    console = console_of_width(160)
    for table in tables:
        console.print(table)


def ranking_table(ranking: Sequence[Run], criterion: str | None, scores: Sequence[str]) -> "Table":
    """A line a run, best first."""
    from rich.table import Table

    title = "not ranked" if criterion is None else f"ranked by {criterion}, without labels"
    table, names = Table("rank", "run", *map(header, scores), title=title), short_names(ranking)
    for rank, run in enumerate(ranking, 1):
        table.add_row(str(rank), label_of(run, names), *(f"{run.scores[score]:.3f}" for score in scores))
    return table


def spread_table(ranking: Sequence[Run], scores: Sequence[str]) -> "Table":
    """How far the seeds of each setting are apart."""
    from rich.table import Table

    table, names = Table("setting", "seeds", *map(header, scores)), short_names(ranking)
    table.title = "median of the seeds (lowest … highest)"
    for group in by_setting(ranking):
        columns = [sorted(run.scores[score] for run in group) for score in scores]
        cells = [f"{median(values):.3f} ({values[0]:.3f} … {values[-1]:.3f})" for values in columns]
        table.add_row(label_of(group[0], names, with_seed=False), str(len(group)), *cells)
    return table


def choices_table(ranking: Sequence[Run], supervised: Sequence[str]) -> "Table":
    """What each criterion's choice is worth with labels, beside the best, the median and the worst run."""
    from rich.table import Table

    title = f"what the choice is worth with labels (place among {len(ranking)})"
    table, names = Table("chosen by", "run", *map(header, supervised), title=title), short_names(ranking)
    columns = {
        score: sorted(
            (run.scores[score] for run in ranking), reverse=not any(part in score for part in LOWER_IS_BETTER)
        )
        for score in supervised
    }
    for criterion, run in choices(ranking).items():
        values = [(run.scores[score], columns[score].index(run.scores[score]) + 1) for score in supervised]
        table.add_row(criterion, label_of(run, names), *(f"{value:.3f} ({place})" for value, place in values))
    table.add_section()
    for word, pick in (("highest", max), ("median", median), ("lowest", min)):
        table.add_row(word, "", *(f"{pick(columns[score]):.3f}" for score in supervised))
    return table


def correlations_table(correlations: Mapping[str, Mapping[str, float]], supervised: Sequence[str]) -> "Table":
    """A line a score without labels, a column a supervised one."""
    from rich.table import Table

    table = Table("without labels", *map(header, supervised), title="Spearman's correlation over the runs")
    for name, row in correlations.items():
        values = [row.get(score) for score in supervised]
        table.add_row(name, *("" if value is None or value != value else f"{value:+.2f}" for value in values))
    return table


def header(score: str) -> str:
    """The name of a score where there is little room."""
    return score.removeprefix("image_quality/").removeprefix("disentanglement/")

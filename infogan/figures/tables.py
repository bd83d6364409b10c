"""Tables of numbers as pictures: confusion of categories, codes against factors."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from infogan.figures.fonts import fonts_of_plots, in_plots
from infogan.figures.plots import picture_of


def number_table(
    values: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    title: str,
    row_title: str,
    column_title: str,
    digits: int = 2,
    largest: float | None = None,
) -> Image.Image:
    """(R, C) numbers, 0 and above → a picture with each number in its cell, the darker the larger.

    `largest` is the darkest shade (else the largest number); NaN leaves a cell empty.
    """
    from matplotlib.figure import Figure

    n_rows, n_columns = values.shape
    rows, columns = [in_plots(row) for row in rows], [in_plots(column) for column in columns]
    title = in_plots(title, 100)
    names = max((len(row) for row in rows), default=0)
    longest = max((len(column) for column in columns), default=0)
    width = max(0.9 + 0.085 * names + 0.62 * n_columns, 0.3 + 0.09 * len(title))
    height = 1.1 + (0.2 if longest < 8 else 0.055 * longest) + 0.42 * n_rows
    with fonts_of_plots([*rows, *columns, title]):
        figure = Figure(figsize=(width, height), layout="constrained", dpi=110)
        figure.suptitle(title, fontsize=11)
        axes = figure.add_subplot()
        top = largest if largest is not None else max(float(np.nanmax(values, initial=0)), 1e-12)
        axes.imshow(values, cmap="Blues", vmin=0, vmax=top, aspect="auto")
        for r in range(n_rows):
            for c in range(n_columns):
                if np.isfinite(values[r, c]):
                    ink = "white" if values[r, c] > 0.6 * top else "black"
                    axes.text(c, r, f"{values[r, c]:.{digits}f}", ha="center", va="center", color=ink, fontsize=9)
        axes.set_xticks(
            range(n_columns), columns, rotation=0 if longest < 8 else 30, ha="center" if longest < 8 else "right"
        )
        axes.set_yticks(range(n_rows), rows)
        axes.set(xlabel=column_title, ylabel=row_title)
        axes.tick_params(length=0)
        return picture_of(figure)


def share_map(
    values: np.ndarray, rows: Sequence[str], columns: Sequence[str], title: str, low: float = 0.0
) -> Image.Image:
    """(R, C) shares in [low, 1] → a narrow picture of many rows, each cell in percent, the darker the larger.

    Narrow enough that a page of 640 pixels shows a dozen columns, large enough to be read where it is scaled to half.
    """
    from matplotlib.figure import Figure

    rows, columns, title = (
        [in_plots(row) for row in rows],
        [in_plots(column) for column in columns],
        in_plots(title, 60),
    )
    letters = max(len(row) for row in rows)
    cell = 0.3 if max(len(column) for column in columns) <= 3 else 0.41
    size = (0.2 + 0.09 * letters + cell * len(columns), 0.7 + 0.22 * len(rows))
    with fonts_of_plots([*rows, *columns, title]):
        figure = Figure(figsize=(max(size[0], 0.3 + 0.11 * len(title)), size[1]), layout="constrained", dpi=110)
        figure.suptitle(title, fontsize=12)
        axes = figure.add_subplot()
        axes.imshow(values, cmap="Blues", vmin=low, vmax=1, aspect="auto")
        for (r, c), value in np.ndenumerate(values):
            ink = "white" if value > low + 0.6 * (1 - low) else "black"
            axes.text(c, r, f"{100 * value:.0f}", ha="center", va="center", color=ink, fontsize=10)
        axes.set_xticks(range(len(columns)), columns, fontsize=10)
        axes.set_yticks(range(len(rows)), rows, fontsize=10)
        axes.xaxis.tick_top()
        axes.tick_params(length=0)
        return picture_of(figure)

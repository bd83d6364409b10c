"""Pictures of several runs: scores against what was swept, information over iterations."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from infogan.figures.curves import COLOURS, STYLES
from infogan.figures.fonts import fonts_of_plots, in_plots
from infogan.figures.plots import picture_of


def scores_against(
    setting: str, values: Sequence[float | str], scores: Mapping[str, Sequence[float]], best: int, title: str
) -> Image.Image:
    """A panel for each score, (runs,) numbers by name: a dot a run at its value of `setting`, a line through medians
    where values are numbers, not names, and a ring around run `best`. Values stand in even steps in their order, since
    a λ sweep holds a 0.
    """
    from matplotlib.figure import Figure

    steps = sorted(set(values), key=lambda value: (len(value), value) if isinstance(value, str) else (0, value))
    places = np.array([steps.index(value) for value in values])
    columns = max(1, min(4, len(scores)))
    height = max(1, math.ceil(len(scores) / columns))
    names = [f"{step:g}" if not isinstance(step, str) else in_plots(step, 20) for step in steps]
    title, tilted = in_plots(title, 36 * columns), max(map(len, names), default=0) * len(names) > 40
    with fonts_of_plots([title, *names]):
        figure = Figure(figsize=(3.3 * columns + 0.4, 2.7 * height + 0.6), layout="constrained", dpi=110)
        figure.suptitle(title)
        for k, (name, of_runs) in enumerate(scores.items()):
            axes = figure.add_subplot(height, columns, k + 1)
            numbers = np.asarray(of_runs, float)
            medians = [float(np.nanmedian(numbers[places == step])) for step in range(len(steps))]
            if not any(isinstance(step, str) for step in steps):
                axes.plot(range(len(steps)), medians, color=COLOURS[0], lw=1.5, label="median")
            axes.plot(places, numbers, "o", color=COLOURS[1], mec="white", mew=0.5, ms=5, label="one run")
            axes.plot(places[best], numbers[best], "o", mfc="none", mec=COLOURS[6], ms=12, mew=2, label="chosen")
            axes.set_xticks(range(len(steps)), names, rotation=30 if tilted else 0, ha="right" if tilted else "center")
            axes.set_xlabel(setting)
            axes.set_title(name.replace("_", " "), fontsize=10)
            axes.grid(alpha=0.25)
            axes.margins(0.08)
            if k == 0:
                axes.legend(fontsize=8)
        return picture_of(figure)


Curve = Sequence[tuple[float, float]]


def figure_one(curves: Mapping[str, Sequence[Curve]], entropy: float, title: str) -> Image.Image:
    """Figure 1 of the paper: L_I in nats against iterations, a colour a label, a line a run; H(c) as a thin line.

    The left panel holds the first 1,000 iterations, as the paper's does.
    """
    from matplotlib.figure import Figure

    title, labels = in_plots(title, 110), [in_plots(label, 36) for label in curves]
    with fonts_of_plots([title, *labels]):
        figure = Figure(figsize=(10, 4.2), layout="constrained", dpi=110)
        figure.suptitle(title)
        for k, most in enumerate((1000, math.inf)):
            axes = figure.add_subplot(1, 2, k + 1)
            for j, (label, runs) in enumerate(zip(labels, curves.values(), strict=True)):
                style = STYLES[j % len(STYLES)]
                for k_run, points in enumerate(runs):
                    shown = [point for point in points if point[0] <= most]
                    name = label if k == k_run == 0 else None
                    axes.plot(*zip(*shown, strict=True), style, color=COLOURS[j % len(COLOURS)], lw=1.3, label=name)
            axes.axhline(entropy, color="#000000", lw=0.7, alpha=0.5)
            axes.annotate("H(c)", (0.99, entropy), (0, 2), ("axes fraction", "data"), "offset points", ha="right")
            axes.set(xlabel="iteration", ylabel="L_I (nats)", title="the first 1,000 iterations" if k == 0 else "all")
            axes.title.set_fontsize(10)
            axes.margins(x=0.02, y=0.1)
            axes.grid(alpha=0.25)
        figure.legend(fontsize=8, loc="outside right upper")
        return picture_of(figure)

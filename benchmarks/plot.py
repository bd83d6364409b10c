"""The picture of what an iteration costs."""

from collections.abc import Mapping
from typing import Any

from PIL import Image

from infogan.figures.curves import COLOURS, STYLES
from infogan.figures.plots import picture_of


def cost(found: Mapping[str, Any]) -> Image.Image | None:
    """Cost against batch size, image size and data set size, as far as results.json has them; None without any."""
    from matplotlib.figure import Figure

    panels = []
    if "iterations" in found:
        rows = found["iterations"]["rows"]
        precision = rows[-1]["precision"]
        lines = {
            preset: [
                (row["batch"], 1000 / row["images_per_second"])
                for row in rows
                if (row["preset"], row["precision"]) == (preset, precision)
            ]
            for preset in dict.fromkeys(row["preset"] for row in rows)
        }
        panels.append((f"batch size ({precision})", lines))
    if "sizes" in found:
        rows = found["sizes"]["rows"]
        line = [(row["size"], row["ms"] / row["batch"]) for row in rows]
        panels.append((f"image size in pixels ({rows[0]['precision']}, batch {rows[0]['batch']})", {"folder": line}))
    if "growth" in found:
        line = [(row["images"], row["us_an_image"] / 1000) for row in found["growth"]["rows"]]
        panels.append(("images in the data set", {"mnist": line}))
    if not panels:
        return None
    figure = Figure(figsize=(4.8 * len(panels), 3.8), layout="constrained", dpi=110)
    for k, (label, lines) in enumerate(panels):
        axes = figure.add_subplot(1, len(panels), k + 1)
        for j, (name, points) in enumerate(lines.items()):
            axes.plot(*zip(*points, strict=True), STYLES[j % 4], color=COLOURS[j % 7], marker="o", ms=3, label=name)
        ticks = [x for x, _ in next(iter(lines.values()))]
        axes.set_xscale("log")
        axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
        axes.minorticks_off()
        if len(lines) > 1:
            axes.set_yscale("log")
            axes.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
        else:
            axes.set_ylim(0, 1.2 * max(y for _, y in points))
        axes.set(xlabel=label, ylabel="milliseconds an image" if k == 0 else "")
        axes.grid(alpha=0.25)
    return picture_of(figure)

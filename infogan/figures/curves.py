"""Curves of a run over iterations: information against its ceiling, of generated and of real images, the game, the
losses, the scores."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from PIL import Image

from infogan.figures.fonts import fonts_of_plots, in_plots
from infogan.figures.plots import picture_of

Row = Mapping[str, float]

COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
"""Okabe and Ito's palette, distinct to all eyes; line styles differ as well."""

STYLES = ["-", "--", "-.", ":"]

INFORMATION, INFORMATION_OF_REAL = "information L_I (nats)", "information of real images (nats)"
"""The panels with ceilings."""


def training_curves(
    rows: Sequence[Row], entropies: Mapping[str, float], title: str, epoch: int | None = None
) -> Image.Image:
    """Rows of metrics.csv → a picture with a panel for each kind of number that the rows hold.

    `entropies`: H(c) in nats by code name, drawn as thin lines; a categorical code's L_I cannot pass its own, nor can
    what its categories tell of real images.
    `epoch`: iterations in one; where it is known, the upper panels count epochs at their top.
    """
    from matplotlib.figure import Figure

    logged = dict.fromkeys(key for row in rows for key in row)
    of_real = _of_real_images(logged)
    panels = {
        INFORMATION: {f"information/{name}": name for name in entropies},
        INFORMATION_OF_REAL: of_real["information"] | of_real["shared"],
        "real images and transforms (shares)": of_real["agreement"] | of_real["rarest"],
        "discriminator's output": {"D/real": "real", "D/fake": "fake"},
        "losses (nats)": {"loss/discriminator": "discriminator", "loss/generator": "generator"},
        "scale of the information's gradient": {"balance": "balance"},
        "gradient norms": {f"gradient_norm/{name}": name for name in ("discriminator", "generator")},
        "categorical code as a classifier": {name: name for name in ("acc", "nmi", "ari")},
        "images per second": {"images_per_second": "images per second"},
    }
    ceilings = {
        INFORMATION: entropies,
        INFORMATION_OF_REAL: {code: entropies[code] for code in of_real["information"].values() if code in entropies},
    }
    measured = {name: keys for name, keys in panels.items() if logged.keys() & keys.keys()}
    columns = max(1, min(3, len(measured)))
    height = max(1, math.ceil(len(measured) / columns))
    title = in_plots(title, 40 * columns)
    with fonts_of_plots([title, *entropies]):
        figure = Figure(figsize=(4.6 * columns, 3.1 * height + 0.4), layout="constrained", dpi=110)
        figure.suptitle(title)

        def epochs(x: Any) -> Any:
            return x / (epoch or 1)

        def iterations(x: Any) -> Any:
            return x * (epoch or 1)

        for k, (name, keys) in enumerate(measured.items()):
            axes = figure.add_subplot(height, columns, k + 1)
            for j, (key, label) in enumerate(keys.items()):
                points = [(row["iteration"], row[key]) for row in rows if key in row]
                if not points:
                    continue
                marker = "." if len(points) < 30 else ""
                axes.plot(
                    *zip(*points, strict=True), STYLES[j % 4], color=COLOURS[j % 7], lw=1.5, marker=marker, label=label
                )
            if of_code := ceilings.get(name):
                for entropy in sorted(set(of_code.values())):
                    label = ", ".join(f"H({code})" for code in of_code if of_code[code] == entropy)
                    axes.axhline(entropy, color="#000000", lw=0.7, alpha=0.5)
                    axes.annotate(
                        label, (0.99, entropy), (0, 2), ("axes fraction", "data"), "offset points", ha="right"
                    )
                axes.margins(y=0.12)
            axes.set(title=name, xlabel="iteration")
            axes.title.set_fontsize(10)
            if epoch is not None and k < columns:
                epoch_axis = axes.secondary_xaxis("top", functions=(epochs, iterations))
                epoch_axis.set_xlabel("epoch", fontsize=8)
                epoch_axis.tick_params(labelsize=8)
            axes.grid(alpha=0.25)
            axes.margins(x=0.02)
            if len(keys) > 1:
                axes.legend(fontsize=8)
        return picture_of(figure)


OF_REAL_IMAGES = {
    "information": "{}", "shared": "{}, shared", "agreement": "{}, agreement", "rarest": "{}, rarest category"
}  # fmt: skip
"""What consistency logs as `regulariser/<its name>/<code>/<what>`, and how the curve of a code is called."""


def _of_real_images(columns: Iterable[str]) -> dict[str, dict[str, str]]:
    """The names of curves by their columns, by what they show."""
    found: dict[str, dict[str, str]] = {what: {} for what in OF_REAL_IMAGES}
    for column in columns:
        match column.split("/"):
            case ["regulariser", _, code, what] if what in OF_REAL_IMAGES:
                found[what][column] = OF_REAL_IMAGES[what].format(code)
    return found

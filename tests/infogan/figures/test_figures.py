import numpy as np
import pytest
from PIL import Image

from infogan.figures.curves import COLOURS, training_curves
from infogan.figures.grids import INK, MARGIN, PAPER, enlarged, labelled_grid
from infogan.figures.sweeps import figure_one, scores_against
from infogan.figures.tables import number_table, share_map

NO_LABELS = ["", "", ""]


def random_images(channels, size=8, rows=2, columns=3):
    return np.random.default_rng(0).integers(40, 220, (rows, columns, size, size, channels), dtype=np.uint8)


def grid(channels=1, title="", columns=NO_LABELS, rows=("", ""), columns_title="", size=8):
    return labelled_grid(random_images(channels, size), title, columns, rows, columns_title)


def without(picture, colour):
    """How many pixels differ from `colour`."""
    return int((np.asarray(picture) != colour).any(axis=2).sum())


def of_colour(picture, code, tolerance=30):
    colour = [int(code[k : k + 2], 16) for k in (1, 3, 5)]
    return int((np.abs(np.asarray(picture).astype(int) - colour).max(axis=2) < tolerance).sum())


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("size", "factor"), [(8, 7), (28, 2), (64, 1)])
def test_cells_hold_the_images_pixels_enlarged(channels, size, factor):
    images = random_images(channels, size)
    picture = np.asarray(grid(channels, columns=["a", "b", "c"], rows=["first", "second"], size=size))
    side, step = size * factor, size * factor + 2
    bottom, right = picture.shape[0] - MARGIN, picture.shape[1] - MARGIN
    for r in range(2):
        for c in range(3):
            y, x = bottom - side - (1 - r) * step, right - side - (2 - c) * step
            expected = images[r, c].repeat(factor, axis=0).repeat(factor, axis=1)
            assert (picture[y : y + side, x : x + side] == expected).all()
    assert (picture[bottom - side : bottom, right - side - 2 : right - side] == PAPER).all()


def test_enlarged():
    pixels = np.asarray(enlarged(np.array([[[1], [2]]], dtype=np.uint8), 2))
    assert pixels.tolist() == [[[1] * 3, [1] * 3, [2] * 3, [2] * 3]] * 2


def test_without_labels_the_images_begin_at_the_margin():
    picture = grid(rows=["", ""])
    assert picture.size[0] == MARGIN + 3 * 56 + 2 * 2 + MARGIN
    assert without(picture.crop((0, 0, MARGIN, picture.height)), PAPER) == 0
    assert (np.asarray(picture)[-MARGIN - 1, MARGIN] == random_images(1)[1, 0, -1, 0]).all()
    assert labelled_grid(random_images(1), "", [], []).width == picture.width


def test_row_labels_widen_the_picture_and_are_drawn():
    bare, short, long = (grid(rows=[label, ""]) for label in ("", "c1", "a long label"))
    assert bare.width < short.width < long.width
    assert bare.height == short.height == long.height
    label = long.crop((0, 0, long.width - bare.width + MARGIN, long.height))
    assert 50 < without(label, PAPER) < label.width * label.height / 4


def test_column_labels_heighten_the_picture_and_are_drawn():
    bare, one, two = (grid(columns=labels) for labels in ([], ["a", "b", "c"], ["a\nb", "b", "c"]))
    assert bare.height < one.height < two.height
    assert bare.width == one.width == two.width
    above = one.crop((0, 0, one.width, one.height - MARGIN - 2 * 58))
    assert without(above, PAPER) > 30
    assert np.asarray(above).min(axis=(0, 1)).tolist() == pytest.approx(list(INK), abs=60)


def test_titles_are_drawn_and_fit():
    bare, short, long = (grid(title=text) for text in ("", "title", "a very long title indeed " * 3))
    assert without(short, PAPER) > without(bare, PAPER) + 50
    assert bare.size == short.size
    assert long.width > bare.width
    assert without(long.crop((long.width - MARGIN, 0, long.width, long.height)), PAPER) == 0
    assert grid(columns_title="value of c1").height > bare.height


def test_curves_of_every_kind():
    rows = [
        {
            "iteration": 10 * k,
            "information/c1": 0.1 * k,
            "D/real": 0.5,
            "D/fake": 0.4,
            "loss/discriminator": 1.3,
            "loss/generator": 0.7,
            "gradient_norm/discriminator": 1.0,
            "gradient_norm/generator": 2.0,
            "images_per_second": 100.0,
        }
        for k in range(20)
    ] + [{"iteration": 200, "acc": 0.5, "nmi": 0.4, "ari": 0.3}]
    picture = training_curves(rows, {"c1": 2.3}, "run")
    assert isinstance(picture, Image.Image)
    assert picture.mode == "RGB"
    assert of_colour(picture, COLOURS[0]) > 100
    assert of_colour(picture, COLOURS[1]) > 100
    one = training_curves([{"iteration": k, "loss/generator": 1.0} for k in range(3)], {}, "run")
    three = training_curves([{"iteration": 1, "acc": 0.5, "D/real": 0.5, "loss/generator": 1.0}], {}, "run")
    assert one.width < three.width == picture.width
    assert one.height == three.height < picture.height


class Axes:
    """What is drawn into the panels of `training_curves`, by their titles."""

    def __init__(self, monkeypatch):
        from matplotlib.axes import Axes as Panels

        self.panels = []
        draw, line, words = Panels.plot, Panels.axhline, Panels.annotate

        def plot(axes, x, y, *arguments, **options):
            self.panels.append((axes, "curve", options["label"], list(y)))
            return draw(axes, x, y, *arguments, **options)

        def axhline(axes, y, **options):
            self.panels.append((axes, "ceiling", None, y))
            return line(axes, y, **options)

        def annotate(axes, text, *arguments, **options):
            self.panels.append((axes, "words", text, None))
            return words(axes, text, *arguments, **options)

        for name, instead in (("plot", plot), ("axhline", axhline), ("annotate", annotate)):
            monkeypatch.setattr(Panels, name, instead)

    def of(self, title):
        return [(kind, label, values) for axes, kind, label, values in self.panels if axes.get_title() == title]


def test_curves_of_real_images(monkeypatch):
    """By code, beside the ceiling of those codes alone, and what two share; the shares in a panel of their own."""
    drawn = Axes(monkeypatch)
    name = "regulariser/same/"
    rows = [{"iteration": k, "information/c1": 1.0, "information/c2": 0.1, f"{name}c1/information": 0.5 * k,
             f"{name}c1/marginals": 4.6, f"{name}c1/agreement": 0.8, f"{name}c1/rarest": 0.7,
             f"{name}c1_c4/shared": 0.02, "regulariser/smooth": 9.0} for k in range(3)]  # fmt: skip
    training_curves(rows, {"c1": 2.3, "c2": 0.7, "c4": 1.6}, "run")
    assert drawn.of("information of real images (nats)") == [
        ("curve", "c1", [0.0, 0.5, 1.0]),
        ("curve", "c1_c4, shared", [0.02] * 3),
        ("ceiling", None, 2.3),
        ("words", "H(c1)", None),
    ]
    assert drawn.of("real images and transforms (shares)") == [
        ("curve", "c1, agreement", [0.8] * 3),
        ("curve", "c1, rarest category", [0.7] * 3),
    ]
    assert [part[:2] for part in drawn.of("information L_I (nats)")].count(("ceiling", None)) == 3
    assert {axes.get_title() for axes, *_ in drawn.panels} == {
        "information L_I (nats)", "information of real images (nats)", "real images and transforms (shares)"
    }  # fmt: skip


def test_curves_show_the_values():
    one, two = (
        training_curves([{"iteration": k, "acc": v} for k, v in enumerate(values)], {}, "run")
        for values in ([0.1, 0.9], [0.9, 0.1])
    )
    assert one.size == two.size
    assert without(Image.fromarray(np.asarray(one) ^ np.asarray(two)), (0, 0, 0)) > 100


def test_epochs_are_counted_above_the_upper_panels():
    rows = [{"iteration": k, "loss/generator": 1.0} for k in range(9)]
    plain, counted, other = (np.asarray(training_curves(rows, {}, "run", epoch)) for epoch in (None, 2, 4))
    assert plain.shape == counted.shape == other.shape
    assert (plain != counted).any()
    assert (counted != other).any()


def test_nothing_measured_yet_is_a_picture_as_well():
    assert training_curves([], {"c1": 2.3}, "run").mode == "RGB"


def test_long_labels_of_columns_do_not_touch():
    images = np.zeros((1, 3, 28, 28, 1), np.uint8)
    columns = ["trousers and\npullovers"] * 3
    sheet = np.asarray(labelled_grid(images, "", columns, []).convert("L")).astype(int)
    above = sheet[: sheet.shape[0] - 56 - 12]
    inked = (above < 200).any(axis=0)
    for gap in (12 + 56, 12 + 58 + 56):
        assert not inked[gap - 1 : gap + 3].any(), "the gap between two columns, and a pixel on either side, is free"
    assert inked.sum() > 60, "and the labels are there"


def test_number_table_is_darker_where_numbers_are_larger():
    """Between the ticks of two cells the shade of the larger is the darker one; NaN leaves its cell white."""
    names = ["a", "b", "c"]
    empty = number_table(np.full((3, 3), np.nan), names, names, "t", "r", "c", largest=1)
    full = number_table(np.eye(3), names, names, "t", "r", "c", largest=1)
    assert full.size == empty.size
    darkness = 255 - np.asarray(full.convert("L")).astype(int)
    assert darkness.mean() > 1.5 * (255 - np.asarray(empty.convert("L")).astype(int)).mean()
    dark = np.argwhere(darkness > 150)
    down, right = dark[:, 0] - dark[:, 0].mean(), dark[:, 1] - dark[:, 1].mean()
    assert np.corrcoef(down, right)[0, 1] > 0.6, "the diagonal runs from the upper left to the lower right"


def test_number_table_grows_with_its_names():
    short, long = (number_table(np.eye(2), [name] * 2, ["x"] * 2, "t", "r", "c") for name in ("a", "a" * 40))
    assert long.width > short.width
    title = number_table(np.eye(2), ["a"] * 2, ["x"] * 2, "a title that is much wider than two cells are", "r", "c")
    assert title.width > short.width
    assert without(title.crop((0, 0, 2, title.height)), (255, 255, 255)) == 0, "nothing is cut off"
    assert without(title.crop((title.width - 2, 0, title.width, title.height)), (255, 255, 255)) == 0


def test_share_map_is_darker_where_shares_are_larger_and_stays_narrow():
    rows, columns = [f"An_attribute_{k:02}" for k in range(40)], [f"c{k}" for k in range(1, 11)]
    rising = np.linspace(0.5, 1, 40)[::-1, None].repeat(10, axis=1)
    table = share_map(rising, rows, columns, "t", low=0.5)
    assert 450 < table.width < 760
    assert table.height < 1200
    light = np.asarray(table.convert("L")).astype(float)[60:-20, -150:-20]
    assert light[-100:].mean() > light[:100].mean() + 80
    assert without(table.crop((0, 0, 2, table.height)), (255, 255, 255)) == 0, "nothing is cut off"
    assert share_map(np.full((2, 2), 0.5), ["a", "b"], ["c1", "c2"], "t", low=0.5).width < table.width


def test_scores_against_rings_the_chosen_run():
    scores = {"acc": [0.1, 0.5, 0.9, 0.4], "nmi": [0.2, 0.3, 0.8, 0.5]}
    picture = scores_against("λ", [0.0, 0.1, 1.0, 0.1], scores, 2, "title")
    one = scores_against("λ", [0.0, 0.1, 1.0, 0.1], {"acc": scores["acc"]}, 2, "title")
    assert picture.width > one.width
    for code in (COLOURS[0], COLOURS[1], COLOURS[6]):
        assert of_colour(picture, code) > of_colour(one, code) > 20, "median, runs and the ring, in each panel"
    ring = [np.argwhere(np.abs(np.asarray(p).astype(int) - rgb(COLOURS[6])).max(axis=2) < 30).mean(axis=0)
            for p in (scores_against("λ", [0.0, 1.0], {"acc": [0.0, 1.0]}, best, "t") for best in (0, 1))]  # fmt: skip
    assert ring[1][0] < ring[0][0], "the higher score is drawn higher"


def test_names_are_not_joined_by_a_line():
    numbers, names = (scores_against("seed", values, {"acc": [0.1, 0.9]}, 0, "t") for values in ([0, 1], ["0", "1"]))
    assert of_colour(names, COLOURS[0]) == 0 < of_colour(numbers, COLOURS[0])


def rgb(code):
    return np.array([int(code[k : k + 2], 16) for k in (1, 3, 5)])


def test_figure_one_has_a_colour_for_each_label():
    rising = [(iteration, 2.3 * iteration / 3000) for iteration in range(0, 3001, 100)]
    flat = [(iteration, 0.1) for iteration in range(0, 3001, 100)]
    picture = figure_one({"λ=1": [rising], "λ=0": [flat, flat]}, 2.3, "title")
    assert of_colour(picture, COLOURS[0]) > 50
    assert of_colour(picture, COLOURS[1]) > 50
    alone = figure_one({"λ=1": [rising]}, 2.3, "title")
    assert of_colour(alone, COLOURS[1]) < 20

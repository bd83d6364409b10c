"""Names in any script: each letter is drawn as itself or transliterated, never as a box, and large enough to read."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
from matplotlib.ft2font import FT2Font
from PIL import Image, ImageDraw

from infogan.figures import fonts, grids
from infogan.figures.curves import training_curves
from infogan.figures.fonts import drawable, fitted, in_plots, shortened
from infogan.figures.grids import labelled_grid
from infogan.figures.sweeps import figure_one, scores_against
from infogan.figures.tables import number_table

NAMES = ["猫", "кошка", "ü", "u\u0308", "λόγος", "ศิลปะ", "a\tb", "\u200bx", "cat"]


@pytest.fixture
def machine(monkeypatch):
    """Sets which fonts the machine has beside DejaVu Sans; none until it is called."""

    def of(*paths):
        monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [str(path) for path in paths])
        for cached in (fonts.drawable, fonts._system_font):
            cached.cache_clear()

    of()
    yield of
    fonts.drawable.cache_clear()
    fonts._system_font.cache_clear()


def font_with(folder, letters, family="Some Sans"):
    """The file of a font that has these letters, each a full block, and a hollow one for all others."""
    names = [f"letter{k}" for k in range(len(letters))]
    builder = FontBuilder(1000)
    builder.setupGlyphOrder([".notdef", *names])
    builder.setupCharacterMap({ord(letter): name for letter, name in zip(letters, names, strict=True)})
    drawn = {}
    for name in (".notdef", *names):
        pen = TTGlyphPen(None)
        corners = [(100, 0), (100, 800), (900, 800), (900, 0)]
        for path in [corners] + ([[(200, 100), (800, 100), (800, 700), (200, 700)]] if name == ".notdef" else []):
            pen.moveTo(path[0])
            for corner in path[1:]:
                pen.lineTo(corner)
            pen.closePath()
        drawn[name] = pen.glyph()
    builder.setupGlyf(drawn)
    builder.setupHorizontalMetrics(dict.fromkeys(drawn, (1000, 100)))
    builder.setupHorizontalHeader(ascent=900, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    path = folder / f"{family}.ttf"
    builder.save(path)
    return path


def lacking(text, path):
    face = FT2Font(path)
    return [letter for letter in text if letter != "\n" and face.get_char_index(ord(letter)) == 0]


@pytest.mark.parametrize("name", NAMES)
def test_no_letter_lacks_a_glyph(machine, name):
    text, path = drawable(name)
    assert text.strip() and lacking(text, path) == []
    assert path.name == "DejaVuSans.ttf"


def test_greek_and_cyrillic_stay_and_others_are_transliterated(machine):
    assert [drawable(name)[0] for name in ("кошка", "λ = 0.1, σ²", "ü", "u\u0308", "3 (猫)")] == [
        "кошка",
        "λ = 0.1, σ²",
        "ü",
        "ü",
        "3 (Mao)",
    ]


def test_a_font_of_the_machine_is_taken_where_it_has_all_the_letters(machine, tmp_path):
    of_cats = font_with(tmp_path, "猫 3()")
    machine(of_cats, tmp_path / "gone.ttf")
    assert drawable("3 (猫)") == ("3 (猫)", of_cats)
    assert drawable("4 (猫)") == ("4 (Mao)", fonts._dejavu()), "one text has one font"
    assert drawable("3 (cat)")[1] == fonts._dejavu()


def test_fonts_of_boxes_and_files_that_are_none_are_not_taken(machine, tmp_path):
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    machine(tmp_path / "broken.ttf", font_with(tmp_path, "猫", family="Last Resort"))
    assert drawable("猫")[0] == "Mao"


def test_the_plainest_of_several_fonts(machine, tmp_path):
    paths = [font_with(tmp_path, "猫", family) for family in ("A Mono", "A Serif", "Some Sans", "Sans Mono")]
    machine(*paths)
    assert drawable("猫")[1] == paths[2]


def test_shortened():
    assert shortened("abc", 3) == "abc"
    assert shortened("photographs of cats", 12) == "photogra…ats"
    assert len(shortened("x" * 1000)) == fonts.LONGEST


LONG = [
    "a class name that is a whole sentence and then some",
    "Donaudampfschifffahrtsgesellschaft",
    "x" * 5000,
    "a/b/c_d_e-f " * 9,
    "кошка на крыше дома",
]


@pytest.mark.parametrize("label", LONG)
def test_a_long_label_is_broken_and_stays_legible(machine, label):
    lines, sized = fitted(label, 52, 3, 13)
    assert 1 < len(lines) <= 3
    assert sized.size >= fonts.LEAST
    assert max(sized.getlength(line) for line in lines) <= 52
    shown = "".join(lines).replace(" ", "")
    whole = label.replace(" ", "")
    assert shown == whole or (shown[:4], shown[-2:]) == (whole[:4], whole[-2:])


def test_a_minus_is_no_hyphen(machine):
    assert fitted("c2 = -2.00", 52, 3, 13)[0] == ["c2 =", "-2.00"]
    assert fitted("T-shirt/top", 40, 3, 13)[0] == ["T-", "shirt/", "top"]


def test_words_are_kept_whole_where_a_smaller_font_lets_them(machine):
    lines, sized = fitted("3 (trousers)", 52, 3, 13)
    assert lines == ["3", "(trousers)"] and fonts.LEAST <= sized.size < 13


class Drawn:
    """What labelled_grid writes: the text, its place and its font."""

    def __init__(self, monkeypatch):
        self.labels = []
        real = ImageDraw.ImageDraw.text

        def text(draw, place, text, fill, font, **options):
            self.labels.append((text, font, draw.textbbox(place, text, font, **options)))
            return real(draw, place, text, fill, font, **options)

        monkeypatch.setattr(ImageDraw.ImageDraw, "text", text)


@pytest.mark.parametrize("size", [8, 28, 32, 64])
def test_labels_of_a_grid_are_large_whole_and_inside(machine, monkeypatch, size):
    """One long name shrinks no other; each line has at least 8 pixels from the top of its letters to their bottom."""
    drawn = Drawn(monkeypatch)
    names = [f"{k}\n({name})" for k, name in enumerate([*LONG, "猫", "кошка", "ü", "cat"])]
    images = np.zeros((len(names), len(names), size, size, 1), np.uint8)
    picture = labelled_grid(images, f"λ and 猫: {'a title ' * 40}", names, names, "across: σ²")
    for text, sized, (left, top, right, bottom) in drawn.labels:
        assert lacking(text, sized.path) == []
        assert 0 <= left <= right <= picture.width and 0 <= top <= bottom <= picture.height, text
        low, high = sized.getbbox("Ag")[1::2]
        assert high - low >= 8
    of_cat = [sized.size for text, sized, _ in drawn.labels if text in ("(cat)", "(кошка)", "(Mao)")]
    assert of_cat and set(of_cat) == {grids.FONT_SIZE}
    assert any("Mao" in text for text, *_ in drawn.labels)


def test_lines_of_labels_do_not_touch(machine, monkeypatch):
    drawn = Drawn(monkeypatch)
    images = np.zeros((2, 3, 28, 28, 1), np.uint8)
    labelled_grid(images, "a title " * 30, LONG[:3], LONG[:2], "across")
    boxes = [box for *_, box in drawn.labels]
    for k, one in enumerate(boxes):
        for other in boxes[:k]:
            apart = one[0] >= other[2] or other[0] >= one[2] or one[1] >= other[3] or other[1] >= one[3]
            assert apart, (drawn.labels[k][0], one, other)


@pytest.mark.parametrize("has_cjk", [False, True])
def test_plots_have_all_letters(machine, tmp_path, has_cjk):
    """matplotlib warns of each letter that none of its fonts has."""
    if has_cjk:
        machine(font_with(tmp_path, "猫 λσ:$5"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        number_table(np.eye(len(NAMES)), NAMES, NAMES, "猫: $5 and $6", "row", "column")
        scores_against("λ", ["猫", "кошка"], {"acc": [0.1, 0.2]}, 0, "猫 λ")
        figure_one({"猫 λ": [[(0, 0), (1000, 1)]]}, 2.3, "猫")
        training_curves([{"iteration": 1, "acc": 0.5}], {"c1": 2.3}, "猫_run $x$")


def test_a_name_in_plots():
    assert in_plots("a\nname  of\tlines") == "a name of lines"
    assert len(in_plots("x" * 100)) == fonts.LONGEST


def test_one_long_name_does_not_shrink_a_plot(machine):
    """The labels of a legend, a table's rows: the room of the axes stays."""
    usual = figure_one({"λ=1": [[(0, 0), (3000, 1)]]}, 2.3, "title")
    long = figure_one({"x" * 500: [[(0, 0), (3000, 1)]]}, 2.3, "title")
    width = [int((np.asarray(p.convert("L"))[200] < 250).nonzero()[0].max()) for p in (usual, long)]
    assert width[1] > 0.6 * width[0]
    assert number_table(np.eye(2), ["x" * 500] * 2, ["x" * 500] * 2, "t", "r", "c").width < 900


def test_pictures_are_of_pillow():
    assert isinstance(labelled_grid(np.zeros((1, 1, 8, 8, 3), np.uint8), "", [], []), Image.Image)
    assert isinstance(fonts._dejavu(), Path) and fonts._dejavu().is_file()

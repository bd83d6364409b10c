"""Grids of images with a title and labelled rows and columns, drawn pixel for pixel."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from infogan.figures.fonts import fitted

CELL = 56
"""Pixels an image is enlarged to, or near, by whole factors."""

GAP, MARGIN, FONT_SIZE, TITLE_SIZE = 2, 12, 13, 16

LINE, LINES = FONT_SIZE + 4, 3
"""Pixels of a line of a label, and how many there are at most above a column."""

ROW_LABEL, TITLE = 240, 640
"""Pixels that the label of a row may be wide, and a title where the images are narrower."""

PAPER, INK = (255, 255, 255), (30, 30, 30)


def labelled_grid(
    images: np.ndarray, title: str, columns: Sequence[str], rows: Sequence[str], columns_title: str = ""
) -> Image.Image:
    """(R, C, H, W, channels) uint8 → one picture: title, a label above each column and before each row.

    Small images are enlarged by a whole factor with hard pixels. `channels` is 1 (gray) or 3. Each label is broken or
    shortened by itself; see `infogan.figures.fonts`.
    """
    n_rows, n_columns, height, width, _ = images.shape
    factor = max(1, round(CELL / height))
    step_x, step_y = width * factor + GAP, height * factor + GAP
    across = [fitted(label, step_x - 2 * GAP, LINES, FONT_SIZE) for label in columns]  # none touches the next
    down = [fitted(label, ROW_LABEL, max(1, step_y // LINE), FONT_SIZE) for label in rows]

    left = MARGIN + round(max((_width(*label) for label in down), default=0)) + (10 if any(rows) else 0)
    body = left + n_columns * step_x - GAP + MARGIN
    heads = [fitted(title, max(body - 2 * MARGIN, TITLE), 3, TITLE_SIZE, least=TITLE_SIZE)]
    if columns_title:
        heads.append(fitted(columns_title, max(body - 2 * MARGIN, TITLE), 3, FONT_SIZE, least=FONT_SIZE))
    total = max(body, *(round(_width(*head)) + 2 * MARGIN for head in heads))
    top = MARGIN + sum(round(len(lines) * (font.size + 4)) for lines, font in heads) + 8
    top += LINE * max((len(lines) for lines, _ in across), default=0)
    picture = Image.new("RGB", (total, top + n_rows * step_y - GAP + MARGIN), PAPER)
    draw = ImageDraw.Draw(picture)
    y = MARGIN
    for lines, font in heads:
        for line in lines:
            draw.text((MARGIN, y), line, INK, font)
            y += round(font.size + 4)
    for c, (lines, font) in enumerate(across):
        centre = left + c * step_x + width * factor / 2
        for k, line in enumerate(reversed(lines)):
            draw.text((centre, top - 6 - k * (font.size + 3)), line, INK, font, anchor="md")
    for r, (lines, font) in enumerate(down):
        centre = top + r * step_y + height * factor / 2
        for k, line in enumerate(lines):
            shift = (k - (len(lines) - 1) / 2) * (font.size + 3)
            draw.text((left - 10, centre + shift), line, INK, font, anchor="rm")
    for r in range(n_rows):
        for c in range(n_columns):
            picture.paste(enlarged(images[r, c], factor), (left + c * step_x, top + r * step_y))
    return picture


def _width(lines: Sequence[str], font: ImageFont.FreeTypeFont) -> float:
    return max((font.getlength(line) for line in lines), default=0)


def enlarged(image: np.ndarray, factor: int) -> Image.Image:
    """(H, W, 1 or 3) uint8 → RGB picture, each pixel a square of `factor` pixels."""
    pixels = np.repeat(np.repeat(image, factor, axis=0), factor, axis=1)
    return Image.fromarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)).copy())

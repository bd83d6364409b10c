"""Grids of images with a title and labelled rows and columns, drawn pixel for pixel."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

CELL = 56
"""Pixels an image is enlarged to, or near, by whole factors."""

GAP, MARGIN, FONT_SIZE, TITLE_SIZE = 2, 12, 14, 17
PAPER, INK = (255, 255, 255), (30, 30, 30)


def labelled_grid(
    images: np.ndarray, title: str, columns: Sequence[str], rows: Sequence[str], columns_title: str = ""
) -> Image.Image:
    """(R, C, H, W, channels) uint8 → one picture: title, a label above each column and before each row.

    Small images are enlarged by a whole factor with hard pixels. `channels` is 1 (gray) or 3.
    """
    n_rows, n_columns, height, width, _ = images.shape
    factor = max(1, round(CELL / height))
    step_x, step_y = width * factor + GAP, height * factor + GAP
    font, title_font = ImageFont.load_default(FONT_SIZE), ImageFont.load_default(TITLE_SIZE)
    widest = max((font.getlength(line) for label in columns for line in label.split("\n")), default=0)
    column_font = ImageFont.load_default(
        FONT_SIZE * min(1, (step_x - 3 * GAP) / max(widest, 1))
    )  # none touches the next

    left = MARGIN + round(max((font.getlength(row) for row in rows), default=0)) + (10 if any(rows) else 0)
    lines = max((label.count("\n") + 1 for label in columns), default=0)
    title_height = (TITLE_SIZE + 10) + (FONT_SIZE + 6 if columns_title else 0)
    top = MARGIN + title_height + lines * (FONT_SIZE + 4) + 4
    body = left + n_columns * step_x - GAP + MARGIN
    total = max(body, round(max(title_font.getlength(title), font.getlength(columns_title))) + 2 * MARGIN)
    picture = Image.new("RGB", (total, top + n_rows * step_y - GAP + MARGIN), PAPER)
    draw = ImageDraw.Draw(picture)
    draw.text((MARGIN, MARGIN), title, INK, title_font)
    if columns_title:
        draw.text((MARGIN, MARGIN + TITLE_SIZE + 8), columns_title, INK, font)
    for c, label in enumerate(columns):
        centre = left + c * step_x + width * factor / 2
        draw.multiline_text((centre, top - 6), label, INK, column_font, anchor="md", align="center", spacing=4)
    for r, label in enumerate(rows):
        draw.text((left - 10, top + r * step_y + height * factor / 2), label, INK, font, anchor="rm")
    for r in range(n_rows):
        for c in range(n_columns):
            picture.paste(enlarged(images[r, c], factor), (left + c * step_x, top + r * step_y))
    return picture


def enlarged(image: np.ndarray, factor: int) -> Image.Image:
    """(H, W, 1 or 3) uint8 → RGB picture, each pixel a square of `factor` pixels."""
    pixels = np.repeat(np.repeat(image, factor, axis=0), factor, axis=1)
    return Image.fromarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)).copy())

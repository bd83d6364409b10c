"""The page: what is on it, and which answer follows which move."""

import base64
import binascii
import html
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from infogan.codes.code import Code
from infogan.codes.domain import Choice
from infogan.errors import DataError, InfoGANError
from infogan.explorer.answers import UPLOAD, Encoded, Explorer

STYLE, CHOOSING, PICKING = (Path(__file__).with_name(name) for name in ("style.css", "choose.js", "pick.js"))

THEME = gr.themes.Base(
    primary_hue="blue", neutral_hue="slate", font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]
)


def build(explorer: Explorer, noise: int) -> gr.Blocks:
    """The page of a model, the first noise being that of the seed `noise`. Nothing is served yet."""
    codes = explorer.trained.latents.codes
    names, first = [code.name for code in codes], [value for code in codes for value in code.domain.start]
    pair = (names[0], names[min(1, len(names) - 1)])
    with gr.Blocks(title=f"InfoGAN on {explorer.trained.config.data.name}", analytics_enabled=False) as blocks:
        gr.HTML(explorer.title(), elem_classes="title", js_on_load=None)
        view, seed, encoded = gr.State("many"), gr.State(noise), gr.State(None)
        with gr.Row():
            with gr.Column(scale=3, min_width=320), gr.Tabs():
                with gr.Tab("Images") as many_tab:
                    many = gr.HTML(explorer.many(noise, first), elem_id="many", js_on_load=None)
                with gr.Tab("Grid", visible=len(codes) > 1) as grid_tab:
                    with gr.Row():
                        across = gr.Dropdown(names, value=pair[0], label="across", filterable=False, min_width=120)
                        down = gr.Dropdown(names, value=pair[1], label="down", filterable=False, min_width=120)
                    grid = gr.HTML(elem_id="grid", js_on_load=None)
                with gr.Tab("Edit") as edit_tab:
                    edit = gr.HTML(explorer.edit(None, first), elem_id="edit", js_on_load=None)
                    choose = gr.HTML(
                        explorer.choices_of_images(), elem_id="choose", js_on_load=CHOOSING.read_text(encoding="utf-8")
                    )
            with gr.Column(scale=2, min_width=300):
                controls = [control(explorer, code, k) for code in codes for k in range(len(code.domain.parts))]
                new_noise = gr.Button("New noise", elem_id="new-noise")

        blocks.load(None, js=PICKING.read_text(encoding="utf-8"), queue=False)
        pictures = [many, grid, edit]

        def draw(view: str, seed: int, encoded: Encoded | None, across: str, down: str, *values: object) -> list[Any]:
            """The picture of the tab that is open; the others stay."""
            with errors_on_the_page():
                if view == "many":
                    return [explorer.many(seed, values), gr.skip(), gr.skip()]
                if view == "grid":
                    return [gr.skip(), explorer.grid(seed, across, down, values), gr.skip()]
                return [gr.skip(), gr.skip(), explorer.edit(encoded, values)]

        def opened(view: str) -> Callable[..., list[Any]]:
            return lambda *state: [view, gr.update(visible=view != "edit"), *draw(view, *state)]

        def draw_other_noise(view: str, seed: int, *others: Any) -> list[Any]:
            return [seed + 1, *draw(view, seed + 1, *others)]

        def encode(event: gr.EventData, progress: gr.Progress = gr.Progress()) -> list[Any]:  # noqa: B008
            """The chosen picture, read and found again; the controls go to its codes."""
            done = 0

            def advance(more: int) -> None:
                nonlocal done
                done += more
                progress((done, explorer.inversion.iterations), desc="looking for the noise")

            with errors_on_the_page():
                found = explorer.encode(picture_of(explorer, event._data), advance)
                return [found, explorer.edit(found, found.codes), *found.codes]

        state = [seed, encoded, across, down, *controls]
        at_once: dict[str, Any] = {"queue": False, "show_progress": "hidden", "trigger_mode": "always_last"}
        moves = [moved.input for moved in (across, down, *controls)]
        gr.on(moves, draw, [view, *state], pictures, api_name="draw", **at_once)
        for tab, name in ((many_tab, "many"), (grid_tab, "grid"), (edit_tab, "edit")):
            tab.select(opened(name), state, [view, new_noise, *pictures], api_name=f"open_{name}", **at_once)
        new_noise.click(draw_other_noise, [view, *state], [seed, *pictures], api_name="new_noise", **at_once)
        gr.on(
            [choose.select, choose.upload], encode, None, [encoded, edit, *controls], api_name="encode",
            show_progress_on=edit, concurrency_limit=1,
        )  # fmt: skip
    return blocks


def control(explorer: Explorer, code: Code, k: int) -> gr.Slider | gr.Radio:
    """A picker for a choice of categories, a slider for an interval, one around the turn for a circle: for part `k` of
    the code's domain."""
    part, several = code.domain.parts[k], len(code.domain.parts) > 1
    words: dict[str, Any] = {
        "value": code.domain.start[k], "label": explorer.label(code) + (f", part {k + 1}" if several else ""),
        "info": explorer.info(code, part), "elem_id": f"code-{code.name}" + (f"-{k + 1}" if several else ""),
    }  # fmt: skip
    if isinstance(part, Choice):
        labels = part.traversal(0)[1] if several else explorer.steps(code)[1]
        return gr.Radio([(label, category) for category, label in enumerate(labels)], **words)
    low, high = part.reach
    return gr.Slider(low, high, step=(high - low) / 80, **words)


def picture_of(explorer: Explorer, event: Any) -> np.ndarray:
    """The picture that an event names, (H, W, C) uint8: an image of the data set by its number, or a file's contents in
    base64. Raises DataError where it is neither."""
    if not isinstance(event, dict) or not isinstance(event.get("contents", ""), str):
        raise DataError("the page did not send a picture")
    if "contents" not in event:
        return explorer.chosen(event.get("k"))
    if len(event["contents"]) > UPLOAD * 4 / 3 + 4:
        raise DataError("the file has more than 10 MB")
    try:
        return explorer.picture(base64.b64decode(event["contents"], validate=True))
    except binascii.Error:
        raise DataError("the page did not send a picture") from None


@contextmanager
def errors_on_the_page() -> Iterator[None]:
    """Turns the project's errors into a message on the page, escaped: gradio takes messages for HTML."""
    try:
        yield
    except InfoGANError as error:
        raise gr.Error(html.escape(str(error)), duration=None, print_exception=False) from None

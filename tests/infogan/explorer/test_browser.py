"""The explorer and the reports as a browser shows them: moved by mouse and keys, loading nothing, at several widths."""

import base64
import json
import shutil
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image
from selenium.webdriver.common.keys import Keys

from tests.infogan.conftest import Served

HOSTILE = "<img src=x onerror=alert('1')>\"&${alert(2)}{{alert(3)}}<script>alert(4)<script>"


class Page:
    """The explorer in a browser, opened and drawn."""

    def __init__(self, browser, served, **window):
        self.browser, self.served = browser, served
        browser.open(served.url, **window)
        browser.until(lambda: len(browser.all("#many img")) == 16)

    def pictures(self, place):
        """The images that are seen in a place, as their addresses."""
        return [image.get_attribute("src") for image in self.browser.all(f"#{place} img")]

    def changed(self, place, before):
        """The images there, once they are others than before."""
        return self.browser.until(lambda: (now := self.pictures(place)) and now != before and now)

    def open(self, tab):
        next(b for b in self.browser.all("button[role=tab]") if b.text == tab).click()

    def slider(self, name):
        return self.browser.all(f"#code-{name} input[type=range]")[0]

    def value(self, name):
        return float(self.slider(name).get_property("value"))


@pytest.fixture
def page(browser, served):
    """The page; afterwards nothing went wrong in the browser, and nothing was asked for elsewhere."""
    page = Page(browser, served)
    yield page
    unharmed(browser, served)


def unharmed(browser, served):
    assert browser.complaints() == []
    asked = [address for address in browser.asked_for() if not address.startswith("data:")]
    assert len(asked) > 5
    assert {urlsplit(address).netloc for address in asked} == {urlsplit(served.url).netloc}


def test_arrow_keys_move_a_slider_and_the_picture(page):
    before = page.pictures("many")
    slider = page.slider("c2")
    slider.send_keys(Keys.ARROW_RIGHT)
    after = page.changed("many", before)
    assert page.value("c2") == 0.05 and len(after) == 16
    for _ in range(3):
        slider.send_keys(Keys.ARROW_LEFT)
    page.browser.until(lambda: "c2 = -0.1," in page.browser.all("#many img")[0].get_attribute("alt"))
    assert page.value("c2") == pytest.approx(-0.1)
    slider.send_keys(Keys.END)
    page.browser.until(lambda: "extrapolated" in page.browser.all("#many")[0].text)
    assert page.value("c2") == 2


def test_a_picker_changes_the_picture(page):
    before = page.pictures("many")
    options = page.browser.all("#code-c1 input[type=radio]")
    assert len(options) == 10 and options[0].is_selected()
    options[4].click()
    clicked = page.changed("many", before)
    options[4].send_keys(Keys.ARROW_RIGHT)
    page.changed("many", clicked)
    assert options[5].is_selected()
    assert "c1 = 5," in page.browser.all("#many img")[0].get_attribute("alt")


def test_new_noise(page):
    before = page.pictures("many")
    page.browser.all("#new-noise")[0].send_keys(Keys.SPACE)
    after = page.changed("many", before)
    page.slider("c3").send_keys(Keys.HOME)
    moved = page.changed("many", after)
    page.slider("c3").send_keys(Keys.END)
    page.changed("many", moved)


def test_a_grid_is_drawn(page):
    page.open("Grid")
    before = page.changed("grid", [])
    assert len(before) == 90 and "c1 across, c2 down; c3 = 0" in page.browser.all("#grid")[0].text
    page.slider("c3").send_keys(Keys.END)
    after = page.changed("grid", before)
    (across, down) = page.browser.all("input[role=combobox]")
    assert (across.accessible_name, down.accessible_name) == ("across", "down")
    across.click()
    across.send_keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ENTER)
    page.browser.until(lambda: "c1 across" not in page.browser.all("#grid")[0].text)
    assert page.changed("grid", after)


def test_an_upload_is_encoded_and_edited(page, tmp_path):
    pixels = np.random.default_rng(0).integers(256, size=(8, 8), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "mine.png")
    page.open("Edit")
    page.browser.all("#choose input[type=file]")[0].send_keys(str(tmp_path / "mine.png"))
    original, reconstruction, edit = page.changed("edit", [])
    assert reconstruction == edit != original
    message = page.browser.all("#edit")[0].text
    assert "Q reads c1 = " in message and "a poor reconstruction" in message
    assert page.browser.all("#new-noise") == [], "the noise is that of the picture"
    page.slider("c2").send_keys(Keys.HOME)
    after = page.changed("edit", [original, reconstruction, edit])
    assert after[:2] == [original, reconstruction] and after[2] != edit

    (tmp_path / "text.png").write_text("no picture")
    page.browser.all("#choose input[type=file]")[0].send_keys(str(tmp_path / "text.png"))
    toast = page.browser.until(lambda: page.browser.all("[data-testid=toast-body]"))[0]
    assert "the file is not an image that Pillow can read" in toast.text
    (tmp_path / "large.png").write_bytes(bytes(10 * 2**20 + 1))
    page.browser.all("#choose input[type=file]")[0].send_keys(str(tmp_path / "large.png"))
    page.browser.until(lambda: "The file has more than 10 MB." in page.browser.all("#choose")[0].text)


def test_an_image_of_the_data_set_is_chosen_with_the_keyboard(page):
    page.open("Edit")
    buttons = page.browser.all("#choose button")
    assert len(buttons) == 24
    buttons[2].send_keys(Keys.ENTER)
    first = page.changed("edit", [])
    assert first[0] == page.browser.all("#choose img")[2].get_attribute("src")
    buttons[3].send_keys(Keys.SPACE)
    page.changed("edit", first)


def test_everything_can_be_reached_and_has_a_name(page):
    """From the tabs to the last button in the order of the page."""
    names = []
    page.browser.driver.switch_to.active_element.send_keys(Keys.TAB)
    while (focused := page.browser.driver.switch_to.active_element).tag_name != "body" and len(names) < 40:
        names.append((focused.get_attribute("type") or focused.aria_role, focused.accessible_name))
        focused.send_keys(Keys.TAB)
    assert all(name for _, name in names)
    kinds = [kind for kind, _ in names]
    assert kinds.count("range") == 2 and "radio" in kinds and names[-1][1] == "New noise"
    assert kinds.index("radio") < kinds.index("range")


def test_names_from_outside_are_text(browser, digits_run, tmp_path):
    hostile = shutil.copytree(digits_run, tmp_path / HOSTILE.replace("/", ""))
    summary = json.loads((hostile / "summary.json").read_text())
    summary["matching"]["0"] = HOSTILE
    summary["factors"] = {"nmi": {"c1": {HOSTILE: 0.5}, "c2": {HOSTILE: 0.25}}}
    (hostile / "summary.json").write_text(json.dumps(summary))
    (tmp_path / "run").symlink_to(hostile)
    with Served(tmp_path / "run", tmp_path / "folder") as server:
        page = Page(browser, server)
        text = browser.all("body")[0].text
        assert text.count(HOSTILE) == 4, "title, two labels, a category"
        page.open("Grid")
        page.changed("grid", [])
        assert HOSTILE in browser.all("#grid")[0].text
        unharmed(browser, server)


WINDOWS = {"wide": (1280, 900, "light"), "dark": (1280, 900, "dark"), "phone": (390, 844, "light")}


def fits(browser):
    """Whether nothing is wider than the window."""
    return browser.driver.execute_script(
        "return document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )


def save(browser, path, whole=False):
    """The window, or the whole page, as a picture; asserts that something is on it."""
    shot = browser.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": whole})
    path.write_bytes(base64.b64decode(shot["data"]))
    assert np.asarray(Image.open(path).convert("L")).std() > 10


@pytest.mark.parametrize("window", WINDOWS)
def test_screens_of_the_explorer(browser, served, screens, window):
    width, height, scheme = WINDOWS[window]
    page = Page(browser, served, width=width, height=height, scheme=scheme)
    for tab, place, ready in (("Images", "many", 16), ("Grid", "grid", 90), ("Edit", "edit", 3)):
        page.open(tab)
        if tab == "Edit":
            browser.all("#choose button")[0].click()
        browser.until(lambda place=place, ready=ready: len(page.pictures(place)) == ready)
        assert fits(browser)
        save(browser, screens / f"explorer_{place}_{window}.png")
    dark = browser.driver.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (dark != "rgb(255, 255, 255)") == (scheme == "dark")
    unharmed(browser, served)


@pytest.mark.parametrize("window", WINDOWS)
def test_screens_of_the_report(browser, digits_run, screens, window):
    width, height, scheme = WINDOWS[window]
    browser.open((digits_run / "report.html").as_uri(), width, height, scheme)
    assert fits(browser)
    save(browser, screens / f"report_{window}.png", whole=True)
    assert browser.complaints() == []
    assert {urlsplit(address).scheme for address in browser.asked_for()} == {"file", "data"}

"""A run that commands open, the explorer as a process of its own, and a browser."""

import io
import json
import os
import re
import shutil
import signal
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf

from infogan.config.check import check
from infogan.experiments.fit import train
from infogan.experiments.prepare import create
from tests.infogan import processes


@pytest.fixture(scope="session")
def digits_run(tmp_path_factory, stores):
    """The folder of a run of 20 iterations on digits: its matching of categories to classes is there, if not good."""
    outputs = tmp_path_factory.mktemp("digits_run")
    limits = ["trainer=cpu", "trainer.threads=1", "trainer.max_iterations=20", "callbacks.traversal_rows=2"]
    with initialize_config_module("infogan.conf", version_base="1.3"):
        values = compose("train", ["data=digits", "logger=none", f"paths.stores={stores}", *limits])
    folder = create(check(OmegaConf.to_container(values, resolve=True)), outputs, "run")
    train(folder)
    return folder


@pytest.fixture
def screen(monkeypatch):
    """A terminal of so many columns in an encoding, as standard output while a `with` lasts; it yields a function which
    gives the lines that were written, without their colours."""

    @contextmanager
    def of(width, encoding="utf-8"):
        stream = io.TextIOWrapper(io.BytesIO(), encoding)
        stream.isatty = lambda: True
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setenv("TERM", "xterm")

        def lines():
            written = stream.buffer.getvalue().decode(encoding)
            return re.sub(r"\x1b\[[0-9;]*m", "", written).splitlines()

        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", stream)
            yield lines
            stream.flush()

    return of


class Served:
    """A process that serves the explorer of a run, with `folder` for what it writes. It dies where anything in it looks
    for an address elsewhere."""

    WATCHED = """
import os, sys
def watch(event, arguments):
    outside = event == "socket.connect" and isinstance(arguments[1], tuple) and arguments[1][0] != "127.0.0.1"
    if outside or (event == "socket.getaddrinfo" and arguments[0] not in ("127.0.0.1", "localhost")):
        print("looked for", arguments, file=sys.stderr, flush=True)
        os._exit(9)
sys.addaudithook(watch)
os.environ["TMPDIR"] = os.getcwd()
from infogan.explore import main
main()
"""

    def __init__(self, run, folder, *arguments):
        folder.mkdir()
        self.folder = folder
        base = ["browser=false", "port=null", "inversion.restarts=2", "inversion.iterations=20"]
        self.process = processes.Forked(f"run={run}", *base, *arguments, program=("-c", self.WATCHED), cwd=folder)
        self._complaints = []
        self._reader = threading.Thread(target=lambda: self._complaints.extend(self.process.stderr))
        self._reader.start()  # a pipe that nobody reads would stop the process
        self.said = ""
        while "Ctrl-C" not in self.said:
            line = self.process.stdout.readline()
            assert line, self._complaints
            self.said += line
        self.url = re.search(r"http://127\.0\.0\.1:\d+/", self.said)[0]

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.kill()  # of no effect on one that was stopped

    def stop(self):
        """Its exit code, the last line of its standard error, and the files that it has left."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(processes.DEADLINE)
        self._reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return code, self._complaints[-1], [path for path in self.folder.rglob("*") if path.is_file()]


@pytest.fixture(scope="session")
def served(digits_run, tmp_path_factory):
    with Served(digits_run, tmp_path_factory.mktemp("served") / "folder") as server:
        yield server
        assert server.stop() == (130, "stopped by SIGINT\n", [])


class Browser:
    """Headless Chromium, which keeps what it asked for and what its console said."""

    def __init__(self, binary, driver):
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service

        options = webdriver.ChromeOptions()
        options.binary_location = binary
        for argument in (
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
        ):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options, Service(driver))

    def open(self, url, width=1280, height=900, scheme="light"):
        """A page in a window of that size, dark or light."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        self.complaints(), self.asked_for()
        self.driver.get(url)

    def all(self, selector):
        """The elements that are seen."""
        return [e for e in self.driver.find_elements("css selector", selector) if e.is_displayed()]

    def until(self, event):
        """What `event` gives, once that is true."""
        from selenium.common.exceptions import StaleElementReferenceException
        from selenium.webdriver.support.ui import WebDriverWait

        wait = WebDriverWait(self.driver, processes.DEADLINE, 0.02, [StaleElementReferenceException])
        return wait.until(lambda driver: event())

    def complaints(self):
        """What the console has said since this was asked last, but for the end of a heartbeat of a page that was left,
        the endless answer by which Gradio learns that a page is open: its end may come when the next page is there."""
        script = "return performance.getEntriesByType('resource').map(entry => entry.name)"
        of_this_page = self.driver.execute_script(script)
        said = [entry["message"] for entry in self.driver.get_log("browser")]
        return [line for line in said if "/heartbeat/" not in line or line.split()[0] in of_this_page]

    def asked_for(self):
        """The addresses that were asked for since this was asked last."""
        events = (json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance"))
        return [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]


@pytest.fixture(scope="session")
def browser():
    binary = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if binary is None or driver is None:
        pytest.skip("no browser: apt-get install chromium chromium-driver")
    browser = Browser(binary, driver)
    yield browser
    browser.driver.quit()


@pytest.fixture
def screens(tmp_path):
    """Where pictures of pages go: the folder that SCREENS names, for whoever wants to look at them."""
    folder = Path(os.environ.get("SCREENS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder

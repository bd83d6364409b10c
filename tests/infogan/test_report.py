"""`infogan.report` on runs and sweeps that are whole, unfinished, damaged or hostile: one page that needs nothing."""

import base64
import json
import re
import shutil
import subprocess
import tomllib
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf
from PIL import Image

from infogan import report
from infogan.config.check import check
from infogan.experiments.fit import train
from infogan.experiments.prepare import create
from infogan.pages.findings import beside_published, code_caption, findings
from infogan.pages.published import PUBLISHED, published_for
from infogan.run_folder.evaluation import Evaluation
from tests.infogan.summaries import ATTRIBUTES, summary_of

VOID = {"meta", "img", "br", "hr", "link", "input"}
HOSTILE = "<script>alert('1')<script>\"&"


class Page(HTMLParser):
    """A page as a browser without a network sees it; asserts that every element is closed where it should be."""

    def __init__(self, path):
        super().__init__()
        self.tags, self.images, self.links, self.ids, self.words, self.scripts = [], [], [], [], [], []
        self.rows, self._open = [], []
        self.feed(path.read_text(encoding="utf-8"))
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.tags.append((tag, values))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag == "img":
            self.images.append(values)
        if "href" in values:
            self.links.append(values["href"])
        if "id" in values:
            self.ids.append(values["id"])

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open and self._open[-1] == "script":
            self.scripts.append(data)
        elif "style" not in self._open:
            self.words.append(data)
            if {"td", "th"} & set(self._open):
                self.rows[-1][-1] += data

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def captions(self):
        return [values["alt"] for values in self.images]


def page_of(folder, scripts=0):
    """The report in a folder, after what holds for every report."""
    page = Page(folder / "report.html")
    assert len(page.ids) == len(set(page.ids))
    named = [values["aria-labelledby"] for _, values in page.tags if "aria-labelledby" in values]
    assert set(named) <= set(page.ids)
    for image in page.images:
        kind, _, data = image["src"].partition(",")
        assert kind == "data:image/png;base64"
        picture = Image.open(BytesIO(base64.b64decode(data, validate=True)))
        assert (image["width"], image["height"]) == tuple(map(str, picture.size))
        assert image["alt"]
    for tag, values in page.tags:
        assert tag not in ("link", "iframe", "object", "embed", "base")
        assert tag == "img" or "src" not in values
        assert not any(name.startswith("on") for name in values)
    assert len([tag for tag, _ in page.tags if tag == "script"]) == scripts
    (policy,) = (values["content"] for _, values in page.tags if values.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert policy.endswith("script-src 'unsafe-inline'" if scripts else "script-src 'none'")
    style = re.search(r"<style>(.*?)</style>", (folder / "report.html").read_text(encoding="utf-8"), re.S)[1]
    assert "url(" not in style and "@import" not in style
    assert not [link for link in page.links if "//" in link or ":" in link]
    return page


def trained(outputs, name, *overrides):
    """A run folder of a short training with the real configuration."""
    limits = ["logger=none", "trainer=cpu", "trainer.threads=1", "trainer.max_iterations=12"]
    often = ["callbacks.traversals_every=5", "callbacks.checkpoint_every=5", "callbacks.log_every=4"]
    paths = [f"paths.stores={outputs}/stores", "callbacks.traversal_rows=2"]
    with initialize_config_module("infogan.conf", version_base="1.3"):
        values = compose("train", [*limits, *often, *paths, *overrides])
    folder = create(check(OmegaConf.to_container(values, resolve=True)), outputs, name)
    train(folder)
    return folder


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("digits"), "run")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Three runs of a sweep over λ."""
    sweep = tmp_path_factory.mktemp("outputs") / "sweep"
    for lambda_ in (0.5, 1, 2):
        trained(sweep, f"l{lambda_}", f"model.lambda_categorical={lambda_}")
    shutil.rmtree(sweep / "stores")
    return sweep


@pytest.fixture
def run(digits, tmp_path):
    """A copy of the run to report on or to damage."""
    return shutil.copytree(digits, tmp_path / "run")


@pytest.fixture
def sweep(made, tmp_path):
    return shutil.copytree(made, tmp_path / "sweep")


@pytest.fixture
def command(call, tmp_path):
    """Runs the command in this process; returns its exit code, standard output and standard error."""

    def run(*arguments):
        return call(report.main, f"paths.outputs={tmp_path}", *arguments)

    return run


EVALUATION = {
    "iterations": 12,
    "information": {"c1": {"entropy": 2.3, "eval": {"mean": 1.5, "low": 1.25, "high": 1.75}}},
    "clustering": {"c1": {"acc": 0.5, "nmi": 0.4, "ari": 0.3, "error_by_class": {"7": 0.125}, "matching": {"0": "7"}}},
    "factors": "data=digits has no known factors",
    "image_quality": {"samples": 10000, "kernel_distance": {"mean": 0.25, "std": 0.125}},
    "seconds": {"information": 3.5},
    "protocol": {"seed": 0},
    "provenance": {"torch": "2"},
}


def test_training_leaves_a_report(run):
    page = page_of(run)
    summary = json.loads((run / "summary.json").read_text())
    assert "InfoGAN on digits, seed 0" in page.text
    assert "run: finished, 12 iterations" in page.text
    assert "What is missing" not in page.text
    assert "CC BY 4.0 (UCI Machine Learning Repository)" in page.text
    assert f"ACC {summary['acc']:.3f}" in page.text
    for name in ("c1", "c2", "c3"):
        (row,) = (row for row in page.rows if row[0] == name)
        assert row[3] == f"{summary['information'][name]:.3f}"
    assert f"{summary['information_at_mse']['c2']:.3f} with σ² = MSE" in page.text
    assert ", ".join(f"{k} → {label}" for k, label in summary["matching"].items()) in page.text
    assert len(page.images) == 6, "curves, three codes, samples and real images"
    assert "python -m infogan.evaluate" in page.text, "how to get the scores"
    start = json.loads((run / "provenance.json").read_text())[0]
    assert start["command"] in page.text
    assert start["revision"] is None or f"git checkout {start['revision']}" in page.text
    for value in (
        start["machine"],
        f"torch {start['torch']}",
        "12 iterations of 64 images",
        "transposed conv 1, stride 2",
    ):
        assert value in page.text


def test_an_evaluated_run(command, run):
    (run / "evaluation.json").write_text(json.dumps(EVALUATION))
    evaluated = run / "figures" / "evaluation"
    evaluated.mkdir()
    Image.new("L", (30, 20)).save(evaluated / "confusion_c1.png")
    (evaluated / "neighbours.png").write_bytes(b"no picture")
    code, out, err = command(f"run={run}")
    assert (code, out, err) == (0, f"report: {run}/report.html\n", "")
    page = page_of(run)
    assert ["c1/eval", "1.5", "1.25 … 1.75"] in page.rows
    assert ["samples", "10,000", ""] in page.rows
    assert ["kernel_distance", "0.25", ""] in page.rows
    assert not [row for row in page.rows if row[0].startswith(("torch", "seed", "information")) or "by_class" in row[0]]
    assert "None: data=digits has no known factors." in page.text
    assert "python -m infogan.evaluate" not in page.text
    assert "confusion c1" in page.captions()
    assert "The picture neighbours.png is damaged" in page.text


def test_attributes_have_tables_and_their_picture(command, run):
    """Those that all codes together tell best come first; no row for each of their numbers."""
    (run / "evaluation.json").write_text(json.dumps({"iterations": 12, "attributes": ATTRIBUTES}))
    (run / "figures" / "evaluation").mkdir()
    Image.new("L", (300, 20)).save(run / "figures" / "evaluation" / "attributes.png")
    assert command(f"run={run}")[0] == 0
    page = page_of(run)
    rows = [row for row in page.rows if row[0] in ("Smiling", "<i>Bald", "c1=3", "tad/score")]
    assert rows == [
        ["tad/score", "0.25", ""],
        ["<i>Bald", "0.02", "not c2", "0.88", "", "", "", "", "0.94"],
        ["Smiling", "0.50", "c1=3", "0.62", "c1=3,4", "0.75", "c1", "0.12", "0.81"],
        ["c1=3", "Smiling", "0.62", "0.10"],
    ]
    assert not [row for row in page.rows if "by_" in row[0]]
    assert page.captions().count("AUROC of each code for each attribute") == 1
    assert "AUROC in percent on the test split, 50 is chance" in page.text
    assert "What is missing" not in page.text


def test_a_run_that_was_stopped(command, run):
    """Grids and curves are those of the last that was drawn or logged, and the page says how to continue."""
    (run / "summary.json").unlink()
    shutil.copy(run / "figures" / "history" / "c1_00000005.png", run / "figures" / "history" / "c1_00000006.png")
    newest = Image.new("RGB", (70, 50))
    newest.save(run / "figures" / "history" / "c1_00000010.png")
    for picture in (run / "figures").glob("*.png"):
        picture.unlink()
    assert command(f"run={run}")[0] == 0
    page = page_of(run)
    assert "run: stopped, 12 iterations" in page.text
    assert f"python -m infogan.train run={run}" in page.text
    assert "The model was not measured" in page.text
    assert "c1: 10 categories. Not measured." in page.text
    assert "There is no picture real.png." in page.text
    assert len(page.images) == 5, "curves, three codes, samples"
    sizes = {image["alt"]: (image["width"], image["height"]) for image in page.images}
    assert sizes["Generated images: each column another category of c1"] == ("70", "50")
    assert any(alt.startswith("Curves") for alt in sizes)

    (run / "evaluation.json").write_text(json.dumps(EVALUATION))
    command(f"run={run}")
    page = page_of(run)
    assert "L_I 1.500 of 2.300 nats" in page.text, "what infogan.evaluate found stands in"
    assert "The model was not measured" not in page.text


def test_what_the_curves_of_real_images_are_is_said_where_there_are_any(command, run):
    words = "what the category that Q reads tells of the one that it reads from the image's transform, at most H(c)"
    for drawn in (True, False):
        command(f"run={run}")
        page = page_of(run)
        assert words in page.text and len(page.images) == 6, f"curves.png is there: {drawn}"
        (run / "figures" / "curves.png").unlink(missing_ok=True)
    (run / "metrics.csv").write_text((run / "metrics.csv").read_text().replace("regulariser/", "other/"))
    command(f"run={run}")
    assert words not in page_of(run).text


def test_nothing_but_a_configuration(command, run):
    for path in run.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "config.yaml":
            path.unlink()
    assert command(f"run={run}")[0] == 0
    page = page_of(run)
    assert page.images == []
    for message in ("no provenance.json", "There are no curves", "There is no picture c1.png.", "0 of 12 iterations"):
        assert message in page.text


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("summary.json", b"{"),
        ("summary.json", b'{"iterations": 12, "information": 5}'),
        ("evaluation.json", b"[1]"),
        ("evaluation.json", b'{"information": {"c1": {"mean": "x"}}}'),
        ("provenance.json", b"[1]"),
        ("metrics.csv", b"\xff\xfe\x00"),
        ("metrics.csv", b"loss\n0.5\n"),
    ],
)
def test_a_damaged_file_costs_its_part_alone(command, run, name, content):
    (run / name).write_bytes(content)
    if name == "metrics.csv":
        (run / "figures" / "curves.png").unlink()
    code, _, err = command(f"run={run}")
    assert (code, err) == (0, "")
    page = page_of(run)
    assert "What is missing" in page.text and name in page.text
    assert len(page.images) == (5 if name == "metrics.csv" else 6)


def test_everything_from_outside_is_escaped(command, run, tmp_path):
    summary = json.loads((run / "summary.json").read_text())
    summary["matching"]["0"] = HOSTILE
    summary["factors"] = {"nmi": {"c1": {HOSTILE: 0.5}, "c2": {HOSTILE: 0.25}}}
    (run / "summary.json").write_text(json.dumps(summary))
    reason = {"disentanglement": HOSTILE, HOSTILE: {HOSTILE: 1.5}}
    (run / "evaluation.json").write_text(json.dumps(EVALUATION | reason))
    start = {"command": HOSTILE, "revision": HOSTILE, "machine": HOSTILE, "gpus": [HOSTILE], "torch": HOSTILE}
    (run / "provenance.json").write_text(json.dumps([start, {"command": "the second"}]))
    (run / "figures" / "evaluation").mkdir()
    Image.new("L", (9, 9)).save(run / "figures" / "evaluation" / f"{HOSTILE}.png")
    moved = run.rename(tmp_path / HOSTILE)
    report.report(SimpleNamespace(run=str(moved), sweep=None, paths=SimpleNamespace(outputs="")))
    page = page_of(moved)
    assert f"{HOSTILE}: finished" in page.text
    assert f"0 → {HOSTILE}" in page.text
    assert f"git checkout {HOSTILE}" in page.text
    assert "the second" in page.text
    assert [HOSTILE, "1.5", ""] in page.rows
    assert HOSTILE.replace("_", " ") in page.captions()


def test_a_sweep(command, sweep):
    (sweep / "figures").mkdir()
    for k, name in enumerate(("scores", "figure1", "agreement")):
        Image.new("RGB", (40 + k, 30)).save(sweep / "figures" / f"{name}.png")
    order = ["l2", "l0.5", "l1"]
    ranking = [{"run": name, "scores": {"centrality": 0.75 - k / 8}} for k, name in enumerate(order)]
    (sweep / "comparison.json").write_text(json.dumps({"ranked_by": "centrality", "ranking": ranking}))
    (sweep / "best").symlink_to("l2")
    code, out, _ = command(f"sweep={sweep}")
    assert (code, out) == (0, f"report: {sweep}/report.html\n")
    page = page_of(sweep, scripts=1)
    assert "3 of 3 runs finished. digits: images under CC BY 4.0" in page.text
    assert "Chosen without labels, by centrality: l2 ." in page.text
    head, *rows = page.rows
    assert head == [
        "rank", "run", "model.lambda_categorical", "seed", "iterations", "state", "L_I of the first code (nats)", "ACC",
        "centrality",
    ]  # fmt: skip
    assert [row[0] for row in rows] == ["1 (chosen)", "2", "3"]
    assert [row[1:4] for row in rows] == [["l2", "2", "0"], ["l0.5", "0.5", "0"], ["l1", "1", "0"]]
    assert [row[-1] for row in rows] == ["0.750", "0.625", "0.500"]
    summary = json.loads((sweep / "l2" / "summary.json").read_text())
    assert rows[0][6:8] == [f"{summary['information']['c1']:.3f}", f"{summary['acc']:.3f}"]
    assert page.links == ["l2/report.html", "l0.5/report.html", "l1/report.html"]
    assert len(page.images) == 6, "three of the comparison, one grid a run"
    assert page.text.count(", the chosen run") == 1
    assert "What is missing" not in page.text


def test_a_sweep_that_was_not_compared_with_runs_that_cannot_be_read(command, sweep):
    (sweep / "l1" / "config.yaml").write_text("a: [")
    (sweep / "l2" / "summary.json").unlink()
    (sweep / "l2" / "figures" / "c1.png").write_bytes(b"")
    (sweep / "comparison.json").write_text('{"ranking": [{"run": "l2", "scores": {"centrality": "high"}}]}')
    assert command(f"sweep={sweep}")[0] == 0
    page = page_of(sweep, scripts=1)
    assert f"python -m infogan.compare sweep={sweep}" in page.text
    assert "comparison.json is not as this version writes it" in page.text
    assert f"Left out: {sweep}/l1/config.yaml could not be read" in page.text
    assert "Not finished: l2 (stopped, 12)" in page.text
    assert "l2: The picture c1.png is damaged" in page.text
    assert "1 of 3 runs finished" in page.text
    assert [row[0] for row in page.rows] == ["run", "l0.5", "l2"]


def test_a_hostile_sweep(sweep, tmp_path):
    (sweep / "l1").rename(sweep / HOSTILE)
    moved = sweep.rename(tmp_path / f"{HOSTILE}2")
    report.report(SimpleNamespace(run=None, sweep=str(moved), paths=SimpleNamespace(outputs="")))
    page = page_of(moved, scripts=1)
    assert f"Sweep {HOSTILE}2: digits" in page.text
    assert HOSTILE in [row[0] for row in page.rows]
    assert HOSTILE not in "".join(page.scripts)


SORTING = """
const data = %s;
class Element {
  constructor() { this.childNodes = []; this.attributes = {}; this.listeners = {}; }
  append(...nodes) {
    this.childNodes = [...this.childNodes.filter((node) => !nodes.includes(node)), ...nodes];
  }
  addEventListener(name, call) { this.listeners[name] = call; }
  getAttribute(name) { return this.attributes[name] ?? null; }
  setAttribute(name, value) { this.attributes[name] = value; }
  removeAttribute(name) { delete this.attributes[name]; }
}
const heads = data[0].map(() => new Element()), body = new Element(), table = { tBodies: [body] };
body.childNodes = data.map((keys) => ({ cells: keys.map((key) => ({ dataset: { key } })) }));
Object.defineProperty(body, "rows", { get: () => body.childNodes });
table.querySelectorAll = () => heads;
globalThis.document = { querySelectorAll: () => [table], createElement: () => new Element() };
%s
const seen = [];
for (const column of [0, 0, 1]) {
  heads[column].childNodes[0].listeners.click();
  seen.push([body.rows.map((row) => row.cells[0].dataset.key), heads.map((h) => h.getAttribute("aria-sort"))]);
}
console.log(JSON.stringify(seen));
"""


def test_headers_sort_the_table(command, sweep):
    """Numbers as numbers, words as words, empty cells last in both directions, and the header says which way."""
    if shutil.which("node") is None:
        pytest.skip("node, which runs the page's script, is not installed")
    command(f"sweep={sweep}")
    (script,) = page_of(sweep, scripts=1).scripts
    rows = [["10", "b"], ["", "c"], ["9", "a"], ["-0.5", ""]]
    source = SORTING % (json.dumps(rows), script)
    done = subprocess.run(["node", "-e", source], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [
        [["-0.5", "9", "10", ""], ["ascending", None]],
        [["10", "9", "-0.5", ""], ["descending", None]],
        [["9", "10", "", "-0.5"], [None, "ascending"]],
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "one of the two"),
        (["run={run}", "sweep={run}"], "one of the two"),
        (["run=nowhere"], "run=nowhere is not a run folder"),
        (["sweep={run}"], "holds no run: it must be the folder that a sweep's runs lie in"),
        (["run={run}", "pictures=none"], "pictures"),
    ],
)
def test_mistakes(command, run, arguments, message):
    (run / "report.html").unlink()
    code, _, err = command(*(argument.format(run=run) for argument in arguments))
    assert code == 2
    assert err.startswith("error: ") and err.count("\n") == 1
    assert message in err
    assert not list(run.rglob("*report.html*"))


def test_what_cannot_be_read_leaves_the_page_before(command, run, sweep):
    before = (run / "report.html").read_bytes()
    (run / "config.yaml").write_text("a: [")
    code, _, err = command(f"run={run}")
    assert code == 2 and "config.yaml could not be read" in err
    assert (run / "report.html").read_bytes() == before
    for config in sweep.glob("*/config.yaml"):
        config.write_text("seed: 0")
    code, _, err = command(f"sweep={sweep}")
    assert code == 2 and "none of its 3 runs can be read" in err
    assert not (sweep / "report.html").exists()


def test_a_failed_report_fails_no_training(tmp_path, monkeypatch, capsys):
    def broken(folder, licence):
        raise ValueError("no\nroom")

    monkeypatch.setattr("infogan.pages.run.write_run_report", broken)
    folder = trained(tmp_path, "run")
    assert json.loads((folder / "summary.json").read_text())["iterations"] == 12
    assert not (folder / "report.html").exists()
    assert capsys.readouterr().out.splitlines()[-1] == "no report: ValueError: no room"


def config_of(compose_values, *overrides):
    return check(compose_values(*overrides))


def test_published_numbers_stand_beside_the_run(compose_values):
    config = config_of(compose_values, "data=mnist")
    summary = summary_of(
        information={"c1": 2.25, "c2": -0.3, "c3": None}, information_at_mse={}, acc=0.9,
        entropy={"c1": 2.303, "c2": 0.69, "c3": 0.69}, matching={str(k): str(k) for k in range(10)},
    )  # fmt: skip
    found = findings(summary, None)
    assert [row[1:] for row in beside_published(config, found, None)] == [("5", "10.0"), ("about 2.30", "2.250")]
    assert [row[2] for row in beside_published(config, None, None)] == ["not measured"] * 2
    assert "not finite nats with the σ that Q learned" in code_caption("c3", config, found)
    assert published_for(config_of(compose_values, "data=mnist", "experiment=gan_baseline")) is None
    assert published_for(config_of(compose_values, "data=digits")) is None

    config = config_of(compose_values, "experiment=dsprites_infogan")
    scores = {"infogan_cr": {"sap": {"mean": 0.5, "low": 0.25, "high": 0.75}}, "dlib": {"mig": 0.125, "sap": 0.1}}
    evaluation = Evaluation(iterations=5, disentanglement=scores)
    beside = {row[0]: row[1:] for row in beside_published(config, None, evaluation)}
    assert beside["SAP"] == ("0.41", "0.500 (0.250 … 0.750)")
    assert beside["MIG"] == ("0.22", "0.125")
    assert beside["FactorVAE"] == ("0.82", "not measured")
    assert PUBLISHED["dsprites"].source.startswith("Lin et al. 2020")


def test_only_the_scored_code_is_told_as_a_classifier(compose_values):
    """SVHN has four codes of ten categories; ACC and matching are those of the first."""
    config = config_of(compose_values, "data=svhn")
    names = list(config.model.codes)
    summary = summary_of(
        information=dict.fromkeys(names, 1.0), information_at_mse={}, acc=0.9, entropy=dict.fromkeys(names, 2.3),
        matching={str(k): str(k) for k in range(10)}, factors={"nmi": {names[1]: {"label": 0.5}}},
    )  # fmt: skip
    found = findings(summary, None)
    assert "ACC 0.900" in code_caption(names[0], config, found)
    assert "ACC" not in code_caption(names[1], config, found)
    assert "label (nmi 0.50)" in code_caption(names[1], config, found)


def test_every_package_and_template_is_installed():
    root = Path(__file__).parents[2]
    settings = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]
    places = [
        path.parent.relative_to(root)
        for top in ("infogan", "datamodules", "callbacks")
        for path in (root / top).rglob("__init__.py")
    ]
    names = {".".join(place.parts) for place in places} | {"conf"}
    found = {name if name.startswith("infogan") else f"infogan.{name}" for name in names}
    assert set(settings["packages"]) == found
    templates = root / "infogan" / "pages" / "templates"
    matched = {path for pattern in settings["package-data"]["infogan.pages"] for path in templates.parent.glob(pattern)}
    assert matched == set(templates.iterdir())

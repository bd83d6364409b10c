"""`infogan.dashboard`: panels for every code, none without data; saved where there is a server, else left as a file."""

import json
import shutil
import sys

import pytest
import wandb
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf
from PIL import Image

from infogan import dashboard
from infogan.config.check import check
from infogan.experiments.fit import train
from infogan.experiments.prepare import create
from infogan.run_folder.configuration import load_config
from infogan.run_folder.evaluation import Evaluation
from infogan.tracking.wandb_run import add_evaluation
from tests.infogan.summaries import ATTRIBUTES
from tests.infogan.wandb_files import history, records
from tests.infogan.wandb_server import KEY, serving

pytest.importorskip("wandb_workspaces")

SCORES, *TABLES = (f"evaluation/{name}" for name in ("scores", "attributes_table", "categories_table"))


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    """Two runs that differ in λ, logged to W&B offline."""
    outputs = tmp_path_factory.mktemp("outputs")
    folder = outputs / "lambdas"
    folder.mkdir()
    (folder / "multirun.yaml").touch()
    short = ["trainer=cpu", "trainer.threads=1", "trainer.max_iterations=6", "callbacks.traversal_rows=2"]
    often = ["callbacks.log_every=3", "callbacks.scores_every=6", f"paths.stores={outputs}/stores"]
    for value in ("0.1", "1"):
        swept = [f"model.lambda_categorical={value}", "model.lambda_continuous=${model.lambda_categorical}"]
        with initialize_config_module("infogan.conf", version_base="1.3"):
            values = compose("train", ["data=digits", "logger=wandb", "logger.mode=offline", *short, *often, *swept])
        train(create(check(OmegaConf.to_container(values, resolve=True)), folder, f"lambda_{value}"))
    return folder


@pytest.fixture
def command(call, tmp_path):
    return lambda *arguments: call(dashboard.main, f"paths.outputs={tmp_path}", *arguments)


def keys_of(folder):
    """What W&B's offline file of a run holds: history keys, an image or a table counted once, and the config's λ."""
    found = records(folder)
    keys = {key.removesuffix("/_type") for key in set().union(*history(found))}
    config, *_ = ({item.key: json.loads(item.value_json) for item in record.run.config.update} for record in found
                 if record.WhichOneof("record_type") == "run")  # fmt: skip
    return keys | {f"config:lambda.value.{code}" for code in config["lambda"]}


def panels_of(node):
    """All panels of a workspace or report, whatever they lie in."""
    if isinstance(node, dict):
        if "viewType" in node:
            return [node]
        node = list(node.values())
    return [panel for child in node for panel in panels_of(child)] if isinstance(node, list) else []


def shown_by(panel):
    """The keys that a panel reads."""
    config = panel["config"]
    if panel["viewType"] == "Scatter Plot":
        return [config["xAxis"], config["yAxis"].removeprefix("summary:")]
    if panel["viewType"] == "Weave":
        return [key for key in ("codes_by_factor", "matching", SCORES, *TABLES) if f'"{key}"' in json.dumps(panel)]
    return [*config.get("metrics", []), *config.get("mediaKeys", [])]


@pytest.fixture
def evaluated(sweep, tmp_path):
    """A copy of a run of the sweep, with an evaluation in its folder and in W&B."""
    folder = shutil.copytree(sweep / "lambda_1", tmp_path / "evaluated")
    information = {"c1": {"entropy": 2.3, "eval": {"mean": 2.0, "low": 1.9, "high": 2.1}},
                   "c2": {"entropy": 0.7, "eval": {"mean": 0.1}}}  # fmt: skip
    clustering = {"c1": {"nmi": 0.5, "ari": 0.5, "acc": 0.5, "error_by_class": {"0": 0.5}}}
    evaluation = Evaluation(
        iterations=6,
        information=information,
        clustering=clustering,
        attributes=ATTRIBUTES,
        image_quality={"samples": 1000},
    )
    lines = ["score,value,low,high", *(f"{name},{value},," for name, (value, _, _) in evaluation.rows.items())]
    (folder / "evaluation.csv").write_text("\n".join(lines) + "\n")
    evaluation.save(folder)
    picture = Image.new("RGB", (8, 8))
    (folder / "figures" / "evaluation").mkdir()
    picture.save(folder / "figures" / "evaluation" / "neighbours.png")
    add_evaluation(folder, load_config(folder), 6, evaluation, {"neighbours": picture}, folder / "report.html")
    return folder


def test_an_evaluation_has_panels_a_score_each(command, evaluated):
    assert command(f"run={evaluated}")[0] == 0
    left = json.loads((evaluated / "dashboard.json").read_text())
    for part in ("workspace", "report"):
        panels = [shown_by(panel) for panel in panels_of(left[part])]
        assert set().union(*panels) <= keys_of(evaluated)
        assert ["evaluation/information/c1/eval", "evaluation/information/c2/eval"] in panels
        assert ["evaluation/clustering/c1/acc"] in panels
        assert ["evaluation/neighbours"] in panels
        for table in ("scores", "attributes_table", "categories_table"):
            assert [f"evaluation/{table}"] in panels
        assert ["evaluation/attributes/tad/score"] in panels
        shown = set().union(*panels)
        numbers_of_the_protocol = {"evaluation/image_quality/samples", "evaluation/information/c1/entropy"}
        assert not shown & {*numbers_of_the_protocol, "evaluation/clustering/c1/error_by_class/0"}


def test_every_code_has_panels_and_none_is_empty(command, sweep):
    code, out, err = command(f"sweep={sweep}")
    assert (code, err) == (0, "")
    assert out.startswith("not sent: W&B is offline here: ")
    assert out.count("\n") == 1
    assert f"wandb sync {sweep}/*/wandb/offline-run-*" in out
    there = keys_of(sweep / "lambda_1")
    left = json.loads((sweep / "dashboard.json").read_text())
    for part in ("workspace", "report"):
        panels = [shown_by(panel) for panel in panels_of(left[part])]
        assert all(panels)
        assert set().union(*panels) <= there
        for name in ("c1", "c2", "c3"):
            assert [f"information/{name}", f"entropy/{name}"] in panels
            assert [f"figures/{name}"] in panels
        assert ["D/real", "D/fake"] in panels
        assert ["config:lambda.value.c1", "acc"] in panels
        assert ["config:lambda.value.c2", "acc"] not in panels, "one λ moves all codes"
        assert ["codes_by_factor"] in panels
        assert ["evaluation/scores"] not in panels, "there is no evaluation"
        assert ["information_at_mse/c2", "information_at_mse/c3"] in panels
        assert ["config:lambda.value.c1", "information_at_mse/c2"] in panels
        assert ["report"] in panels
        assert ["film"] not in panels, "grids of one time make none"
    grids = [panel for panel in panels_of(left["report"]) if panel["config"].get("gallerySettings")]
    assert [panel["config"]["gallerySettings"]["axis"] for panel in grids] == ["run"] * 4


def test_a_run_alone_has_no_axis_of_lambda(command, sweep):
    code, out, _ = command(f"run={sweep}/lambda_1")
    assert code == 0
    assert f"wandb sync {sweep}/lambda_1/wandb/offline-run-*" in out
    left = json.loads((sweep / "lambda_1" / "dashboard.json").read_text())
    identifier = (sweep / "lambda_1" / "wandb" / "id").read_text()
    (runs,) = left["workspace"]["spec"]["section"]["runSets"]
    assert [(rule["key"]["name"], rule["value"]) for rule in runs["filters"]["filters"]] == [("name", [identifier])]
    assert "Scatter Plot" not in {panel["viewType"] for panel in panels_of(left)}


@pytest.mark.parametrize("mode", ["well", "500"])
def test_it_is_saved_where_there_is_a_server(mode, command, sweep, monkeypatch):
    monkeypatch.setattr(wandb.Api, "_HTTP_TIMEOUT", 1)  # WANDB_HTTP_TIMEOUT, which is read when it is imported
    (sweep / "dashboard.json").unlink(missing_ok=True)
    wandb.teardown()
    with serving(mode) as server:
        monkeypatch.setenv("WANDB_BASE_URL", server.url)
        monkeypatch.setenv("WANDB_API_KEY", KEY)
        server.runs |= {(sweep / name / "wandb" / "id").read_text() for name in ("lambda_0.1", "lambda_1")}
        code, out, _ = command(f"sweep={sweep}")
        wandb.teardown()
    assert code == 0
    if mode == "well":
        assert [line.split()[0] for line in out.splitlines()] == ["workspace:", "report:"]
        assert all(f"{server.url}/somebody/infogan" in line for line in out.splitlines())
        assert [view["type"] for view in server.views] == ["project-view", "runs"]
        assert not (sweep / "dashboard.json").exists()
    else:
        assert out.startswith("not sent: ")
        assert (sweep / "dashboard.json").is_file()


def test_what_is_no_run_of_wandb(command, digits_run, tmp_path, monkeypatch):
    assert command(f"run={tmp_path}")[::2] == (
        2,
        f"error: run={tmp_path} is not a run folder (it holds no config.yaml); run=latest takes the newest\n",
    )
    code, _, err = command(f"run={digits_run}")
    assert (code, err) == (
        2,
        f"error: {digits_run}: nothing there was logged to W&B: logger=wandb does it while a run trains\n",
    )
    code, _, err = command()
    assert code == 2
    assert err.startswith("error: run=<folder>, run=latest or sweep=")
    monkeypatch.setitem(sys.modules, "wandb_workspaces", None)
    monkeypatch.delitem(sys.modules, "infogan.tracking.workspace", raising=False)
    monkeypatch.delattr("infogan.tracking.workspace", raising=False)
    code, _, err = command(f"run={digits_run}")
    assert (code, err.count("\n")) == (2, 1)
    assert err.endswith("pip install 'infogan-lab[dashboard]'\n")

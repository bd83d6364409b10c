"""What people type and paste after a command: it works, or one line says how it is written."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import yaml
from hydra import compose, initialize_config_module
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from infogan import compare, edit, evaluate, explore, export, film, generate, runs, train
from infogan.arguments import in_hydras_grammar
from infogan.config.check import check
from infogan.errors import ConfigError, RunError, as_text

SWEEP = Path(__file__).parents[2] / "examples" / "wandb_sweep.yaml"


def composed(*words):
    with initialize_config_module("infogan.conf", version_base="1.3"):
        return OmegaConf.to_container(compose("train", in_hydras_grammar(words)), resolve=True)


def model_of(*words):
    return check(composed(*words)).model


PASTED = ["/x/my photos, 2024=a", "/x/a=b", "/x/a,b", "[1]", "/x/[2024] a", "/x/{a}", "/x/it's", '/x/say "a"',
          "/x/a(1).png", "a[1-3]*.png", "2024",  "true", "/x/a, b\\", "\"", "'", "{a: 1}",
          "/x/фото, 2024"]  # fmt: skip
"""Neither works as it stands: Hydra reads something else, or nothing."""


@pytest.mark.parametrize("pasted", PASTED)
def test_what_cannot_be_read_is_told_with_what_can(call, tmp_path, pasted):
    """The line names the argument, and ends with a word for the shell that does what was meant."""
    run = ["data=folder", f"paths.outputs={tmp_path}", f"paths.stores={tmp_path}/stores"]
    code, out, err = call(train.main, *run, f"data.path={pasted}")
    assert (code, err.count("\n")) == (2, 1), (out, err)
    if pasted == "{a: 1}":  # a section is no text, and has no text
        assert err == "error: data.path: input should be a valid string\n"
        return
    assert err.startswith(f"error: data.path={pasted}: ")
    assert as_text("data.path", pasted) in err
    (word,) = shlex.split(as_text("data.path", pasted))
    code, _, err = call(train.main, *run, word)
    assert (code, err) == (2, f"error: {Path(pasted).absolute()} does not exist\n")


@pytest.mark.parametrize("pasted", ["~/photos", "/x/фото 猫", "/x/ünï", "/x/a&b;c#d", "/x/a!b", "/x/*.png", "<x>",
                                    "/x/a b", "C:\\new\\x", "/x/a:b", "it%20s"])  # fmt: skip
def test_what_can_only_be_text_is_text(pasted):
    """`~/photos` stands in --help, and ended in an error about a lexer."""
    (word,) = in_hydras_grammar([f"data.path={pasted}"])
    assert OverridesParser.create().parse_override(word).value() == pasted
    assert composed("data=folder", f"data.path={pasted}")["data"]["path"] == pasted


def test_text_in_a_sweep():
    words = in_hydras_grammar(["-m", "data.path=~/a,/x/фото,b"])
    (override,) = OverridesParser.create().parse_overrides(words[1:])
    assert [getattr(value, "text", value) for value in override.value().list] == ["~/a", "/x/фото", "b"]
    with pytest.raises(ConfigError, match="cannot be read as it stands"):
        in_hydras_grammar(["data.path=~/a,b"])


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_as_text_is_the_text(value):
    """Through a shell and Hydra's grammar, whatever it is."""
    (word,) = shlex.split(as_text("data.path", value))
    assert OverridesParser.create().parse_override(word).value() == value
    assert in_hydras_grammar([word]) == [word]


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_value_is_kept_or_refused_with_the_word_that_keeps_it(value):
    """Where Hydra takes it for text, that is the text; but for a backslash before another, as Hydra has it."""
    try:
        (word,) = in_hydras_grammar([f"data.path={value}"])
    except ConfigError as error:
        assert as_text("data.path", value) in str(error)
        return
    override = OverridesParser.create().parse_override(word)
    if not override.is_sweep_override() and isinstance(override.value(), str) and word != f"data.path={value}":
        assert override.value() == value


def test_an_optional_key_of_a_layer():
    layers = model_of("data=svhn", "model.generator.layers.2.batch_norm=true").generator.layers
    assert [layer.batch_norm for layer in layers] == [True, True, True, False, False]
    assert model_of("model.discriminator.posterior.0.slope=0.3").discriminator.posterior[0].slope == 0.3
    sized = model_of("data=folder", "data.path=x", "model.generator.layers.64.3.batch_norm=false")
    assert [layer.batch_norm for layer in sized.generator.layers] == [True, True, True, False, True, False]


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("model.generator.layers.7.batch_norm=true", "model.generator.layers.7.batch_norm=true: there are not so many"),
        ("model.generator.layers.1.norm=true", "model.generator.layers.1.norm: there is no such key"),
        ("model.generator.layers.1={up:3,stride:2}", "this would be merged with what is there; model.generator."),
        ("model.generator.norm=true", "model.generator.norm: there is no such key"),
        ("model.codes.c1.sigma=1", "model.codes.c1.sigma: there is no such key"),
        ("codes.c1=3", "codes: there is no such key"),
        ("~model.codes.c4", "'model.codes.c4' does not exist"),
        ("model.codes={}", "model.codes"),
        ("data=[mnist,digits]", "data=[mnist,digits]: a group takes the name of a choice"),
        ("trainer=null", "trainer=null: a group takes the name of a choice"),
        ("data", "data: a value is set by <key>=<value>"),
        ("=3", "=3"),
    ],
)  # fmt: skip
def test_other_mistakes(call, tmp_path, word, message):
    code, _, err = call(train.main, f"paths.outputs={tmp_path}", word)
    assert (code, err.count("\n")) == (2, 1), err
    assert message in err


NEW = "{kind: uniform, low: -1, high: 1, sigma: 1.0}"


@pytest.mark.parametrize("plus", ["", "+", "++"])
def test_a_code_is_added(plus):
    codes = model_of(f"{plus}model.codes.c9={NEW}").codes
    assert list(codes) == ["c1", "c2", "c3", "c9"]
    assert (codes["c9"].kind, codes["c9"].high, codes["c9"].lambda_code) == ("uniform", 1, None)
    by_parts = [f"model.codes.c9.{part}" for part in ("kind=uniform", "low=-1", "high=1", "sigma=1.0")]
    assert model_of(*by_parts).codes == codes


def test_codes_that_are_given_as_a_whole_are_all_codes():
    assert list(model_of(f"model.codes={{c1: {NEW}}}").codes) == ["c1"]
    assert list(model_of(f"model.codes={{a: {NEW}, b: {NEW}}}", "model.codes.a.low=-3").codes) == ["a", "b"]
    codes = model_of("model.codes.c2={kind: categorical, classes: 3}").codes
    assert [code.description for code in codes.values()][1] == "3 categories"
    assert list(codes) == ["c1", "c2", "c3"]
    assert list(model_of("~model.codes.c3").codes) == ["c1", "c2"]
    assert model_of("model.codes.c3.lambda_code=0.5").lambdas == {"c1": 1, "c2": 1, "c3": 0.5}


def test_a_run_says_which_codes_it_has(call, tmp_path):
    run = ["logger=none", "trainer=cpu", "trainer.threads=1", f"paths.outputs={tmp_path}", "callbacks.traversal_rows=1"]
    code, out, err = call(train.main, *run, "trainer.max_iterations=2", "~model.codes.c3", f"model.codes.c9={NEW}")
    assert (code, err) == (0, "")
    uniform = "c2, c9 (uniform on [-1, 1], σ of Q 1)"
    assert f"codes: c1 (10 categories), {uniform}; ~model.codes.<name> leaves one out\n" in out
    code, out, _ = call(train.main, "run=latest", "trainer.max_iterations=3", f"paths.outputs={tmp_path}")
    assert code == 0
    assert "codes:" not in out


def test_the_names_of_a_sweeps_jobs(call, tmp_path):
    """Nothing of what is added for Hydra is in them."""
    run = [
        "-m",
        "logger=none",
        "trainer=cpu",
        "trainer.threads=1",
        "trainer.max_iterations=2",
        "callbacks.traversal_rows=1",
    ]
    places = [f"paths.outputs={tmp_path}", f"hydra.sweep.dir={tmp_path}/sweep"]
    code, _, err = call(train.main, *run, *places, "model.codes.c2.lambda_code=0,1")
    assert (code, err) == (0, "")
    code, _, err = call(train.main, *run, *places, "model.codes={c1: {kind: categorical, classes: 3}}")
    assert (code, err) == (0, "")
    names = sorted(path.parent.name for path in tmp_path.glob("sweep/*/config.yaml"))
    of_one = "model.codes__c1_kind_categorical_classes_3"
    assert names == ["model.codes.c2.lambda_code_0", "model.codes.c2.lambda_code_1", of_one]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--seed=3"], "--seed=3: values are set without hyphens, seed=3; the command of a W&B sweep takes "
                       "${args_no_hyphens}, as in examples/wandb_sweep.yaml"),
        (["--run=latest"], "--run=latest: values are set without hyphens, run=latest; "),
        (["--model.noise=3", "data=mnist"], "--model.noise=3: values are set without hyphens, model.noise=3; "),
        (["--seed", "3"], "--seed: there is no such option; --help lists the keys, which are set without hyphens"),
        (["-x"], "-x: there is no such option; "),
        (["--cfg", "jobs"], "argument --cfg/-c: invalid choice: 'jobs'"),
        (["-m", "--cfg", "job"], "-m and --cfg cannot be given together"),
        (["--resolve"], "--resolve belongs to --cfg job"),
    ],
)  # fmt: skip
def test_options_that_there_are_not(call, words, message):
    for command in (train, runs):
        code, out, err = call(command.main, *words)
        assert (code, out, err.count("\n")) == (2, "", 1), err
        assert err.startswith(f"error: {message}")


def test_the_words_of_a_wandb_agent(monkeypatch, tmp_path):
    """What W&B's own agent makes of the example, run as a process as the agent does; the W&B run is the agent's."""
    from wandb import wandb_agent

    config = yaml.safe_load(SWEEP.read_text())
    started = []

    def start(command, env, **options):
        started.append((command, env))
        return SimpleNamespace()

    monkeypatch.chdir(tmp_path)
    for name in ("WANDB_SWEEP_ID", "WANDB_RUN_ID", "WANDB_SWEEP_PARAM_PATH"):
        monkeypatch.setenv(name, "of_the_agent")
    monkeypatch.setattr(wandb_agent, "AgentProcess", start)
    agent = wandb_agent.Agent.__new__(wandb_agent.Agent)
    agent._sweep_command, agent._function, agent._in_jupyter = config["command"], None, False
    agent._forward_signals, agent._run_processes = False, {}
    chosen = {"data": "digits", "seed": 2, "model.lambda_categorical": 0.25, "model.lambda_continuous": 1e-05}
    assert set(chosen) == set(config["parameters"])
    values = {name: {"value": value} for name, value in chosen.items()}
    agent._command_run({"type": "run", "run_id": "run1", "program": config["program"], "args": values})
    ((command, environment),) = started
    assert command[:4] == ["/usr/bin/env", "python", "-m", "infogan.train"]
    short = ["logger.mode=offline", "trainer=cpu", "trainer.threads=1", "trainer.max_iterations=2"]
    words = [sys.executable, *command[2:], *short, "callbacks.traversal_rows=1", "paths.outputs=outputs"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    (folder,) = (path.parent for path in (tmp_path / "outputs").glob("*/config.yaml"))
    written = yaml.safe_load((folder / "config.yaml").read_text())
    model = written["model"]
    assert (written["seed"], model["lambda_categorical"], model["lambda_continuous"]) == (2, 0.25, 1e-05)
    assert (folder / "wandb" / "id").read_text() == "run1"
    assert [path.name.rpartition("-")[2] for path in (folder / "wandb").glob("offline-run-*")] == ["run1"]
    assert config["metric"]["name"] in json.loads((folder / "summary.json").read_text())


COMPUTING = {"evaluate": evaluate, "compare": compare, "generate": generate, "edit": edit, "explore": explore,
             "export": export, "film": film}  # fmt: skip


@pytest.mark.parametrize("name", COMPUTING)
def test_the_number_of_threads_is_a_key_of_every_command_that_computes(call, monkeypatch, name):
    needed = {"edit": ["image=x.png"], "compare": ["runs=[x]"], "export": ["to=x"]}.get(name, [])
    for wrong in (0, -1, 1.5, "many"):
        code, _, err = call(COMPUTING[name].main, *needed, f"threads={wrong}")
        assert code == 2
        assert err.startswith(f"error: threads={wrong}: ")

    def seen(*_):
        raise RunError(f"{torch.get_num_threads()} threads")

    monkeypatch.setattr("infogan.run_folder.paths.open_run", seen)
    before = torch.get_num_threads()
    for asked in (3, 5):
        assert call(COMPUTING[name].main, *needed, f"threads={asked}") == (2, "", f"error: {asked} threads\n")
    assert torch.get_num_threads() == before


COUNTS = """
import torch, numpy
from threadpoolctl import threadpool_info
from infogan.experiments.machine import threads

def counts():
    return torch.get_num_threads(), *sorted({pool["num_threads"] for pool in threadpool_info()})

before = counts()
with threads(1):
    import scipy.linalg, sklearn.ensemble
    print(*counts())
print(before == counts(), max(before))
"""


@pytest.mark.skipif(os.cpu_count() == 1, reason="one core: nothing to be less than")
def test_threads_of_all_libraries():
    """Of those that are loaded before, and of those that are loaded after."""
    free = {key: value for key, value in os.environ.items() if not key.endswith("_NUM_THREADS")}
    done = subprocess.run([sys.executable, "-c", COUNTS], capture_output=True, text=True, env=free, check=True)
    inside, outside = done.stdout.splitlines()
    assert inside == "1 1"
    assert outside.startswith("False ") and int(outside.split()[1]) > 1


LOADS_TORCH = """
import os, sys
from importlib.abc import MetaPathFinder

class Finder(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "torch":
            sys.exit(str(os.environ.get("OMP_WAIT_POLICY")))

sys.meta_path.insert(0, Finder())
from infogan.{command} import main
main()
"""


@pytest.mark.parametrize(
    ("command", "words", "chosen", "message"),
    [
        ("compare", ["runs=[nowhere]"], None, "PASSIVE"),
        ("evaluate", ["run=nowhere"], None, "PASSIVE"),
        ("edit", ["image=nowhere"], None, "PASSIVE"),
        ("evaluate", ["run=nowhere"], "ACTIVE", "ACTIVE"),
        ("train", [], None, "None"),
    ],
)
def test_threads_that_wait_sleep(command, words, chosen, message, tmp_path):
    """OpenMP reads it when PyTorch is loaded; what the user has chosen stays, and training spins."""
    others = {key: value for key, value in os.environ.items() if key != "OMP_WAIT_POLICY"}
    own = {} if chosen is None else {"OMP_WAIT_POLICY": chosen}
    arguments = [sys.executable, "-c", LOADS_TORCH.replace("{command}", command), *words, f"paths.outputs={tmp_path}"]
    done = subprocess.run(arguments, capture_output=True, text=True, env=others | own)
    assert done.stderr == f"{message}\n"


def test_threads_of_training(call, tmp_path):
    code, _, err = call(train.main, "trainer.threads=0", f"paths.outputs={tmp_path}")
    assert (code, err) == (2, "error: trainer.threads=0: input should be greater than or equal to 1\n")

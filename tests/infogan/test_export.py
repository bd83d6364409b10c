"""`infogan.export`: a folder that opens as the run does, without what trained it; its ONNX files compute the same."""

import importlib.util
import json
import pickle
import re
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

import infogan
from infogan import export, generate
from infogan.codes.latents import Latents
from infogan.codes.uniform import LOG_SIGMA_FLOOR
from infogan.config.check import check
from infogan.config.versions import VERSION
from infogan.errors import RunError
from infogan.networks import Discriminator, build_generator
from infogan.pages.card import escaped, front_matter, write_card
from infogan.trained import onnx_export as onnx_files
from infogan.trained.model import Model, load_run
from infogan.trained.onnx_export import write_onnx
from tests.infogan.processes import Forked, ended

pytest.importorskip("onnxscript")
onnxruntime = pytest.importorskip("onnxruntime")

LICENCE = "CC BY 4.0 (UCI Machine Learning Repository)"


@pytest.fixture(scope="module")
def exported(digits_run, tmp_path_factory):
    """The folder that the run of 20 iterations is exported to."""
    place = tmp_path_factory.mktemp("exported") / "model"
    export.export(load_run(digits_run), LICENCE, place)
    return place


@pytest.fixture
def copy(exported, tmp_path):
    """A copy of it to damage."""
    return shutil.copytree(exported, tmp_path / "copy")


def test_the_command(call, digits_run, exported, tmp_path):
    code, out, _ = call(export.main, f"run={digits_run}", f"to={tmp_path}/model")
    assert code == 0
    assert len(re.findall(r"(generator|encoder)\.onnx differs from PyTorch by \de-0\d|\.\de-0\d at most", out)) == 2
    assert f"exported: {tmp_path}/model" in out and out.endswith(f'open it: infogan.load("{tmp_path}/model")\n')
    assert "missing" not in out
    names = {
        "README.md",
        "config.json",
        "encoder.onnx",
        "figures",
        "generator.onnx",
        "model.safetensors",
        "summary.json",
    }
    assert {path.name for path in (tmp_path / "model").iterdir()} == names
    assert sorted(path.name for path in (tmp_path / "model" / "figures").iterdir()) == ["c1.png", "c2.png", "c3.png"]
    for name in ("README.md", "config.json", "model.safetensors"):
        assert (tmp_path / "model" / name).read_bytes() == (exported / name).read_bytes(), "a function of the run"
    modes = {(tmp_path / "model" / name).stat().st_mode for name in ("README.md", "model.safetensors")}
    assert len(modes) == 1, "the weights can be read by whoever reads the card"


def test_it_opens_without_what_trained_it_and_draws_what_the_command_draws(call, digits_run, exported, tmp_path):
    asked = ["count=510", "seed=5", "codes.c1=3", "codes.c2=0.5", "codes.c3=-2:2"]
    assert call(generate.main, f"run={digits_run}", "format=npz", f"to={tmp_path}/images", *asked)[0] == 0
    script = (
        "import sys, numpy\n"
        "from infogan import load\n"
        f"model = load({str(exported)!r})\n"
        "images = model.generate(count=510, seed=5, c1=3, c2=0.5, c3='-2:2')\n"
        f"numpy.savez({str(tmp_path / 'drawn.npz')!r}, images=images, **model.encode(images))\n"
        "print([m for m in ('lightning', 'hydra', 'omegaconf', 'wandb', 'yaml') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    drawn, written = np.load(tmp_path / "drawn.npz"), np.load(tmp_path / "images" / "images.npz")
    assert drawn["images"].dtype == np.uint8 and (drawn["images"] == written["images"]).all()
    assert len(np.unique(drawn["images"], axis=0)) > 500
    codes = infogan.load(digits_run).encode(drawn["images"])
    assert {name: codes[name].numpy().tolist() for name in codes} == {name: drawn[name].tolist() for name in codes}


def test_it_knows_what_the_run_knows(digits_run, exported):
    model, run = infogan.load(exported), infogan.load(digits_run)
    for name in ("matching", "scored_code", "value_range", "iteration", "latents", "layout", "summary"):
        assert getattr(model, name) == getattr(run, name)
    facts = json.loads((exported / "config.json").read_text())
    assert (facts["version"], facts["image_shape"], facts["value_range"]) == (VERSION, [1, 8, 8], [0.0, 1.0])
    assert (facts["columns"], facts["width"]) == ({"c1": [0, 10], "c2": [10, 11], "c3": [11, 12]}, 74)


def test_onnx_computes_the_same_for_any_number_of_images(digits_run, exported):
    run = load_run(digits_run)
    latent = run.sample(5, seed=9)
    (images,) = onnxruntime.InferenceSession(exported / "generator.onnx").run(None, {"latents": latent.numpy()})
    wanted = run.generator(latent)
    np.testing.assert_allclose(images, wanted.numpy(), atol=1e-5)
    session = onnxruntime.InferenceSession(exported / "encoder.onnx")
    assert [output.name for output in session.get_outputs()] == ["c1", "c2", "c3"]
    codes = session.run(None, {"images": images})
    means = run.latents.split(run.latents.posterior_mean(run.discriminator(wanted)[1]))
    for name, found in zip(("c1", "c2", "c3"), codes, strict=True):
        np.testing.assert_allclose(found, means[name].numpy(), atol=1e-5)
    for name in ("generator", "encoder"):
        assert b".py" not in (exported / f"{name}.onnx").read_bytes(), "no names of this machine's files"


def test_onnx_of_a_model_with_spectral_norm_and_a_learned_sigma(compose_values, tmp_path):
    of = ["model.discriminator.spectral_norm=true", "model.codes.c3.sigma=learned", "model.generator.output=tanh"]
    config = check(compose_values("data=digits", *of)).model
    latents = Latents.from_config(config)
    generator = build_generator(config.generator, latents).eval().requires_grad_(False)
    discriminator = Discriminator(config.discriminator, generator.image_shape, latents.outputs)
    discriminator(torch.rand(8, 1, 8, 8))  # the power method takes a step
    discriminator.eval().requires_grad_(False)
    model = Model(tmp_path, latents, generator, discriminator, (-1.0, 1.0), 0)
    write_onnx(model, tmp_path)
    session = onnxruntime.InferenceSession(tmp_path / "encoder.onnx")
    assert [output.name for output in session.get_outputs()] == ["c1", "c2", "c3", "c3_sigma"]
    images = generator(model.sample(3, seed=0))
    assert images.min() < 0, "the networks' own range"
    sigma = session.run(["c3_sigma"], {"images": images.numpy()})[0]
    log_sigma = discriminator(images)[1][:, 12:]
    np.testing.assert_allclose(sigma, log_sigma.clamp_min(LOG_SIGMA_FLOOR).exp().numpy(), rtol=1e-4)


def test_the_card_is_one_that_the_hub_reads_and_its_examples_run(exported, tmp_path):
    text = (exported / "README.md").read_text()
    _, matter, body = text.split("---\n", 2)
    values = yaml.safe_load(matter)
    assert (values["license"], values["library_name"]) == ("cc-by-4.0", "pytorch")
    assert {"infogan", "onnx", "digits"} <= set(values["tags"])
    pictures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", body)
    assert pictures == [f"figures/c{k}.png" for k in (1, 2, 3)]
    assert all((exported / path).is_file() for path in pictures)
    for message in ("# InfoGAN on digits, seed 0", LICENCE, "20 iterations", "ACC 0.", "## Limits", "chen2016infogan"):
        assert message in body
    tables = [line for line in body.splitlines() if line.startswith("|")]
    assert "| 0 to 9 | c1, one-hot |" in tables and "| 12 to 73 | noise, even from -1 to 1 |" in tables
    assert any(line.startswith("| c1 | 10 categories | 1 |") for line in tables)
    examples = re.findall(r"```python\n(.*?)```", body, re.DOTALL)
    assert len(examples) == 2
    script = "\n".join(examples).replace("this folder", str(exported))
    script += "\nassert images.shape == (1, 1, 8, 8) and codes[0].shape == (1, 10)"
    code, _, err = ended(Forked(program=("-c", script), cwd=exported))
    assert code == 0, err


def test_the_card_of_an_unfinished_run_says_so(digits_run, tmp_path):
    run = shutil.copytree(digits_run, tmp_path / "run")
    (run / "summary.json").unlink()
    (run / "figures" / "c2.png").write_bytes(b"none")
    evaluation = {"iterations": 20, "protocol": {"seed": 7}, "image_quality": {"kid": 0.125}, "clustering": "no labels"}
    (run / "evaluation.json").write_text(json.dumps(evaluation))
    (run / "provenance.json").write_text(json.dumps([{"command": "python -m x\n```\n<script>"}]))
    (tmp_path / "card").mkdir()
    missing = write_card(tmp_path / "card", load_run(run), "of <b>nobody</b>")
    text = (tmp_path / "card" / "README.md").read_text()
    gaps = " ".join(gap.text for gap in missing)
    assert "The run has not finished: 20 iterations" in gaps and "c2.png is damaged" in gaps
    assert "The run has not finished: 20 iterations" in text and "python -m infogan.train" in text
    assert "(figures/c2.png)" not in text and "(figures/c1.png)" in text
    assert "| kid | 0.125 |" in text and "None: no labels." in text and "{'seed': 7}" in text
    assert "license: other\nlicense_name: of-b-nobody-b\n" in text
    assert "\n    python -m x\n    ```\n    <script>\n" in text, "a block of code that nothing in it can end"
    assert "<b>" not in text and r"of \<b\>nobody\</b\>" in text


def test_text_from_outside_stays_text():
    assert escaped("a|b\n<i> `c` [d](e)") == r"a\|b \<i\> \`c\` \[d\](e)"


@pytest.mark.parametrize(
    ("licence", "name"),
    [("CC BY-SA 3.0", "cc-by-sa-3.0"), ("MIT, as this code", "mit"), ("for non-commercial use (the authors)", "other")],
)
def test_the_licence_of_the_images_goes_with_the_weights(digits_run, licence, name):
    assert yaml.safe_load(front_matter(load_run(digits_run).config, licence))["license"] == name


class Trap:
    """A pickle of it runs code where it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def truncated(folder):
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(data[: len(data) // 2])


def pickled(folder):
    (folder / "model.safetensors").write_bytes(pickle.dumps(Trap(folder / "sprung")))


def pickled_by_torch(folder):
    torch.save({"generator": Trap(folder / "sprung")}, folder / "model.safetensors")


def of_another_model(folder):
    tensors = load_file(folder / "model.safetensors")
    del tensors["generator.to_image.0.weight"]
    save_file(tensors, folder / "model.safetensors")


def configured(change):
    def damage(folder):
        values = json.loads((folder / "config.json").read_text())
        change(values)
        (folder / "config.json").write_text(json.dumps(values))

    return damage


DAMAGES = {
    "truncated": (truncated, "model.safetensors is not a safetensors file, or is damaged"),
    "pickle": (pickled, "model.safetensors is not a safetensors file, or is damaged"),
    "pickle by torch": (pickled_by_torch, "model.safetensors is not a safetensors file, or is damaged"),
    "weights gone": (lambda folder: (folder / "model.safetensors").unlink(), "model.safetensors does not exist"),
    "a folder": (
        lambda folder: ((folder / "model.safetensors").unlink(), (folder / "model.safetensors").mkdir()),
        "model.safetensors is not a safetensors file",
    ),
    "a weight gone": (of_another_model, "does not fit the model of config.json there"),
    "config gone": (lambda folder: (folder / "config.json").unlink(), "is neither a run"),
    "no JSON": (lambda folder: (folder / "config.json").write_text("{"), "config.json could not be read"),
    "deep": (lambda folder: (folder / "config.json").write_text("[" * 10**5), "config.json could not be read"),
    "a list": (lambda folder: (folder / "config.json").write_text("[]"), "config.json is damaged: it holds no object"),
    "of tomorrow": (
        configured(lambda values: values.update(version=VERSION + 1)),
        f"config.json is of version {VERSION + 1}, this one reads {VERSION}: update",
    ),
    "unknown key": (configured(lambda values: values.update(code="x")), "does not fit this version: code: there is no"),
    "another width": (
        configured(lambda values: values["model"].update(noise=61)),
        "does not fit the model of config.json there",
    ),
    "layers that do not meet": (
        configured(lambda values: values["model"]["discriminator"]["trunk"].append({"fc": 5})),
        "does not fit the model of config.json there",
    ),
    "no image": (
        configured(lambda values: values["model"]["generator"].update(layers=[{"fc": 64}])),
        "does not fit the model of config.json there",
    ),
    "a contradiction": (
        configured(lambda values: values.update(value_range=[-1.0, 1.0])),
        r"contradicts itself: its model has value_range \[0.0, 1.0\]",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_what_is_damaged_or_hostile_is_refused_in_one_line_and_never_run(copy, name):
    damage, message = DAMAGES[name]
    damage(copy)
    with pytest.raises(RunError, match=message) as error:
        infogan.load(copy)
    assert "\n" not in str(error.value)
    assert not (copy / "sprung").exists()


def test_a_difference_ends_the_export_and_leaves_nothing(call, digits_run, monkeypatch, tmp_path):
    monkeypatch.setattr(onnx_files, "TOLERANCE", 0.0)
    code, _, err = call(export.main, f"run={digits_run}", f"to={tmp_path}/place/model")
    assert code == 2 and "generator.onnx differs from PyTorch by " in err and err.count("\n") == 1
    assert list((tmp_path / "place").iterdir()) == []


def test_a_model_of_numbers_that_are_none_is_not_exported(digits_run, tmp_path):
    run = load_run(digits_run)
    generator = build_generator(run.config.model.generator, run.latents).eval().requires_grad_(False)
    generator.to_image[0].bias.fill_(torch.nan)
    with pytest.raises(RunError, match=r"generator\.onnx differs from PyTorch by nan"):
        write_onnx(replace(run, generator=generator), tmp_path)


def test_a_package_that_is_missing_is_named_before_anything_is_done(call, digits_run, monkeypatch, tmp_path):
    found = importlib.util.find_spec
    monkeypatch.setattr(onnx_files, "find_spec", lambda name: None if name.startswith("onnx") else found(name))
    code, _, err = call(export.main, f"run={digits_run}", f"to={tmp_path}/model")
    assert (code, err) == (
        2,
        "error: an export needs onnx, onnxscript, onnxruntime: pip install 'infogan-lab[export]'\n",
    )
    assert list(tmp_path.glob("*model*")) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["to=null"], "to=<folder> must name the folder to make"),
        (["run=nowhere"], "run=nowhere is not a run folder"),
        (["format=onnx"], "format: there is no such key"),
    ],
)
def test_mistakes(call, digits_run, tmp_path, arguments, message):
    code, _, err = call(export.main, f"run={digits_run}", f"to={tmp_path}/model", *arguments)
    assert code == 2 and err.startswith("error: ") and err.count("\n") == 1 and message in err
    assert list(tmp_path.glob("*model*")) == []


def test_what_is_there_is_left_alone(call, digits_run, copy):
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    code, _, err = call(export.main, f"run={digits_run}", f"to={copy}")
    assert code == 2 and "exists and is not an empty folder" in err
    assert {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == before

"""The model card of an exported folder, in the form that the Hugging Face hub reads, with a picture of each code."""

import re
from pathlib import Path
from typing import Any

import torch

from infogan.codes.domain import Choice, Circle, Domain, Interval
from infogan.config.training import Config
from infogan.pages.findings import beside_published, code_caption, code_row, findings
from infogan.pages.origin import made_of, repeated, unfinished
from infogan.pages.page import Gap, attempt, rendered
from infogan.pages.published import published_for
from infogan.pages.run import newest_picture, score_parts
from infogan.run_folder.contents import read_provenance
from infogan.run_folder.evaluation import read_evaluation
from infogan.run_folder.files import read_picture
from infogan.run_folder.status import read_status
from infogan.trained.model import Trained

LICENCES = {"CC BY 4.0": "cc-by-4.0", "CC BY-SA 3.0": "cc-by-sa-3.0", "MIT": "mit", "Apache-2.0": "apache-2.0",
            "CC0": "cc0-1.0"}  # fmt: skip
"""How a data set's licence begins, and what the hub calls it."""


NOISE = {
    "uniform": ("even from -1 to 1", "uniform(-1, 1, (1, {}))"),
    "normal": ("normal, of mean 0 and variance 1", "normal(size=(1, {}))"),
}
"""How noise is drawn, by the name of its distribution, in words and in NumPy."""


def write_card(folder: Path, trained: Trained, licence: str) -> list[Gap]:
    """README.md in `folder`, and figures/<code>.png, which it shows; `licence` is that of the training images.

    Returns what is missing in it.
    """
    run, config, status = trained.folder, trained.config, read_status(trained.folder)
    missing: list[Gap] = [unfinished(status)] if status.state in ("stopped", "running") else []
    evaluation = attempt(missing, read_evaluation, run)
    starts = attempt(missing, read_provenance, run) or []
    found = attempt(missing, findings, trained.summary, evaluation)
    pictures = {}
    for name in config.model.codes:
        picture = attempt(missing, read_picture, newest_picture(run, name))
        if picture is not None:
            pictures[name] = f"figures/{name}.png"
            (folder / "figures").mkdir(exist_ok=True)
            (folder / pictures[name]).write_bytes(picture[0])
    values = {
        "front_matter": front_matter(config, licence),
        "seed": config.seed,
        "title": f"InfoGAN on {config.data.name}, seed {config.seed}",
        "data": config.data.name,
        "licence": licence,
        "layout": trained.layout,
        "iteration": trained.iteration,
        "codes": [code_row(name, code, config, found) for name, code in config.model.codes.items()],
        "captions": {name: code_caption(name, config, found) for name in config.model.codes},
        "pictures": pictures,
        "outputs": [f"`{name}`" for name in trained.latents.parameters(torch.zeros(1, trained.latents.outputs))],
        "noise": NOISE[trained.latents.noise_distribution],
        "example": ", ".join(f"{code.name}={example(code.domain)}" for code in trained.latents.codes[:2]),
        "made_of": made_of(config, licence, starts, status),
        "starts": [repeated(start) for start in starts],
        "found": found,
        "published": published_for(config),
        "beside": beside_published(config, found, evaluation),
        "evaluated_at": evaluation and evaluation.iterations,
        "protocol": evaluation and evaluation.protocol,
        "parts": score_parts(evaluation),
        "missing": missing,
    }
    text = rendered("infogan.pages", "model_card.md", values, escaped)
    (folder / "README.md").write_text(text + "\n", encoding="utf-8")
    return missing


def example(domain: Domain) -> str:
    """A value of a code as it is given to `generate`."""
    examples = {Choice: lambda part: min(3, part.count - 1), Interval: lambda part: 0.5, Circle: lambda part: 45}
    values = [examples[type(part)](part) for part in domain.parts]
    return str(values[0] if len(values) == 1 else values)


def front_matter(config: Config, licence: str) -> str:
    """What the hub sorts models by, in YAML. The weights go under the licence of the images that they were made of."""
    import yaml

    known = next((name for text, name in LICENCES.items() if licence.startswith(text)), None)
    licence_fields = {"license": known or "other"}
    if known is None:
        licence_fields["license_name"] = re.sub(r"\W+", "-", licence).strip("-").lower()
    values = {
        **licence_fields,
        "library_name": "pytorch",
        "pipeline_tag": "unconditional-image-generation",
        "tags": ["infogan", "gan", "representation-learning", "disentanglement", "onnx", config.data.name],
    }
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True).strip()


def escaped(value: Any) -> Any:
    """A value as Markdown text on one line, whatever is in it; what the template calls safe is left as it is."""
    from markupsafe import Markup

    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return re.sub(r"([\\`*<>\[\]|&])", r"\\\1", " ".join(value.split()))

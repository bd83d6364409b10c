"""What the codes of a run were found to do, in words and numbers."""

from dataclasses import dataclass

from infogan.codes.latents import Latents
from infogan.config.codes import CodeSection
from infogan.config.training import Config
from infogan.errors import RunError
from infogan.pages.published import published_for
from infogan.run_folder.evaluation import Evaluation
from infogan.run_folder.summary import Factors, Summary
from infogan.scoring.against_labels import most_followed


@dataclass(frozen=True)
class Findings:
    """What the codes were found to do after so many iterations: L_I and H(c) in nats by code name (None: not finite),
    acc, nmi and ari of the scored code (empty without one), and which code follows which factor."""

    iterations: int
    information: dict[str, float | None]
    at_mse: dict[str, float | None]
    entropy: dict[str, float]
    clustering: dict[str, float]
    matching: dict[str, str]
    factors: Factors

    def scored_code(self, config: Config) -> str | None:
        """The name of the code whose acc, nmi, ari and matching these are; None where there is none."""
        code = Latents.from_config(config.model).code_for_classes(len(self.matching))
        return None if code is None else code.name


def findings(summary: Summary | None, evaluation: Evaluation | None) -> Findings:
    """What the summary says, else what the evaluation does. Raises RunError where neither says anything."""
    if summary is not None:
        return Findings(
            iterations=summary.iterations,
            information=summary.information,
            at_mse=summary.information_at_mse,
            entropy=summary.entropy,
            clustering=summary.clustering,
            matching=summary.matching or {},
            factors=summary.factors,
        )
    if evaluation is not None and isinstance(evaluation.information, dict):
        information, scored = evaluation.information, evaluation.scored
        return Findings(
            iterations=evaluation.iterations,
            information={name: code.eval.mean for name, code in information.items()},
            at_mse={name: code.at_mse for name, code in information.items() if code.at_mse is not None},
            entropy={name: code.entropy for name, code in information.items()},
            clustering={} if scored is None else scored.clustering,
            matching={} if scored is None else scored.matching or {},
            factors=evaluation.factors if isinstance(evaluation.factors, dict) else {},
        )
    raise RunError("The model was not measured: training writes summary.json at its end, infogan.evaluate its scores.")


def code_row(name: str, code: CodeSection, config: Config, found: Findings | None) -> tuple[str, ...]:
    """The cells of the table of codes: name, kind, λ, L_I, H(c), L_I at σ² = MSE, what it follows most."""
    cells = (name, code.description, f"{config.model.lambdas[name]:g}")
    if found is None:
        return (*cells, "", "", "", "")
    at_mse = _nats(found.at_mse[name]) if name in found.at_mse else ""
    entropy = f"{found.entropy[name]:.3f}" if name in found.entropy else ""
    return (*cells, _nats(found.information.get(name)), entropy, at_mse, most_followed(found.factors, name))


def code_caption(name: str, config: Config, found: Findings | None) -> str:
    """What a code was found to do."""
    code = config.model.codes[name]
    if found is None or name not in found.entropy:
        return f"{name}: {code.description}. Not measured."
    value, entropy = found.information.get(name), found.entropy[name]
    sentences = [f"{name}: {code.description}."]
    if Latents.from_config(config.model).code(name).groups is not None:
        share = "" if value is None else f" ({100 * value / entropy:.1f} %)"
        sentences.append(f"L_I {_nats(value)} of {entropy:.3f} nats{share}.")
        if found.scored_code(config) == name:
            scores = ", ".join(f"{score.upper()} {number:.3f}" for score, number in found.clustering.items())
            sentences.append(f"As a classifier on the test split: {scores}.")
            sentences.append(
                f"Categories stand for {', '.join(f'{k} → {label}' for k, label in found.matching.items())}."
            )
            return " ".join(sentences)
    elif name in found.at_mse:
        sentences.append(f"L_I {_nats(value)} nats with its fixed σ, {_nats(found.at_mse[name])} with σ² = MSE.")
    else:
        sentences.append(f"L_I {_nats(value)} nats with the σ that Q learned.")
    follows = most_followed(found.factors, name)
    sentences.append(
        f"It goes most with {follows}." if follows else "No factor of these images is known to compare with."
    )
    return " ".join(sentences)


def beside_published(
    config: Config, found: Findings | None, evaluation: Evaluation | None
) -> list[tuple[str, str, str]]:
    """(score, as published, of this run), where a paper has numbers for this data set."""
    published = published_for(config)
    if published is None:
        return []
    own = {name: _with_interval(row) for name, row in (evaluation.rows if evaluation else {}).items()}
    if found is not None and found.clustering:
        own["information"] = _nats(found.information.get(found.scored_code(config) or ""))
        own["error"] = f"{100 * (1 - found.clustering['acc']):.1f}"
    return [(score, value, own.get(key, "not measured")) for score, value, key in published.numbers]


def _with_interval(row: tuple[float, float | None, float | None]) -> str:
    value, low, high = row
    return f"{value:.3f}" if low is None or high is None else f"{value:.3f} ({low:.3f} … {high:.3f})"


def _nats(value: float | None) -> str:
    return "not finite" if value is None else f"{value:.3f}"

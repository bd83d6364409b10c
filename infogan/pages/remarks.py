"""What the scores say of the images, in sentences, with what to try."""

from infogan.codes.latents import Latents
from infogan.config.training import Config
from infogan.run_folder.evaluation import Evaluation

LEAST_VISIBLE = 0.8
"""Of what Q reads: below, codes are hidden in the image rather than drawn."""

LEAST_NOISE = 0.1
"""Of the distance between real images of a category: below, images of the same codes are one image."""

KINDS = {"pixels": "in pixels", "features": "in features of the extractor"}
"""Of distances."""

WHAT_TO_TRY = "try model.balance=1 (where it is on, half of it), or a smaller λ"


def remarks(config: Config, evaluation: Evaluation | None) -> list[str]:
    """A sentence or two for each thing that was measured: what of the codes can be seen, and what the noise does."""
    return [] if evaluation is None else [*_visible(config, evaluation), *_noise(evaluation)]


def _visible(config: Config, evaluation: Evaluation) -> list[str]:
    latents, whole, seen = Latents.from_config(config.model), 0.0, 0.0
    shares = {}
    for name, code in (evaluation.information if isinstance(evaluation.information, dict) else {}).items():
        if name in config.model.codes and code.visible_share is not None:
            shares[name] = code.visible_share
            read = latents.code(name).share_read(code.eval.mean)
            whole, seen = whole + read, seen + read * code.visible_share
    if not shares:
        return []
    least = min(shares, key=lambda name: shares[name])
    found = f"From images in 8 bits and lightly blurred Q still reads {_percent(seen / whole)} of the information"
    found += "." if len(shares) == 1 else f", of {least} least, {_percent(shares[least])}."
    hidden = [name for name, share in shares.items() if share < LEAST_VISIBLE]
    if hidden:
        found += f" What is lost of {', '.join(hidden)} was hidden in the image and not drawn: {WHAT_TO_TRY}."
    return [found]


def _noise(evaluation: Evaluation) -> list[str]:
    kinds = evaluation.diversity if isinstance(evaluation.diversity, dict) else {}
    shares = {kind: {name: score.share for name, score in kinds.get(kind, {}).items()} for kind in KINDS}
    if not shares["pixels"]:
        return []
    listed = [
        f"{words} {', '.join(f'{_percent(share)} ({name})' for name, share in shares[kind].items())}"
        for kind, words in KINDS.items()
        if shares[kind]
    ]
    found = (
        "Images with the same codes and other noise differ by this much of what real images do to which Q gives one "
    )
    found += f"category (all real images where there are no categories): {'; '.join(listed)}."
    nothing = all(max(of.values()) < LEAST_NOISE for of in shares.values() if of)
    return [f"{found} The noise does nothing: {WHAT_TO_TRY}." if nothing else found]


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"

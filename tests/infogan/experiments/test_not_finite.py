"""NaN and infinity end a run by name, and never reach a checkpoint."""

import sys
from dataclasses import replace

import lightning as L
import pytest
import torch

from infogan.config.check import check
from infogan.errors import NotFinite
from infogan.experiments.fit import train
from infogan.experiments.prepare import create, reopen
from infogan.objective.adversarial import Game
from infogan.run_folder.paths import checkpoint_path, iterations
from infogan.run_folder.trees import load_tree
from infogan.train import main
from tests.infogan.processes import TINY, largest_difference, rows, tensors

BAD = 13
OPTIONS = ["trainer.max_iterations=24", "callbacks.checkpoint_every=4", "callbacks.scores_every=100",
           "callbacks.traversals_every=100"]  # fmt: skip


class Poison(L.Callback):
    """Does something to the module or the batch just before the update of iteration BAD."""

    def __init__(self, spoil):
        self.spoil = spoil

    def on_train_batch_start(self, trainer, module, batch, index):
        if module.iteration == BAD - 1:
            self.spoil(module, batch)


def weight_of(network):
    def spoil(module, batch):
        with torch.no_grad():
            next(getattr(module, network).parameters()).flatten()[0] = float("nan")

    return spoil


def gradient_of(network, value):
    """The losses stay as they are: it is the backward pass that goes wrong."""

    def spoil(module, batch):
        weight = list(getattr(module, network).parameters())[-1]
        weight.register_hook(lambda gradient: torch.full_like(gradient, value))

    return spoil


def an_image(module, batch):
    batch["game"][3, 0, 2, 2] = float("inf")


def loss_of_the_generator(module, batch):
    """The game's own loss is infinite, as of an objective that was written wrongly."""
    game = module.objective.game
    spoilt = Game(game.discriminator, lambda logits: game.generator(logits) * float("inf"))
    module.objective = replace(module.objective, game=spoilt)


def information_of_the_first_code(module, batch):
    codes = module.latents.codes
    first = replace(codes[0])
    object.__setattr__(first, "log_likelihood", lambda rows, q: codes[0].log_likelihood(rows, q) * float("nan"))
    module.latents = replace(module.latents, codes=(first, *codes[1:]))


@pytest.mark.parametrize("log_every", [5, 20], ids=["found with the row", "found before the checkpoint"])
@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (weight_of("discriminator"), "game/discriminator was nan"),
        (weight_of("generator"), "game/discriminator was nan"),
        (an_image, "game/discriminator was nan"),
        (gradient_of("discriminator", float("nan")), "gradient_norm/discriminator was nan"),
        (gradient_of("generator", float("-inf")), "gradient_norm/generator was inf"),
        (gradient_of("generator", 1e30), "gradient_norm/generator was inf"),  # its square is what Adam would keep
        (loss_of_the_generator, "game/generator was inf"),
        (information_of_the_first_code, "information/c1 was nan"),
    ],
    ids=[
        "weight of D",
        "weight of G",
        "image",
        "gradient of D",
        "gradient of G",
        "square of a gradient",
        "game of G",
        "information",
    ],
)
def test_what_is_not_finite_is_named_and_not_kept(compose_values, tmp_path, spoil, named, log_every):
    folder = create(check(compose_values(*OPTIONS, f"callbacks.log_every={log_every}")), tmp_path, "run")
    with pytest.raises(NotFinite) as raised:
        train(folder, [Poison(spoil)])
    looked_at = "11 to 15" if log_every == 5 else "1 to 16"
    good = checkpoint_path(folder, 12)
    assert str(raised.value) == (
        f"{named} in iteration {BAD} (looked at: {looked_at}); the last good checkpoint: {good}"
    )
    assert iterations(folder) == [12, 8]
    for iteration in (8, 12):
        tree = load_tree(checkpoint_path(folder, iteration))
        assert all(bool(t.isfinite().all()) for t in tensors(tree))
    assert "continues from iteration 12\n" in (folder / "log.txt").read_text()


def test_after_a_passing_fault_the_run_continues_exactly(compose_values, tmp_path):
    whole, spoilt = (create(check(compose_values(*OPTIONS)), tmp_path, name) for name in ("whole", "spoilt"))
    train(whole)
    with pytest.raises(NotFinite):
        train(spoilt, [Poison(an_image)])
    train(reopen(spoilt, {}))
    assert largest_difference(whole, spoilt) == 0.0
    assert rows(whole) == rows(spoilt)


def test_the_command_ends_in_one_line(monkeypatch, capsys, tmp_path):
    run = [*TINY, *OPTIONS, f"paths.outputs={tmp_path}", "model.lambda_categorical=1e38"]
    monkeypatch.setattr(sys, "argv", ["infogan.train", *run])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert capsys.readouterr().err == (
        "error: gradient_norm/discriminator was inf in iteration 1 (looked at: 1 to 4); the last good checkpoint: "
        "none yet\n"
    )

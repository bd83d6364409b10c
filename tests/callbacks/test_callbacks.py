"""What happens around the loop: numbers, scores, pictures, checkpoints."""

import os
import signal
import statistics
from io import StringIO
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console

from infogan.callbacks.checkpoints import Checkpoints
from infogan.callbacks.conclusion import Conclusion
from infogan.callbacks.progress import ProgressBar
from infogan.callbacks.scores import Scores
from infogan.callbacks.training_log import TrainingLog
from infogan.callbacks.traversals import Traversals
from infogan.config.check import check
from infogan.datamodules.store import LabelledImages, drawn_rows
from infogan.errors import Stopped
from infogan.experiments.build import build_data, build_module
from infogan.experiments.fit import train
from infogan.experiments.prepare import create, is_finished, reopen
from infogan.networks import Discriminator
from infogan.run_folder.metrics import Metrics, read_metrics
from infogan.run_folder.paths import checkpoint_path
from infogan.run_folder.status import read_status
from infogan.run_folder.summary import read_summary
from infogan.scoring.against_labels import factor_scores
from infogan.trained.model import load_run
from infogan.training.signals import StopSignals


def test_training_log_is_the_mean_of_its_window(compose_values, tmp_path, monkeypatch):
    returned, log = [], TrainingLog.on_train_batch_end

    def record(self, trainer, module, outputs, *rest):
        returned.append({name: value.item() for name, value in outputs.items()})
        log(self, trainer, module, outputs, *rest)

    monkeypatch.setattr(TrainingLog, "on_train_batch_end", record)
    folder = create(check(compose_values("trainer.max_iterations=10")), tmp_path, "run")
    train(folder)
    rows = read_metrics(folder).rows
    assert [row["iteration"] for row in rows] == [5, 10]
    for k, row in enumerate(rows):
        window = returned[5 * k : 5 * k + 5]
        for name in ("information/c1", "loss/generator", "D/real", "gradient_norm/generator"):
            assert row[name] == pytest.approx(statistics.fmean(values[name] for values in window), rel=1e-5)
        assert row["images_per_second"] > 0


@pytest.fixture
def built(compose_values):
    config = check(compose_values())
    return build_module(config), build_data(config)


def test_scores_of_a_perfect_code(built, monkeypatch):
    """Categories that are the labels in another order score 1, and the matching names the order."""
    module, data = built
    order = np.array([3, 1, 4, 0, 5, 9, 2, 6, 8, 7])

    def encode(discriminator, batches):
        count = sum(len(batch) for batch in batches)
        labels = next(data.split(s).labels for s in ("train", "test") if len(data.split(s).labels) == count)
        return torch.nn.functional.one_hot(torch.from_numpy(order)[labels], 12).float()

    monkeypatch.setattr("infogan.callbacks.scores.encode", encode)
    scores = Scores(data, 1, 100)
    found = scores.measure(module, 2000)
    assert (found.acc, found.nmi, found.ari) == pytest.approx((1, 1, 1))
    assert [found.matching[order[label]] for label in range(10)] == list(range(10))
    assert scores.matching == found.matching


def sorted_by_class(data):
    """The same data, as a folder of class folders has it."""
    for split in ("train", "test"):
        part = data.split(split)
        order = part.labels.argsort(stable=True)
        data._splits[split] = LabelledImages(part.images[order], part.labels[order])
    return data


def test_scores_while_training_see_all_classes(built, monkeypatch):
    """Of a sorted set too; of one that is no larger than the sample all images, in their order."""
    module, data = built
    sorted_by_class(data)
    seen = []

    def keep(clusters, labels, classes):
        seen.append(labels)
        return SimpleNamespace(matching=[])

    monkeypatch.setattr("infogan.callbacks.scores.cluster_scores", keep)
    scores = Scores(data, 1, 100)
    scores.measure(module, 100)
    scores.measure(module, 100)
    scores.measure(module, 1437)
    for split in ("train", "test"):
        counts = np.bincount(seen[0][split], minlength=10)
        assert counts.sum() == 100
        assert counts.min() > 0
        assert (seen[0][split] == seen[1][split]).all(), "the same each time"
        for whole in seen[2:]:
            assert (whole[split] == data.labels(split).numpy()).all()


def test_no_code_fits_other_labels(built, compose_values):
    _, data = built
    module = build_module(check(compose_values("model.codes.c1.classes=7")))
    assert module.latents.code_for_classes(data.classes) is None
    assert Scores(data, 1, 100).measure(module, 2000) is None


def test_which_code_follows_which_factor(built):
    """Codes made from the factors: c1 is the shape, c2 falls with the size, c3 goes once around with the angle."""
    module, _ = built
    rng = np.random.default_rng(0)
    shape, size, angle = rng.integers(0, 10, 4000), rng.random(4000), rng.integers(0, 31, 4000) * (360 / 31)
    q = np.column_stack([10 * np.eye(10)[shape], -(size**2), np.mod(angle + 100, 360) / 180 - 1])
    factors = torch.from_numpy(np.column_stack([shape, size, angle])).float()
    images = LabelledImages(torch.zeros(4000, 1, 8, 8, dtype=torch.uint8), torch.from_numpy(shape), factors)
    data = SimpleNamespace(
        split=lambda _: images,
        factor_names=("shape", "size", "angle"),
        full_turns=("angle",),
    )
    found = factor_scores(module.latents, torch.from_numpy(q).float(), data)
    assert set(found) == {"spearman", "rotation", "nmi"}
    assert found["nmi"]["c1"]["label"] == pytest.approx(1)
    assert found["nmi"]["c1"]["shape"] == pytest.approx(1)
    assert 0 <= found["nmi"]["c1"]["angle"] < 0.05
    assert "size" not in found["nmi"]["c1"], "4,000 different values are no levels"
    assert found["spearman"]["c2"]["size"] == pytest.approx(1, abs=1e-6)
    assert max(found["spearman"]["c2"][name] for name in ("shape", "angle")) < 0.08
    assert found["rotation"]["c3"]["angle"] == pytest.approx(1, abs=0.01)
    assert 0 <= found["rotation"]["c2"]["angle"] < 0.2
    assert found["spearman"]["c3"]["angle"] < 0.9
    assert set(found["spearman"]) == {"c2", "c3"}


def test_without_labels_and_factors_nothing_is_scored(built):
    module, _ = built
    images = LabelledImages(torch.zeros(4, 1, 8, 8, dtype=torch.uint8))
    assert factor_scores(module.latents, torch.zeros(4, 12), SimpleNamespace(split=lambda _: images)) == {}


@pytest.fixture
def traversals(built, tmp_path):
    _, data = built
    return Traversals(data, Scores(data, 1, 100), tmp_path, every=1, rows=10, points=5)


def test_traversals_keep_noise_and_move_one_code(built, traversals, monkeypatch):
    module, _ = built
    seen = []

    def generate(generator, latent):
        seen.append(latent)
        return torch.zeros(len(latent), 1, 8, 8)

    monkeypatch.setattr("infogan.callbacks.traversals.generate", generate)
    traversals.traversal(module, "c2")
    traversals.traversal(module, "c1")
    traversals.traversal(module, "c2")
    assert torch.equal(seen[0], seen[2]), "the same noise all through training"
    grid = seen[0].reshape(10, 5, -1)
    assert grid[0, :, 10].tolist() == [-2, -1, 0, 1, 2]
    others = torch.arange(module.latents.width) != 10
    assert torch.equal(grid[:, :, others], grid[:, :1, others].expand(-1, 5, -1))
    assert torch.equal(grid[:, 0, :10], torch.eye(10)), "row r shows category r"
    categories = seen[1].reshape(10, 10, -1)
    assert torch.equal(categories[3, :, :10], torch.eye(10))
    assert torch.equal(categories[:, :, 10:], categories[:, :1, 10:].expand(-1, 10, -1))
    assert len(torch.unique(categories[:, 0, 12], dim=0)) == 10, "another noise in each row"


def test_traversals_name_the_matched_class(built, traversals, monkeypatch):
    module, _ = built
    drawn = {}
    monkeypatch.setattr(
        "infogan.callbacks.traversals.labelled_grid",
        lambda images, title, columns, rows, columns_title="": drawn.update(columns=columns, rows=rows),
    )
    traversals.traversal(module, "c1")
    assert drawn["columns"] == [str(k) for k in range(10)]
    traversals.scores.matching = [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    traversals.traversal(module, "c1")
    assert drawn["columns"][2] == "2\n(7)"
    traversals.traversal(module, "c3")
    assert drawn["rows"][2] == "2 (7)"
    assert drawn["columns"] == ["-2", "-1", "0", "+1", "+2"]


def test_real_images_are_shown_unchanged(traversals, built):
    _, data = built
    picture = np.asarray(traversals.real())
    row = drawn_rows(data.train_size, 10 * 5, seed=0)[0]
    first = data.split("train").images[row, 0].numpy().repeat(7, axis=0).repeat(7, axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(picture[:, :, 0], first.shape)[:80, :40]
    assert (windows == first).all(axis=(2, 3)).any()


def test_real_images_stand_for_the_whole_set(traversals, built, monkeypatch):
    """Also for one whose classes come in turn, of which even steps would meet one alone."""
    _, data = built
    count = 50 * 40 - 39
    images = torch.arange(count).remainder(40).to(torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 8, 8)
    data._splits["train"] = LabelledImages(images)
    shown = []
    monkeypatch.setattr("infogan.callbacks.traversals.labelled_grid", lambda grid, *rest: shown.append(grid))
    traversals.real()
    assert len(np.unique(shown[0])) > 20
    data._splits["train"] = LabelledImages(images[:50])
    traversals.real()
    assert (shown[1][..., 0, 0, 0].flatten() == images[:50, 0, 0, 0].numpy()).all()


def test_pictures_in_between_and_at_the_end(compose_values, tmp_path):
    folder = create(check(compose_values("trainer.max_iterations=10", "callbacks.traversals_every=5")), tmp_path, "run")
    train(folder)
    history = {path.name for path in (folder / "figures" / "history").iterdir()}
    assert history == {f"{name}_00000005.png" for name in ("c1", "c2", "c3", "samples")}
    for path in (folder / "figures").glob("*.png"):
        with Image.open(path) as picture:
            assert min(picture.size) > 100


def test_checkpoints_keep_the_newest_two(tmp_path):
    callback = Checkpoints(tmp_path, 10, 35, TrainingLog(5), StopSignals())
    (tmp_path / "checkpoints").mkdir()
    saved = []
    trainer = SimpleNamespace(
        loggers=[], is_global_zero=True, world_size=1, save_checkpoint=lambda path: (saved.append(path), path.touch())
    )
    module = build_stub()
    for iteration in range(1, 36):
        module.iteration = iteration
        callback.on_train_batch_end(trainer, module, None, None, 0)
    assert saved == [checkpoint_path(tmp_path, i) for i in (10, 20, 30, 35)]
    assert sorted((tmp_path / "checkpoints").iterdir()) == saved[-2:]


def test_conclusion_tells_eval_mode_from_train_mode(built, traversals, tmp_path, monkeypatch):
    module, data = built

    def fresh(*arguments, batch_statistics, advance):
        assert arguments[4] == 10_000
        return ({"c1": 1.0 if batch_statistics else 2.0}, {"c2": 3.0})

    monkeypatch.setattr("infogan.callbacks.conclusion.fresh_information", fresh)
    metrics = SimpleNamespace(logged=Metrics([{"iteration": k, "images_per_second": k} for k in (1, 10, 100)]))
    conclusion = Conclusion(tmp_path, traversals.scores, traversals, metrics)
    module.iteration = 6000
    conclusion.summary = conclusion.unmeasured(module)
    conclusion.measure(module, conclusion.images(module))
    summary = conclusion.summary
    assert summary.measured_images == 10_000
    assert summary.information == {"c1": 2.0}
    assert summary.information_train_mode == {"c1": 1.0}
    assert summary.information_at_mse == {"c2": 3.0}
    assert summary.images_per_second == 10
    assert sorted(summary.matching.values()) == list(data.class_names)


def test_as_much_is_measured_as_was_trained(compose_values, tmp_path, monkeypatch):
    """And the pictures are there before."""
    folder = create(check(compose_values("trainer.max_iterations=3", "data.batch_size=40")), tmp_path, "run")
    read, forward, measure = [], Discriminator.forward, Conclusion.measure

    def counted(self, images):
        read.append(len(images))
        return forward(self, images)

    def begin(self, module, images):
        assert {path.name for path in (folder / "figures").glob("*.png")} == {
            "c1.png", "c2.png", "c3.png", "samples.png", "real.png", "curves.png"
        }  # fmt: skip
        read.clear()
        measure(self, module, images)

    monkeypatch.setattr(Discriminator, "forward", counted)
    monkeypatch.setattr(Conclusion, "measure", begin)
    train(folder)
    assert read_summary(folder).measured_images == 120
    assert sum(read) == 5 * 120, "two kinds of information, two splits for ACC, one for factors"


SIZES = {"digits": 1437, "mnist": 60_000, "fashion_mnist": 60_000, "svhn": 604_388, "celeba": 202_599,
         "celeba64": 202_599, "faces": 20_000, "chairs": 86_366, "chairs_narrow": 31_000,
         "dsprites": 737_280}  # fmt: skip


@pytest.mark.parametrize("preset", SIZES)
def test_a_run_of_a_presets_length_is_measured_on_all(compose_values, tmp_path, preset):
    config = check(compose_values(f"data={preset.removesuffix('_narrow')}", f"model={preset}"))
    data = SimpleNamespace(store=SimpleNamespace(count=lambda split: SIZES[preset]))
    conclusion = Conclusion(tmp_path, SimpleNamespace(data=data), None, None)
    module = SimpleNamespace(iteration=config.trainer.max_iterations, batch_size=config.data.batch_size)
    assert conclusion.images(module) == max(SIZES[preset], 10_000)


def test_a_signal_while_it_is_measured_leaves_what_is_there(compose_values, tmp_path, monkeypatch):
    folder = create(check(compose_values("trainer.max_iterations=3")), tmp_path, "run")
    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(Scores, "measure", lambda *arguments: os.kill(os.getpid(), signal.SIGINT))
        train(folder)
    summary = read_summary(folder)
    assert summary.iterations == 3 and summary.measured_images is None
    assert None not in summary.information.values() and summary.acc is None
    status = read_status(folder)
    assert (status.state, status.iterations, status.acc) == ("finished", 3, None)
    assert load_run(folder).generate(2).shape == (2, 8, 8, 1)
    assert not is_finished(folder), "a sweep that is started again measures it"
    train(reopen(folder, {}))
    assert is_finished(folder) and read_summary(folder).acc is not None


@pytest.mark.parametrize(
    ("width", "numbers"), [(140, "L_I 1.75  loss D 1.25, G 0.75  1,234 images/s"), (60, "L_I 1.75"), (40, "")]
)
def test_progress_bar_shows_the_numbers(monkeypatch, width, numbers):
    """As many as there is room for beside the iterations."""
    screen = StringIO()
    monkeypatch.setattr(
        "infogan.callbacks.progress.Console",
        lambda: Console(file=screen, force_terminal=True, width=width, color_system=None),
    )
    log = TrainingLog(5)
    log.latest = {
        "loss/discriminator": 1.25, "loss/generator": 0.75, "information/c1": 2.0, "information/c2": -0.25,
        "images_per_second": 1234.0,
    }  # fmt: skip
    bar, module, trainer = ProgressBar(log, 20), build_stub(), SimpleNamespace(is_global_zero=True)
    module.iteration = 0
    bar.on_train_start(trainer, module)
    module.iteration = 15
    bar.on_train_batch_end(trainer, module, {}, None, 0)
    bar.on_train_end(trainer, module)
    shown = screen.getvalue()
    assert "15/20" in shown and numbers in shown
    assert ("loss" in shown, "L_I" in shown) == ("loss" in numbers, "L_I" in numbers)


def build_stub():
    from infogan.training.module import InfoGAN

    return InfoGAN.__new__(InfoGAN)


def test_scored_code_is_the_first_that_fits(built):
    module, data = built
    assert module.latents.code_for_classes(data.classes).name == "c1"

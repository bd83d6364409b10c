"""What a dashboard is made of: which runs come first, which λ were swept, and what W&B holds."""

from types import SimpleNamespace

import pytest
from PIL import Image

pytest.importorskip("wandb_workspaces")

from infogan.config.check import check
from infogan.run_folder.configuration import save_config
from infogan.tracking import workspace
from infogan.tracking.workspace import Dashboard, TrackedRun, dashboard_of, logged_keys, sections


@pytest.fixture
def config(compose_values):
    return lambda *overrides: check(compose_values("data=digits", "logger=wandb", *overrides))


def run(config, folder, name, acc, information):
    (folder / name).mkdir()
    return TrackedRun(SimpleNamespace(folder=folder / name, acc=acc, information=information), config, "infogan", name)


def test_the_best_run_comes_first(config, tmp_path):
    """By ACC; among those without labels, which come after, by information; unmeasured ones last."""
    runs = [
        run(config(), tmp_path, name, acc, information)
        for name, acc, information in (
            ("unmeasured", None, None),
            ("labelled", 0.4, 0.1),
            ("best", 0.7, 0.0),
            ("informed", None, 1.5),
            ("less", None, 1.2),
        )
    ]
    shown = dashboard_of("sweep", "sweep", runs)
    assert list(shown.ids) == ["best", "labelled", "informed", "less", "unmeasured"]
    assert (shown.group, shown.project) == ("sweep", "infogan")


def board(*configs, keys=()):
    return Dashboard("name", "group", "infogan", configs, [str(k) for k in range(len(configs))], frozenset(keys))


def test_lambdas_that_go_together_are_one_axis(config):
    together = [config(f"model.lambda_categorical={k}", f"model.lambda_continuous={k}") for k in (0.1, 1)]
    assert board(*together).swept == ["c1"]
    apart = [config("model.lambda_categorical=0.1"), config("model.lambda_continuous=0.5")]
    assert board(*apart).swept == ["c1", "c2"]
    assert board(config(), config("seed=1")).swept == []
    assert board(config(), config("~model.codes.c3")).codes == ["c1", "c2", "c3"], "of all runs, each once"


def test_what_w_and_b_holds_follows_from_the_folder(config, tmp_path):
    settings = config()
    save_config(settings, tmp_path)
    assert logged_keys(tmp_path, settings) == set()
    (tmp_path / "metrics.csv").write_text("iteration,information/c1,D/real\n5,0.5,0.6\n")
    (tmp_path / "figures" / "history").mkdir(parents=True)
    picture = Image.new("RGB", (8, 8))
    picture.save(tmp_path / "figures" / "samples.png")
    picture.save(tmp_path / "figures" / "history" / "c2_00000005.png")
    picture.save(tmp_path / "figures" / "history" / "c1_5.png")  # no grid's name
    (tmp_path / "figures" / "film.gif").touch()
    found = logged_keys(tmp_path, settings)
    assert found == {"iteration", "information/c1", "entropy/c1", "D/real", "figures/samples", "figures/c2", "film"}
    (tmp_path / "evaluation.csv").write_text("score,value,low,high\nclustering/c1/acc,0.5,,\n")
    (tmp_path / "report.html").touch()
    assert logged_keys(tmp_path, settings) - found == {"evaluation/clustering/c1/acc", "report"}


def shown_by(panel):
    return {key for name in ("metrics", "y", "media_keys") for key in getattr(panel, name, None) or []}


def test_sections_have_what_is_held_and_no_more(config):
    keys = {"information/c1", "entropy/c1", "information_at_mse/c2", "evaluation/disentanglement/dlib/mig",
            "evaluation/label_free/consistency/c1", "evaluation/label_free/consistency/c2", "evaluation/confusion_c1",
            "evaluation/clustering/c1/error_by_class/3", "acc"}  # fmt: skip
    found = sections(board(config(), keys=keys))
    assert list(found) == ["Information and entropy", "Categories against labels", "Evaluation"]
    shown = [(panel.title, shown_by(panel)) for panels in found.values() for panel in panels]
    assert shown == [
        ("c1: L_I and H, in nats", {"information/c1", "entropy/c1"}),
        ("L_I at σ² = MSE, in nats", {"information_at_mse/c2"}),
        ("ACC", {"acc"}),
        ("disentanglement dlib mig", {"evaluation/disentanglement/dlib/mig"}),
        ("label free consistency", {"evaluation/label_free/consistency/c1", "evaluation/label_free/consistency/c2"}),
        ("confusion c1", {"evaluation/confusion_c1"}),
    ]
    assert sections(board(config())) == {}


def test_real_images_have_panels_where_consistency_was_on(config):
    """The information beside the entropies of its codes alone; what two share has no ceiling there."""
    name = "regulariser/same/"
    keys = {f"{name}{what}" for what in ("c1/information", "c1/marginals", "c1/agreement", "c1/rarest", "c1_c2/shared")}
    found = sections(board(config(), keys=keys | {"entropy/c1", "entropy/c2", "regulariser/smooth"}))
    panels = found["Categories of real images"]
    assert [shown_by(panel) for panel in panels] == [
        {f"{name}c1/information", "entropy/c1"},
        {f"{name}c1/agreement"},
        {f"{name}c1/rarest"},
        {f"{name}c1_c2/shared"},
    ]
    assert [panel.title.split()[0] for panel in panels] == ["Information", "Share", "Rarest", "Information"]
    assert all("in nats" in panel.title for panel in (panels[0], panels[3]))
    assert "Categories of real images" not in sections(board(config(), keys={"entropy/c1", "regulariser/smooth"}))


def test_scores_over_lambda_are_of_what_was_swept(config):
    swept = [config("model.lambda_categorical=0.1"), config("model.lambda_categorical=1")]
    panels = sections(board(*swept, keys={"acc", "information_at_mse/c2"}))["λ against scores"]
    assert [(panel.x.name, panel.y.name) for panel in panels] == [
        ("lambda.c1", "acc"),
        ("lambda.c1", "information_at_mse/c2"),
    ]
    assert "λ against scores" not in sections(board(config(), keys={"acc"}))


def test_runs_without_w_and_b_are_no_part_of_it(config, tmp_path):
    for name, logger, has_id in (("one", "wandb", True), ("two", "wandb", False), ("three", "none", True)):
        (tmp_path / name / "wandb").mkdir(parents=True)
        save_config(config(f"logger={logger}"), tmp_path / name)
        if has_id:
            (tmp_path / name / "wandb" / "id").write_text(f"id of {name}")
    found = workspace.tracked_runs([tmp_path / name for name in ("one", "two", "three")])
    assert [(tracked.id, tracked.project) for tracked in found] == [("id of one", "infogan")]

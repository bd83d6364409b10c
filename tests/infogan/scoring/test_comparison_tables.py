"""The tables of infogan.compare on terminals of several widths."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from infogan.scoring.comparison_tables import show_comparison
from infogan.scoring.many_runs import Run
from infogan.scoring.ranking import Comparison

SCORES = ("consensus", "centrality", "label_free/score", "acc", "nmi", "ari", "information/c1", "disentanglement/mig")


def run_of(value, seed, worth):
    name = f"model.lambda_categorical_{value}_model.lambda_continuous_{value}_seed_{seed}"
    trained = SimpleNamespace(folder=Path(name), config=SimpleNamespace(seed=seed))
    settings = {"model.lambda_categorical": value, "model.lambda_continuous": value, "data.size": 28}
    return Run(trained, settings, {score: worth + 0.01 * k for k, score in enumerate(SCORES)})


@pytest.fixture
def comparison():
    runs = [run_of(value, seed, 0.1 * seed + value / 200) for value in (0.1, 2.0, 10.0) for seed in (0, 1)]
    ranking = sorted(runs, key=lambda run: run.scores["consensus"], reverse=True)
    correlations = {"consensus": {"acc": 1.0, "nmi": -0.5, "ari": float("nan")}}
    return Comparison(runs, ranking, "consensus", correlations, None)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_what_was_swept_is_whole_and_lines_are_not_broken(comparison, screen, width, encoding):
    with screen(width, encoding) as shown:
        show_comparison(comparison)
    lines = shown()
    assert all(len(line) <= width for line in lines if "no room" not in line)
    heads = [line for line in lines if line.split()[:1] in (["rank"], ["λ"], ["lambda"], ["chosen"])]
    assert len(heads) == 3
    assert all(("λ" if encoding == "utf-8" else "lambda") in head for head in heads)
    cells = [line.replace("|", " ").split() for line in lines]
    ranked = next(k for k, row in enumerate(cells) if row[:1] == ["rank"])
    assert [row[:2] for row in cells[ranked + 2 : ranked + 8]] == [
        [str(k + 1), f"{run.settings['model.lambda_categorical']:g}"] for k, run in enumerate(comparison.ranking)
    ]
    spread = next(k for k, row in enumerate(cells) if row[:1] == ["median"])
    assert [row[0] for row in cells[spread + 3 : spread + 6]] == ["0.1", "2", "10"], "by what was swept"


def test_a_pipe_gets_all_of_it(comparison, capsys):
    show_comparison(comparison)
    lines = capsys.readouterr().out.splitlines()
    assert not any("no room" in line for line in lines)
    assert all(any(line.endswith(run.name) for line in lines) for run in comparison.runs)

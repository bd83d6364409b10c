import json
from pathlib import Path

import pytest

from benchmarks.__main__ import main, settings_of
from benchmarks.loops import configuration, flop
from infogan.errors import ConfigError


def test_flop_of_mnist_at_batch_128():
    """2 operations for each multiplication: layer by layer, from the shapes in the paper's table 1."""
    fc1, fc2, up1, up2 = 74 * 1024, 1024 * 6272, 49 * 128 * 64 * 16, 196 * 64 * 16
    g_forward = fc1 + fc2 + up1 + up2
    g_backward = fc1 + 2 * (fc2 + up1 + up2)  # no gradient of the latents
    conv1, conv2, fc, heads = 196 * 64 * 16, 49 * 128 * 64 * 16, 6272 * 1024, 1024 + 1024 * 128 + 128 * 12
    d_forward = conv1 + conv2 + fc + heads
    d_backward = conv1 + 2 * (conv2 + fc + heads)  # no gradient of the images
    in_g_phase = 2 * d_forward  # forward, and the gradient of the images
    products = g_forward + g_backward + 2 * (d_forward + d_backward) + in_g_phase
    assert flop(configuration(["data=mnist"])) == pytest.approx(2 * 128 * products, rel=1e-3)


def test_the_command_writes_what_it_measured(call, monkeypatch, tmp_path):
    """Its loops are processes of their own."""
    settings = ["sections=[iterations]", "presets=[digits]", "batch_sizes=[64]", "precisions=[float32]"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    assert call(main, *settings, "rounds=2", "block_seconds=0.02")[0] == 0
    (folder,) = (tmp_path / "outputs" / "benchmarks").iterdir()
    (row,) = json.loads((folder / "results.json").read_text())["iterations"]["rows"]
    assert row["GFLOP"] == pytest.approx(flop(configuration(["data=digits"])) / 1e9)
    assert row["images_per_second"] == pytest.approx(64_000 / row["ms"])
    assert row["share_of_peak"] == pytest.approx(1000 * row["GFLOP"] / row["ms"] / row["peak_GFLOP_per_s"])
    assert 0 < row["ms_p10"] <= row["ms"]
    assert (folder / "cost.png").is_file()


@pytest.mark.parametrize("argument", ["sections=[all]", "device=tpu", "round=3", "rounds=many", "precisions=[fp4]"])
def test_mistakes_are_named(argument):
    with pytest.raises(ConfigError, match=argument.split("=")[0]):
        settings_of([argument])

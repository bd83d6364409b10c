import math

import pytest
import torch
from torch import nn

from infogan.codes.categorical import Categorical
from infogan.codes.latents import Latents
from infogan.codes.uniform import Uniform
from infogan.trained.inference import at_once, encode, evaluating, fresh_information, generate, reread

CODES = (
    Categorical("c1", 10),
    Uniform("c2", -1.0, 1.0, 1.0),
    Uniform("c3", 0.0, 3.0, None),
)
LATENTS = Latents(CODES, 4, "uniform")


class Through(nn.Module):
    """Latents as images; one parameter, so that it has a device."""

    image_shape = (1, 1, 16)

    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, latent):
        return latent


class Reader(Through):
    """A D/Q that reads `confidence` times the categorical code, and the continuous ones `error` beside their values."""

    def __init__(self, confidence=0.0, error=0.0, knows=True, log_sigma=-1.0):
        super().__init__()
        self.confidence, self.error, self.knows, self.log_sigma = confidence, error, knows, log_sigma

    def forward(self, latent):
        means = self.knows * latent[:, 10:12] + self.error
        return latent[:, 0], torch.cat([self.confidence * latent[:, :10], means, means[:, :1] * 0 + self.log_sigma], 1)


def normed():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(16, 16), nn.BatchNorm1d(16), nn.Dropout(0.5))


def information(discriminator, samples=2000, batch_size=500, generator=None, seed=0):
    return fresh_information(generator or Through(), discriminator, LATENTS, seed, samples, batch_size, False)


def test_evaluating_restores_modes_and_gradients():
    training, scoring = normed().train(), normed().eval()
    with evaluating(training, scoring):
        assert not training.training
        assert not training[1].training
        assert not torch.is_grad_enabled()
    assert training.training
    assert training[1].training
    assert not scoring.training
    assert not scoring[1].training
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("batch_statistics", [False, True])
def test_evaluating_restores_after_an_error(batch_statistics):
    training, scoring = normed().train(), normed().eval()
    with pytest.raises(ZeroDivisionError), evaluating(training, scoring, batch_statistics=batch_statistics):
        raise ZeroDivisionError
    assert torch.is_grad_enabled()
    assert (training.training, scoring.training) == (True, False)
    assert (training[1].track_running_stats, scoring[1].track_running_stats) == (True, True)


@pytest.mark.parametrize("mode", [True, False])
def test_batch_statistics_are_used_and_not_learned(mode):
    network = nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 2), nn.BatchNorm1d(2)).train(mode)
    buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}
    x = 5 + 3 * torch.randn(64, 3)
    with evaluating(network, batch_statistics=True):
        out = network(x)
    torch.testing.assert_close(out.mean(0), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(out.std(0, correction=0), torch.ones(2), atol=1e-3, rtol=0)
    assert all(torch.equal(buffer, buffers[name]) for name, buffer in network.named_buffers())
    assert network.training == mode
    network.train()(x)  # and learns again afterwards
    assert network[0].num_batches_tracked == buffers["0.num_batches_tracked"] + 1
    assert not torch.equal(network[0].running_mean, buffers["0.running_mean"])


def test_running_averages_are_used_without_batch_statistics():
    norm = nn.BatchNorm1d(3).train()
    x = 5 + 3 * torch.randn(64, 3)
    with evaluating(norm):
        torch.testing.assert_close(norm(x), x / math.sqrt(1 + 1e-5))
    assert norm.num_batches_tracked == 0


def test_few_large_images_at_a_time():
    """As many values of pixels as 500 gray images of 64² have."""
    assert [at_once(shape) for shape in ((1, 8, 8), (3, 32, 32), (1, 64, 64))] == [500] * 3
    assert [at_once(shape) for shape in ((3, 64, 64), (3, 128, 128), (3, 4096, 4096))] == [166, 41, 1]


def test_networks_get_few_images_at_a_time(monkeypatch):
    """Whoever asks for how many."""
    monkeypatch.setattr("infogan.trained.inference.AT_ONCE", 3)
    seen = []
    generator, reader = Through(), Reader(confidence=2.0)
    for network in (generator, reader):
        network.register_forward_hook(lambda module, inputs, output: seen.append(len(inputs[0])))
    latent = LATENTS.sample(0, "x", 0, range(8))
    generate(generator, latent)
    encode(reader, [latent])
    reread(generator, reader, latent, 500)
    assert seen == [3, 3, 2] * 2 + [3, 3, 3, 3, 2, 2]
    seen.clear()
    reread(generator, reader, latent, 4, batch_statistics=True)
    assert seen == [4, 4, 4, 4], "of training's batches the statistics would differ"


def test_generate_is_in_batches_and_without_gradients(monkeypatch):
    monkeypatch.setattr("infogan.trained.inference.AT_ONCE", 3)
    seen = []

    class Spy(Through):
        def forward(self, latent):
            seen.append((len(latent), self.training, torch.is_grad_enabled()))
            return latent + self.unused

    latent = torch.randn(7, 3)
    assert torch.equal(generate(Spy(), latent), latent)
    assert seen == [(3, False, False), (3, False, False), (1, False, False)]


def test_encode_returns_the_posterior_of_all_batches():
    latent = LATENTS.sample(0, "x", 0, range(9))
    reader = Reader(confidence=2.0)
    assert torch.equal(encode(reader, iter(latent.split(4))), reader(latent)[1])


def test_information_of_a_posterior_that_knows_the_codes():
    bounds, at_mse = information(Reader(confidence=100.0, error=0.1))
    assert list(bounds) == ["c1", "c2", "c3"]
    assert bounds["c1"] == pytest.approx(math.log(10), abs=1e-4)
    assert bounds["c2"] == pytest.approx(math.log(2) - 0.5 * math.log(2 * math.pi) - 0.005, abs=1e-4)
    expected = math.log(3) - 0.5 * math.log(2 * math.pi) + 1 - 0.5 * (0.1 * math.e) ** 2
    assert bounds["c3"] == pytest.approx(expected, abs=1e-4)
    assert at_mse == {"c2": pytest.approx(math.log(2) - 0.5 * math.log(2 * math.pi * math.e * 0.01), abs=1e-4)}


def test_information_of_a_posterior_that_knows_nothing():
    bounds, at_mse = information(Reader(knows=False), samples=20_000)
    assert bounds["c1"] == pytest.approx(0, abs=1e-5)
    # E c² = 1/3 for U(-1, 1)
    assert bounds["c2"] == pytest.approx(math.log(2) - 0.5 * math.log(2 * math.pi) - 1 / 6, abs=0.005)
    assert at_mse["c2"] == pytest.approx(math.log(2) - 0.5 * math.log(2 * math.pi * math.e / 3), abs=0.01)
    assert at_mse["c2"] < 0


def test_information_of_a_posterior_that_is_sure_and_wrong():
    class Wrong(Reader):
        def forward(self, latent):
            return super().forward(torch.cat([latent[:, :10].roll(1, dims=1), latent[:, 10:]], dim=1))

    assert information(Wrong(confidence=50.0))[0]["c1"] == pytest.approx(math.log(10) - 50, abs=1e-3)


def test_information_does_not_depend_on_the_batch_size():
    class Networks(Reader):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.layers = nn.Sequential(nn.Linear(16, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 13))

        def forward(self, latent):
            return latent[:, 0], self.layers(latent)

    network = Networks()
    one, two = (information(network, samples=1000, batch_size=size)[0] for size in (1000, 128))
    assert one == pytest.approx(two, abs=1e-5)


def test_information_depends_on_the_seed_alone():
    reader = Reader(knows=False)
    assert information(reader) == information(reader)
    assert information(reader)[0]["c2"] != information(reader, seed=1)[0]["c2"]


def test_information_uses_batch_statistics_where_asked():
    """A batch norm whose averages are far off takes the batch's own statistics, and keeps its averages."""
    means = []

    class Normed(Through):
        def __init__(self):
            super().__init__()
            self.norm = nn.BatchNorm1d(LATENTS.width, affine=False)
            self.norm.running_mean.fill_(5.0)

        def forward(self, latent):
            means.append(self.norm(latent).mean().item())
            return latent

    generator = Normed()
    for batch_statistics in (True, False):
        fresh_information(generator, Reader(), LATENTS, 0, 50, 50, batch_statistics)
    assert means[0] == pytest.approx(0.0, abs=1e-5)
    assert means[1] == pytest.approx(-5.0, abs=0.5)
    assert generator.norm.running_mean.eq(5.0).all()
    assert generator.training

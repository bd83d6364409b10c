from itertools import pairwise
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf
from torch import nn

from infogan.config import Conv, DiscriminatorConfig, Linear, check
from infogan.networks import Discriminator, Generator
from infogan.networks.generator import value_range
from infogan.networks.layers import SamePadConv, SamePadUp, initialise, stack

IMAGE = {"digits": (1, 8, 8), "mnist": (1, 28, 28), "fashion_mnist": (1, 28, 28)}
INPUT = {"digits": 10 + 2 + 62, "mnist": 10 + 2 + 62, "fashion_mnist": 10 + 2 + 62}
OUTPUTS = 10 + 1 + 1
"""Of Q: ten logits and two means; σ is fixed at 1."""

# The paper's table: weights, then 2 a channel or feature for batch norm, else a bias.
G_MNIST = (74 * 1024 + 2 * 1024) + (1024 * 6272 + 2 * 6272) + (128 * 64 * 16 + 2 * 64) + (64 * 16 + 1)
TRUNK_MNIST = (64 * 16 + 64) + (64 * 128 * 16 + 2 * 128) + (7 * 7 * 128 * 1024 + 2 * 1024)
Q_MNIST = (1024 * 128 + 2 * 128) + (128 * OUTPUTS + OUTPUTS)
G_DIGITS = (74 * 128 + 2 * 128) + (128 * 512 + 2 * 512) + (32 * 16 + 1)
TRUNK_DIGITS = (32 * 16 + 32) + (4 * 4 * 32 * 128 + 2 * 128)
Q_DIGITS = (128 * 64 + 2 * 64) + (64 * OUTPUTS + OUTPUTS)
PARAMETERS = {
    "digits": (G_DIGITS, TRUNK_DIGITS, 128 + 1, Q_DIGITS),
    "mnist": (G_MNIST, TRUNK_MNIST, 1024 + 1, Q_MNIST),
    "fashion_mnist": (G_MNIST, TRUNK_MNIST, 1024 + 1, Q_MNIST),
}
PRESETS = sorted(path.stem for path in (Path(__file__).parents[3] / "conf" / "model").glob("*.yaml"))


def model_config(preset, *overrides):
    with initialize_config_module("infogan.conf", version_base=None):
        values = compose("train", [f"data={preset}", *overrides])
    return check(OmegaConf.to_container(values, resolve=True)).model


def networks(preset, *overrides):
    config = model_config(preset, *overrides)
    generator = Generator(config.generator, INPUT[preset])
    return generator, Discriminator(config.discriminator, IMAGE[preset], OUTPUTS)


def parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


def kinds(module):
    return [type(part) for part in module]


@pytest.mark.parametrize("preset", PRESETS)
def test_shapes(preset):
    generator, discriminator = networks(preset)
    images = generator(torch.randn(5, INPUT[preset]))
    logits, q = discriminator(images)
    assert images.shape == (5, *IMAGE[preset])
    assert generator.image_shape == IMAGE[preset]
    assert logits.shape == (5,)
    assert q.shape == (5, OUTPUTS)
    assert discriminator.eval()(images[:1])[0].shape == (1,)


@pytest.mark.parametrize("preset", PRESETS)
def test_number_of_parameters(preset):
    generator, discriminator = networks(preset)
    heads = (discriminator.trunk, discriminator.head, discriminator.posterior)
    assert (parameters(generator), *map(parameters, heads)) == PARAMETERS[preset]
    assert parameters(discriminator) == sum(PARAMETERS[preset][1:])


@pytest.mark.parametrize("preset", PRESETS)
def test_biases_only_where_no_norm_follows(preset):
    generator, discriminator = networks(preset)
    sequences = [[*generator.hidden, *generator.to_image], [*discriminator.trunk], [*discriminator.posterior]]
    for layer, following in (pair for modules in sequences for pair in pairwise([*modules, nn.Identity()])):
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            normed = isinstance(following, nn.BatchNorm1d | nn.BatchNorm2d)
            assert (layer.bias is None) == normed


def test_order_of_the_discriminators_layers():
    _, discriminator = networks("mnist")
    convolutions = [nn.Conv2d, nn.LeakyReLU, nn.Conv2d, nn.BatchNorm2d, nn.LeakyReLU]
    assert kinds(discriminator.trunk) == [*convolutions, nn.Flatten, nn.Linear, nn.BatchNorm1d, nn.LeakyReLU]
    assert kinds(discriminator.posterior) == [nn.Linear, nn.BatchNorm1d, nn.LeakyReLU, nn.Linear]
    assert kinds(discriminator.head) == [nn.Linear, nn.Flatten]


@pytest.mark.parametrize(("rectifier", "preset"), [(nn.ReLU, "mnist"), (nn.LeakyReLU, "fashion_mnist")])
def test_order_of_the_generators_layers(rectifier, preset):
    generator, _ = networks(preset)
    dense = [nn.Linear, nn.BatchNorm1d, rectifier]
    assert kinds(generator.hidden) == [*dense, *dense, nn.Unflatten, nn.ConvTranspose2d, nn.BatchNorm2d, rectifier]
    assert kinds(generator.to_image) == [nn.ConvTranspose2d]


@pytest.mark.parametrize(("overrides", "slope"), [([], 0.1), (["experiment=mnist_openai"], 0.01)], ids=str)
def test_slopes_of_the_discriminator(overrides, slope):
    _, discriminator = networks("mnist", *overrides)
    slopes = [part.negative_slope for part in discriminator.modules() if isinstance(part, nn.LeakyReLU)]
    assert slopes == [slope] * 4


def test_slopes_of_the_generator():
    generator, _ = networks("fashion_mnist")
    assert [m.negative_slope for m in generator.modules() if isinstance(m, nn.LeakyReLU)] == [0.1] * 3


@pytest.mark.parametrize(
    ("preset", "ends"), [("mnist", (0.0, 1.0)), ("digits", (0.0, 1.0)), ("fashion_mnist", (-1, 1))]
)
def test_images_fill_the_value_range(preset, ends):
    generator, _ = networks(preset)
    assert value_range(model_config(preset).generator) == ends
    with torch.no_grad():
        generator.to_image[0].weight.mul_(1000)
        images = generator(torch.randn(16, INPUT[preset]))
    assert images.min().item() == pytest.approx(ends[0], abs=1e-3)
    assert images.max().item() == pytest.approx(ends[1], abs=1e-3)


def test_convolutions_of_stride_2_halve_and_double():
    config = model_config("mnist")
    trunk, shape = stack(config.discriminator.trunk[:2], (1, 28, 28), 0.1)
    assert trunk[:1](torch.zeros(2, 1, 28, 28)).shape == (2, 64, 14, 14)
    assert shape == (128, 7, 7)
    hidden, shape = stack(config.generator.layers[:3], (74,), 0.0)
    assert hidden(torch.zeros(2, 74)).shape == (2, 64, 14, 14)
    assert shape == (64, 14, 14)


def test_a_convolution_of_a_flat_vector_is_refused():
    with pytest.raises(ValueError, match="channels, height and width"):
        stack([Linear(fc=8), Conv(conv=4, stride=1)], (1, 8, 8), 0.1)


def test_a_trunk_may_end_in_a_convolution():
    config = DiscriminatorConfig(trunk=[Conv(conv=6, stride=2)], posterior=[], slope=0.1)
    logits, q = Discriminator(config, (1, 8, 8), 3)(torch.zeros(5, 1, 8, 8))
    assert logits.shape == (5,)
    assert q.shape == (5, 3)


@pytest.mark.parametrize("size", [(8, 8), (7, 10), (1, 4)])
def test_stride_1_keeps_the_size(size):
    assert SamePadConv(2, 5, 4)(torch.zeros(3, 2, *size)).shape == (3, 5, *size)
    assert SamePadUp(2, 5, 4)(torch.zeros(3, 2, *size)).shape == (3, 5, *size)


def test_same_padding_is_1_before_and_2_after():
    conv = SamePadConv(1, 1, 4, bias=False)
    delta = torch.zeros(1, 1, 9, 9)
    delta[0, 0, 3, 4] = 1
    expected = torch.zeros(9, 9)
    for i in range(1, 5):  # out[i, j] = Σ w[u, v] x[i + u - 1, j + v - 1]: u = 4 - i, v = 5 - j
        for j in range(2, 6):
            expected[i, j] = conv.weight[0, 0, 4 - i, 5 - j]
    torch.testing.assert_close(conv(delta)[0, 0], expected)


def test_same_pad_up_is_the_transpose_of_same_pad_conv():
    torch.manual_seed(0)
    conv, up = SamePadConv(3, 5, 4, bias=False).double(), SamePadUp(5, 3, 4, bias=False).double()
    up.weight = conv.weight
    x, y = torch.randn(2, 3, 6, 7).double(), torch.randn(2, 5, 6, 7).double()
    torch.testing.assert_close((conv(x) * y).sum(), (x * up(y)).sum())


def test_stride_1_layers_of_a_preset_are_same_padded():
    modules, shape = stack([Conv(conv=3, stride=1)], (1, 8, 8), 0.1)
    assert isinstance(modules[0], SamePadConv)
    assert modules(torch.zeros(1, 1, 8, 8)).shape == (1, *shape) == (1, 3, 8, 8)


def test_initialise():
    for network in networks("mnist"):
        initialise(network, torch.Generator().manual_seed(0))
        for part in network.modules():
            if isinstance(part, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
                n = part.weight.numel()
                assert abs(part.weight.mean().item()) < 5 * 0.02 / n**0.5
                assert part.weight.std().item() == pytest.approx(0.02, rel=5 / (2 * n) ** 0.5)
                assert part.bias is None or not part.bias.any()
            if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
                assert (part.weight == 1).all()
                assert (part.bias == 0).all()


def test_initial_weights_are_a_function_of_the_seed():
    def weights(seed):
        torch.seed()  # PyTorch's own generator has no part in it
        generator, _ = networks("digits")
        initialise(generator, torch.Generator().manual_seed(seed))
        return nn.utils.parameters_to_vector(generator.parameters())

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))

from itertools import pairwise
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf
from torch import nn

from infogan.codes.latents import Latents
from infogan.config.check import check
from infogan.config.networks import Conv, DCGANDiscriminator, Linear
from infogan.networks import build_discriminator, build_generator
from infogan.networks.layers import Flatten, SamePadConv, SamePadUp, blocks, initialise
from infogan.networks.value_range import value_range

MEAN = 1
"""Of Q's output for a continuous code: σ is fixed in every preset."""

IMAGE = {
    "digits": (1, 8, 8),
    "mnist": (1, 28, 28),
    "fashion_mnist": (1, 28, 28),
    "svhn": (3, 32, 32),
    "celeba": (3, 32, 32),
    "celeba64": (3, 64, 64),
    "faces": (1, 32, 32),
    "chairs": (1, 64, 64),
    "chairs_narrow": (1, 64, 64),
    "dsprites": (1, 64, 64),
    "folder": (3, 64, 64),
}
INPUT = dict.fromkeys(("digits", "mnist", "fashion_mnist"), 74) | {
    "svhn": 168,
    "celeba": 228,
    "celeba64": 228,
    "faces": 133,
    "chairs": 189,
    "chairs_narrow": 189,
    "dsprites": 10,
    "folder": 10 + 2 + 124,
}
"""The generator's input as the papers' tables state it."""

OUTPUTS = dict.fromkeys(("digits", "mnist", "fashion_mnist", "folder"), 10 + 2 * MEAN) | {
    "svhn": 4 * 10 + 4 * MEAN,
    "celeba": 10 * 10,
    "celeba64": 10 * 10,
    "faces": 5 * MEAN,
    "chairs": 3 * 20 + MEAN,
    "chairs_narrow": 3 * 20 + MEAN,
    "dsprites": 5 * MEAN,
}


def stack(layers, shape, slope, norm_last=False):
    """The layers one after the other, and the shape that comes out."""
    built, shape = blocks(layers, shape, slope, norm_last)
    return torch.nn.Sequential(*(module for block in built for module in block)), shape


def fc(n, m, norm=False):
    """Weights, then 2 a feature for a batch norm, else a bias."""
    return n * m + (2 * m if norm else m)


def conv(n, m, norm=False):
    return 16 * n * m + (2 * m if norm else m)


def head_of_q(preset, features):
    """Two layers, as for MNIST and SVHN."""
    return fc(features, 128, norm=True) + fc(128, OUTPUTS[preset])


# The papers' tables, layer by layer: G, trunk, D's head, Q's head.
G_MNIST = fc(74, 1024, True) + fc(1024, 6272, True) + conv(128, 64, True) + conv(64, 1)
TRUNK_MNIST = conv(1, 64) + conv(64, 128, True) + fc(7 * 7 * 128, 1024, True)
G_SVHN = conv(448, 256, True) + conv(256, 128) + conv(128, 64) + conv(64, 3)
TRUNK_SVHN = conv(3, 64) + conv(64, 128, True) + conv(128, 256, True)
PARAMETERS = {
    "digits": (
        fc(74, 128, True) + fc(128, 512, True) + conv(32, 1),
        conv(1, 32) + fc(4 * 4 * 32, 128, True),
        128 + 1,
        fc(128, 64, True) + fc(64, 12),
    ),
    "mnist": (G_MNIST, TRUNK_MNIST, 1024 + 1, head_of_q("mnist", 1024)),
    "fashion_mnist": (G_MNIST, TRUNK_MNIST, 1024 + 1, head_of_q("mnist", 1024)),
    "svhn": (fc(168, 1792, True) + G_SVHN, TRUNK_SVHN, 4096 + 1, head_of_q("svhn", 4096)),
    "celeba": (fc(228, 1792, True) + G_SVHN, TRUNK_SVHN, 4096 + 1, head_of_q("celeba", 4096)),
    "celeba64": (
        fc(228, 448 * 16, True) + conv(448, 256, True) + conv(256, 128, True) + conv(128, 64) + conv(64, 3),
        TRUNK_SVHN + conv(256, 512, True),
        8192 + 1,
        head_of_q("celeba64", 8192),
    ),
    "faces": (
        fc(133, 1024, True) + fc(1024, 8192, True) + conv(128, 64, True) + conv(64, 1),
        conv(1, 64) + conv(64, 128, True) + fc(8192, 1024, True),
        1024 + 1,
        fc(1024, 5),
    ),
    "chairs": (
        fc(189, 1024, True)
        + fc(1024, 16384, True)
        + 2 * conv(256, 256, True)
        + conv(256, 128, True)
        + conv(128, 64, True)
        + conv(64, 1),
        conv(1, 64) + conv(64, 128, True) + conv(128, 256, True) + 2 * conv(256, 256, True) + fc(16384, 1024, True),
        1024 + 1,
        fc(1024, 61),
    ),
    "chairs_narrow": (
        fc(189, 256, True)
        + fc(256, 4096, True)
        + 2 * conv(64, 64, True)
        + conv(64, 32, True)
        + conv(32, 16, True)
        + conv(16, 1),
        conv(1, 16) + conv(16, 32) + conv(32, 64) + 2 * conv(64, 64) + fc(4096, 256),
        256 + 1,
        fc(256, 61),
    ),
    # InfoGAN-CR's generator keeps its biases: the rectifier stands between them and the batch norm.
    "dsprites": (
        fc(10, 128)
        + fc(128, 1024)
        + conv(64, 64)
        + conv(64, 32)
        + conv(32, 32)
        + conv(32, 1)
        + 2 * (128 + 1024 + 64 + 32 + 32),
        conv(1, 32) + conv(32, 32) + conv(32, 64) + conv(64, 64) + fc(1024, 128),
        128 + 1,
        fc(128, 128) + fc(128, 5),
    ),
    "folder": (
        fc(136, 1024, True)
        + fc(1024, 4096, True)
        + conv(256, 256, True)
        + conv(256, 128, True)
        + conv(128, 64, True)
        + conv(64, 3),
        conv(3, 64) + conv(64, 128, True) + conv(128, 256, True) + conv(256, 256, True) + fc(4096, 1024, True),
        1024 + 1,
        head_of_q("folder", 1024),
    ),
}
MODELS = sorted(path.stem for path in (Path(__file__).parents[3] / "conf" / "model").glob("*.yaml"))
PRESETS = [name for name in MODELS if not name.startswith(("paper_", "consistent_")) and name != "chairs_volume"]
"""Networks are the same with and without a regulariser. The volume has tests of its own."""
OF_DATA = {"chairs_narrow": "chairs"}
"""The data set of a preset that is not named after it."""


def model_config(preset, *overrides):
    data = OF_DATA.get(preset, preset)
    needed = ["data.path=pictures"] if data == "folder" else []
    with initialize_config_module("infogan.conf", version_base=None):
        values = compose("train", [f"data={data}", f"model={preset}", *needed, *overrides])
    return check(OmegaConf.to_container(values, resolve=True)).model


def networks(preset, *overrides):
    config = model_config(preset, *overrides)
    generator = build_generator(config.generator, Latents.from_config(config))
    return generator, build_discriminator(config.discriminator, IMAGE[preset], OUTPUTS[preset])


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
    assert q.shape == (5, OUTPUTS[preset])
    latents = Latents.from_config(model_config(preset))
    assert (latents.width, latents.outputs) == (INPUT[preset], OUTPUTS[preset])
    assert discriminator.eval()(images[:1])[0].shape == (1,)


@pytest.mark.parametrize("preset", PRESETS)
def test_number_of_parameters(preset):
    generator, discriminator = networks(preset)
    heads = (discriminator.trunk, discriminator.head, discriminator.posterior)
    assert (parameters(generator), *map(parameters, heads)) == PARAMETERS[preset]
    assert parameters(discriminator) == sum(PARAMETERS[preset][1:])


@pytest.mark.parametrize("preset", [preset for preset in PRESETS if preset != "dsprites"])
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
    assert kinds(discriminator.trunk) == [*convolutions, Flatten, nn.Linear, nn.BatchNorm1d, nn.LeakyReLU]
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


def test_infogan_crs_generator_rectifies_before_the_norm():
    generator, _ = networks("dsprites")
    dense, up = [nn.Linear, nn.ReLU, nn.BatchNorm1d], [nn.ConvTranspose2d, nn.LeakyReLU, nn.BatchNorm2d]
    assert kinds(generator.hidden) == [*dense, *dense, nn.Unflatten, *up, *up, *up]
    assert [m.negative_slope for m in generator.modules() if isinstance(m, nn.LeakyReLU)] == [0.2] * 3


def test_spectral_norm_divides_every_weight_by_its_largest_singular_value():
    torch.manual_seed(0)
    _, discriminator = networks("dsprites")
    initialise(discriminator, torch.Generator().manual_seed(0))
    images = torch.rand(2, 1, 64, 64)
    for _ in range(200):  # one step of the power method each
        discriminator(images)
    discriminator.eval()
    layers = [part for part in discriminator.modules() if isinstance(part, nn.Conv2d | nn.Linear)]
    assert len(layers) == 5 + 1 + 2
    for layer in layers:
        weight = layer.weight.detach().flatten(1)
        assert torch.linalg.matrix_norm(weight, 2).item() == pytest.approx(1, abs=0.02)
    assert not any(isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d) for part in discriminator.modules())


def test_the_slope_of_one_layer():
    modules, _ = stack([Linear(fc=3, slope=0.0), Linear(fc=3, slope=0.3), Linear(fc=3)], (2,), 0.1)
    assert kinds(modules) == [nn.Linear, nn.ReLU, nn.Linear, nn.LeakyReLU, nn.Linear, nn.LeakyReLU]
    assert [modules[3].negative_slope, modules[5].negative_slope] == [0.3, 0.1]


@pytest.mark.parametrize("size", [28, 32, 64, 128])
@pytest.mark.parametrize("channels", [1, 3])
def test_folders_networks_fit_the_image(size, channels):
    config = model_config("folder", f"data.size={size}", f"data.channels={channels}")
    generator = build_generator(config.generator, Latents.from_config(config))
    assert generator.image_shape == (channels, size, size)
    discriminator = build_discriminator(config.discriminator, generator.image_shape, OUTPUTS["folder"])
    logits, q = discriminator(generator(torch.randn(3, INPUT["folder"])))
    assert (logits.shape, q.shape) == ((3,), (3, OUTPUTS["folder"]))
    assert 1e6 < parameters(generator) < 2e7
    assert 1e6 < parameters(discriminator) < 2e7


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
    config = DCGANDiscriminator(
        kind="dcgan", trunk=[Conv(conv=6, stride=2)], posterior=[], slope=0.1, spectral_norm=False
    )
    logits, q = build_discriminator(config, (1, 8, 8), 3)(torch.zeros(5, 1, 8, 8))
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


def test_the_gradient_of_flattened_activations_is_channels_last():
    activations = torch.randn(3, 4, 5, 6).to(memory_format=torch.channels_last)
    weights = torch.randn(3, 4 * 5 * 6)
    gradients = []
    for flatten in (Flatten(), nn.Flatten()):
        leaf = activations.clone().requires_grad_()
        before = leaf * 1.0
        before.register_hook(gradients.append)  # sees what the layer before gets
        (flatten(before) * weights).sum().backward()
    fast, plain = gradients
    assert torch.equal(fast, plain)
    assert torch.equal(fast, weights.view(3, 4, 5, 6))

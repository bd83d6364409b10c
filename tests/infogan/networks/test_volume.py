"""A turned volume against turned points, and what the generator does with an angle."""

import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from infogan.codes.categorical import Categorical
from infogan.codes.circular import Circular
from infogan.codes.latents import Latents
from infogan.codes.uniform import Uniform
from infogan.config.check import check_section
from infogan.config.networks import VolumeGenerator as GeneratorSection
from infogan.errors import ConfigError
from infogan.networks import build_generator
from infogan.networks.layers import initialise
from infogan.networks.volume import Conv3, Styled, enlarged, turned
from infogan.trained import onnx_export

SIZE = 24
PLACES = (2 * torch.arange(SIZE) + 1) / SIZE - 1
LATENTS = Latents(
    (Categorical("c1", 4), Circular("c2", 10.0), Uniform("c3", -1.0, 3.0, 1.0), Uniform("c4", -1.0, 1.0, 1.0)),
    5,
    "uniform",
)


def angle(degrees):
    radians = math.radians(degrees)
    return torch.tensor([[math.cos(radians), math.sin(radians)]])


def blob(x, y, z):
    """A ball of density, (1, 1, SIZE, SIZE, SIZE), around a point."""
    along = [torch.exp(-((PLACES - where) ** 2) / (2 * 0.15**2)) for where in (z, y, x)]
    return torch.einsum("i,j,k->ijk", *along)[None, None]


def centre(volume):
    """Its centre of mass, (x, y, z)."""
    density = volume[0, 0] / volume.sum()
    return [(density.sum(dim=[d for d in range(3) if d != axis]) * PLACES).sum().item() for axis in (2, 1, 0)]


POINTS = [(0.4, -0.2, 0.1), (-0.1, 0.3, 0.45), (0.0, -0.4, -0.3)]


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("degrees", [0.0, 20.0, 90.0, 135.0, -60.0, 190.0])
@pytest.mark.parametrize("tilt", [0.0, 25.0, -40.0])
def test_a_turned_volume_is_a_turned_point(point, degrees, tilt):
    """z + ix is multiplied by exp(iθ), then y + iz by exp(iφ)."""
    x, y, z = point
    ground = complex(z, x) * complex(math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))
    side = complex(y, ground.real) * complex(math.cos(math.radians(tilt)), math.sin(math.radians(tilt)))
    found = centre(turned(blob(*point), angle(degrees), angle(tilt)))
    assert found == pytest.approx([ground.imag, side.real, side.imag], abs=0.01)
    assert math.dist(found, [0, 0, 0]) == pytest.approx(math.dist(point, [0, 0, 0]), abs=0.01)


def test_each_image_has_its_own_angle_and_all_channels_turn():
    volume = torch.cat([torch.cat([blob(*point) for point in POINTS], dim=1)] * 2)
    found = turned(volume, torch.cat([angle(30), angle(-30)]), angle(0))
    for k, (x, y, z) in enumerate(POINTS):
        for n, degrees in enumerate((30, -30)):
            ground = complex(z, x) * complex(math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))
            assert centre(found[n : n + 1, k : k + 1]) == pytest.approx([ground.imag, y, ground.real], abs=0.01)


def test_a_quarter_turn_moves_voxels_to_voxels():
    """What was at depth z and width x is at depth -x and width z; four of them are none."""
    volume = torch.randn(2, 3, 6, 6, 6, generator=torch.Generator().manual_seed(0))

    def by(degrees, of):
        return turned(of, angle(degrees).expand(2, 2), angle(0))

    quarter = by(90, volume)
    torch.testing.assert_close(quarter, volume.transpose(2, 4).flip(2), atol=1e-5, rtol=0)
    whole = by(90, by(90, by(90, quarter)))
    torch.testing.assert_close(whole, volume, atol=1e-4, rtol=0)
    torch.testing.assert_close(by(360, volume), volume, atol=1e-5, rtol=0)
    torch.testing.assert_close(by(180, volume), volume.flip(2, 4), atol=1e-5, rtol=0)


def test_half_precision_does_not_reach_the_angles():
    volume = blob(0.4, -0.2, 0.1)
    with torch.autocast("cpu", torch.bfloat16):
        found = turned(volume, angle(20), angle(25))
    assert torch.equal(found, turned(volume, angle(20), angle(25)))


def test_style_sets_mean_and_spread_of_each_map():
    styled = Styled(2, 3, slope=1.0)
    nn.init.zeros_(styled.affine.weight)
    with torch.no_grad():
        styled.affine.bias.copy_(torch.tensor([1.0, -0.5, 7.0, -3.0]))  # 1 + gain: 2, 0.5; shift: 7, -3
    x = 5 + 3 * torch.randn(4, 2, 6, 6, 6, generator=torch.Generator().manual_seed(0))
    found = styled(x, torch.randn(4, 3)).flatten(2)
    torch.testing.assert_close(found.mean(dim=2), torch.tensor([[7.0, -3.0]]).expand(4, 2), atol=1e-4, rtol=0)
    spread = found.std(dim=2, correction=0)
    torch.testing.assert_close(spread, torch.tensor([[2.0, 0.5]]).expand(4, 2), atol=1e-4, rtol=0)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_enlarging_keeps_a_slope(dimensions):
    size = [4] * dimensions
    ramp = torch.arange(4.0).expand(1, 1, *size)
    found = enlarged(ramp)
    assert found.shape == (1, 1, *[8] * dimensions)
    assert found.reshape(-1, 8)[0].tolist() == pytest.approx([0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3])


def section(**changed):
    values = {"kind": "volume", "turn": "c2", "tilt": 25.0, "style": 16, "volume": [8, 6], "depth": 4,
              "image": [12, 8, 4], "channels": 3, "slope": 0.2, "output": "sigmoid"}  # fmt: skip
    return check_section(values | changed, GeneratorSection)


def generator(**changed):
    network = build_generator(section(**changed), LATENTS)
    initialise(network, torch.Generator().manual_seed(0))
    return network.to(memory_format=torch.channels_last)


def sample(count=6):
    return LATENTS.sample(0, "test", 0, range(count))


def with_angle(latent, degrees):
    return LATENTS.replaced(latent, "c2", LATENTS.code("c2").rows(torch.full((len(latent), 1), float(degrees))))


SWING = {"code": "c3", "low": 0.0, "high": 40.0}


@pytest.mark.parametrize("tilt", [25.0, SWING], ids=["fixed", "a code"])
def test_shape_and_range(tilt):
    network = generator(tilt=tilt)
    images = network(sample())
    assert network.image_shape == (3, 32, 32) and images.shape == (6, 3, 32, 32)
    assert images.min() > 0 and images.max() < 1 and images.std(dim=0).mean() > 0.005
    assert generator(output="tanh")(sample()).min() < 0
    whole = generator(volume=[8, 6, 4, 2], image=[4], channels=1)
    assert whole(sample()).shape == (6, 1, 32, 32) == (6, *whole.image_shape)


def test_a_whole_turn_is_the_same_image_and_a_part_is_not():
    network, latent = generator(tilt=0.0), sample()
    images = {degrees: network(with_angle(latent, degrees)) for degrees in (-180, 10, 90, 180, 370)}
    torch.testing.assert_close(images[-180], images[180], atol=1e-5, rtol=0)
    torch.testing.assert_close(images[10], images[370], atol=1e-5, rtol=0)
    for degrees in (90, 180):
        assert (images[degrees] - images[10]).square().mean().sqrt() > 0.003


def test_the_volume_before_the_turn_does_not_know_the_angle():
    network, latent = generator(tilt=SWING), sample()
    styles = []
    network.style.register_forward_hook(lambda module, inputs, output: styles.append(inputs[0]))
    network(latent)
    network(with_angle(latent, 77))
    expected = torch.cat([latent[:, :4], latent[:, 7:]], dim=1)  # without c2 and c3
    assert torch.equal(styles[0], expected) and torch.equal(styles[1], expected)


@pytest.mark.parametrize(("value", "degrees"), [(-1.0, 10.0), (1.0, 30.0), (3.0, 50.0), (5.0, 70.0)])
def test_a_code_on_an_interval_says_its_degrees(value, degrees):
    network = generator(turn={"code": "c3", "low": 10.0, "high": 50.0})
    latent = LATENTS.replaced(sample(), "c3", torch.tensor([value]))
    torch.testing.assert_close(network.turn(latent), angle(degrees).expand(6, 2))


def test_gradients_reach_all_weights_and_the_angle():
    network, latent = generator(), sample().requires_grad_()
    network(latent).square().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
    assert all(p.grad.abs().sum() > 0 for name, p in network.named_parameters() if "first" not in name)
    assert latent.grad[:, 4:6].abs().min() > 0


def test_initial_weights():
    wide = generator(style=256, volume=[64, 64], image=[64, 64])
    for part in wide.modules():
        if isinstance(part, nn.Linear | nn.Conv2d | Conv3):
            summed = part.weight[0].numel()
            if part.weight.numel() > 5000:
                assert part.weight.std().item() == pytest.approx((3 * summed) ** -0.5, rel=0.05)
            assert not part.bias.any()
    assert wide.learned.std().item() == pytest.approx(0.5, rel=0.05)
    again, other = generator(style=256, volume=[64, 64], image=[64, 64]), build_generator(section(), LATENTS)
    assert all(torch.equal(a, b) for a, b in zip(wide.parameters(), again.parameters(), strict=True))
    initialise(other, torch.Generator().manual_seed(1))
    assert not torch.equal(other.learned, generator().learned)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"turn": "c1"}, r"^model\.generator\.turn=c1: must be a code that is an angle \(kind: circular\): c2$"),
        ({"turn": "c9"}, r"^model\.generator\.turn=c9: must be a code that is an angle "),
        ({"turn": SWING | {"code": "c2"}}, r"^model\.generator\.turn\.code=c2: must be a code on an interval: c3, c4$"),
        ({"tilt": SWING | {"code": "c1"}}, r"^model\.generator\.tilt\.code=c1: must be a code on an interval: c3, c4$"),
        ({"tilt": SWING, "turn": SWING}, r"^model\.generator\.tilt\.code=c3: is the code of turn$"),
    ],
)
def test_a_code_that_is_no_such_angle_is_refused(changed, message):
    with pytest.raises(ConfigError, match=message):
        generator(**changed)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"turn": 3}, "turn=3: must be the name of a circular code"),
        ({"turn": {"code": "c3", "low": 0.0}}, "turn.high is missing"),
        ({"tilt": True}, "tilt=true: must be a number of degrees from -90 to 90"),
        ({"tilt": 91.0}, "tilt=91.0: must be a number of degrees from -90 to 90"),
        ({"tilt": SWING | {"low": "low"}}, "tilt.low=low: "),
        ({"volume": []}, "volume=[]: "),
        ({"image": [0]}, "image.0=0: "),
        ({"channels": 2}, "channels=2: "),
    ],
    ids=str,
)
def test_mistakes_are_one_line(changed, message):
    with pytest.raises(ConfigError) as error:
        section(**changed)
    assert str(error.value).startswith(message)


def test_it_is_written_as_it_is_read():
    by_codes = section(turn=SWING | {"code": "c4"}, tilt=SWING)
    assert check_section(by_codes.model_dump(), GeneratorSection) == by_codes


def test_it_is_described():
    assert section().description == "volume 8 → 6, turned by c2, tilted by 25.0; plane 12 → 8 → 4; sigmoid"
    assert "tilted by c3, 0° to 40°; " in section(tilt=SWING).description


def test_onnx_computes_the_same_for_any_batch(tmp_path):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    judge = SimpleNamespace(trunk=nn.Flatten(), posterior=nn.Linear(3 * 32 * 32, LATENTS.outputs))
    trained = SimpleNamespace(
        generator=generator(tilt=SWING).eval(),
        discriminator=judge,
        latents=LATENTS,
        sample=lambda count, seed: LATENTS.sample(seed, "test", 0, range(count)),
    )
    assert onnx_export.write_onnx(trained, tmp_path)["generator.onnx"] < onnx_export.TOLERANCE

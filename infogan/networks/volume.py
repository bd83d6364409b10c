"""A generator that turns a volume before it looks at it, as HoloGAN does (Nguyen-Phuoc et al. 2019): style from the
noise and the other codes shapes 3D features, the code of an angle turns them about the vertical axis, and a camera
that stays where it is makes an image of them. A turn then is a turn of every object, the same way round."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from infogan.codes.code import Code
from infogan.codes.domain import Circle, Interval
from infogan.codes.latents import Latents
from infogan.config.networks import Swing
from infogan.config.networks import VolumeGenerator as GeneratorSection
from infogan.errors import ConfigError

SMALLEST = 4
"""The edge of the volume that is learned, before its layers double it."""

EPSILON = 1e-5
"""Of a variance."""


class VolumeGenerator(nn.Module):
    """G: (N, width) latents → (N, C, H, W) images in the range of its output.

    A learned volume of 4³ goes through 3D layers, each at twice the size, whose features style scales and shifts; is
    turned and tilted; loses its depth, which becomes channels that a 1×1 convolution mixes; and goes through 2D layers,
    each at twice the size. Layers enlarge by interpolation: transposed convolutions draw a raster. On a GPU the
    gradients of interpolations are summed in no fixed order: two runs of a seed differ from the first iterations on.
    """

    fixed_tilt: Tensor

    def __init__(self, config: GeneratorSection, latents: Latents) -> None:
        super().__init__()
        self.turn = _angle("turn", config.turn, latents)
        self.tilt = _angle("tilt", config.tilt, latents) if isinstance(config.tilt, Swing) else None
        self.turning = [self.turn, *([] if self.tilt is None else [self.tilt])]
        if len({angle.code.name for angle in self.turning}) < len(self.turning):
            raise ConfigError(f"model.generator.tilt.code={self.turn.code.name}: is the code of turn")
        fixed = None if isinstance(config.tilt, Swing) else _direction(torch.tensor([config.tilt]))
        self.register_buffer("fixed_tilt", fixed, persistent=False)
        self.slope = config.slope
        width = latents.width - sum(angle.code.width for angle in self.turning)
        rectifier = nn.LeakyReLU(config.slope)
        self.style = nn.Sequential(
            nn.Linear(width, config.style), rectifier, nn.Linear(config.style, config.style), rectifier
        )
        self.learned = nn.Parameter(torch.empty(config.volume[0], SMALLEST**3))
        self.first = Styled(config.volume[0], config.style, config.slope)
        self.solid = nn.ModuleList(
            Layer(Conv3(before, after), config.style, config.slope)
            for before, after in zip(config.volume, config.volume[1:], strict=False)
        )
        edge = SMALLEST << len(self.solid)
        self.seen = Conv3(config.volume[-1], config.depth)
        self.flat = nn.Conv2d(config.depth * edge, config.image[0], 1)
        pairs = list(zip(config.image, config.image[1:], strict=False))
        self.plane = nn.ModuleList(
            Layer(nn.Conv2d(before, after, 3, padding=1), config.style if k < len(pairs) else None, config.slope)
            for k, (before, after) in enumerate(pairs, 1)
        )
        self.to_image = nn.Conv2d(config.image[-1], config.channels, 3, padding=1)
        self.image_shape = (config.channels, edge << len(pairs), edge << len(pairs))
        self.squash = nn.Sigmoid() if config.output == "sigmoid" else nn.Tanh()

    def forward(self, latent: Tensor) -> Tensor:
        style = self.style(torch.cat([*self._others(latent)], dim=1))
        learned = self.learned.unflatten(1, [SMALLEST] * 3).expand(latent.shape[0], -1, -1, -1, -1)
        h = self.first(learned.contiguous(memory_format=torch.channels_last_3d), style)  # a tenth faster on a CPU
        for layer in self.solid:
            h = layer(h, style)
        h = turned(h, self.turn(latent), self.fixed_tilt if self.tilt is None else self.tilt(latent))
        h = F.leaky_relu(self.seen(h), self.slope)
        h = F.leaky_relu(self.flat(h.flatten(1, 2)), self.slope)
        for layer in self.plane:
            h = layer(h, style)
        return self.squash(self.to_image(h).float())

    def initialise(self, generator: torch.Generator) -> None:
        """Weights ~ N(0, 1 / 3n), n being what a feature is summed of, as PyTorch's own are scaled; biases 0. The
        learned volume ~ N(0, 0.25)."""
        nn.init.normal_(self.learned, 0.0, 0.5, generator=generator)
        for part in self.modules():
            if isinstance(part, nn.Linear | nn.Conv2d | Conv3):
                summed = max(1, part.weight[0].numel())
                nn.init.normal_(part.weight, 0.0, (3 * summed) ** -0.5, generator=generator)
                assert part.bias is not None
                nn.init.zeros_(part.bias)

    def _others(self, latent: Tensor) -> Iterator[Tensor]:
        """The columns that no angle is read from."""
        first = 0
        for begin, end in sorted(angle.columns for angle in self.turning):
            yield latent[:, first:begin]
            first = end
        yield latent[:, first:]


class Conv3(nn.Module):
    """A 3×3×3 convolution that keeps the size. Its weight is (out, in, 27): all networks are in channels last, into
    which PyTorch brings no weights of five dimensions."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.out_channels = out_channels
        self.weight = nn.Parameter(torch.empty(out_channels, channels, 27))
        self.bias = nn.Parameter(torch.empty(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        return F.conv3d(x, self.weight.unflatten(2, (3, 3, 3)), self.bias, padding=1)


class Styled(nn.Module):
    """Each feature map of an image brought to mean 0 and variance 1, then to those that style says (Huang and Belongie
    2017, equation 8), then a leaky ReLU: (N, C, …), (N, style) → (N, C, …)."""

    def __init__(self, channels: int, style: int, slope: float) -> None:
        super().__init__()
        self.affine, self.slope = nn.Linear(style, 2 * channels), slope

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        places = list(range(2, x.dim()))
        gain, shift = (part.reshape(*part.shape, *[1] * len(places)) for part in self.affine(style).chunk(2, dim=1))
        variance, mean = torch.var_mean(x.float(), places, correction=0, keepdim=True)
        gain = (1 + gain) * torch.rsqrt(variance + EPSILON)
        return F.leaky_relu(x * gain.to(x.dtype) + (shift - mean * gain).to(x.dtype), self.slope)


class Layer(nn.Module):
    """Twice the size by interpolation, a convolution, style where there is some, and a leaky ReLU."""

    def __init__(self, convolution: nn.Conv2d | Conv3, style: int | None, slope: float) -> None:
        super().__init__()
        self.convolution, self.slope = convolution, slope
        self.styled = None if style is None else Styled(convolution.out_channels, style, slope)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        x = self.convolution(enlarged(x))
        return F.leaky_relu(x, self.slope) if self.styled is None else self.styled(x, style)


@dataclass(frozen=True)
class Angle:
    """How an angle is read from latents: as the circle that the code is, or from `low` to `high` degrees, which are the
    ends of what training draws of it."""

    code: Code
    columns: tuple[int, int]
    low: float
    high: float

    def __call__(self, latent: Tensor) -> Tensor:
        """(N, width) → (N, 2), cosine and sine."""
        rows = latent[:, self.columns[0] : self.columns[1]]
        if isinstance(self.code.domain, Circle):
            return rows
        unit = self.code.unit(self.code.values(rows))
        assert unit is not None  # as of every interval
        return _direction((self.low + (self.high - self.low) * (unit[:, 0] + 1) / 2).float())


def turned(volume: Tensor, turn: Tensor, tilt: Tensor) -> Tensor:
    """A volume turned about its vertical axis, then tilted towards the camera: (N, C, S, S, S), by depth, height and
    width, and cosine and sine of both angles, (N, 2), of the tilt also (1, 2) → (N, C, S, S, S) float32.

    In coordinates x to the right, y down and z away from the camera, the middle being 0, what was at (x, y, z) is then
    at (x cos θ + z sin θ, y, z cos θ - x sin θ) by a turn θ, and tilted by φ at (x, y cos φ - z sin φ, z cos φ + y sin
    φ): the camera looks down. Read trilinearly; 0 comes in from outside.
    """
    size = volume.shape[-1]
    ends = 1 - 1 / size  # of the middles of voxels
    places = torch.linspace(-ends, ends, size, device=volume.device)
    z, y, x = torch.meshgrid(places, places, places, indexing="ij")
    cos_turn, sin_turn, cos_tilt, sin_tilt = (
        part[:, None, None, None] for angle in (turn, tilt) for part in angle.float().unbind(dim=1)
    )
    # From where a place of the result comes: both are undone, the last first.
    y, z = y * cos_tilt + z * sin_tilt, z * cos_tilt - y * sin_tilt
    x, z = x * cos_turn - z * sin_turn, z * cos_turn + x * sin_turn
    grid = torch.stack(torch.broadcast_tensors(x, y, z), dim=-1)
    return F.grid_sample(volume.float(), grid, align_corners=False)


def enlarged(x: Tensor) -> Tensor:
    """Twice the size in each direction, between the pixels or voxels linearly: (N, C, …) → (N, C, …)."""
    return F.interpolate(x, scale_factor=2.0, mode="trilinear" if x.dim() == 5 else "bilinear", align_corners=False)


def _direction(degrees: Tensor) -> Tensor:
    """(N,) → (N, 2), cosine and sine."""
    radians = degrees * (math.pi / 180)
    return torch.stack([radians.cos(), radians.sin()], dim=1)


def _angle(key: str, given: str | Swing, latents: Latents) -> Angle:
    """The angle of that code. Raises ConfigError where there is no such code, or it is of another kind: one on a circle
    is the whole turn, one on an interval needs to be told its ends."""
    name, domain = (given.code, Interval) if isinstance(given, Swing) else (given, Circle)
    fitting = [code.name for code in latents.codes if isinstance(code.domain, domain)]
    if name not in fitting:
        where = f"{key}.code" if isinstance(given, Swing) else key
        what = "on an interval" if domain is Interval else "that is an angle (kind: circular)"
        allowed = ", ".join(fitting) if fitting else "none is there"
        raise ConfigError(f"model.generator.{where}={name}: must be a code {what}: {allowed}")
    low, high = (given.low, given.high) if isinstance(given, Swing) else (-180.0, 180.0)
    return Angle(latents.code(name), latents.columns[name], low, high)

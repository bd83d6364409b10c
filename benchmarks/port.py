"""MNIST's InfoGAN as public PyTorch ports write it, without a thought for speed: what this project is compared with.

float32, NCHW, a DataLoader that makes a PIL image of every sample, noise and codes made by NumPy for each batch,
gradients for every parameter in both phases, unfused Adam, and three `.item()` a
step. The networks have the layers of the preset.
"""

import itertools
from collections.abc import Iterator

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from benchmarks.loops import Run

NOISE, CLASSES, CONTINUOUS = 62, 10, 2


class Pictures(Dataset[Tensor]):
    """uint8 arrays, (N, 28, 28), each turned into a PIL image and transformed when it is asked for."""

    def __init__(self, images: np.ndarray) -> None:
        self.images = images
        self.transform = transforms.Compose([transforms.Resize(28), transforms.ToTensor()])

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        return self.transform(Image.fromarray(self.images[index]))


def networks() -> tuple[nn.Module, nn.Module, nn.Module, nn.Module]:
    """Generator, trunk, D's head and Q's head."""
    generator = nn.Sequential(
        nn.Linear(NOISE + CLASSES + CONTINUOUS, 1024),
        nn.BatchNorm1d(1024),
        nn.ReLU(),
        nn.Linear(1024, 128 * 7 * 7),
        nn.BatchNorm1d(128 * 7 * 7),
        nn.ReLU(),
        nn.Unflatten(1, (128, 7, 7)),
        nn.ConvTranspose2d(128, 64, 4, 2, 1),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.ConvTranspose2d(64, 1, 4, 2, 1),
        nn.Sigmoid(),
    )
    trunk = nn.Sequential(
        nn.Conv2d(1, 64, 4, 2, 1),
        nn.LeakyReLU(0.1),
        nn.Conv2d(64, 128, 4, 2, 1),
        nn.BatchNorm2d(128),
        nn.LeakyReLU(0.1),
        nn.Flatten(),
        nn.Linear(128 * 7 * 7, 1024),
        nn.BatchNorm1d(1024),
        nn.LeakyReLU(0.1),
    )
    head = nn.Sequential(nn.Linear(1024, 1), nn.Sigmoid())
    posterior = nn.Sequential(
        nn.Linear(1024, 128), nn.BatchNorm1d(128), nn.LeakyReLU(0.1), nn.Linear(128, CLASSES + CONTINUOUS)
    )
    return generator, trunk, head, posterior


def port(batch_size: int, images: int, device: torch.device) -> Run:
    """A loop over `images` random images, as described above."""
    generator, trunk, head, posterior = (network.to(device) for network in networks())
    optimizer_d = torch.optim.Adam([*trunk.parameters(), *head.parameters()], 2e-4, betas=(0.5, 0.999))
    optimizer_g = torch.optim.Adam([*generator.parameters(), *posterior.parameters()], 1e-3, betas=(0.5, 0.999))
    adversarial, categorical, continuous = nn.BCELoss(), nn.CrossEntropyLoss(), nn.MSELoss()
    pixels = np.random.default_rng(0).integers(0, 256, (images, 28, 28), dtype=np.uint8)
    loader = DataLoader(Pictures(pixels), batch_size=batch_size, shuffle=True, drop_last=True, num_workers=1)
    history: list[tuple[float, float, float]] = []

    def latents() -> tuple[Tensor, Tensor, Tensor]:
        classes = np.random.randint(0, CLASSES, batch_size)
        one_hot = np.zeros((batch_size, CLASSES), np.float32)
        one_hot[range(batch_size), classes] = 1
        values = np.random.uniform(-1, 1, (batch_size, CONTINUOUS)).astype(np.float32)
        noise = np.random.uniform(-1, 1, (batch_size, NOISE)).astype(np.float32)
        parts = [torch.from_numpy(noise), torch.from_numpy(one_hot), torch.from_numpy(values)]
        return torch.cat(parts, 1).to(device), torch.from_numpy(classes).to(device), torch.from_numpy(values).to(device)

    def step(real: Tensor) -> None:
        ones, zeros = torch.ones(batch_size, device=device), torch.zeros(batch_size, device=device)
        latent, classes, values = latents()
        optimizer_d.zero_grad()
        loss_real = adversarial(head(trunk(real)).flatten(), ones)
        fake = generator(latent)
        loss_fake = adversarial(head(trunk(fake.detach())).flatten(), zeros)
        loss_d = loss_real + loss_fake
        loss_d.backward()
        optimizer_d.step()

        optimizer_g.zero_grad()
        features = trunk(fake)
        loss_g = adversarial(head(features).flatten(), ones)
        q = posterior(features)
        loss_q = categorical(q[:, :CLASSES], classes) + continuous(q[:, CLASSES:], values)
        (loss_g + loss_q).backward()
        optimizer_g.step()
        history.append((loss_d.item(), loss_g.item(), loss_q.item()))

    def endless() -> Iterator[Tensor]:
        while True:
            yield from loader

    batches = endless()

    def run(iterations: int) -> None:
        for real in itertools.islice(batches, iterations):
            step(real.to(device))

    return run

import numpy as np
import pytest
import torch

from infogan.networks.value_range import scaled, to_uint8

RANGES = [(0.0, 1.0), (-1.0, 1.0)]


@pytest.mark.parametrize("value_range", RANGES)
def test_all_values_survive_scaling(value_range):
    images = torch.arange(256, dtype=torch.uint8).reshape(4, 1, 8, 8)
    values = scaled(images, value_range)
    low, high = value_range
    expected = low + (high - low) * np.arange(256) / 255
    assert values.flatten().tolist() == pytest.approx(expected.tolist(), abs=1e-6)
    assert (values.min().item(), values.max().item()) == value_range
    back = to_uint8(values, value_range)
    assert back.dtype == np.uint8
    assert back.shape == (4, 8, 8, 1)
    assert back.flatten().tolist() == list(range(256))


def test_scaled_is_float32_and_channels_last():
    images = torch.randint(0, 256, (2, 3, 4, 5), dtype=torch.uint8)
    before = images.clone()
    values = scaled(images, (0.0, 1.0))
    assert values.dtype == torch.float32
    assert values.shape == images.shape
    assert values.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(images, before)


def test_to_uint8_puts_channels_last_and_clips():
    images = torch.tensor([[-3.0, -1.0], [0.0, 9.0], [1.0, 0.5]]).reshape(1, 3, 1, 2)
    assert to_uint8(images, (-1.0, 1.0)).tolist() == [[[[0, 128, 255], [0, 255, 191]]]]

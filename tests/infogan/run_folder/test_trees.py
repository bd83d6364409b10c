"""Checkpoints come back as they were; what is damaged, foreign or missing is named."""

import pytest
import torch
from safetensors.torch import save_file

from infogan.errors import RunError
from infogan.run_folder.trees import load_tree, save_tree

DTYPES = [
    torch.float32,
    torch.float64,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.uint8,
    torch.bool,
]


def assert_same(one, two):
    assert type(one) is type(two)
    if isinstance(one, torch.Tensor):
        assert one.dtype == two.dtype
        assert torch.equal(one, two)
    elif isinstance(one, dict):
        assert list(one) == list(two)
        for key in one:
            assert_same(one[key], two[key])
    elif isinstance(one, list | tuple):
        assert len(one) == len(two)
        for a, b in zip(one, two, strict=True):
            assert_same(a, b)
    else:
        assert one == two


def test_a_tree_comes_back_as_it_was(tmp_path):
    tree = {
        "state": {0: {"step": torch.tensor(3.0), "moments": [torch.randn(2, 3), torch.randn(4)]}, 1: {}},
        "plain": [None, True, False, 0, 1, -7, 0.1, 1e-300, "text äλ", ""],
        "betas": (0.5, 0.999, (1, [2])),
        "empty": [(), [], {}],
    }
    path = tmp_path / "deep" / "tree.safetensors"
    save_tree(path, tree)
    assert_same(tree, load_tree(path))
    assert [file.name for file in path.parent.iterdir()] == ["tree.safetensors"]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3, 4)], ids=str)
def test_tensors_of_every_kind_come_back(tmp_path, dtype, shape):
    tensor = (10 * torch.rand(shape)).to(dtype)
    save_tree(tmp_path / "t", {"x": tensor})
    assert_same({"x": tensor}, load_tree(tmp_path / "t"))


def test_memory_layout_comes_back(tmp_path):
    plain = torch.randn(2, 3, 4, 5)
    last = torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)
    save_tree(tmp_path / "t", [plain, last, plain.transpose(2, 3)])
    back = load_tree(tmp_path / "t")
    assert torch.equal(back[0], plain)
    assert back[0].is_contiguous()
    assert torch.equal(back[1], last)
    assert back[1].is_contiguous(memory_format=torch.channels_last)
    assert back[1].stride() == last.stride()
    assert torch.equal(back[2], plain.transpose(2, 3))


def test_shared_and_trained_tensors_can_be_saved(tmp_path):
    weight = torch.randn(3, requires_grad=True)
    save_tree(tmp_path / "t", [weight, weight, weight[:2]])
    back = load_tree(tmp_path / "t")
    assert torch.equal(back[1], weight.detach())
    assert torch.equal(back[2], weight.detach()[:2])
    assert not back[0].requires_grad


@pytest.mark.parametrize(
    "value",
    [{1, 2}, object(), b"bytes", 1j, torch.nn.Linear(1, 1), print],
    ids=["set", "object", "bytes", "complex", "module", "function"],
)
def test_other_types_are_refused_and_leave_no_file(tmp_path, value):
    with pytest.raises(TypeError, match=type(value).__name__):
        save_tree(tmp_path / "t", {"a": [1, value]})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_a_truncated_file_is_named(tmp_path, keep):
    path = tmp_path / "half.safetensors"
    save_tree(path, {"x": torch.randn(100)})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(RunError, match=r"half\.safetensors .*damaged"):
        load_tree(path)


def test_a_foreign_file_is_named(tmp_path):
    save_file({"x": torch.zeros(2)}, tmp_path / "foreign.safetensors")
    with pytest.raises(RunError, match=r"foreign\.safetensors is not a checkpoint"):
        load_tree(tmp_path / "foreign.safetensors")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(RunError, match=r"none\.safetensors does not exist"):
        load_tree(tmp_path / "none.safetensors")

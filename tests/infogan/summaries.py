"""What training leaves at its end, without a training."""

from infogan.run_folder.summary import Summary

VALUES = {
    "data": "digits",
    "seed": 0,
    "iterations": 10,
    "iterations_an_epoch": 22,
    "images_per_second": 7000.5,
    "information": {"c1": 2.25, "c2": -0.25},
    "information_train_mode": {"c1": 2.0, "c2": -0.5},
    "information_at_mse": {"c2": 1.5},
    "entropy": {"c1": 2.3, "c2": 0.69},
    "lambda": {"c1": 1.0, "c2": 1.0},
    "acc": 0.75,
    "nmi": 0.7,
    "ari": 0.6,
    "matching": None,
    "factors": {},
    "checkpoint": "checkpoints/iteration_00000010.safetensors",
}
"""The content of a summary.json."""


def summary_of(**values):
    """A summary with some of its values."""
    return Summary(**VALUES | values)

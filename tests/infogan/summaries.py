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


ATTRIBUTES = {
    "images": {"train": 90, "test": 10},
    "tad": {"score": 0.25, "captured": 1, "attributes": 2},
    "mean_auroc": 0.75,
    "by_attribute": {
        "Smiling": {"share": 0.5, "reading": "c1=3", "auroc": 0.625, "sum": "c1=3,4", "sum_auroc": 0.75,
                    "nmi_code": "c1", "nmi": 0.125, "probe": 0.8125},
        "<i>Bald": {"share": 0.02, "reading": "not c2", "auroc": 0.875, "probe": 0.9375},
    },
    "by_reading": {"c1=3": {"attribute": "Smiling", "auroc": 0.625, "share": 0.1},
                   "c2": {"attribute": "not <i>Bald", "auroc": 0.875}},
    "by_code": {"c1": {"Smiling": 0.625, "<i>Bald": 0.5}, "c2": {"Smiling": 0.5, "<i>Bald": 0.875}},
}  # fmt: skip
"""A part of an evaluation.json: one attribute that a category tells, one that a continuous code does."""

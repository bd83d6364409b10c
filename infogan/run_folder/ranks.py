"""Which of a run's processes this one is."""

import os

RUN_FOLDER_OF_RANKS = "INFOGAN_RUN_FOLDER"
"""Lightning starts the other ranks with the same command line: this variable names their run."""


def is_rank_zero() -> bool:
    """Whether this process speaks and writes for all of the run's processes."""
    return os.environ.get("LOCAL_RANK", "0") == "0"

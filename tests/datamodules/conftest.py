"""What tests of several data sets share."""

import pytest
from joblib.externals import loky


class OneReader:
    """Stands for the pool of one process in which a .mat file is read. It lasts: each start of one takes as long as
    SciPy's import. After a failure the next reading has another. (loky's own lasting pool is joblib's as well.)"""

    pool = None

    def __init__(self, make):
        self.make = make

    def __enter__(self):
        if OneReader.pool is None:
            OneReader.pool = self.make(1, timeout=60)
        return OneReader.pool

    def __exit__(self, kind, error, trace):
        if kind is not None:
            OneReader.pool = None


@pytest.fixture
def one_reader(monkeypatch):
    """All .mat files are read by one process beside this one; test_mat.py has them read as they are elsewhere."""
    pool = loky.ProcessPoolExecutor
    monkeypatch.setattr(loky, "ProcessPoolExecutor", lambda n, **more: OneReader(pool) if n == 1 else pool(n, **more))

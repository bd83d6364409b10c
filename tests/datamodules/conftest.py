"""What tests of several data sets share."""

import pytest
from joblib.externals import loky


class OneReader:
    """Stands for the pool of one process in which a .mat file is read. It lasts: each start of one takes as long as
    SciPy's import. Where it crashed, the next reading has another."""

    def __enter__(self):
        return loky.get_reusable_executor(1, timeout=60)

    def __exit__(self, *error):
        pass


@pytest.fixture
def one_reader(monkeypatch):
    """All .mat files are read by one process beside this one; test_mat.py has them read as they are elsewhere."""
    pool = loky.ProcessPoolExecutor
    monkeypatch.setattr(loky, "ProcessPoolExecutor", lambda n, **more: OneReader() if n == 1 else pool(n, **more))

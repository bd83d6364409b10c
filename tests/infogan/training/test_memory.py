import subprocess
import sys

import pytest

FAULTS = """
import resource, sys, torch
from infogan.training.memory import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def use():
    for megabytes in (40, 70, 50):
        torch.ones(megabytes * 2**18)
for _ in range(6):
    use()
before = faults()
for _ in range(5):
    use()
print(faults() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator is Linux's")
def test_freed_memory_is_not_mapped_anew():
    found = {
        how: int(subprocess.run([sys.executable, "-c", FAULTS, how], check=True, capture_output=True).stdout)
        for how in ("kept", "given back")
    }
    pages = 5 * 160 * 256  # of 4 kB
    assert found["kept"] < 0.02 * pages
    assert found["given back"] > 10 * found["kept"] + 500  # huge pages make these few

import subprocess
import sys

import numpy as np
from scipy.io import savemat

SCRIPT = """
import sys
from pathlib import Path
from infogan.datamodules.sources.mat import arrays_of_mat

print("run")
print(arrays_of_mat(Path(sys.argv[1]), ["x", "z"], 100)["x"].tolist())
"""
"""Somebody's own script: no `if __name__ == "__main__"`."""


def test_a_script_of_ones_own_runs_once(tmp_path):
    savemat(tmp_path / "file.mat", {"x": np.arange(6).reshape(2, 3), "y": np.zeros(1000)})
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, tmp_path / "script.py", tmp_path / "file.mat"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "run\n[[0, 1, 2], [3, 4, 5]]\n"), done.stderr

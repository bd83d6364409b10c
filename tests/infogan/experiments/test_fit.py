"""Around the training of a run: its log, how it is resumed, which checkpoint it can continue from."""

import json
import logging

import pytest

from infogan.errors import Collapsed, NotFinite, RunError
from infogan.experiments.build import build_module
from infogan.experiments.fit import check_checkpoint, early_end_logged, how_to_continue, log_file
from infogan.run_folder.locks import is_held
from infogan.run_folder.paths import checkpoint_path, newest_checkpoint
from infogan.run_folder.trees import load_tree, save_tree
from infogan.training.signals import StopSignals

log = logging.getLogger("infogan")


def test_the_log_goes_to_the_terminal_and_into_the_folder(tmp_path, capsys):
    with pytest.raises(ZeroDivisionError), log_file(tmp_path):
        assert is_held(tmp_path)
        log.info("said")
        log.debug("noted")
        _ = 1 / 0
    log.info("after")
    assert capsys.readouterr().out == "said\n"
    lines = (tmp_path / "log.txt").read_text().splitlines()
    assert [line.split()[-1] for line in lines] == ["said", "noted"]
    assert not is_held(tmp_path) and log.handlers == []


def test_other_processes_of_the_run_write_no_log(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "1")
    with log_file(tmp_path):
        log.info("said")
    assert list(tmp_path.iterdir()) == []


def test_how_a_run_continues(tmp_path):
    command = f"python -m infogan.train run={tmp_path}"
    assert how_to_continue(tmp_path) == f"{command} starts it again; there is no checkpoint yet"
    save_tree(checkpoint_path(tmp_path, 20), {})
    assert how_to_continue(tmp_path) == f"{command} continues from iteration 20"


def test_a_collapse_leaves_its_reason(tmp_path):
    with pytest.raises(Collapsed, match=r"^D has won$"), early_end_logged(tmp_path, StopSignals()):
        raise Collapsed("D has won")
    assert json.loads((tmp_path / "collapsed.json").read_text()) == {"reason": "D has won"}
    message = r"^loss was nan; the last good checkpoint: none yet$"
    with pytest.raises(NotFinite, match=message), early_end_logged(tmp_path, StopSignals()):
        raise NotFinite("loss was nan")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda tree: tree["state_dict"].popitem(), "RuntimeError: "),
        (lambda tree: tree.update(optimizer_states=[]), "ValueError: "),
        (lambda tree: tree.update(iteration=7), "ValueError: it is of iteration 7"),
        (lambda tree: tree.pop("loops"), "KeyError: 'loops'"),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_named(digits_run, tmp_path, spoil, message):
    from infogan.run_folder.configuration import load_config

    module = build_module(load_config(digits_run))
    whole = newest_checkpoint(digits_run)
    check_checkpoint(whole, module)
    tree = load_tree(whole)
    spoil(tree)
    spoilt = checkpoint_path(tmp_path, 20)
    save_tree(spoilt, tree)
    with pytest.raises(RunError) as raised:
        check_checkpoint(spoilt, module)
    assert str(raised.value).startswith(f"{spoilt} does not fit {tmp_path}/config.yaml ({message}")
    assert "\n" not in str(raised.value)

"""What may be written, and what is asked about."""

import pytest

from infogan.config.asking import AskAboveConfig, AskingConfig
from infogan.errors import ConfigError, RunError
from infogan.run_folder import amounts
from infogan.run_folder.amounts import Amount, allow, asking, in_bytes


def config(yes):
    return AskingConfig(yes=yes, ask_above=AskAboveConfig(gigabytes=1.0, files=10, runs=5))


def test_in_words():
    sizes = [0, 999, 1000, 265_200, 3.2e9, 4e14, 4.1444e17, 1e20]
    assert [in_bytes(size) for size in sizes] == [
        "0 B", "999 B", "1.0 kB", "265.2 kB", "3.2 GB", "400.0 TB", "414.4 PB", "100,000.0 PB"
    ]  # fmt: skip
    assert str(Amount(5000)) == "1 file, 5.0 kB"
    assert str(Amount(5000, 1001, 90.0)) == "1,001 files, 5.0 kB, about 1 min"
    assert str(Amount(5000, 2, 0.2)) == "2 files, 5.0 kB, under 1 s"


def test_above_a_size_only_with_yes(tmp_path):
    for amount in (Amount(2 * 10**9), Amount(1, files=11)):
        allow("count=3", amount, tmp_path)  # outside of commands
        with asking(config(yes=True)):
            allow("count=3", amount, tmp_path)
        with asking(config(yes=False)), pytest.raises(ConfigError) as raised:
            allow("count=3", amount, tmp_path)
        line = f"count=3 takes {amount}: more than ask_above has (1 GB, 10 files); yes=true does it"
        assert str(raised.value) == line
    with asking(config(yes=False)):
        allow("count=3", Amount(10**9, files=10), tmp_path)


def test_very_many_runs_only_with_yes(tmp_path):
    with asking(config(yes=False)):
        allow("a sweep of 5 runs", 5 * Amount(2 * 10**9, 100), tmp_path, runs=5)
        with pytest.raises(
            ConfigError, match=r"^a sweep of 6 runs takes .*ask_above has \(5 runs\); yes=true does it$"
        ):
            allow("a sweep of 6 runs", Amount(1), tmp_path, runs=6)


def test_what_the_disk_has_no_room_for_is_refused_always(tmp_path, monkeypatch):
    monkeypatch.setattr(amounts, "_free", lambda folder: (1000, 7))
    with asking(config(yes=True)):
        with pytest.raises(RunError, match=f"n=1 takes 1 file, 1.0 kB: the disk of {tmp_path} has room for 1.0 kB"):
            allow("n=1", Amount(1001), tmp_path / "not" / "there")
        with pytest.raises(RunError, match="has room for 7 files"):
            allow("n=1", Amount(1, files=8), tmp_path)

"""What the terminal shows."""

from infogan.terminal import age


def test_age():
    spans = [-5, 0, 59.9, 60, 3599, 3600, 86399, 86400, 1_000_000]
    assert [age(span) for span in spans] == ["0 s", "0 s", "59 s", "1 min", "59 min", "1 h", "23 h", "1 d", "11 d"]

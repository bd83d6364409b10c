"""What reaches terminals: any text in any encoding, and tables of any width."""

import io
import sys

import pytest

from infogan import runs, train
from infogan.terminal import Column, age, aside, in_ascii, print_records, show_table, take_any_text
from tests.infogan.processes import TINY, ended, start

ENCODINGS = ["ascii", "latin-1", "cp1252"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("λ", "lambda"),
        ("σ² = MSE", "sigma^2 = MSE"),
        ("λσ", "lambdasigma"),
        ("28 × 28 → 0…9", "28 x 28 -> 0...9"),
        ("┏━│─╸", "+-|--"),
        ("кошка, ü, 猫", "koshka, u, Mao"),
        ("λόγος", "logos"),
        ("u\u0308 and e\u0301", "u and e"),
        ("\udcff", "\\udcff"),
        ("plain", "plain"),
    ],
)
def test_in_ascii(text, expected):
    assert in_ascii(text) == expected


@pytest.mark.parametrize("encoding", [*ENCODINGS, "utf-8", "cp437"])
def test_streams_take_any_text(monkeypatch, encoding):
    streams = {name: io.TextIOWrapper(io.BytesIO(), encoding) for name in ("stdout", "stderr")}
    for name, stream in streams.items():
        monkeypatch.setattr(sys, name, stream)
    take_any_text()
    for stream in streams.values():
        print("λ = 1, ü, 猫, \udcff", file=stream, flush=True)
        written = stream.buffer.getvalue().decode(encoding)
        kept = [c for c in "λü猫" if c in written]
        assert kept == [c for c in "λü猫" if c.encode(encoding, "ignore")]
        assert ("lambda" in written, "Mao" in written) == ("λ" not in kept, "猫" not in kept)
        assert "\\udcff" in written


COLUMNS = [
    Column("λ", right=True),
    Column("ACC", 1, right=True),
    Column("L_I at σ² = MSE", 2, right=True),
    Column("empty", 1),
    Column("run"),
]
ROWS = [["0.1", "0.912", "2.25", "", "a_name_of_30_characters_in_all"], None, ["10", "0.5", "", "", "b [red]猫"]]


def test_a_table_that_is_piped_has_all_columns_and_a_line_a_row(capsys):
    show_table("a title", COLUMNS, ROWS)
    assert capsys.readouterr().out.splitlines() == [
        "",
        "a title",
        "  λ     ACC   L_I at σ² = MSE   run",
        "──────────────────────────────────────────────────────────────",
        "0.1   0.912              2.25   a_name_of_30_characters_in_all",
        "",
        " 10     0.5                     b [red]猫",
    ]


@pytest.mark.parametrize(
    ("width", "left_out"),
    [(120, None), (62, None), (61, "L_I at σ² = MSE"), (44, "L_I at σ² = MSE"), (43, "ACC, L_I at σ² = MSE"),
     (36, "ACC, L_I at σ² = MSE")],
)  # fmt: skip
def test_columns_are_left_out_by_rank(screen, width, left_out):
    with screen(width) as shown:
        show_table("", COLUMNS, ROWS)
    lines = shown()
    assert max(map(len, lines[:7])) <= width
    assert ROWS[0][-1] in lines[4], "a name is whole"
    assert [line for line in lines if "no room" in line] == ([f"no room for: {left_out}"] if left_out else [])


def test_what_has_no_room_at_all_runs_on(screen):
    """Then the others are shown beside it as far as half of the terminal goes."""
    long = "/".join(["folder"] * 12)
    with screen(40) as shown:
        show_table("", COLUMNS, [[*ROWS[0][:-1], long]])
    lines = shown()
    assert lines[4] == f"0.1   0.912   {long}"
    assert lines[3] == "─" * 40


def test_columns_are_as_wide_as_what_replaces_their_text(screen):
    with screen(80, "ascii") as shown:
        take_any_text()
        show_table("σ", COLUMNS, ROWS)
    title, head, rule, first, _, second = shown()[1:]
    assert (title, set(rule)) == ("sigma", set("-+"))
    places = {tuple(k for k, letter in enumerate(line) if letter == "|") for line in (head, first, second)}
    assert len(places) == 1
    assert second.endswith("| b [red]Mao")


def test_words_are_wrapped_where_a_column_may_be(screen):
    with screen(40) as shown:
        show_table("", [Column("a"), Column("b", wraps=True)], [["key", "several words " * 8]])
    lines = shown()
    assert max(map(len, lines)) <= 40
    assert " ".join(" ".join(lines[4:]).split()) == "key " + ("several words " * 8).strip()


def test_records_of_nothing(capsys):
    print_records([], "json")
    print_records([], "csv")
    assert capsys.readouterr().out == "[]\n"


def test_aside(capsys):
    with aside("json") as output:
        print("progress")
        print("data", file=output)
    with aside("table") as output:
        print("all")
    assert capsys.readouterr() == ("data\nall\n", "progress\n")


@pytest.fixture
def of_encoding(monkeypatch, tmp_path):
    """Runs a command as a process whose terminal has this encoding; its exit code, standard output and error."""

    def run(encoding, program, *arguments):
        monkeypatch.setenv("PYTHONIOENCODING", encoding)
        monkeypatch.setenv("PYTHONUTF8", "1")  # files are of no concern here
        return ended(start(*arguments, program=("-m", program), cwd=tmp_path, encoding=encoding))

    return run


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_training_and_its_table(of_encoding, tmp_path, encoding):
    """A run whose folder has a name in Cyrillic, then the list of runs; neither ends by an exception."""
    short = [*TINY, "trainer.max_iterations=2", "paths.outputs=прогоны"]
    code, out, err = of_encoding(encoding, "infogan.train", *short)
    assert (code, err) == (0, "")
    sigma = "sigma^2" if encoding == "ascii" else "sigma²"
    assert f"L_I at {sigma} = MSE" in out
    assert "figures: progony/" in out
    (log,) = (tmp_path / "прогоны").glob("*/log.txt")
    assert "прогоны" in log.read_text(encoding="utf-8"), "files are UTF-8"
    code, out, err = of_encoding(encoding, "infogan.runs", "paths.outputs=прогоны")
    assert (code, err) == (0, "")
    assert "runs in progony" in out and "lambda" in out


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_help_and_mistakes(of_encoding, encoding):
    code, out, _ = of_encoding(encoding, "infogan.train", "--help")
    assert code == 0 and "lambda" in out
    code, out, _ = of_encoding(encoding, "infogan")
    assert code == 0 and "lambda" in out
    code, out, err = of_encoding(encoding, "infogan.train", "data=digits", "model.codes.c9={kind: λ猫}")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("error: ") and "Mao" in err


def test_a_name_that_is_no_text(call, tmp_path):
    """A folder whose name is no UTF-8: Python has it with surrogates, which no encoding takes."""
    name = b"\xff".decode("utf-8", "surrogateescape")
    code, out, _ = call(runs.main, f"paths.outputs={tmp_path}/{name}")
    assert code == 0 and out.startswith("there is no run in ")


def test_a_launchers_worker_takes_any_text(monkeypatch, compose_values):
    """It calls the job and never was in main."""
    stream = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(train, "run", lambda values, of_sweep: print("λ"))
    monkeypatch.setattr(train, "HydraConfig", type("Single", (), {"get": lambda: type("Mode", (), {"mode": None})}))
    train.job.__wrapped__(None)
    stream.flush()
    assert stream.buffer.getvalue() == b"lambda\n"


def test_age():
    spans = [-5, 0, 59.9, 60, 3599, 3600, 86399, 86400, 1_000_000]
    assert [age(span) for span in spans] == ["0 s", "0 s", "59 s", "1 min", "59 min", "1 h", "23 h", "1 d", "11 d"]

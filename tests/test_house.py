"""The house: who may import whom, how large a room may be, and that nobody asks a code which kind it is."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

FLOORS = [
    {"metrics", "figures", "errors", "terminal"},
    {"config"},
    {"run_folder"},
    {"codes", "networks"},
    {"objective"},
    {"trained", "training", "tracking", "datamodules"},
    {"scoring"},
    {"pages", "explorer"},
    {"callbacks"},
    {"experiments"},
]
"""From the ground up: a room imports rooms below it, and those beside it where that closes no circle. On the roof are
the commands."""

ROOMS = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
ROOF = len(FLOORS)
SHARED = {"__init__", "__main__", "arguments", "command"}
"""Files directly in infogan/ that are neither a room nor a command."""


def files():
    """Every file of the package by the name of its module."""
    found = {}
    for top in ("infogan", "datamodules", "callbacks"):
        for path in (ROOT / top).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            parts = parts if top == "infogan" else ("infogan", *parts)
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


FILES = files()
COMMANDS = {path.stem for path in (ROOT / "infogan").glob("*.py")} - SHARED - set(ROOMS)


def room_of(module):
    """The room that a module lies in; the roof for commands and what they share."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in ROOMS else "commands"


def imports_of(module):
    """The modules of the package that a file imports, lazily or not; not those that only a type checker reads."""
    tree = ast.parse(FILES[module].read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            node.body = []
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "infogan":
            for name in node.names:
                whole = f"{node.module}.{name.name}"
                found.add(whole if whole in FILES else node.module)
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names if name.name.split(".")[0] == "infogan"}
    return found & FILES.keys()


IMPORTS = {module: imports_of(module) for module in FILES}


def test_imports_go_downwards():
    above = [
        f"{module} imports {imported}"
        for module in FILES
        if module != "infogan"  # `load`, lazily
        for imported in IMPORTS[module]
        if ROOMS.get(room_of(imported), ROOF) > ROOMS.get(room_of(module), ROOF)
    ]
    assert above == []


def test_no_circles():
    """Neither of files nor of rooms."""

    def circle(graph):
        seen, done = [], set()

        def visit(node):
            if node in seen:
                return [*seen[seen.index(node) :], node]
            if node in done:
                return None
            seen.append(node)
            found = next((path for other in sorted(graph[node]) if (path := visit(other))), None)
            seen.pop()
            done.add(node)
            return found

        return next((path for node in sorted(graph) if (path := visit(node))), None)

    assert (
        circle(
            {module: imported - {module} for module, imported in IMPORTS.items() if module != "infogan"}
            | {"infogan": set()}
        )
        is None
    )
    rooms = {room: set() for room in [*ROOMS, "commands"]}
    for module, imported in IMPORTS.items():
        rooms[room_of(module)] |= {room_of(other) for other in imported} - {room_of(module)}
    rooms["commands"] -= {"commands"}
    assert circle({room: others - {"commands"} for room, others in rooms.items()}) is None


def test_a_file_can_be_read_at_once():
    lengths = {module: len(path.read_text(encoding="utf-8").splitlines()) for module, path in FILES.items()}
    assert {module: length for module, length in lengths.items() if length > 310} == {}
    assert {name: lengths[f"infogan.{name}"] for name in COMMANDS if lengths[f"infogan.{name}"] > 85} == {}


def test_commands_lie_on_the_roof_and_little_else():
    beside = {path.stem for path in (ROOT / "infogan").glob("*.py")} - COMMANDS
    assert len(beside) <= 6
    helps = {path.stem for path in (ROOT / "conf").glob("*.yaml")}
    assert {"data_sheet" if name == "data" else name for name in COMMANDS} <= helps


KINDS = {"Categorical", "Uniform", "Circular", "CategoricalCode", "UniformCode", "CircularCode"}


@pytest.mark.parametrize("module", sorted(FILES))
def test_nobody_asks_a_code_which_kind_it_is(module):
    if room_of(module) in ("codes", "config"):
        return
    tree = ast.parse(FILES[module].read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "isinstance":
            asked = {name.id for name in ast.walk(node.args[1]) if isinstance(name, ast.Name)}
            assert not asked & KINDS, ast.unparse(node)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            is_code = node.value.id in ("code", "other", "c1")
            own = ("classes", "kind", "low", "high", "sigma", "largest_kappa")
            assert not (is_code and node.attr in own), ast.unparse(node)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("infogan.codes."):
            assert not {name.name for name in node.names} & KINDS, ast.unparse(node)


def unnamed_encodings(tree):
    """Calls that read or write text in whatever encoding this machine prefers."""
    others = ("Image", "tarfile", "gzip", "archive", "webbrowser", "os")  # whose `open` is of something else
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or "encoding" in {keyword.arg for keyword in node.keywords}:
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        modes = {word.value for a in node.args for word in ast.walk(a) if isinstance(word, ast.Constant)}
        opens = name == "open" and ast.unparse(node.func).split(".")[0] not in others
        pipes = any(keyword.arg == "text" and ast.unparse(keyword.value) == "True" for keyword in node.keywords)
        if name in ("read_text", "write_text") or (opens and not modes & {"rb", "wb", "ab"}) or pipes:
            yield ast.unparse(node)


def test_files_are_utf_8():
    """On Windows Python would take the encoding of the console."""
    tops = [path for top in ("benchmarks", "examples") for path in (ROOT / top).rglob("*.py")]
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in [*FILES.values(), *tops]}
    allowed = {"_open_zip(self.place).open(entry.name)"}  # of bytes
    assert {path.name: found for path, tree in trees.items() if (found := set(unnamed_encodings(tree)) - allowed)} == {}

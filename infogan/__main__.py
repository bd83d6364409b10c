"""`infogan train data=mnist` is `python -m infogan.train data=mnist`; without a command all of them, a line each."""

import runpy
import sys
from importlib.resources import files

from infogan.errors import ends_with_its_reader
from infogan.terminal import Column, show_table, take_any_text


def main() -> None:
    """Runs the command that is named first, as `python -m infogan.<command>` does. Exit code 2 for one that is not."""
    take_any_text()
    name, *arguments = sys.argv[1:] or ["--help"]
    known = commands()
    if name in known:
        sys.argv[1:] = arguments
        runpy.run_module(f"infogan.{name}", run_name="__main__", alter_sys=True)
        return
    with ends_with_its_reader():
        print("infogan <command> [key=value …]\npython -m infogan.<command> is the same; --help shows its keys")
        show_table("commands", [Column(""), Column("", wraps=True)], list(known.items()))
    if name not in ("--help", "-h", "help"):
        print(f"\nerror: {name}: there is no such command", file=sys.stderr)
        raise SystemExit(2)


def commands() -> dict[str, str]:
    """What each command does, by its name, as its configuration says it."""
    import yaml

    found = {}
    for path in files("infogan.conf").iterdir():
        if path.name.endswith(".yaml"):
            words = (yaml.safe_load(path.read_text(encoding="utf-8")).get("hydra") or {}).get("help") or {}
            if "app_name" in words:
                found[words["app_name"].removeprefix("infogan.")] = words["header"]
    return dict(sorted(found.items(), key=lambda item: (item[0] != "train", item[0])))


if __name__ == "__main__":
    main()

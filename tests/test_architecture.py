"""The house is as docs/architecture.md draws it: imports run downward, in no circle, and members stand alone."""

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "samcli").rglob("*.py"))
}
FLOORS = [
    [name.rstrip("/").removesuffix(".py") for name in re.findall(r"(?:^|\s{2,})([a-z]+(?:/|\.py))(?=\s|$)", line)]
    for line in PAGE.split("```")[1].strip().splitlines()
]
HEIGHT = {room: len(FLOORS) - number for number, rooms in enumerate(FLOORS) for room in rooms}
PLURAL = [
    f"samcli.{name.rstrip('/').replace('/', '.')}"
    for line in PAGE.splitlines()
    if line.startswith("| `")
    for name in re.findall(r"`([a-z/]+/)`", line.split("|")[1])
]
LIBRARIES = {"optim", "sharpness", "robustness", "weights", "stats"}
UNKNOWN_TO_LIBRARIES = {"cli", "launch", "train", "report", "runs", "config"}


def room_of(module: str) -> str:
    """The folder or file of samcli/ that a module lies in; empty for the package itself."""
    return [*module.split("."), ""][1]


def imports_of(tree: ast.Module) -> Iterator[str]:
    """The modules of samcli that a file imports, wherever in it, save for the types of annotations."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the whole path"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in MODULES else str(node.module)
        waiting += ast.iter_child_nodes(node)


GRAPH = {
    module: {name for name in imports_of(ast.parse(path.read_text(encoding="utf-8"))) if name in MODULES}
    for module, path in MODULES.items()
}


def test_the_page_names_every_room_once() -> None:
    named = [room for rooms in FLOORS for room in rooms]
    there = {room_of(module) for module in MODULES} - {"", "__main__"}
    assert sorted(named) == sorted(there)
    assert len(FLOORS) == 11
    assert set(PLURAL) <= set(MODULES)
    assert len(PLURAL) == len(set(PLURAL)) >= 10


def test_imports_run_downward() -> None:
    upward = [
        f"{module} imports {name}"
        for module, names in GRAPH.items()
        for name in names
        if room_of(module) in HEIGHT and room_of(name) not in ("", room_of(module))
        if HEIGHT[room_of(name)] >= HEIGHT[room_of(module)]
    ]
    assert upward == []


def test_no_circle() -> None:
    """Not even within a room; that a package's own file names its members is no circle."""
    packages = {module for module, path in MODULES.items() if path.name == "__init__.py"}
    inner = {module: names - packages for module, names in GRAPH.items() if module not in packages}
    try:
        order = list(TopologicalSorter(inner).static_order())
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))
    assert set(order) >= set(inner)


def test_no_file_imports_the_room_that_it_lies_in() -> None:
    """That would be a circle, and hide which sibling is meant; the package itself holds no more than its version."""
    inward = [
        f"{module} imports {name}"
        for module, names in GRAPH.items()
        for name in names
        if name != "samcli" and module.startswith(f"{name}.")
    ]
    assert inward == []


@pytest.mark.parametrize("room", PLURAL)
def test_members_of_a_plural_room_stand_alone(room: str):
    beside = {room + "." + name for name in re.findall(rf"`{room.removeprefix('samcli.')}/(\w+)\.py`", PAGE)}
    members = [module for module in MODULES if module.startswith(f"{room}.") and module not in beside]
    assert members
    assert beside <= set(MODULES)
    siblings = [
        f"{module} imports {name}"
        for module in members
        for name in GRAPH[module]
        if name in members and not name.rpartition(".")[2].startswith("_")
    ]
    assert siblings == []


def test_libraries_know_no_command_line_no_configuration_and_no_results_folder() -> None:
    known = [
        f"{module} imports {name}"
        for module, names in GRAPH.items()
        if room_of(module) in LIBRARIES
        for name in names
        if room_of(name) in UNKNOWN_TO_LIBRARIES
    ]
    assert known == []


def test_the_reader_of_imports_sees_them() -> None:
    text = "import samcli.errors\nfrom samcli.optim import engine\ndef f():\n    from samcli.config import read\n"
    text += "if TYPE_CHECKING:\n    from samcli.cli import app\n"
    assert set(imports_of(ast.parse(text))) == {"samcli.errors", "samcli.optim.engine", "samcli.config"}

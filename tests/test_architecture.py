"""The floor plan: who may import whom."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEAVY = {"keras", "tensorflow"}
# A room may import from the rooms after it, never from those before.
ORDER = (
    ("cli",),
    ("zoo.run",),
    ("zoo.training",),
    ("zoo.serving",),
    ("zoo.tasks",),
    ("zoo.datasets",),
    ("zoo.runs",),
    ("zoo.registry",),
    ("zoo.weights",),
    ("zoo.anatomy",),
    ("recipes",),
    ("zoo.models",),
    ("zoo.layers",),
    ("zoo.catalog",),
    ("zoo.base",),
)
FEATURES = {
    "Feature",
    "Image",
    "Table",
    "Text",
    "BytePairText",
    "Label",
    "Number",
    "Series",
    "Tags",
}


def files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, *, top_level: bool) -> set[str]:
    """Return the modules that a file imports, at module level or anywhere."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_level else list(ast.walk(tree))
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def floor(name: str) -> int | None:
    for number, rooms in enumerate(ORDER):
        if any(name == room or name.startswith(room + ".") for room in rooms):
            return number
    return None


@pytest.mark.parametrize("path", files("zoo", "recipes", "cli"), ids=module)
def test_imports_run_down_only(path: Path) -> None:
    here = floor(module(path))
    if here is None:
        assert module(path) == "zoo", f"{path} is in no room of the floor plan"
        return
    for name in imports(path, top_level=False):
        there = floor(name)
        assert there is None or there >= here, f"{module(path)} imports {name}, which is above it"


@pytest.mark.parametrize(
    "path",
    [
        *files("cli"),
        *files("zoo/catalog", "zoo/base", "zoo/runs", "zoo/datasets/sources"),
        *(ROOT / "zoo" / f"{name}.py" for name in ("registry", "run", "datasets/spec")),
        *(ROOT / "zoo" / "tasks" / f"{name}.py" for name in ("__init__", "base")),
        *(ROOT / "recipes" / f"{name}.py" for name in ("recipe", "library", "overrides")),
    ],
    ids=module,
)
def test_light_files_do_not_import_keras_at_module_level(path: Path) -> None:
    assert not {name.split(".")[0] for name in imports(path, top_level=True)} & HEAVY


def test_the_top_of_the_zoo_holds_three_files() -> None:
    assert {path.stem for path in (ROOT / "zoo").glob("*.py")} == {"__init__", "run", "registry"}


def test_no_circle_of_files() -> None:
    """Within a room, too, what imports may not be imported by what it imports."""
    paths = files("zoo", "recipes", "cli")
    known = {module(path) for path in paths}
    needs = {
        module(path): (imports(path, top_level=True) & known) - {module(path)} for path in paths
    }
    settled: set[str] = set()
    while ready := {name for name in needs.keys() - settled if needs[name] <= settled}:
        settled |= ready
    assert not needs.keys() - settled, f"in circles: {sorted(needs.keys() - settled)}"


@pytest.mark.parametrize(
    "path",
    [path for path in files("zoo", "recipes", "cli") if path.parent.name != "features"],
    ids=module,
)
def test_only_features_ask_what_kind_a_column_is(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            texts = [ast.unparse(one) for one in sides]
            asked = [text for text in texts if re.search(r"(?<!dtype)\.(type|kind)$", text)]
            words = [one for one in ast.walk(node) if isinstance(one, ast.Constant)]
            assert not (asked and words), f"line {node.lineno}: {ast.unparse(node)}"
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("isinstance", "issubclass"):
            names = {one.id for one in ast.walk(node.args[1]) if isinstance(one, ast.Name)}
            assert not names & (FEATURES | {"Split"}), f"line {node.lineno}"


@pytest.mark.parametrize("path", files("zoo/models"), ids=module)
def test_models_import_keras_and_nothing_else_heavy(path: Path) -> None:
    allowed = {
        *("keras", "numpy", "zoo"),
        *("__future__", "collections", "functools", "math", "typing"),
    }
    assert {name.split(".")[0] for name in imports(path, top_level=False)} <= allowed

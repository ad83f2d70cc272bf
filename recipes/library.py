"""The recipes that come with dlzoo: find, list and load the TOML files beside this one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from recipes.recipe import Recipe, parse, read_toml
from zoo.errors import UsageError, unknown

HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One recipe of the library."""

    name: str
    path: Path
    recipe: Recipe
    summary: str
    """The first line of its header."""


def names() -> list[str]:
    """Return the names of all recipes, sorted."""
    return sorted(path.stem for path in HERE.glob("*.toml"))


def path_of(name: str) -> Path:
    """Return the file of a recipe.

    Raises:
        UsageError: There is no such recipe.
    """
    if name not in names():
        raise unknown("recipe", name, names(), see="dlzoo recipes")
    return HERE / f"{name}.toml"


def load(name: str) -> Recipe:
    """Return a recipe of the library.

    Raises:
        UsageError: There is no such recipe.
    """
    path = path_of(name)
    return parse(read_toml(path), source=f"recipe {name}")


def load_file(path: Path) -> Recipe:
    """Return the recipe of a TOML file that stands alone.

    Raises:
        UsageError: It cannot be read, or says something that recipes do not know.
    """
    return parse(read_toml(path), source=str(path))


def is_file(text: str) -> bool:
    """Return whether a recipe was named by a path rather than by its name in the library."""
    return text.endswith(".toml") or "/" in text or Path(text).is_file()


def entries(model: str | None = None) -> list[Entry]:
    """Return the recipes, those of one model only if it is named."""
    found = []
    for name in names():
        path = path_of(name)
        recipe = load(name)
        if model in (None, recipe.model):
            found.append(Entry(name=name, path=path, recipe=recipe, summary=summary(path)))
    return found


def summary(path: Path) -> str:
    """Return the first line of a recipe's header.

    Raises:
        UsageError: It has no header.
    """
    match = re.match(r"#\s*(.+)", path.read_text(encoding="utf-8"))
    if match is None:
        raise UsageError(f"{path} does not begin with a comment that says what it is")
    return match[1].strip()


def takes(path: Path) -> str | None:
    """Return what a recipe's header says that it takes and scored, or None where nobody measured.

    It reads ``24 seconds on two CPU cores; test accuracy 0.9972``.
    """
    match = re.search(r"^# Takes (.+?)\.?$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return match[1] if match else None

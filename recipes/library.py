"""The recipes that come with dlzoo: find, list and load ``recipes/<family>/<name>.toml``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from recipes.recipe import Recipe, parse, read_toml
from zoo.base import files
from zoo.base.errors import UsageError, unknown
from zoo.base.names import natural

HERE = Path(__file__).parent
MEASURED = re.compile(
    r"^# Takes ([\d.]+ \w+) on two CPU cores; test ([\w ]+?) (-?\d+\.\d+)", re.MULTILINE
)
"""A recipe's time, its score's name and its score, in its header."""


@dataclass(frozen=True, kw_only=True)
class LibraryRecipe:
    """One recipe of the library."""

    name: str
    path: Path
    recipe: Recipe
    summary: str
    """The first line of its header."""


def _files() -> dict[str, Path]:
    """Return every recipe's file by the recipe's name, in natural order."""
    paths = sorted(HERE.glob("*/*.toml"), key=lambda path: natural(path.stem))
    return {path.stem: path for path in paths}


def names() -> list[str]:
    """Return the names of all recipes, in natural order: resnet20 comes before resnet110."""
    return list(_files())


def path_of(name: str) -> Path:
    """Return the file of a recipe.

    Raises:
        UsageError: There is no such recipe.
    """
    files = _files()
    if name not in files:
        raise unknown("recipe", name, files, see="dlzoo recipes")
    return files[name]


def load(name: str) -> Recipe:
    """Return a recipe of the library.

    Raises:
        UsageError: There is no such recipe.
    """
    path = path_of(name)
    return parse(read_toml(path), source=f"recipe {name}")


def load_file(path: Path) -> Recipe:
    """Return the recipe of a complete TOML file.

    Raises:
        UsageError: The file cannot be read, or is not a valid recipe.
    """
    return parse(read_toml(path), source=str(path))


def is_file(text: str) -> bool:
    """Return whether a text is the path of a recipe, not the name of one in the library."""
    return text.endswith(".toml") or "/" in text or files.is_file(text)


def entries(model: str | None = None) -> list[LibraryRecipe]:
    """Return the recipes in natural order, of one model if it is named."""
    found = []
    for name, path in _files().items():
        recipe = load_file(path)
        if model in (None, recipe.model):
            found.append(LibraryRecipe(name=name, path=path, recipe=recipe, summary=summary(path)))
    return found


def summary(path: Path) -> str:
    """Return the first line of a recipe's header.

    Raises:
        UsageError: It has no header.
    """
    match = re.match(r"#\s*(.+)", path.read_text(encoding="utf-8"))
    if match is None:
        raise UsageError(f"{path} does not begin with a comment that says what the recipe is")
    return match[1].strip()


def takes(path: Path) -> str | None:
    """Return the training time and the test score in a recipe's header, or None.

    For example ``24 seconds on two CPU cores; test accuracy 0.9972``. Recipes whose score is
    published, not measured, have no such line.
    """
    match = MEASURED.search(path.read_text(encoding="utf-8"))
    return match[0].removeprefix("# Takes ") if match else None

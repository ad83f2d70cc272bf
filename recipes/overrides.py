"""Changes to a recipe: ``--set KEY=VALUE``, and files laid over a recipe."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from recipes.messages import boolean_meant
from recipes.recipe import Recipe, parse
from zoo.base.errors import UsageError

# TOML wants digits on both sides of the point: 0.1 and 5.0.
_LOOSE_NUMBER = re.compile(r"[+-]?(\d+\.|\.\d+)([eE][+-]?\d+)?")
# Tables whose keys the schema does not know: it cannot tell which type a value should have.
_OPEN = (
    *("arguments", "data", "optimizer", "optimizers", "schedule", "loss", "metrics"),
    *("regularization", "callbacks", "augmentation"),
)
# Tables whose lists stay lists. Elsewhere one value may stand for a list: image.size = 32.
_FIXED_LISTS = {"arguments", "schedule"}
_TABLES_WITH_NAME = tuple(key for key in _OPEN if key not in ("arguments", "data"))


class BareWord(str):
    """Text that ``--set`` was given without quotes: perhaps a misspelt number or boolean."""

    __slots__ = ()


def assignment(text: str) -> tuple[str, Any]:
    """Return the key and value of ``a.b=c``; the value is TOML, or else a `BareWord`.

    Raises:
        UsageError: There is no ``=`` or no key, or the value is a list, a table or a quoted text
            that is not TOML.
    """
    key, sign, value = (part.strip() for part in text.partition("="))
    if not sign or not key:
        raise UsageError(
            f"--set takes KEY=VALUE such as optimizer.learning_rate=0.01, got '{text}'"
        )
    if _LOOSE_NUMBER.fullmatch(value):
        return key, float(value)
    try:
        return key, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        if value.startswith(("[", "{", '"', "'")):
            raise UsageError(f"--set {key}: {value} is not TOML") from None
        return key, BareWord(value)


def override(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """Return the recipe with values replaced.

    Args:
        recipe: The recipe to start from.
        changes: New values by dotted key, such as ``{"optimizer.learning_rate": 0.01}``. A number
            in a key counts into a list, as in ``callbacks.0.patience``.

    Raises:
        UsageError: A key is unknown, or a value is out of range or of the wrong type.
    """
    empty: dict[str, Any] = {"callbacks": [], "metrics": [], "augmentation": [], "freeze": []}
    values = {**empty, **recipe.as_dict()}
    for key, value in changes.items():
        _assign(values, key, value)
    return parse(values, source="override")


def overlay(base: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `above` laid over it: tables merge, but one with a name replaces."""
    merged = dict(base)
    for key, value in above.items():
        below = merged.get(key)
        if isinstance(value, dict) and isinstance(below, dict) and "name" not in value:
            merged[key] = overlay(below, value)
        else:
            merged[key] = value
    return merged


def contradictions(flags: Mapping[str, Any], overrides: Mapping[str, Any]) -> None:
    """Raise a `UsageError` if a flag and an override say different things about one key.

    The same value twice is fine.

    Args:
        flags: What was given beside the overrides, by the recipe's key: ``epochs``, ``model``, ….
            ``dataset`` means ``data.name``, and ``learning_rate`` that of every optimizer. None
            and empty values were not given. Aliases must be resolved: ``lenet5``, not ``lenet``.
        overrides: New values by dotted key, as `override` takes them.
    """
    said = dict(_leaves("", overrides))
    for flag, value in flags.items():
        if value is None or value in ((), []):
            continue
        for key, other in said.items():
            if _is_about(key, flag) and _comparable(value) != _comparable(other):
                raise UsageError(
                    f"{flag} is given twice: {_shown(value)} and, by --set, {key}={_shown(other)}"
                )


def _leaves(prefix: str, values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield every value of nested tables by its dotted key."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(f"{prefix}{key}.", value)
        else:
            yield f"{prefix}{key}", value


def _is_about(key: str, flag: str) -> bool:
    if flag == "dataset":
        return key == "data.name"
    if flag == "learning_rate":
        return re.fullmatch(r"(optimizer|optimizers\.[^.]+)\.learning_rate", key) is not None
    return key == flag


def _comparable(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _assign(values: dict[str, Any], key: str, value: Any) -> None:
    """Put a value at a dotted key, or raise a `UsageError` if it does not fit what is there."""
    *path, last = key.split(".")
    place: Any = values
    for depth, part in enumerate(path):
        at: Any = _index(part, place, key) if isinstance(place, list) else part
        found = place[at] if isinstance(place, list) else place.get(part, {})
        if isinstance(found, str) and path[0] in _TABLES_WITH_NAME:
            found = {"name": found}  # "Adam" is short for {name = "Adam"}
        if not isinstance(found, dict | list):
            raise UsageError(f"override: {'.'.join(path[: depth + 1])} is a value, not a table")
        place[at] = found
        place = found
    if isinstance(place, list):
        at = _index(last, place, key)
        current = place[at]
    else:
        at = last
        current = place.get(last)
    if path and path[0] in _OPEN and last != "name":
        _require_same_type(key, value, current)
    place[at] = str(value) if isinstance(value, BareWord) else value


def _require_same_type(key: str, value: Any, current: Any) -> None:
    """Raise a `UsageError` for a value that its key in an open table cannot mean."""
    fixed = not _FIXED_LISTS.isdisjoint(key.split("."))
    if fixed and isinstance(current, list) and not isinstance(value, list):
        raise UsageError(f"override: {key} must be a list, got {value!r}")
    if not isinstance(value, BareWord) or isinstance(current, str):
        return
    if isinstance(current, int | float) and not isinstance(current, bool):
        raise UsageError(f"override: {key} must be a number, got '{value}'")
    if meant := boolean_meant(value):
        raise UsageError(
            f"override: {key}: '{value}' is not a boolean of TOML. Write {meant}, "
            f"or '\"{value}\"' for the text."
        )
    if isinstance(current, bool):
        raise UsageError(f"override: {key} must be true or false, got '{value}'")


def _index(part: str, place: list[Any], key: str) -> int:
    if not part.isdecimal() or int(part) >= len(place):
        raise UsageError(f"override: {key}: the list has {len(place)} entries, counted from 0")
    return int(part)

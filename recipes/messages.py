"""What is wrong with a recipe, in one line: where, what was received, what would be right."""

from __future__ import annotations

import difflib
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from zoo.base.errors import suggestion

# Keys that once stood directly under [data] -> where they are now.
_FORMS = {
    "image_size": "image.size",
    "crop": "image.crop",
    "resize": "image.resize",
    "channels": "image.channels",
    "scaling": "image.scaling",
    "sequence_length": "text.length",
    "vocabulary_size": "text.vocabulary_size",
    "split_text": "text.unit",
    "lowercase": "text.lowercase",
}
# pydantic's type of fault -> what would be right, filled in with the fault's context.
_WANTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true|false",
    "string_type": "text",
    "string_pattern_mismatch": "lower-case letters, digits and hyphens",
    "list_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "greater_than_equal": "at least {ge}",
    "greater_than": "above {gt}",
    "less_than": "below {lt}",
    "literal_error": "{expected}",
}
# What people write for TOML's two booleans.
_BOOLEANS = {
    **dict.fromkeys(("true", "yes", "on"), "true"),
    **dict.fromkeys(("false", "no", "off"), "false"),
}


def boolean_meant(text: str) -> str | None:
    """Return the TOML boolean that a word such as ``False`` or ``yes`` stands for, or None."""
    return _BOOLEANS.get(text.strip().lower())


def explain(error: ValidationError, schema: type[BaseModel]) -> str:
    """Return the first fault that pydantic found, in one line.

    Args:
        error: What pydantic raised.
        schema: The model that it validated, whose keys are suggested.
    """
    faults = error.errors()
    path = _path(faults[0]["loc"])
    key = ".".join(path)
    kind: str = faults[0]["type"]
    received: Any = faults[0]["input"]
    if kind == "extra_forbidden":
        known = _keys(schema, path[:-1])
        hint = suggestion(path[-1], known) or f" There are: {', '.join(known)}."
        return f"unknown key '{key}'.{hint}"
    if kind == "missing":
        return f"'{key}' is missing"
    if path[:1] == ["data"] and len(path) == 2 and path[1] != "name":
        return _data_fault(path[1], received)
    # Each member of a union reports its own fault, all at the same place.
    here = [fault for fault in faults if _path(fault["loc"]) == path]
    wanted = [
        option
        for fault in sorted(here, key=lambda fault: fault["type"] != "literal_error")
        if fault["type"] in _WANTED
        for option in _WANTED[fault["type"]].format(**fault.get("ctx", {})).split("|")
    ]
    message = "must be " + _either(wanted)
    if not wanted:
        text = faults[0]["msg"]
        message = text.removeprefix("Value error, ")
        if message == text:  # pydantic's own begins with a capital letter
            message = text[0].lower() + text[1:]
    if not isinstance(received, dict):
        message += f", got {received!r}"
    if "true" in wanted and isinstance(received, str) and boolean_meant(received):
        message += f". Write {boolean_meant(received)}."
    return f"{key}: {message}" if key else message


def _either(options: list[str]) -> str:
    return " or ".join([", ".join(options[:-1]), options[-1]] if options[1:] else options)


def _data_fault(key: str, received: Any) -> str:
    """Return what is wrong with a key under [data] that is neither ``name`` nor a table."""
    if key in _FORMS:
        return f"data.{key}: write data.{_FORMS[key]}"
    columns = {form.partition(".")[0] for form in _FORMS.values()}
    # Both data.image_sise and data.size mean data.image.size.
    near = {**_FORMS, **{form.partition(".")[2]: form for form in _FORMS.values()}, "name": "name"}
    close = difflib.get_close_matches(key.lower(), near, n=1, cutoff=0.6)
    if close and key not in columns:
        return f"unknown key 'data.{key}'. Did you mean 'data.{near[close[0]]}'?"
    return (
        f"data.{key}: must be a table with the form of a column, such as [data.image], "
        f"got {received!r}"
    )


def _path(location: tuple[int | str, ...]) -> list[str]:
    # Members of a union appear in the location as type names, which no user wrote.
    parts = [str(part) for part in location if part not in ("int", "bool", "constrained-int")]
    return [part for part in parts if not part.startswith("literal[")]


def _keys(schema: type[BaseModel], path: list[str]) -> list[str]:
    """Return the keys of the table at a path of the schema."""
    for part in path:
        # What is no field is a key of a dict or the place in a list: the same model goes on.
        if part in schema.model_fields:
            annotation = schema.model_fields[part].annotation
            options = [annotation, *get_args(annotation)]
            schema = next(o for o in options if isinstance(o, type) and issubclass(o, BaseModel))
    return list(schema.model_fields)

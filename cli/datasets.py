"""`dlzoo datasets`: the data sets, and one data set's facts and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cli.options import DATASET, DefaultGroup, json_option, overwrite_option
from cli.output import emit_json, facts, heading, hint, table
from zoo.datasets.catalog import entry, list_datasets
from zoo.datasets.spec import DatasetEntry
from zoo.errors import UsageError
from zoo.files import writable


@click.group("datasets", cls=DefaultGroup)
def command() -> None:
    """The data sets, or with `show NAME` one data set's facts and pictures."""


@command.command("list")
@json_option
def list_all(as_json: bool) -> None:
    """The data sets."""
    found = [entry(name) for name in list_datasets()]
    if as_json:
        emit_json([one.as_dict() for one in found])
        return
    rows = [
        (one.name, one.kind, one.rows, one.class_count or "number", one.origin, one.description)
        for one in found
    ]
    columns = ("data set", "kind", "rows", "classes", "from", "what is asked")
    table(columns, rows, right=("rows", "classes"))
    hint(f"dlzoo datasets show {found[0].name}")


@command.command("show")
@click.argument("name", type=DATASET)
@click.option(
    "--preview", type=click.Path(path_type=Path), help="Draw a page of examples into this PNG."
)
@overwrite_option
@json_option
def show(name: str, preview: Path | None, overwrite: bool, as_json: bool) -> None:
    """One data set: splits, classes, examples, source and licence.

    What tensorflow-datasets downloads is not downloaded for this, except to --preview it.
    """
    found = entry(name)
    if preview is not None:
        if found.kind != "image":
            raise UsageError(f"{name} is {found.kind} data; --preview draws images")
        writable(preview, overwrite=overwrite)
    dataset: Any = None if found.tfds is not None and preview is None else _load(found)
    first: Any = None if dataset is None else next(dataset.split("train").chunks(64))
    splits = found.splits if dataset is None else dataset.spec.sizes
    if preview is not None:
        from zoo.figures import image_grid

        names = dataset.spec.class_names
        image_grid(first.inputs, preview, titles=[names[at] for at in first.targets])
    if as_json:
        written = {} if preview is None else {"preview": str(preview)}
        emit_json({**found.as_dict(), "splits": dict(splits), **written})
        return
    heading(f"{found.name}: {found.title}")
    told: dict[str, Any] = {
        "asked": found.description,
        "kind": found.kind,
        "splits": ", ".join(f"{split} {size:,}" for split, size in splits.items()),
    }
    if found.class_count:
        told["classes"] = f"{found.class_count}: {', '.join(found.classes)}".removesuffix(": ")
    if found.image_shape is not None:
        told["images"] = " × ".join(str(size or "any") for size in found.image_shape)
    if found.kind == "table":
        told["columns"] = ", ".join(dataset.spec.feature_names)
    if found.kind == "text":
        examples = zip(first.inputs[:5], first.targets[:5], strict=True)
        told["examples"] = "\n".join(f"{text}: {found.classes[at]}" for text, at in examples)
    told["source"] = found.source + (f"\n{found.url}" if found.url else "")
    told["licence"] = found.licence
    if found.tfds is not None:
        told["first use"] = found.tfds.first_use
    if found.citation:
        told["cite as"] = found.citation
    if preview is not None:
        told["preview"] = preview
    facts(told)
    if preview is None and found.kind == "image":
        hint(f"dlzoo datasets show {name} --preview {name}.png")


def _load(found: DatasetEntry) -> Any:
    """Load a data set as it is, or images of any size as small squares."""
    from zoo.datasets.loading import load

    if found.image_shape is not None and None in found.image_shape:
        return load(found.name, image_size=(128, 128), resize="shorter-side")
    return load(found.name)

"""`dlzoo datasets`: the data sets, and one data set's facts and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cli.options import DATASET, DefaultGroup, json_option, overwrite_option
from cli.output import emit_json, facts, heading, hint, table
from zoo.datasets.catalog import entry, list_datasets
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
        (one.name, one.kind, one.rows, len(one.classes) or "number", one.description)
        for one in found
    ]
    table(("data set", "kind", "rows", "classes", "what is asked"), rows, right=("rows", "classes"))
    hint(f"dlzoo datasets show {found[0].name}")


@command.command("show")
@click.argument("name", type=DATASET)
@click.option(
    "--preview", type=click.Path(path_type=Path), help="Draw a page of examples into this PNG."
)
@overwrite_option
@json_option
def show(name: str, preview: Path | None, overwrite: bool, as_json: bool) -> None:
    """One data set: splits, classes, examples, source and licence."""
    from zoo.datasets.loading import load

    found = entry(name)
    if preview is not None:
        if found.kind != "image":
            raise UsageError(f"{name} is {found.kind} data; --preview draws images")
        writable(preview, overwrite=overwrite)
    dataset = load(name)
    train = dataset.split("train")
    if preview is not None:
        from zoo.figures import image_grid

        labels = [found.classes[at] for at in train.targets[:64]] if found.classes else []
        image_grid(train.inputs[:64], preview, titles=labels)
    if as_json:
        written = {} if preview is None else {"preview": str(preview)}
        emit_json({**found.as_dict(), "splits": dict(dataset.spec.sizes), **written})
        return
    heading(f"{found.name}: {found.title}")
    told: dict[str, Any] = {
        "asked": found.description,
        "kind": found.kind,
        "splits": ", ".join(f"{split} {size:,}" for split, size in dataset.spec.sizes.items()),
    }
    if found.classes:
        told["classes"] = f"{len(found.classes)}: {', '.join(found.classes)}"
    if found.kind == "image":
        told["images"] = " × ".join(str(size) for size in dataset.spec.raw_shape)
    if found.kind == "table":
        told["columns"] = ", ".join(dataset.spec.feature_names)
    if found.kind == "text":
        examples = zip(train.inputs[:5], train.targets[:5], strict=True)
        told["examples"] = "\n".join(f"{text}: {found.classes[at]}" for text, at in examples)
    told["source"] = found.source + (f"\n{found.url}" if found.url else "")
    told["licence"] = found.licence
    if found.citation:
        told["cite as"] = found.citation
    if preview is not None:
        told["preview"] = preview
    facts(told)
    if preview is None and found.kind == "image":
        hint(f"dlzoo datasets show {name} --preview {name}.png")

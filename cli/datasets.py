"""`dlzoo datasets`: the data sets, and one data set's facts and pictures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.options import DATASET, RECIPE_OR_FILE, DefaultGroup, json_option, overwrite_option
from cli.output import emit_json, facts, heading, hint, table
from zoo.datasets.catalog import entry, list_datasets
from zoo.datasets.spec import DatasetEntry
from zoo.errors import UsageError
from zoo.files import writable

if TYPE_CHECKING:
    from recipes.recipe import Recipe
    from zoo.datasets.spec import DatasetEntry


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
@click.option(
    "--augment",
    type=RECIPE_OR_FILE,
    help="Draw examples as a run of this recipe sees them, epoch by epoch.",
)
@overwrite_option
@json_option
def show(
    name: str, preview: Path | None, augment: str | None, overwrite: bool, as_json: bool
) -> None:
    """One data set: splits, classes, examples, source and licence.

    \b
    dlzoo datasets show digits --preview digits.png
    dlzoo datasets show digits --augment lenet5-digits --preview augmented.png

    What tensorflow-datasets downloads is not downloaded for this, except to --preview it.
    """
    found = entry(name)
    recipe = None if augment is None else _recipe(augment, found, preview)
    if preview is not None:
        if found.kind != "image":
            raise UsageError(f"{name} is {found.kind} data; --preview draws images")
        writable(preview, overwrite=overwrite)
    needed = found.tfds is None or (preview is not None and recipe is None)
    dataset: Any = _load(found) if needed else None
    splits = found.splits if dataset is None else dataset.spec.sizes
    if preview is not None and recipe is not None:
        from zoo.runtime import start_tensorflow

        start_tensorflow()
        from zoo.datasets.preview import draw_augmented

        draw_augmented(recipe, preview)
    elif preview is not None:
        from zoo.figures import image_grid

        names, first = dataset.spec.class_names, next(dataset.split("train").chunks(64))
        image_grid(first.inputs, preview, titles=[names[at] for at in first.targets])
    if as_json:
        written = {} if preview is None else {"preview": str(preview)}
        emit_json({**found.as_dict(), "splits": dict(splits), **written})
        return
    heading(f"{found.name}: {found.title}")
    told = _told(found, splits, dataset)
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


def _recipe(text: str, found: DatasetEntry, preview: Path | None) -> Recipe:
    """Return the recipe whose augmentation is to be drawn, with this data set for its own."""
    from recipes.library import is_file
    from recipes.recipe import read_toml
    from zoo.training.resolve import resolve

    if preview is None:
        raise UsageError(
            f"--augment says what to draw; say where to: --preview {found.name}-augmented.png"
        )
    if found.kind != "image":
        raise UsageError(f"{found.name} is {found.kind} data; augmentation is for images")
    if is_file(text) and "model" not in read_toml(Path(text)):
        raise UsageError(f"{text} names no model, as a recipe does that stands alone")
    recipe = resolve(None, recipe=text, dataset=found.name)
    if not recipe.augmentation:
        raise UsageError(f"recipe {text} has no [[augmentation]]: there is nothing to draw")
    return recipe


def _told(found: DatasetEntry, splits: Mapping[str, int], dataset: Any) -> dict[str, Any]:
    """Return a data set's facts by name; what is bundled was loaded for that."""
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
        first = next(dataset.split("train").chunks(5))
        examples = zip(first.inputs, first.targets, strict=True)
        told["examples"] = "\n".join(f"{text}: {found.classes[at]}" for text, at in examples)
    told["source"] = found.source + (f"\n{found.url}" if found.url else "")
    told["licence"] = found.licence
    if found.tfds is not None:
        told["first use"] = found.tfds.first_use
    if found.citation:
        told["cite as"] = found.citation
    return told

"""`dlzoo datasets`: the data sets, and one data set's facts and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.options import DATASET, RECIPE_OR_FILE, DefaultGroup, json_option, overwrite_option
from cli.output import emit_json, facts, heading, hint, table
from zoo.datasets.catalog import entry, list_datasets
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
    """
    from zoo.datasets.loading import load

    found = entry(name)
    recipe = None if augment is None else _recipe(augment, found, preview)
    if preview is not None:
        if found.kind != "image":
            raise UsageError(f"{name} is {found.kind} data; --preview draws images")
        writable(preview, overwrite=overwrite)
    dataset = load(name)
    train = dataset.split("train")
    if preview is not None and recipe is not None:
        from zoo.runtime import start_tensorflow

        start_tensorflow()
        from zoo.datasets.preview import draw_augmented

        draw_augmented(recipe, preview)
    elif preview is not None:
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

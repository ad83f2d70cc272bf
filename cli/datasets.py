"""`dlzoo datasets`: the data sets, and one data set's facts and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.options import (
    DATASET,
    PATH,
    RECIPE_OR_FILE,
    DefaultGroup,
    json_option,
    overwrite_option,
    skip_option,
    source_options,
)
from cli.output import emit_json, facts, heading, hint, next_command, table
from recipes.recipe import Data
from zoo.base.errors import DlzooError, UsageError
from zoo.base.files import writable
from zoo.base.names import slug
from zoo.datasets.sources import list_sources, open_source
from zoo.datasets.sources.base import Description

if TYPE_CHECKING:
    from recipes.recipe import Recipe
    from zoo.datasets.checking import Report


@click.group("datasets", cls=DefaultGroup)
def command() -> None:
    """List the data sets, show one data set's facts and pictures, or check a source of yours."""


@command.command("list")
@json_option
def list_all(as_json: bool) -> None:
    """List the data sets."""
    found = [open_source(name).describe() for name in list_sources()]
    if as_json:
        emit_json([one.as_dict() for one in found])
        return
    rows = [
        (
            one.name,
            ", ".join(one.features[name].type for name in one.inputs),
            one.rows,
            ", ".join(_of_target(one, name) for name in one.targets),
            one.origin,
            one.question,
        )
        for one in found
    ]
    columns = ("data set", "input", "rows", "target", "from", "question")
    table(columns, rows, right=("rows",), shorten=("question", "from"))
    hint(next_command("datasets", "show", found[0].name))


def _of_target(one: Description, name: str) -> str:
    feature = one.features[name]
    return f"{feature.classes} classes" if feature.classes else feature.type


@command.command("show")
@click.argument("name", type=DATASET)
@click.option("--preview", type=PATH, help="Draw a page of examples into this picture.")
@click.option(
    "--augment",
    type=RECIPE_OR_FILE,
    help="Draw examples as a run of this recipe sees them, epoch by epoch.",
)
@source_options
@skip_option
@overwrite_option
@json_option
def show(
    name: str,
    preview: Path | None,
    augment: str | None,
    overwrite: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Show one data set: splits, columns, examples, source and licence.

    \b
    dlzoo datasets show digits --preview digits.png
    dlzoo datasets show digits --augment lenet5-digits --preview augmented.png

    What tensorflow-datasets downloads is not downloaded for this, except to --preview it.
    """
    data = Data(name=name, **{key: value for key, value in options.items() if value is not None})
    described = open_source(data).describe()
    recipe = None if augment is None else _recipe(augment, data, described, preview)
    if preview is not None:
        from zoo.runs.pictures import require_picture_suffix

        require_picture_suffix(preview)
        writable(preview, overwrite=overwrite)
        _preview(data, described, recipe, preview)
    if as_json:
        written = {} if preview is None else {"preview": str(preview)}
        emit_json({**described.as_dict(), **written})
        return
    heading(f"{described.name}: {described.title}")
    told = _told(data, described)
    if preview is not None:
        told["preview"] = preview
    facts(told)
    drawn = any(described.features[column].pixels is not None for column in described.inputs)
    if preview is None and drawn:
        hint(next_command("datasets", "show", name, "--preview", f"{slug(name)}.png"))


@command.command("check")
@click.argument("source", type=DATASET)
@source_options
@json_option
def check(source: str, as_json: bool, **options: Any) -> None:
    """Look at a source of your own: errors, oddities, what a model sees.

    \b
    dlzoo datasets check folder:photos
    dlzoo datasets check csv:houses.csv --target price

    Every file is read. The exit code is 1 where there are errors.
    """
    from zoo.datasets.checking import check as check_source
    from zoo.datasets.checking import problem

    said = {key: value for key, value in options.items() if value is not None}
    data = Data(name=source, **said)
    try:
        found = check_source(data)
    except UsageError:
        raise
    except DlzooError as error:
        found = problem(error, source)
    if as_json:
        emit_json(found.as_dict())
    else:
        _show_report(found)
    if found.errors:
        count = len(found.errors)
        raise DlzooError(f"{source} has {count} error{'s' * (count != 1)}")
    hint(next_command("train", "--dataset", source, *_flags(said)))


def _flags(said: dict[str, Any]) -> list[str]:
    return [word for key, value in said.items() for word in (f"--{key.replace('_', '-')}", value)]


def _show_report(found: Report) -> None:
    heading(f"{found.source}: {found.examples:,} examples")
    told: dict[str, Any] = {
        "splits": ", ".join(f"{name} {size:,}" for name, size in found.sizes.items()) or "none",
        **found.seen,
    }
    if found.told:
        told["told"] = "\n".join(found.told)
    facts(told)
    if found.classes:
        rows = [
            (name, sum(counts.values()), *counts.values()) for name, counts in found.classes.items()
        ]
        columns = ("class", "examples", *next(iter(found.classes.values())))
        table(columns, rows, right=columns[1:])
    for line in found.warnings:
        click.echo(f"warning: {line}")
    for line in found.errors:
        click.echo(f"error: {line}")


def _preview(data: Data, described: Description, recipe: Recipe | None, path: Path) -> None:
    feature = described.features[described.inputs[0]]
    if feature.pixels is None:
        raise UsageError(f"{described.name} gives {feature.noun()}; --preview draws images")
    from zoo.base.runtime import start_tensorflow

    start_tensorflow()
    if recipe is None:
        from zoo.datasets.preview import draw_examples

        draw_examples(described, path, data)
    else:
        from zoo.datasets.preview import draw_augmented

        draw_augmented(recipe, path)


def _recipe(text: str, data: Data, described: Description, preview: Path | None) -> Recipe:
    """Return the recipe whose augmentation is to be drawn, with this data set for its own."""
    from recipes.library import is_file
    from recipes.recipe import read_toml
    from zoo.training.resolve import resolve

    name = described.name
    if preview is None:
        raise UsageError(
            f"--augment says what to draw; say where to: --preview {slug(name)}-augmented.png"
        )
    inputs = [described.features[column] for column in described.inputs]
    if all(feature.pixels is None for feature in inputs):
        raise UsageError(f"{name} gives {inputs[0].noun()}; augmentation changes images")
    if is_file(text) and "model" not in read_toml(Path(text)):
        raise UsageError(f"{text} names no model: a recipe that stands alone does")
    recipe = resolve(None, recipe=text, dataset=name, **data.options)
    if not recipe.augmentation:
        raise UsageError(f"recipe {text} has no [[augmentation]]: there is nothing to draw")
    return recipe


def _told(data: Data, described: Description) -> dict[str, Any]:
    """Return a data set's facts by name."""
    told: dict[str, Any] = {
        "question": described.question,
        "splits": ", ".join(f"{split} {size:,}" for split, size in described.sizes.items()),
    }
    for name, feature in described.features.items():
        form = f"\n[data.{name}] takes {', '.join(feature.form)}" if feature.form else ""
        told[name] = f"{feature.type}: {feature.summary()}".rstrip(": ") + form
    if examples := open_source(data).examples():
        told["examples"] = "\n".join(examples)
    if described.told:
        told["told"] = "\n".join(described.told)
    if described.note:
        told["note"] = described.note
    told["source"] = described.source + (f"\n{described.url}" if described.url else "")
    told["licence"] = described.licence
    if described.first_use:
        told["first use"] = described.first_use
    if described.citation:
        told["cite as"] = described.citation
    return told

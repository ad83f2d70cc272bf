"""`dlzoo generate`: draw new examples from a run's generator."""

from __future__ import annotations

from pathlib import Path

import click

from cli.options import RUN, json_option, overwrite_option, run_dir_option
from cli.output import emit_json, hint
from zoo import runs
from zoo.files import writable


@click.command("generate")
@click.argument("run", type=RUN)
@click.option(
    "--count", type=click.IntRange(min=1), default=64, show_default=True, help="How many to draw."
)
@click.option(
    "--seed",
    type=click.IntRange(min=0, max=2**31 - 1),
    default=0,
    show_default=True,
    help="The same seed draws the same examples.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="The PNG to write; <run>.png in this folder by default.",
)
@overwrite_option
@run_dir_option
@json_option
def command(
    run: str,
    count: int,
    seed: int,
    output: Path | None,
    overwrite: bool,
    run_dir: Path,
    as_json: bool,
) -> None:
    """Draw new examples from RUN's model into one picture."""
    found = runs.load(run, run_dir)
    path = writable(output or Path(f"{found.name}.png"), overwrite=overwrite)
    examples = found.generate(count, seed)
    from zoo.figures import image_grid

    image_grid(examples, path)
    if as_json:
        emit_json({"run": str(found.path), "count": count, "seed": seed, "output": str(path)})
    else:
        click.echo(f"{count} examples of {found.name} with seed {seed}: {path}")
    hint(f"dlzoo export {found.reference}")

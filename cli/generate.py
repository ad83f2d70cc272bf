"""`dlzoo generate`: generate new examples with a run's model."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from cli.images import animation, denoised
from cli.options import (
    PATH,
    RUN,
    json_option,
    overwrite_option,
    run_dir_option,
    tell_unfinished,
    weights_option,
)
from cli.output import emit_json, hint, run_command
from cli.reconstruct import reconstruct as reconstructed
from zoo.base.errors import UsageError
from zoo.base.files import writable
from zoo.run import Run, load

LONG = 5000
"""Samples whose progress is shown."""


@click.command("generate")
@click.argument("run", type=RUN)
@click.option(
    "--count",
    type=click.IntRange(min=1, max=100_000),
    help="How many to generate; by default 64 images or 1 text.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0, max=2**31 - 1),
    default=0,
    show_default=True,
    help="The same seed generates the same examples.",
)
@click.option(
    "--class",
    "label",
    metavar="NAME",
    help="The class to make, by name or number, of a conditional model; by default all in turn.",
)
@click.option(
    "--steps",
    type=click.IntRange(min=1),
    help="Steps of a diffusion's sampler: few are fast. All of them by default, or the recipe's.",
)
@click.option(
    "--animate",
    type=PATH,
    metavar="FILE.gif",
    help="Also draw a diffusion's way from noise, or how the training of another generator went.",
)
@click.option(
    "--denoise",
    multiple=True,
    metavar="FILE",
    help="Take the noise out of an image, or of a folder of images, instead.",
)
@click.option(
    "--interpolate",
    is_flag=True,
    help="Draw rows of images, each from one random latent to another.",
)
@click.option("--prompt", help="What a text begins with.")
@click.option("--length", type=click.IntRange(min=1), help="Tokens to write; 200 by default.")
@click.option(
    "--temperature",
    type=click.FloatRange(min=0.0),
    help="Below 1 favours probable tokens; 0 takes the most probable one. 1 by default.",
)
@click.option(
    "--top-k", type=click.IntRange(min=1), help="Draw among so many most probable tokens only."
)
@click.option(
    "--top-p",
    type=click.FloatRange(min=0.0, min_open=True, max=1.0),
    help="Draw among the most probable tokens that together have this probability.",
)
@click.option(
    "--reconstruct",
    metavar="FILE",
    help="Draw images beside what the model makes of them: a file, a folder, or '-'.",
)
@click.option(
    "--output",
    type=PATH,
    help="The file to write. By default images go to <run>.png in this folder, and texts are "
    "printed.",
)
@weights_option
@overwrite_option
@run_dir_option
@json_option
def command(
    run: str,
    count: int | None,
    seed: int,
    label: str | None,
    reconstruct: str | None,
    steps: int | None,
    animate: Path | None,
    denoise: tuple[str, ...],
    interpolate: bool,
    output: Path | None,
    weights: Any,
    overwrite: bool,
    run_dir: Path,
    as_json: bool,
    **of_texts: Any,
) -> None:
    """Generate new examples with RUN's model: images into one file, or texts."""
    found = load(run, run_dir, weights=weights)
    given = {key: value for key, value in of_texts.items() if value is not None}
    making: dict[str, Any] = {"count": count, "class": label, "steps": steps, "animate": animate}
    making |= {"interpolate": interpolate or None}
    if reconstruct is not None:
        beside = {**given, **making, "denoise": denoise or None}
        _require_alone("--reconstruct, which draws FILE", beside)
        reconstructed(found, reconstruct, output, overwrite=overwrite, as_json=as_json)
        tell_unfinished(found, weights)
        return
    if denoise:
        _require_alone("--denoise, which cleans FILE", {**given, **making})
        denoised(found, denoise, output, overwrite, as_json)
        tell_unfinished(found, weights)
        return
    if "generate" not in found.task.commands:
        found.task.sample(None, _request(1, seed))  # raises the error that says why not
    of_class = {} if label is None else {"label": found.task.class_number(label)}
    of_images = {
        "--steps": steps is not None,
        "--animate": animate is not None,
        "--interpolate": interpolate,
    }
    if found.task.prompted and any(of_images.values()):
        flags = ", ".join(flag for flag, asked in of_images.items() if asked)
        raise UsageError(f"{flags}: only for models that make images; {found.name} writes texts")
    if found.task.prompted:
        _texts(found, count or found.task.default_count, seed, given, output, overwrite, as_json)
    else:
        if given:
            flags = ", ".join(f"--{key.replace('_', '-')}" for key in given)
            raise UsageError(f"{flags}: only for models that write texts; {found.name} does not")
        count = count or found.task.default_count
        request = _request(count, seed, interpolate=interpolate, steps=steps, **of_class)
        _file(found, request, animate, output, overwrite, as_json)
    tell_unfinished(found, weights)
    hint(run_command("export", found, run_dir))


def _require_alone(what: str, beside: dict[str, Any]) -> None:
    """Raise a `UsageError` if a flag was given that only makes sense where something is made."""
    for key, value in beside.items():
        if value is not None:
            raise UsageError(f"--{key.replace('_', '-')} has no use beside {what}")


def _file(
    found: Run,
    request: Any,
    animate: Path | None,
    output: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Write the examples into a file, and into another how they came about."""
    feature = found.task.spec.features[found.task.inputs[0]]
    path = output or Path(f"{found.name}{feature.suffix}")
    feature.require_suffix(path)
    writable(path, overwrite=overwrite)
    if animate is not None:
        animation(found, request, animate, overwrite)
    samples = found.sample(request)
    samples.feature.write(samples.values, path)
    count, seed = request.count, request.seed
    if as_json:
        told = {"run": str(found.path), "count": count, "seed": seed, "output": str(path)}
        asked = {"class": request.label, "steps": request.steps}
        asked["animation"] = None if animate is None else str(animate)
        emit_json({**told, **{key: value for key, value in asked.items() if value is not None}})
    else:
        click.echo(f"{count} examples of {found.name} with seed {seed}: {path}")
        if animate is not None:
            click.echo(f"how they came about: {animate}")


def _texts(
    found: Run,
    count: int,
    seed: int,
    given: dict[str, Any],
    output: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Print texts, one of them in a terminal as it is written, or write them into a file."""
    if output is not None:
        found.task.asked[found.task.inputs[0]].require_suffix(output)
        writable(output, overwrite=overwrite)
    live = count == 1 and output is None and not as_json and sys.stdout.isatty()
    request = _request(count, seed, **given)
    if live:
        click.echo(request.prompt, nl=False)
        request = _request(count, seed, **given, written=lambda text: click.echo(text, nl=False))
    samples = found.sample(request)
    if output is not None:
        samples.feature.write(samples.values, output)
    if as_json:
        told = {"run": str(found.path), "count": count, "seed": seed, **given}
        emit_json(
            {**told, "texts": list(samples.values), "output": str(output) if output else None}
        )
    elif output is not None:
        click.echo(f"{count} text{'s' * (count > 1)} of {found.name} with seed {seed}: {output}")
    elif live:
        click.echo()
    else:
        click.echo("\n\n".join(samples.values))


def _request(count: int, seed: int, **of_texts: Any) -> Any:
    from zoo.tasks.samples import SampleRequest

    def progress(done: int) -> None:
        if count > LONG and sys.stderr.isatty():
            print(f"\r{done:,} of {count:,}", end="\n" if done == count else "", file=sys.stderr)

    return SampleRequest(count=count, seed=seed, progress=progress, **of_texts)

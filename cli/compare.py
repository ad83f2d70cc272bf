"""`dlzoo compare`: several runs' curves in one picture, their scores in one table."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from cli.options import RUN, json_option, overwrite_option, run_dir_option
from cli.output import emit_json, hint, number, table
from zoo import runs
from zoo.errors import UsageError
from zoo.files import writable


@click.command("compare")
@click.argument("names", nargs=-1, required=True, type=RUN, metavar="RUN...")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path("compare.png"),
    show_default=True,
    help="The PNG to draw the curves into.",
)
@overwrite_option
@run_dir_option
@json_option
def command(
    names: tuple[str, ...], output: Path, overwrite: bool, run_dir: Path, as_json: bool
) -> None:
    """Draw the learning curves of each RUN in one picture and print their scores."""
    loaded = {run.path.resolve(): run for run in (runs.load(name, run_dir) for name in names)}
    called = Counter(run.name for run in loaded.values())
    # Runs of several folders may share a name.
    found = {run.name if called[run.name] == 1 else str(run.path): run for run in loaded.values()}
    histories = {name: run.history for name, run in found.items()}
    for name, history in histories.items():
        if not history:
            raise UsageError(f"run {name} has not finished an epoch yet")
    path = writable(output, overwrite=overwrite)
    from zoo.figures import curves

    curves(histories, path)
    scores = {name: run.metrics["test"] if run.finished else {} for name, run in found.items()}
    if as_json:
        emit_json(
            {
                "picture": str(path),
                "runs": [
                    {
                        "run": name,
                        "model": run.recipe.model,
                        "dataset": run.recipe.data.name,
                        "epochs": len(histories[name]["epoch"]),
                        "training_seconds": round(sum(histories[name]["seconds"]), 2),
                        "test": scores[name],
                    }
                    for name, run in found.items()
                ],
            }
        )
        return
    measures = list(dict.fromkeys(name for score in scores.values() for name in score))
    rows = [
        (
            name,
            ", ".join(one.name for one in run.recipe.all_optimizers.values()),
            len(histories[name]["epoch"]),
            f"{sum(histories[name]['seconds']):.1f}",
            *(number(scores[name][m]) if m in scores[name] else "" for m in measures),
        )
        for name, run in found.items()
    ]
    headings = ("run", "optimizer", "epochs", "seconds", *measures)
    table(headings, rows, right=("epochs", "seconds", *measures))
    click.echo(f"curves: {path}")
    hint(f"dlzoo evaluate {next(iter(found.values())).reference}")

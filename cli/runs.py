"""`dlzoo runs`: the runs with their scores, one run's facts, and removing runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from cli.options import RUN, DefaultGroup, json_option, run_dir_option
from cli.output import (
    emit_json,
    facts,
    heading,
    hint,
    next_command,
    note,
    number,
    run_command,
    table,
)
from zoo.base.errors import DlzooError, UsageError
from zoo.runs.folder import RunFolder, find, list_runs


@click.group("runs", cls=DefaultGroup)
def command() -> None:
    """List the runs, show one with `show RUN`, or remove some with `rm RUN...`."""


@command.command("list")
@run_dir_option
@json_option
def list_all(run_dir: Path, as_json: bool) -> None:
    """List the runs, the newest last."""
    found = [_facts(run) for run in list_runs(run_dir)]
    if as_json:
        emit_json(found)
        return
    if not found:
        note(f"there are no runs in {run_dir}")
        hint(next_command("train", "resnet", "--epochs", 20, run_dir=run_dir))
        return
    rows = [
        (
            one["run"],
            one["status"],
            "" if one["epochs"] is None else f"{one['epochs_done']}/{one['epochs']}",
            "" if one["score"] is None else f"{number(one['score'])} {one['metric']}",
            one["date"][:16].replace("T", " "),  # to the minute
        )
        for one in found
    ]
    columns = ("run", "status", "epochs", "test score", "started (UTC)")
    # The score's number comes before its name, so that only the name is cut off.
    table(columns, rows, right=("epochs",), shorten=("started (UTC)", "test score"))
    if any(one["status"] in ("finished", "unfinished") for one in found):
        hint(next_command("runs", "show", "latest", run_dir=run_dir))


def _facts(run: RunFolder) -> dict[str, Any]:
    names = ("model", "dataset", "epochs_done", "epochs", "metric", "score", "failure")
    told: dict[str, Any] = {"run": run.name, "path": str(run.path), "status": run.status}
    damaged = {**told, "status": "damaged", **dict.fromkeys(names), "date": ""}
    if told["status"] == "damaged":
        return damaged
    try:
        recipe, score = run.recipe, run.score or (None, None)
        values = (recipe.model, recipe.data.name, run.epochs_done, recipe.epochs, *score)
        known = dict(zip(names, (*values, run.failure), strict=True))
        return {**told, **known, "date": str(run.environment.get("date", ""))}
    except UsageError:  # a damaged run must not end the list
        return damaged


@command.command("show")
@click.argument("run", type=RUN)
@run_dir_option
@json_option
def show(run: str, run_dir: Path, as_json: bool) -> None:
    """Show one run: its status, scores, and the commands that trained it."""
    found = find(run, run_dir)
    told = _facts(found)
    if told["status"] == "damaged":
        _ = found.recipe, found.history, found.environment, found.metrics  # says what is wrong
    sessions = found.sessions
    metrics = found.metrics if found.finished else {}
    if as_json:
        emit_json({**told, "sessions": sessions, "metrics": metrics})
        return
    heading(f"{found.name}: {told['model']} on {told['dataset']}, {told['status']}")
    lines: dict[str, Any] = {"epochs": f"{told['epochs_done']} of {told['epochs']}"}
    if found.failure:
        lines["failed"] = found.failure
    for split in ("validation", "test"):
        if split in metrics:
            scores = metrics[split].items()
            lines[split] = ", ".join(f"{name} {number(value)}" for name, value in scores)
    if metrics:
        lines["best epoch"] = metrics.get("best_epoch")
        lines["trained for"] = f"{metrics['training_seconds']:.1f} s"
    environment = found.environment
    lines["machine"] = f"{environment.get('devices')}, {environment.get('precision')}"
    lines["commands"] = "\n".join(
        f"{one.get('command')} ({one.get('date')}, {one.get('outcome', 'running or killed')})"
        for one in sessions
    )
    lines["folder"] = found.path
    facts(lines)
    if told["status"] == "unfinished":
        hint(run_command("train --resume", found, run_dir))
    elif told["status"] == "finished":
        hint(run_command("evaluate", found, run_dir))


@command.command("rm")
@click.argument("names", nargs=-1, required=True, type=RUN, metavar="RUN...")
@click.option("--yes", is_flag=True, help="Do not ask.")
@run_dir_option
def remove(names: tuple[str, ...], yes: bool, run_dir: Path) -> None:
    """Delete runs with all their files, after asking."""
    found = {run.path.resolve(): run for run in (find(name, run_dir) for name in names)}
    for run in found.values():
        if run.is_training:
            raise UsageError(f"run {run.name} is being trained: stop that first")
    if not yes:
        _confirm(", ".join(str(run.path) for run in found.values()))
    for run in found.values():
        run.remove()
        click.echo(f"deleted {run.path}")


def _confirm(listed: str) -> None:
    try:
        agreed = click.confirm(f"Delete {listed}?", err=True)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        note("")  # ends the line of the question
        raise UsageError("rm asks before it deletes; without a terminal, add --yes") from None
    if not agreed:
        raise DlzooError("nothing was deleted")

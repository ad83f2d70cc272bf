"""`dlzoo runs`: the runs, with their scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cli.options import json_option, run_dir_option
from cli.output import emit_json, hint, number, table
from zoo import runs
from zoo.errors import UsageError


@click.command("runs")
@run_dir_option
@json_option
def command(run_dir: Path, as_json: bool) -> None:
    """The runs, the newest last."""
    facts = [_facts(run) for run in runs.list_runs(run_dir)]
    if as_json:
        emit_json(facts)
        return
    if not facts:
        click.echo(f"there are no runs in {run_dir}", err=True)
        hint("dlzoo train resnet --epochs 20")
        return
    rows = [
        (
            one["run"],
            one["status"],
            f"{one['epochs_done']}/{one['epochs']}",
            "" if one["score"] is None else f"{one['metric']} {number(one['score'])}",
            one["date"],
        )
        for one in facts
    ]
    table(("run", "status", "epochs", "test score", "started (UTC)"), rows, right=("epochs",))
    hint("dlzoo evaluate latest")


def _facts(run: runs.Run) -> dict[str, Any]:
    try:
        score = runs.headline(run)
        if run.finished and score is None:
            raise UsageError(f"run {run.name} is damaged: metrics.json holds no score")
        return {
            "run": run.name,
            "path": str(run.path),
            "model": run.recipe.model,
            "dataset": run.recipe.data.name,
            "status": "finished" if run.finished else "unfinished",
            "epochs_done": len(run.history.get("epoch", [])),
            "epochs": run.recipe.epochs,
            "metric": score[0] if score else None,
            "score": score[1] if score else None,
            "date": run.environment.get("date", ""),
        }
    except UsageError:  # one damaged run must not hide the others
        unknown = dict.fromkeys(("model", "dataset", "epochs_done", "epochs", "metric", "score"))
        return {"run": run.name, "path": str(run.path), "status": "damaged", "date": "", **unknown}

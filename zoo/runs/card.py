"""A run's card: what it is, how it scored, and what to type next."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence

from zoo.base.files import write_text
from zoo.runs.folder import RunFolder


def write_card(run: RunFolder, commands: Sequence[str]) -> None:
    """Write a run's README.md from its data files.

    Args:
        run: Finished.
        commands: Names of commands to try next.
    """
    recipe, metrics, environment = run.recipe, run.metrics, run.environment
    score = metrics["score"]
    target = f" (target {score['target']}: " if "target" in score else ""
    target += ("reached)" if score.get("reached") else "missed)") if target else ""
    table = [
        f"| {name} | {metrics['validation'].get(name, float('nan')):.4f} | {value:.4f} |"
        for name, value in metrics["test"].items()
    ]
    pictures = sorted(path.name for path in (run.path / "figures").glob("*.png"))
    origin = [f"Started from `{recipe.init_from}`."] if recipe.init_from else []
    if recipe.freeze:
        origin.append(
            f"{metrics['trained_parameters']:,} of {metrics['parameters']:,} parameters trained, "
            f"frozen: {', '.join(f'`{pattern}`' for pattern in recipe.freeze)}."
        )
    # Schedules in fractions of the training differ after a resume to more epochs, and results
    # after one on other devices or by other versions.
    kept = ("epochs", "devices", "precision", "versions")
    alike = len({json.dumps([one.get(key) for key in kept]) for one in run.sessions}) == 1
    again = "again, bit for bit on CPU" if alike else "the same recipe from the start"
    lines = [
        f"# {run.name}",
        "",
        f"`{recipe.model}` on `{recipe.data.name}`: {score['metric']} "
        f"{score['value']:.4f} on the test split{target}.",
        *(["", " ".join(origin)] if origin else []),
        "",
        "| score | validation | test |",
        "|---|---|---|",
        *table,
        "",
        f"{metrics['epochs']} epochs in {metrics['training_seconds']:.0f} seconds, "
        f"{environment['date']}, {environment['devices']}, {environment['precision']}, "
        f"TensorFlow {environment['versions']['tensorflow']}, "
        f"Keras {environment['versions']['keras']}, seed {recipe.seed}.",
        "",
        *(f"![{name}](figures/{name})" for name in pictures),
        "",
        "```console",
        *(f"$ {run.command(command)}" for command in commands),
        f"$ dlzoo train --recipe {shlex.quote(str(run.path / 'recipe.toml'))}  # {again}",
        "```",
        "",
    ]
    write_text(run.path / "README.md", "\n".join(lines))

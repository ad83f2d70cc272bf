"""A run's pictures and its card, made from its data files alone."""

from __future__ import annotations

from zoo.figures import curves
from zoo.files import write_text
from zoo.runs import Run


def draw_figures(run: Run) -> None:
    """Draw a run's learning curves and its task's figures."""
    folder = run.path / "figures"
    folder.mkdir(exist_ok=True)
    if run.history:
        curves({run.name: run.history}, folder / "curves.png")
    run.task.draw(run.metrics.get("figures", {}), run.model, folder)


def write_card(run: Run) -> None:
    """Write a run's README.md: what it is, how it scored, what to type next."""
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
        f"$ dlzoo evaluate {run.reference}",
        f"$ dlzoo export {run.reference}",
        f"$ dlzoo train --recipe {run.path / 'recipe.toml'}  # again, bit for bit",
        "```",
        "",
    ]
    write_text(run.path / "README.md", "\n".join(lines))

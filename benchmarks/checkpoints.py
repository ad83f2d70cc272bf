"""What checkpoints cost at their defaults, as a share of the training time.

    python -m benchmarks.checkpoints [--output benchmarks/checkpoints.md]

Each recipe is trained as it stands: vgg11-digits, whose checkpoints are the largest, to its end;
the others for a few epochs, of which the checkpoint at the end is a larger share than of all.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

EPOCHS = {"lenet5-digits": 20, "resnet20-digits": 6, "vgg11-digits": 14, "transformer-dates": 4}


@dataclass(frozen=True)
class Cost:
    """What the checkpoints of one training cost."""

    recipe: str
    epochs: int
    training: float
    """Seconds of its steps, without validation and without checkpoints."""
    checkpoints: int
    seconds: float
    """Of the checkpoints and of what is kept for them: the best weights and history.csv.

    The seconds that the training waited, and the processor seconds of the thread that writes."""
    size: int
    """Bytes of the last checkpoint."""

    @property
    def share(self) -> float:
        """Of the training time."""
        return self.seconds / self.training


def measure(recipe: str, epochs: int) -> Cost:
    """Train by a recipe for some epochs and return what its checkpoints cost."""
    import zoo
    from zoo.training.progress import Silent

    with tempfile.TemporaryDirectory() as folder:
        run = zoo.train(recipe=recipe, epochs=epochs, run_dir=folder, reporter=Silent())
        session = run.sessions[-1]
        return Cost(
            recipe=recipe,
            epochs=epochs,
            training=run.training_seconds,
            checkpoints=session["checkpoints"],
            seconds=session["checkpoint_seconds"],
            size=run.checkpoints[-1].stat().st_size,
        )


def table(costs: list[Cost]) -> str:
    """Return the costs as a Markdown table."""
    rows = [
        f"| {one.recipe} | {one.epochs} | {one.training:.1f} | {one.checkpoints} | "
        f"{one.size / 1e6:.1f} | {one.seconds:.2f} | {one.share:.1%} |"
        for one in costs
    ]
    return "\n".join(
        [
            "| recipe | epochs | training, s | checkpoints | MB each | cost, s | share |",
            "|---|---|---|---|---|---|---|",
            *rows,
        ]
    )


def main() -> None:
    """Measure all, print the table, and write it if a file is named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--output", type=Path)
    parser.add_argument("recipes", nargs="*", default=list(EPOCHS))
    asked = parser.parse_args()
    costs = []
    for name in asked.recipes:
        costs.append(measure(name, EPOCHS[name]))
        print(table(costs[-1:]).splitlines()[-1], flush=True)
    if asked.output:
        asked.output.write_text(table(costs) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""Training samples a second: dlzoo against the same network in plain Keras layers and plain `fit`.

    python -m benchmarks.throughput [--rounds N] [--output benchmarks/results.md]

Both are measured in one process, in turn, a short epoch each, after two epochs to warm up. Short
epochs and many rounds, because virtual machines take breaks of their own: a break falls into one
epoch of one side, and the median does not see it. Run it on an otherwise idle machine. The plain
side is the same architecture with every layer Keras's own, `compile` and `fit` with their defaults,
on the same arrays and batch size.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recipes.recipe import Recipe
from zoo import registry, tasks
from zoo.environment import versions
from zoo.runs import model_compile_arguments
from zoo.runtime import start_tensorflow
from zoo.training.resolve import resolve
from zoo.training.strategy import make_strategy


@dataclass(frozen=True)
class Case:
    """One comparison."""

    model: str
    batch_size: int
    examples: int
    wanted: float
    """The least ratio that is aimed at."""


CASES = (
    Case("resnet20", batch_size=128, examples=512, wanted=1.3),
    Case("lenet5", batch_size=64, examples=6_400, wanted=1.4),
)


def plain_copy(model: Any) -> Any:
    """Return the model with Keras's own layers in place of dlzoo's, and the same weights."""
    import keras

    from zoo.layers.normalization import BatchNormalization
    from zoo.models.resnet import IdentityShortcut

    class Slice(IdentityShortcut):
        """Option A's shortcut as it is usually written."""

        def call(self, inputs: Any) -> Any:
            x = inputs[:, :: self.strides, :: self.strides, :]
            return keras.ops.pad(x, [[0, 0], [0, 0], [0, 0], [0, self.filters - x.shape[-1]]])

    def clone(layer: Any) -> Any:
        if isinstance(layer, IdentityShortcut):
            return Slice.from_config(layer.get_config())
        if isinstance(layer, BatchNormalization):
            return keras.layers.BatchNormalization.from_config(layer.get_config())
        return layer.__class__.from_config(layer.get_config())

    copy = keras.models.clone_model(model, clone_function=clone)
    copy.set_weights(model.get_weights())
    return copy


def compare(case: Case, rounds: int) -> dict[str, list[float]]:
    """Return the samples a second of each round, of both sides in turn."""
    import keras

    from zoo.datasets.batches import TrainingBatches
    from zoo.datasets.loading import load
    from zoo.training.assembly import make_batches, make_model

    recipe = recipe_of(case)
    strategy = make_strategy(recipe)
    dataset = load(**recipe.data.model_dump())
    card = registry.card(case.model)
    task = tasks.make(tasks.check(card, None, dataset.spec), dataset.spec)
    inputs, targets = task.arrays(dataset, "train")
    rows = np.arange(case.examples) % len(inputs)
    assert targets is not None
    x, y = inputs[rows], targets[rows]

    keras.utils.set_random_seed(0)
    ours = make_model(recipe, card, task, make_batches(recipe, task, dataset, strategy), strategy)
    batches = TrainingBatches(x, y, batch_size=case.batch_size, seed=0)
    plain = plain_copy(ours)
    plain.compile(**model_compile_arguments(recipe, task, batches.steps))

    def train_ours() -> None:
        ours.fit(batches.epochs(), steps_per_epoch=batches.steps, shuffle=False, verbose=0)

    def train_plain() -> None:
        plain.fit(x, y, batch_size=case.batch_size, verbose=0)

    sides = {"dlzoo": train_ours, "plain Keras": train_plain}
    for _ in range(2):
        for train in sides.values():
            train()
    rates: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, train in sides.items():
            began = time.perf_counter()
            train()
            rates[name].append(case.examples / (time.perf_counter() - began))
    return rates


def recipe_of(case: Case) -> Recipe:
    """Return the model's own recipe, without what the plain side would not have."""
    recipe = resolve(case.model, batch_size=case.batch_size)
    return recipe.model_copy(update={"augmentation": [], "regularization": None})


def row(case: Case, rates: dict[str, list[float]]) -> str:
    """Return one line of the table: medians and quartiles, and the ratio round by round."""

    def spread(values: list[float], digits: int) -> str:
        low, middle, high = statistics.quantiles(values, n=4)
        return f"{middle:,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})"

    ratios = [a / b for a, b in zip(rates["dlzoo"], rates["plain Keras"], strict=True)]
    cells = [
        case.model,
        str(case.batch_size),
        *(spread(values, 0) for values in rates.values()),
        f"{statistics.median(rates['dlzoo']) / statistics.median(rates['plain Keras']):.2f}",
        spread(ratios, 2),
        f"{case.wanted:.1f}",
    ]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Measure, print, and write the table where it is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=41)
    parser.add_argument("--output", type=Path)
    parser.add_argument("models", nargs="*")
    options = parser.parse_args()

    start_tensorflow()
    used = ", ".join(f"{name} {version}" for name, version in versions().items() if version)
    processor = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    lines = [
        "# Training samples a second",
        "",
        f"`python -m benchmarks.throughput --rounds {options.rounds}`: median (quartiles) of "
        f"{options.rounds} short epochs each, in turn, in one process, and their ratio by round.",
        "",
        f"{processor}, {len_affinity()} cores, Python {platform.python_version()}, {used}.",
        "",
        "| model | batch | dlzoo | plain Keras | ratio of medians | ratio by round | wanted |",
        "|---|---|---|---|---|---|---|",
    ]
    print("\n".join(lines), flush=True)
    for case in CASES:
        if not options.models or case.model in options.models:
            lines.append(row(case, compare(case, options.rounds)))
            print(lines[-1], flush=True)
    if options.output:
        options.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


def len_affinity() -> int:
    """Return the number of processors that this process may use."""
    import os

    return len(os.sched_getaffinity(0))


if __name__ == "__main__":
    main()

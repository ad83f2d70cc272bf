"""How fast `dlzoo serve`'s engines answer, beside TensorFlow's own function.

    python -m benchmarks.engines [--rounds 9] [--output benchmarks/engines.md] [MODEL:BATCH …]

Each model is built by its paper, with weights as they are initialised, and exported. All engines
are loaded in one process and asked in turn, in an order that rotates; the table has medians.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from zoo.serving.formats import Run

MODELS = ("mlp:1", "mlp:64", "lenet5:64", "resnet20:64", "resnet50:1", "resnet50:8")
KERAS = "tf.function of the Keras model"
"""What the others are compared with. In the exported SavedModel, normalisations are folded."""
LEAST = 0.2
"""Seconds that a measurement takes at least; short calls are repeated."""


@dataclass(frozen=True)
class Speed:
    """How fast one engine answers."""

    model: str
    batch: int
    engine: str
    milliseconds: float
    """Of a call, the median."""
    quartiles: tuple[float, float]
    ratio: float
    """How much faster than TensorFlow's function of the model."""
    difference: float
    """From its answers, at most."""

    def __str__(self) -> str:
        """Return a row of the table."""
        low, high = self.quartiles
        return (
            f"| {self.model} | {self.batch} | {self.engine} | {self.milliseconds:.3f} "
            f"({low:.3f} to {high:.3f}) | {self.ratio:.2f} | {self.difference:.0e} |"
        )


HEAD = """| model | batch | engine | ms for a call (quartiles) | times as fast | difference |
|---|---|---|---|---|---|
"""


def measure(model: str, batch: int, rounds: int) -> list[Speed]:
    """Return how fast each engine answers a batch for a model."""
    from zoo.serving.formats import FORMATS
    from zoo.serving.server.engine import ENGINES, FASTEST

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        inputs, own_function = export(model, batch, folder)
        engines: dict[str, Run] = {KERAS: own_function}
        for name, form in ENGINES.items():
            engines[name] = FORMATS[form].module.load(folder)
        answers = {name: run("serving_default", inputs) for name, run in engines.items()}
        taken: dict[str, list[float]] = {name: [] for name in engines}
        order = list(engines)
        for _ in range(rounds):
            for name in order:
                taken[name].append(seconds(engines[name], inputs))
            order = order[1:] + order[:1]
    own = float(np.median(taken[KERAS]))
    speeds = []
    for name, several in taken.items():
        middle = float(np.median(several))
        low, high = (1e3 * float(np.quantile(several, share)) for share in (0.25, 0.75))
        apart = np.abs(answers[name]["probabilities"] - answers[KERAS]["probabilities"])
        shown = f"{name} (auto)" if name == FASTEST[0] else name
        speeds.append(
            Speed(model, batch, shown, 1e3 * middle, (low, high), own / middle, float(apart.max()))
        )
    return speeds


def export(model: str, batch: int, folder: Path) -> tuple[dict[str, np.ndarray], Run]:
    """Write a model in the engines' formats; return inputs, and TensorFlow's function of it."""
    import tensorflow as tf

    import zoo
    from zoo.base.runtime import quiet_stderr
    from zoo.serving.formats import FORMATS
    from zoo.serving.samples import examples
    from zoo.serving.served import Served
    from zoo.serving.server.engine import ENGINES
    from zoo.training.benchmark import noise_task

    card = zoo.card(model)
    network, task = zoo.build(model), noise_task(card, card.input_shape)
    whole = Served(task, task.served(network), *examples(task, None))
    served = whole.folded
    for form in ENGINES.values():
        with quiet_stderr():
            FORMATS[form].module.write(served, folder, None)
    raw = {name: one.sample(batch) for name, one in task.asked.items()}
    endpoint = served.endpoints["serving_default"]
    inputs = dict(zip(endpoint.signature, endpoint.asked_with(raw), strict=True))
    compiled = tf.function(whole.endpoints["serving_default"].function)

    def run(signature: str, given: Any) -> dict[str, np.ndarray]:
        answers = compiled(*(tf.constant(one) for one in given.values()))
        return {name: one.numpy() for name, one in answers.items()}

    return inputs, run


def seconds(run: Any, inputs: dict[str, np.ndarray]) -> float:
    """Return how long a call takes, the mean over as many as take `LEAST` seconds."""
    began, calls = time.perf_counter(), 0
    while (passed := time.perf_counter() - began) < LEAST or not calls:
        run("serving_default", inputs)
        calls += 1
    return passed / calls


def main() -> None:
    """Measure all, print the rows, and write the table if a file is named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--output", type=Path)
    parser.add_argument("models", nargs="*", default=list(MODELS), metavar="MODEL:BATCH")
    asked = parser.parse_args()
    rows = []
    for one in asked.models:
        model, _, batch = one.partition(":")
        found = measure(model, int(batch or 1), asked.rounds)
        rows += found
        print("\n".join(map(str, found)), flush=True)
    if asked.output:
        asked.output.write_text(HEAD + "".join(f"{row}\n" for row in rows), encoding="utf-8")


if __name__ == "__main__":
    main()

"""How fast a data set's input pipeline gives batches, and whether it or the device is slower."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from recipes import library
from recipes.recipe import Recipe
from zoo import registry, tasks
from zoo.base.errors import UsageError
from zoo.base.processes import run_apart
from zoo.datasets.sources import open_source
from zoo.training.benchmark import quartiles
from zoo.training.resolve import resolve

ROUND = 1.0
"""Seconds that a round lasts at least."""


@dataclass(frozen=True, kw_only=True)
class Flow:
    """What was measured of one input pipeline, in examples per second: medians of the rounds."""

    dataset: str
    model: str
    recipe: str
    """Whose batches, columns' forms and augmentation were measured."""
    batch_size: int
    repeats: int
    pipeline: float
    """Of the pipeline alone."""
    quartiles: tuple[float, float]
    """Of the pipeline alone, the first and the third."""
    growth: int | None
    """Bytes by which the process's peak grew after the first round; None where the system does not
    tell."""
    device: float | None = None
    """Of training steps on one batch again and again; None without a model."""
    training: float | None = None
    """Of training steps on the pipeline's batches; None without a model."""

    @property
    def bottleneck(self) -> str | None:
        """``"input pipeline"`` or ``"device"``, whichever is slower; None without a model."""
        if self.device is None:
            return None
        return "input pipeline" if self.pipeline < self.device else "device"

    def as_dict(self) -> dict[str, Any]:
        """Return plain values: the fields and the bottleneck."""
        return {**dataclasses.asdict(self), "bottleneck": self.bottleneck}


def measure_pipeline(
    dataset: str, model: str | None, *, batch_size: int | None = None, repeats: int = 10
) -> Flow:
    """Measure how fast training batches of a data set come, in a process of its own.

    Args:
        dataset: A data set.
        model: To be trained from it, to compare; None measures the pipeline alone, with the batches
            of the first recipe that fits.
        batch_size: Examples of a batch; by default the recipe's.
        repeats: How many rounds are measured.

    Raises:
        UsageError: The model cannot be trained on the data.
    """
    recipe = _recipe(dataset, model, batch_size)
    (found,) = run_apart(_measure, recipe, model is not None, repeats)
    return Flow(**found)


def _recipe(dataset: str, model: str | None, batch_size: int | None) -> Recipe:
    if model is not None:
        return resolve(model, dataset=dataset, batch_size=batch_size, strategy="one-device")
    name = open_source(dataset).describe().name
    named = [one.recipe.model for one in library.entries() if one.recipe.data.name == name]
    for candidate in [*named, *registry.list_models()]:
        try:
            return resolve(candidate, dataset=dataset, batch_size=batch_size, strategy="one-device")
        except UsageError:
            continue
    raise UsageError(f"no model of the catalogue can be trained on {dataset}")


def _measure(send: Callable[[Any], None], recipe: Recipe, with_model: bool, repeats: int) -> None:
    from zoo.base.memory import peak_memory
    from zoo.base.runtime import start_tensorflow

    start_tensorflow()
    steps: dict[str, Callable[[], None]] = {}
    if with_model:
        from zoo.training.trainer import ready

        with ready(recipe) as (prepared, _):
            batches, model = prepared.batches, prepared.model
            data = batches.start()
            model.fit(data, steps_per_epoch=model.steps_per_execution, shuffle=False, verbose=0)
            one = data.take(1).cache().repeat()
            steps = {"device": _training(model, one), "training": _training(model, data)}
        examples = batches.batch_size * model.steps_per_execution
    else:
        batches = _batches(recipe)
        examples = batches.batch_size
    iterator = iter(batches.start())

    def give() -> None:
        next(iterator)

    rates: dict[str, list[float]] = {name: [] for name in ("pipeline", *steps)}
    _rate(give, batches.batch_size)
    before = peak_memory()
    for _ in range(repeats):  # in turn, for a machine's speed varies
        rates["pipeline"].append(_rate(give, batches.batch_size))
        for name, step in steps.items():
            rates[name].append(_rate(step, examples))
    after = peak_memory()
    alone = rates["pipeline"]
    low, high = quartiles(alone)
    send(
        {
            "dataset": recipe.data.name,
            "model": recipe.model,
            "recipe": recipe.name,
            "batch_size": batches.batch_size,
            "repeats": repeats,
            "quartiles": (low, high),
            "growth": None if before is None or after is None else after - before,
            **{name: statistics.median(found) for name, found in rates.items()},
        }
    )


def _batches(recipe: Recipe) -> Any:
    """Return a recipe's training batches without building its model."""
    from zoo.datasets.loading import load
    from zoo.training.preparation import make_batches, make_task
    from zoo.training.strategy import make_strategy

    strategy = make_strategy(recipe)
    kind = tasks.find(recipe.task or registry.card(recipe.model).task)
    loaded = load(recipe.data.name, recipe.data.forms, adapt=kind.adapt)
    return make_batches(recipe, make_task(recipe, loaded.spec), loaded, strategy)


def _training(model: Any, batches: Any) -> Callable[[], None]:
    """Return a function that runs `fit`'s own steps, and waits for the device."""
    iterator = iter(batches)

    def step() -> None:
        for score in model.train_function(iterator).values():
            float(score)

    return step


def _rate(step: Callable[[], None], examples: int) -> float:
    """Return examples per second of a round, after a step to warm up."""
    step()
    done, began = 0, time.perf_counter()
    while (passed := time.perf_counter() - began) < ROUND:
        step()
        done += 1
    return done * examples / passed

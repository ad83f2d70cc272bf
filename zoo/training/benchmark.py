"""How fast a model trains and answers on this machine, in how much memory."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recipes import library
from recipes.recipe import Recipe
from zoo import registry, tasks
from zoo.base.errors import DlzooError
from zoo.base.memory import peak_memory
from zoo.base.processes import DoesNotFitError, run_apart
from zoo.catalog import ModelCard
from zoo.datasets.sources import open_source
from zoo.datasets.spec import DatasetSpec
from zoo.tasks.base import Task
from zoo.training.resolve import resolve

MODES = ("inference", "training")
REPEATS = 10
LARGEST_BATCH = 128
SECOND_OF_WORK = 1e11
"""Floating-point operations that a training step on a CPU does in about a second."""
SHORTEST = 0.05
"""Seconds: a shorter step is timed several times in a row."""
MATMULS = 5
"""Matrix products that are timed before a mode, and again after it."""
MATMUL_SIZE = 2048
"""Rows and columns of the matrices whose product measures the machine's speed."""


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """The speed and memory of one model in one mode."""

    model: str
    mode: str
    """``"inference"`` or ``"training"``."""
    input_shape: tuple[int, ...]
    batch_size: int
    asked_batch_size: int
    """Larger than `batch_size` where that did not fit into memory."""
    device: str
    precision: str
    """Keras's dtype policy."""
    repeats: int
    seconds: float
    """Of one step, the median."""
    quartiles: tuple[float, float]
    """The first and the third, in seconds."""
    peak_memory: int | None
    """Bytes beyond what the process held before the model was built; None where the system does
    not tell."""
    multiply_adds: int
    """Of one example's forward pass."""
    matmul_rate: float
    """Floating-point operations per second of large float32 matrix products, timed before and
    after."""

    @property
    def samples_per_second(self) -> float:
        """Examples per second, by the median."""
        return self.batch_size / self.seconds

    @property
    def share_of_matmul_rate(self) -> float:
        """The share of `matmul_rate` that was reached.

        A multiply-add is two operations; training is a forward pass, and two of them backward.
        """
        operations = (2.0 if self.mode == "inference" else 6.0) * self.multiply_adds
        return operations * self.samples_per_second / self.matmul_rate

    def as_dict(self) -> dict[str, Any]:
        """Return plain values: the fields and the properties."""
        return {
            **dataclasses.asdict(self),
            "samples_per_second": self.samples_per_second,
            "share_of_matmul_rate": self.share_of_matmul_rate,
        }


def benchmark(
    model: str,
    *,
    batch_size: int | None = None,
    input_size: int | None = None,
    precision: str | None = None,
    repeats: int = REPEATS,
    tell: Callable[[str], None] = lambda line: None,
) -> list[Measurement]:
    """Measure the paper's network of a model, as dlzoo trains and serves it.

    It is compiled as its default recipe says, and fed one batch of noise again and again, so that
    neither reading nor augmenting data is timed. Inference calls the compiled function that
    `Run.predict` calls, or for a generator the one that `Run.generate` calls. All of it happens in
    a process of its own, inference first.

    Args:
        model: A model or family.
        batch_size: None chooses a power of two by the model's cost, see `default_batch_size`. A
            batch that does not fit into memory is halved until it does.
        input_size: Height and width, or length, instead of the paper's.
        precision: Instead of the recipe's.
        repeats: How many times each is timed, after warming up.
        tell: Is called with lines of text that report progress.

    Returns:
        One measurement for each of `MODES`.

    Raises:
        UsageError: There is no such model, or it cannot be built like that.
        DlzooError: A single example does not fit into memory.

    Example:
        >>> [one.samples_per_second for one in benchmark("lenet5")]
    """
    card = registry.card(model)
    shape = _input_shape(card, input_size)
    asked = size = batch_size or default_batch_size(card, shape)
    recipe = resolve(card.name, precision=precision)
    chosen = "" if batch_size else ", chosen by cost"
    inputs = " × ".join(str(side) for side in shape)
    tell(f"{card.name}: input {inputs}, batches of {size}{chosen}")
    found: list[Measurement] = []
    while len(found) < len(MODES):
        now = recipe.model_copy(update={"batch_size": size})
        try:
            for one in run_apart(_measure, now, shape, repeats, MODES[len(found) :]):
                found.append(dataclasses.replace(one, asked_batch_size=asked))
                tell(f"{card.name}: {one.mode} {one.samples_per_second:,.0f} samples/s")
        except DoesNotFitError as error:
            mode = MODES[len(found)]
            if size == 1:
                raise DlzooError(
                    f"{card.name} does not fit into memory: {mode} fails at batch 1 ({error})"
                ) from error
            tell(f"{card.name}: {mode} with batch {size} does not fit, trying {size // 2}")
            size //= 2
    return found


def default_batch_size(card: ModelCard, input_shape: Sequence[int]) -> int:
    """Return a power of two up to 128 so that a training step takes about a second on a CPU."""
    macs = card.macs * math.prod(input_shape) / math.prod(card.input_shape)
    examples = SECOND_OF_WORK / (6.0 * max(macs, 1.0))
    return min(LARGEST_BATCH, 2 ** max(0, int(math.log2(examples))))


def _input_shape(card: ModelCard, size: int | None) -> tuple[int, ...]:
    if size is None:
        return card.input_shape
    return (size, size, *card.input_shape[2:]) if len(card.input_shape) > 1 else (size,)


def _for_noise(recipe: Recipe, task: Task) -> Recipe:
    """Return a recipe for the paper's network on one device, without its data's settings."""
    changes: dict[str, Any] = {
        "arguments": {},
        "augmentation": [],
        "strategy": "one-device",
        "accumulate": 1,
        "devices": None,
    }
    described = open_source(recipe.data).describe()
    own = DatasetSpec(
        name=described.name,
        features=described.features,
        inputs=described.inputs,
        targets=described.targets,
    )
    card = registry.card(recipe.model)
    if _outputs(tasks.make(task.name, own, card=card)) != _outputs(task):
        changes |= {"loss": None, "metrics": []}  # they are for other outputs than these
    return recipe.model_copy(update=changes)


def _outputs(task: Task) -> Any:
    """Return the task's own loss, which depends on the number of outputs."""
    return task.compile_arguments().get("loss")


@dataclass(frozen=True)
class _Batches:
    """The facts that `build_model` needs of batches, where one batch comes again and again."""

    batch_size: int
    steps: int = 1024
    """Per epoch."""
    updates: int = 1024
    """Per epoch: schedules count in them."""
    mixes: bool = False


def _measure(
    send: Callable[[Measurement], None],
    recipe: Recipe,
    input_shape: tuple[int, ...],
    repeats: int,
    modes: Sequence[str],
) -> None:
    """Measure in this process, whose dtype policy is changed."""
    from zoo.base.runtime import precision_policy, start_tensorflow

    tf = start_tensorflow()
    import keras

    from zoo.anatomy.counts import multiply_adds
    from zoo.base.environment import devices_line
    from zoo.training.preparation import build_model
    from zoo.training.strategy import make_strategy

    card = registry.card(recipe.model)
    task = noise_task(card, input_shape)
    recipe = _for_noise(recipe, task)
    strategy = make_strategy(recipe)
    policy = precision_policy(recipe.precision, allow_mixed=card.half_precision)
    keras.config.set_dtype_policy(policy)
    keras.utils.set_random_seed(recipe.seed)
    product = _matmul(MATMUL_SIZE)
    product()  # memory that it holds from now on does not count as the model's

    size = int(recipe.batch_size)
    with tf.device("CPU:0"):
        batch = _batch(task, size)
        repeated = tf.data.Dataset.from_tensors(batch).repeat().prefetch(tf.data.AUTOTUNE)
    memory = _Memory()
    model, _, _ = build_model(recipe, card, task, _Batches(size), strategy)
    network = task.served(model)
    for mode in modes:
        products = _seconds(product, MATMULS)
        memory.restart()
        if mode == "inference":
            times = _seconds(task.answering(model, size), repeats)
        else:
            times = _seconds(_training(model, repeated), repeats)
            times = [seconds / model.steps_per_execution for seconds in times]
        peak = memory.peak()
        # A machine's speed varies: the product is timed again, next to the model.
        products += _seconds(product, MATMULS)
        send(
            Measurement(
                model=card.name,
                mode=mode,
                input_shape=input_shape,
                batch_size=int(recipe.batch_size),
                asked_batch_size=int(recipe.batch_size),
                device=devices_line(strategy),
                precision=policy,
                repeats=repeats,
                seconds=statistics.median(times),
                quartiles=quartiles(times),
                peak_memory=peak,
                multiply_adds=multiply_adds(network if mode == "inference" else model),
                matmul_rate=2.0 * MATMUL_SIZE**3 / statistics.median(products),
            )
        )


def _matmul(size: int) -> Callable[[], Any]:
    import tensorflow as tf

    left, right = tf.random.uniform((2, size, size))
    # Only one number of the product is copied from the device.
    multiply = tf.function(lambda: tf.reduce_max(tf.linalg.matmul(left, right)))
    return lambda: multiply().numpy()


def noise_task(card: ModelCard, shape: tuple[int, ...]) -> Task:
    """Return the task of a card's network on noise of a shape."""
    defaults = registry.builder_defaults(card.name)
    described = open_source(library.load(card.recipe).data.name).describe()
    described = tasks.find(card.task).adapt(described)
    shapes = {**card.inputs, next(iter(card.inputs)): shape}
    features = {
        name: one.like(shapes.get(name, ()), defaults) for name, one in described.features.items()
    }
    spec = DatasetSpec(
        name="noise",
        features=features,
        inputs=described.inputs,
        targets=described.targets,
    )
    return tasks.make(card.task, spec, card=card)


def _batch(task: Task, count: int) -> Any:
    """Return a batch of noise as `fit` takes it."""
    from zoo.datasets.batches import nested

    encoded = {name: one.encode(one.sample(count)) for name, one in task.fed.items()}
    return nested(*task.feed(encoded))


def _training(model: Any, batches: Any) -> Callable[[], Any]:
    """Return a function that runs `fit`'s own step, as many at a time as `fit` does."""
    model.fit(batches, steps_per_epoch=model.steps_per_execution, shuffle=False, verbose=0)
    iterator = iter(batches)
    return lambda: [np.asarray(score) for score in model.train_function(iterator).values()]


def _seconds(step: Callable[[], Any], repeats: int) -> list[float]:
    """Return how long a step takes, measured several times after warming up."""
    step()
    began = time.perf_counter()
    step()
    calls = math.ceil(SHORTEST / (time.perf_counter() - began))
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        for _ in range(calls):
            step()
        times.append((time.perf_counter() - began) / calls)
    return times


def quartiles(times: Sequence[float]) -> tuple[float, float]:
    """Return the first and the third quartile of measurements."""
    low, high = np.quantile(times, [0.25, 0.75])
    return float(low), float(high)


class _Memory:
    """The most memory in use since `restart`, beyond what was in use when this was made."""

    def __init__(self) -> None:
        import tensorflow as tf

        self.experimental = tf.config.experimental
        self.gpu = bool(tf.config.list_physical_devices("GPU"))
        self.restart()
        self.before = self._peak()

    def restart(self) -> None:
        """Forget earlier peaks, where the system allows it."""
        if self.gpu:
            self.experimental.reset_memory_stats("GPU:0")
        else:
            with contextlib.suppress(OSError):
                Path("/proc/self/clear_refs").write_text("5", encoding="ascii")

    def peak(self) -> int | None:
        """Return bytes, or None where the system does not tell."""
        now = self._peak()
        return None if now is None or self.before is None else max(0, now - self.before)

    def _peak(self) -> int | None:
        if self.gpu:
            return int(self.experimental.get_memory_info("GPU:0")["peak"])
        return peak_memory()

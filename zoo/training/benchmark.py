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

from recipes.recipe import Recipe
from zoo import registry, tasks
from zoo.catalog import ModelCard
from zoo.datasets import catalog
from zoo.datasets.spec import Dataset, DatasetSpec, Examples
from zoo.errors import DlzooError
from zoo.training.apart import DoesNotFitError, run_apart
from zoo.training.resolve import resolve

MODES = ("inference", "training")
REPEATS = 10
LARGEST_BATCH = 128
SECOND_OF_WORK = 1e11
"""Floating-point operations that a training step on a CPU does in about a second."""
SHORTEST = 0.05
"""Seconds: what is over sooner is timed several times in a row."""
MATMULS = 5
"""Matrix products that are timed before a mode, and again after it."""
MATMUL_SIZE = 2048
"""Rows and columns of the matrices whose product is the measure of the machine."""


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """What was measured of one model in one mode."""

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
    """Bytes beyond what the process held before the model was built; None where nobody tells."""
    multiply_adds: int
    """Of one example's forward pass."""
    matmul_rate: float
    """Floating-point operations a second of large float32 matrix products, side by side with it."""

    @property
    def samples_per_second(self) -> float:
        """Examples a second, by the median."""
        return self.batch_size / self.seconds

    @property
    def share_of_matmul_rate(self) -> float:
        """What part of `matmul_rate` was reached.

        A multiply-add is two operations; training is a forward pass, and two of them backward.
        """
        operations = (2.0 if self.mode == "inference" else 6.0) * self.multiply_adds
        return operations * self.samples_per_second / self.matmul_rate

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, with what follows from them."""
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
    neither reading nor augmenting data is timed. Inference is the exported model's computation;
    for a generator, decoding. All of it happens in a process of its own, inference first.

    Args:
        model: A model or family.
        batch_size: None chooses a power of two by the model's cost, see `default_batch_size`. A
            batch that does not fit into memory is halved until it does.
        input_size: Height and width, or length, instead of the paper's.
        precision: Instead of the recipe's.
        repeats: How many times each is timed, after warming up.
        tell: Is told in a line each what is going on.

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
    """Return a power of two up to 128 by which a step takes about a second on a CPU at most."""
    macs = card.macs * math.prod(input_shape) / math.prod(card.input_shape)
    examples = SECOND_OF_WORK / (6.0 * max(macs, 1.0))
    return min(LARGEST_BATCH, 2 ** max(0, int(math.log2(examples))))


def _input_shape(card: ModelCard, size: int | None) -> tuple[int, ...]:
    if size is None:
        return card.input_shape
    return (size, size, *card.input_shape[2:]) if len(card.input_shape) > 1 else (size,)


def _for_noise(recipe: Recipe) -> Recipe:
    """Return a recipe for the paper's network on one device, without what belongs to its data."""
    changes: dict[str, Any] = {
        "arguments": {},
        "augmentation": [],
        "strategy": "one-device",
        "devices": None,
    }
    two = len(catalog.entry(recipe.data.name).classes) == 2
    if two != (registry.builder_defaults(recipe.model).get("classes") == 2):
        changes |= {"loss": None, "metrics": []}  # they are for other outputs than these
    return recipe.model_copy(update=changes)


@dataclass(frozen=True)
class _Batches:
    """What a model has to know of one batch that comes again and again."""

    batch_size: int
    steps: int = 1024
    """Of an epoch that never ends, by which schedules go."""
    mixes: bool = False


def _measure(
    send: Callable[[Measurement], None],
    recipe: Recipe,
    input_shape: tuple[int, ...],
    repeats: int,
    modes: Sequence[str],
) -> None:
    """Measure in this process, whose dtype policy is changed."""
    from zoo.runtime import precision_policy, start_tensorflow

    tf = start_tensorflow()
    import keras

    from zoo.cost import multiply_adds
    from zoo.environment import devices_line
    from zoo.training.assembly import make_model
    from zoo.training.strategy import NO_MIXED_PRECISION, make_strategy

    card = registry.card(recipe.model)
    recipe = _for_noise(recipe)
    strategy = make_strategy(recipe)
    policy = precision_policy(recipe.precision, allow_mixed=card.family not in NO_MIXED_PRECISION)
    keras.config.set_dtype_policy(policy)
    keras.utils.set_random_seed(recipe.seed)
    product = _matmul(MATMUL_SIZE)
    product()  # what it holds from now on is no model's

    task, inputs, targets = _examples(card, input_shape, int(recipe.batch_size))
    with tf.device("CPU:0"):
        batch = inputs if targets is None else (inputs, targets)
        repeated = tf.data.Dataset.from_tensors(batch).repeat().prefetch(tf.data.AUTOTUNE)
    memory = _Memory()
    model = make_model(recipe, card, task, _Batches(int(recipe.batch_size)), strategy)
    network, questions = _answering(model, inputs)
    for mode in modes:
        products = _seconds(product, MATMULS)
        memory.restart()
        if mode == "inference":
            times = _seconds(_inference(network, questions, model.jit_compile), repeats)
        else:
            times = _seconds(_training(model, repeated), repeats)
            times = [seconds / model.steps_per_execution for seconds in times]
        peak = memory.peak()
        # A machine is not always as fast: what is compared is measured side by side.
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
                quartiles=_quartiles(times),
                peak_memory=peak,
                multiply_adds=multiply_adds(network if mode == "inference" else model),
                matmul_rate=2.0 * MATMUL_SIZE**3 / statistics.median(products),
            )
        )


def _matmul(size: int) -> Callable[[], Any]:
    import tensorflow as tf

    left, right = tf.random.uniform((2, size, size))
    # One number of the product is all that has to come back from the device.
    multiply = tf.function(lambda: tf.reduce_max(tf.linalg.matmul(left, right)))
    return lambda: multiply().numpy()


def _examples(card: ModelCard, shape: tuple[int, ...], count: int) -> tuple[Any, Any, Any]:
    """Return the task of a card's network, and a batch of noise as the model gets it."""
    defaults = registry.builder_defaults(card.name)
    _, _, kinds, target = tasks.TASKS[card.task]
    kind: Any = "image" if len(shape) == 3 else "table" if "table" in kinds else "text"
    draw = np.random.default_rng(0)
    if kind == "text":
        words = np.array([f"word{number}" for number in range(defaults["vocabulary_size"] - 2)])
        raw: np.ndarray = np.array([" ".join(draw.choice(words, shape[0])) for _ in range(count)])
    else:
        words = np.array([])
        raw = draw.random((count, *shape), dtype="float32")
    classes = defaults.get("classes") or 1
    spec = DatasetSpec(
        name="noise",
        kind=kind,
        target="number" if target == "number" else "class",
        raw_shape=() if kind == "text" else shape,
        input_shape=shape,
        class_names=tuple(str(number) for number in range(classes)) if target == "class" else (),
        mean=(0.0,) * shape[0] if kind == "table" else (),
        standard_deviation=(1.0,) * shape[0] if kind == "table" else (),
        vocabulary=tuple(words),
        split_text="whitespace",
    )
    targets = draw.integers(classes, size=count).astype("int32")
    task = tasks.make(card.task, spec)
    return task, *task.arrays(Dataset(spec, {"train": Examples(raw, targets)}), "train")


def _answering(model: Any, inputs: Any) -> tuple[Any, Any]:
    """Return the network that answers, without what only training uses, and what it is asked.

    Of a generator it is the decoder, and codes from its prior.
    """
    import keras

    from zoo.layers.side_outputs import answer_only

    if not hasattr(model, "decode"):
        return answer_only(model), keras.ops.convert_to_tensor(inputs)
    latent = keras.Input((model.latent_dim,))
    return keras.Model(latent, model.decode(latent)), model.prior(len(inputs), seed=0)


def _inference(network: Any, inputs: Any, jit_compile: bool) -> Callable[[], Any]:
    import tensorflow as tf

    answer = tf.function(lambda: network(inputs, training=False), jit_compile=jit_compile)
    return lambda: answer().numpy()  # which waits for the device


def _training(model: Any, batches: Any) -> Callable[[], Any]:
    """Return `fit`'s own step, as many at a time as `fit` starts."""
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


def _quartiles(times: Sequence[float]) -> tuple[float, float]:
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
        try:
            status = Path("/proc/self/status").read_text(encoding="ascii")
            (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
            return int(line.split()[1]) * 1024
        except (OSError, ValueError):
            return None

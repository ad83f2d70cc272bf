"""What each side of `benchmarks/peers.py` runs, in the process that it has for itself.

All sides train the same network on the same arrays in float32, with the optimizer of the model's
recipe at a small constant learning rate, without augmentation and regularisation, and keep the
mean loss and the accuracy of an epoch:

- dlzoo as `dlzoo train` does: its layers, its batches, its way of compiling.
- plain Keras: every layer Keras's own, `compile` and `fit` with their defaults, on arrays.
- keras.applications, where it has the network, compiled and fitted the same way. Its ResNets have
  biases in the convolutions, its VGGs no dropout.
- PyTorch: eager, channels last, a random permutation of tensors in memory each epoch.

Inference is the compiled function that `run.predict` calls, Keras's `predict` of the other Keras
models, and PyTorch's `inference_mode`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from recipes.recipe import Recipe
    from zoo.datasets.loading import Dataset

PHASES = ("training", "inference")
WARM_UP = 2
"""Epochs that are not counted: functions are traced and memory is claimed in them."""

# Nothing is learnt from random images and labels, and nothing must grow out of bounds.
LEARNING_RATE = 1e-4

APPLICATIONS = {
    "vgg16": "VGG16",
    "vgg19": "VGG19",
    "resnet50": "ResNet50",
    "resnet101": "ResNet101",
    "resnet152": "ResNet152",
}


@dataclass(frozen=True)
class Case:
    """One network to compare on."""

    model: str
    input_shape: tuple[int, int, int]
    batch_size: int
    examples: int
    """Of an epoch: full batches, in half a second to two seconds."""
    classes: int = 10
    aims: Mapping[str, float] = field(default_factory=dict)
    """The least ratio of samples a second to each side that is aimed at, 1 where none is named."""


class Turns:
    """The worker's end of the pipe: waits for its turn, and says what it took."""

    def __init__(self, pipe: Connection, count: int) -> None:
        self.pipe = pipe
        self.count = count
        self.began = (0.0, 0.0)

    def begin(self) -> None:
        """Wait for the parent's word."""
        self.pipe.recv()
        self.began = time.perf_counter(), time.process_time()

    def end(self) -> None:
        """Send seconds and the processor's seconds since `begin`."""
        wall, processor = self.began
        self.pipe.send((time.perf_counter() - wall, time.process_time() - processor))


class Side(Protocol):
    """A network that is ready to be measured."""

    parameters: int

    def training(self, turns: Turns) -> None:
        """Train an epoch in each turn."""

    def inference(self, turns: Turns) -> None:
        """Answer for each example in each turn."""


def sides_of(case: Any) -> Mapping[str, Callable[[Any], Side]]:
    """Return the sides of a case by name: of images, or of sequences."""
    from benchmarks import sequences

    return sequences.SIDES if isinstance(case, sequences.Case) else SIDES


def work(pipe: Connection, side: str, case: Any, count: int) -> None:
    """Make a side and take its turns: the whole life of a worker's process."""
    made = sides_of(case)[side](case)
    pipe.send(made.parameters)
    for phase in PHASES:
        getattr(made, phase)(Turns(pipe, count))


def examples(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Return random images (N, *input_shape) in [0, 1] and classes (N,)."""
    random = np.random.default_rng(0)
    images = random.random((case.examples, *case.input_shape), np.float32)
    return images, random.integers(0, case.classes, case.examples, np.int32)


def recipe_of(case: Case) -> Recipe:
    """Return the model's own recipe, without what the other sides would not have."""
    from zoo.training.resolve import resolve

    recipe = resolve(case.model, batch_size=case.batch_size, precision="float32")
    arguments = {"label_dropout": 1.0} if case.model == "ddpm" else {}  # the paper's network
    bare = dict.fromkeys(("regularization", "schedule", "warmup"))
    none: dict[str, Any] = {key: [] for key in ("augmentation", "callbacks", "metrics")}
    recipe = recipe.model_copy(update={**bare, **none, "arguments": arguments})
    return resolve(None, recipe=recipe, learning_rate=LEARNING_RATE)


def dataset_of(case: Case) -> Dataset:
    """Return the examples as dlzoo gets its data."""
    from zoo.datasets.features.image import Image
    from zoo.datasets.features.label import Label
    from zoo.datasets.loading import Dataset
    from zoo.datasets.spec import DatasetSpec
    from zoo.datasets.split import Split

    names = tuple(str(number) for number in range(case.classes))
    spec = DatasetSpec(
        name="random",
        features={"image": Image(raw_shape=case.input_shape), "label": Label(names=names)},
        inputs=("image",),
        targets=("label",),
        sizes={"train": case.examples},
    )
    images, classes = examples(case)
    return Dataset(spec, {"train": Split.in_memory({"image": images, "label": classes})})


class KerasSide:
    """A compiled Keras model and what `fit` gets."""

    def __init__(self, model: Any, answer: Callable[[], Any], **fit: Any) -> None:
        from zoo.anatomy.counts import trainable_parameters

        self.model = model
        self.answer = answer
        self.fit = {"verbose": 0, **fit}
        self.parameters = trainable_parameters(model)

    def training(self, turns: Turns) -> None:
        """Run `fit` once, with a turn for each of its epochs."""
        import keras

        class TakeTurns(keras.callbacks.Callback):
            def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
                turns.begin()

            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                turns.end()

        callbacks = [*self.fit.pop("callbacks", []), TakeTurns()]
        self.model.fit(epochs=turns.count, callbacks=callbacks, **self.fit)

    def inference(self, turns: Turns) -> None:
        """Answer for all examples in each turn."""
        for _ in range(turns.count):
            turns.begin()
            self.answer()
            turns.end()


def dlzoo(case: Case) -> KerasSide:
    """Return what `dlzoo train` trains, fed as it feeds it."""
    from zoo import registry, tasks
    from zoo.base.runtime import start_tensorflow
    from zoo.training.strategy import make_strategy

    start_tensorflow()
    import keras

    from zoo.training.callbacks import StopAtNaN
    from zoo.training.preparation import build_model

    keras.utils.set_random_seed(0)
    recipe = recipe_of(case)
    strategy = make_strategy(recipe)
    dataset = dataset_of(case)
    card = registry.card(case.model)
    task = tasks.make(tasks.check(card, None, dataset.spec), dataset.spec, card=card)
    batches = task.training_batches(dataset, batch_size=case.batch_size, seed=recipe.seed)
    model, _, _ = build_model(recipe, card, task, batches, strategy)
    answer = _answering(model, task, case)
    endless = {"x": batches.start(), "steps_per_epoch": batches.steps, "shuffle": False}
    images, _ = examples(case)
    return KerasSide(
        model,
        lambda: answer(images),
        callbacks=[StopAtNaN()],
        **endless,
    )


def _answering(model: Any, task: Any, case: Case) -> Callable[[np.ndarray], Any]:
    """Return what `run.predict` calls; of a diffusion model, one pass of its network."""
    if case.model != "ddpm":
        predictor = task.predictor(model)
        return lambda images: predictor({"image": images}, chunk=case.batch_size)
    import tensorflow as tf

    noise = tf.function(
        lambda images: model.predict_noise(2.0 * images - 1.0, tf.fill(tf.shape(images)[:1], 500))
    )
    return lambda images: [noise(part) for part in _batches(images, case)]


def _batches(images: np.ndarray, case: Case) -> list[np.ndarray]:
    return np.split(images, range(case.batch_size, len(images), case.batch_size))


def plain_keras(case: Case) -> KerasSide:
    """Return the same network of Keras's own layers alone."""
    from zoo.base.runtime import start_tensorflow

    start_tensorflow()
    from benchmarks import keras_peers

    plain = keras_peers.build(case.model, case.input_shape, case.classes, *examples(case))
    return _fitted_plainly(plain, case)


def keras_applications(case: Case) -> KerasSide:
    """Return Keras's own network, with random weights."""
    from zoo.base.runtime import start_tensorflow

    start_tensorflow()
    import keras

    from benchmarks.keras_peers import Plain

    build = getattr(keras.applications, APPLICATIONS[case.model])
    model = build(weights=None, input_shape=case.input_shape, classes=case.classes)
    return _fitted_plainly(Plain(model, *examples(case)), case)


def _fitted_plainly(plain: Any, case: Case) -> KerasSide:
    from recipes.keras_objects import compile_arguments

    arguments = compile_arguments(recipe_of(case), case.examples // case.batch_size)
    plain.model.compile(optimizer=arguments["optimizer"], **plain.compile)
    answering = plain.answering or plain.model
    images, _ = examples(case)
    return KerasSide(
        plain.model,
        lambda: answering.predict(images, batch_size=case.batch_size, verbose=0),
        x=plain.x,
        y=plain.y,
        batch_size=case.batch_size,
    )


class TorchSide:
    """A PyTorch module and the loop that people write."""

    def __init__(self, case: Case) -> None:
        import torch

        from benchmarks import torch_peers

        torch.manual_seed(0)
        torch.set_num_threads(len(os.sched_getaffinity(0)))
        self.torch = torch
        self.case = case
        network = torch_peers.build(case.model, case.input_shape, case.classes)
        self.network = network.to(memory_format=torch.channels_last)
        self.parameters = sum(weights.numel() for weights in network.parameters())
        images, classes = examples(case)
        self.images = torch.from_numpy(images)  # (N, H, W, C): channels last as they are
        self.classes = torch.from_numpy(classes).long()
        recipe = recipe_of(case)
        assert recipe.optimizer is not None
        arguments = recipe.optimizer.arguments
        self.optimizer = {"SGD": self._sgd, "Adam": self._adam}[recipe.optimizer.name](**arguments)

    def _sgd(self, learning_rate: float, momentum: float = 0.0, nesterov: bool = False) -> Any:
        weights = self.network.parameters()
        return self.torch.optim.SGD(weights, learning_rate, momentum, nesterov=nesterov)

    def _adam(self, learning_rate: float) -> Any:
        return self.torch.optim.Adam(self.network.parameters(), learning_rate, eps=1e-7)

    def training(self, turns: Turns) -> None:
        """Run the loop, with a turn for each epoch."""
        self.network.train()
        for _ in range(turns.count):
            turns.begin()
            self._epoch()
            turns.end()

    def _epoch(self) -> tuple[float, float]:
        size = self.case.batch_size
        order = self.torch.randperm(self.case.examples)
        loss_sum, right = self.torch.zeros(()), self.torch.zeros((), dtype=self.torch.long)
        for chosen in order.split(size):
            images = self.images[chosen].permute(0, 3, 1, 2)
            classes = self.classes[chosen]
            self.optimizer.zero_grad()
            outputs = self.network(images)
            loss = self.network.loss(outputs, images, classes)
            loss.backward()
            self.optimizer.step()
            loss_sum += loss.detach() * len(chosen)
            self.network.stepped()
            right += self.network.right(outputs, classes)
        return float(loss_sum) / self.case.examples, float(right) / self.case.examples

    def inference(self, turns: Turns) -> None:
        """Answer under `inference_mode` in each turn."""
        self.network.eval()
        images = self.images.permute(0, 3, 1, 2)
        for _ in range(turns.count):
            turns.begin()
            with self.torch.inference_mode():
                batches = images.split(self.case.batch_size)
                self.torch.cat([self.network.answer(self.network(batch)) for batch in batches])
            turns.end()


SIDES: dict[str, Callable[[Case], Side]] = {
    "dlzoo": dlzoo,
    "plain Keras": plain_keras,
    "keras.applications": keras_applications,
    "PyTorch": TorchSide,
}

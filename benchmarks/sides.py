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
models, and PyTorch's `inference_mode`. Generators decode latents: dlzoo by the function that
`dlzoo generate` calls. Of a GAN all sides train the discriminator and then the generator, each on
noise of its own; the peers keep the mean losses, dlzoo also the discriminator's accuracy.
"""

from __future__ import annotations

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
    return KerasSide(model, answer, callbacks=[StopAtNaN()], **endless)


def _answering(model: Any, task: Any, case: Case) -> Callable[[], Any]:
    """Return what `run.predict` or `dlzoo generate` calls; of ddpm, one pass of its network."""
    from zoo.layers.generators import Generator

    images, _ = examples(case)
    if not isinstance(model, Generator):
        predictor = task.predictor(model)
        return lambda: predictor({"image": images}, chunk=case.batch_size)
    if case.model != "ddpm":
        decode = task.answering(model, case.batch_size)
        steps = range(case.examples // case.batch_size)
        return lambda: np.concatenate([decode() for _ in steps])
    import tensorflow as tf

    noise = tf.function(
        lambda images: model.predict_noise(2.0 * images - 1.0, tf.fill(tf.shape(images)[:1], 500))
    )
    parts = np.split(images, range(case.batch_size, len(images), case.batch_size))
    return lambda: [noise(part) for part in parts]


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
    optimizers = {key: one for key, one in arguments.items() if key.endswith("optimizer")}
    plain.model.compile(**optimizers, **plain.compile)
    answering = plain.answering or plain.model
    questions = examples(case)[0] if plain.questions is None else plain.questions
    return KerasSide(
        plain.model,
        lambda: answering.predict(questions, batch_size=case.batch_size, verbose=0),
        x=plain.x,
        y=plain.y,
        batch_size=case.batch_size,
    )


def pytorch(case: Case) -> Side:
    """Return the same network in PyTorch."""
    from benchmarks.torch_side import TorchSide

    return TorchSide(case)


SIDES: dict[str, Callable[[Case], Side]] = {
    "dlzoo": dlzoo,
    "plain Keras": plain_keras,
    "keras.applications": keras_applications,
    "PyTorch": pytorch,
}

"""The judge of generated images: a small network that names their class or calls them noise.

It is trained on the images of the data set that a generator learns, with one class more for noise.
Its last hidden layer gives the features in which samples are compared with real images. It is
trained from fixed seeds, in seconds, and used for scores only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

LARGEST_SIDE = 32
"""Larger images are made smaller before they are judged."""
FEATURES = 32
"""Units of the layer in which samples are compared with real images."""
MOST_EXAMPLES = 20_000
"""Training images that the judge learns from, at most."""
SHOWN = 60_000
"""Real images that the judge is shown in its training, at most; at least two epochs of them."""
BATCH = 64
PASSING = 0.01
"""The share of each kind of noise that may pass."""
REFUSED = -1
"""Stands for the class of an image that is refused."""


@dataclass(frozen=True)
class Judge:
    """A trained judge.

    Args:
        network: From images (B, height, width, channels) in [0, 1] to features (B, `FEATURES`) and
            probabilities (B, classes + 1), of which the last is that of noise.
        threshold: The probability of a class from which an image is accepted.
    """

    network: Callable[[Any], tuple[Any, Any]]
    threshold: float

    def features(self, images: np.ndarray) -> np.ndarray:
        """Return the features (N, `FEATURES`) of images."""
        return self._answers(images)[0]

    def classes(self, images: np.ndarray) -> np.ndarray:
        """Return the class (N,) of each image, `REFUSED` where it is taken for noise."""
        return self.verdict(self._answers(images)[1])

    def verdict(self, probabilities: np.ndarray) -> np.ndarray:
        """Return the classes (N,) for probabilities (N, classes + 1)."""
        best = probabilities.argmax(axis=1)
        accepted = (best < probabilities.shape[1] - 1) & (
            probabilities.max(axis=1) >= self.threshold
        )
        return np.where(accepted, best, REFUSED)

    def _answers(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        parts = [self.network(images[at : at + 512]) for at in range(0, len(images), 512)]
        return (
            np.concatenate([np.asarray(features) for features, _ in parts]).astype(np.float64),
            np.concatenate([np.asarray(probabilities) for _, probabilities in parts]),
        )


def noise(images: np.ndarray, draw: np.random.Generator) -> Mapping[str, np.ndarray]:
    """Return as many images of each kind of noise as there are real ones, by the kind's name.

    Args:
        images: Real ones (N, height, width, channels) in [0, 1].
        draw: The random numbers.
    """
    count, height, width, channels = images.shape
    pixels = images.reshape(count, height * width, channels)
    order = draw.random((count, height * width)).argsort(axis=1)
    uniform = draw.random(images.shape, np.float32)
    # Averages of 3×3 pixels, spread to the full range again: clouds.
    padded = np.pad(uniform, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    clouds = np.clip((windows.mean(axis=(-2, -1)) - 0.5) * 3.0 + 0.5, 0.0, 1.0)
    level = draw.random((count, 1, 1, 1), np.float32)
    return {
        "uniform": uniform,
        "shuffled": np.take_along_axis(pixels, order[..., None], axis=1).reshape(images.shape),
        "clouds": clouds.astype(np.float32),
        "plain": np.clip(level + 0.05 * (uniform - 0.5), 0.0, 1.0),
    }


def train_judge(images: np.ndarray, labels: np.ndarray, classes: int, seed: int = 0) -> Judge:
    """Return a judge that is trained on real images and on noise made of them.

    Args:
        images: (N, height, width, channels) in [0, 1].
        labels: Their classes (N,), from 0.
        classes: How many there are.
        seed: Of weights, order and noise.
    """
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        model = _network(images.shape[1:], classes, seed)
    finally:
        keras.config.set_dtype_policy(before)
    epochs = int(np.clip(SHOWN // len(images), 2, 40))
    steps = epochs * -(-len(images) // BATCH)
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, steps)),
        loss="sparse_categorical_crossentropy",
    )
    for batch, targets in _batches(images, labels, classes, epochs, seed):
        model.train_on_batch(batch, targets)
    network = _compiled(model)
    judge = Judge(network, 0.0)
    fresh = noise(images[-2000:], np.random.default_rng([seed, 1]))
    passing = [
        np.quantile(judge._answers(one)[1][:, :-1].max(axis=1), 1.0 - PASSING)
        for one in fresh.values()
    ]
    return Judge(network, float(max(0.5, *passing)))


def _network(shape: tuple[int, ...], classes: int, seed: int) -> Any:
    """Return a `keras.Model` of convolutions with stride 2, down to 4×4 pixels or fewer."""
    import keras
    from keras import layers

    def start(number: int) -> Any:
        return keras.initializers.HeNormal(seed=seed + number)

    side = max(shape[:2])
    inputs = keras.Input(shape)
    x: Any = inputs
    if side > LARGEST_SIDE:
        small = [max(1, length * LARGEST_SIDE // side) for length in shape[:2]]
        x, side = layers.Resizing(*small)(x), LARGEST_SIDE
    x = layers.Conv2D(16, 3, padding="same", activation="relu", kernel_initializer=start(0))(x)
    filters, number = 32, 1
    while side > 4:
        x = layers.Conv2D(
            filters, 3, 2, padding="same", activation="relu", kernel_initializer=start(number)
        )(x)
        side, filters, number = -(-side // 2), 64, number + 1
    x = layers.Dropout(0.3, seed=seed)(layers.Flatten()(x))
    features = layers.Dense(
        FEATURES, activation="relu", kernel_initializer=start(number), name="features"
    )(x)
    answers = layers.Dense(classes + 1, activation="softmax", kernel_initializer=start(number + 1))
    return keras.Model(inputs, answers(features), name="judge")


def _batches(
    images: np.ndarray, labels: np.ndarray, classes: int, epochs: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield batches, half of them real images and half noise made of these."""
    draw = np.random.default_rng([seed, 0])
    for _ in range(epochs):
        order = draw.permutation(len(images))
        order = np.resize(order, -(-len(order) // BATCH) * BATCH)
        for places in order.reshape(-1, BATCH):
            real = images[places]
            kinds = noise(real, draw)
            share = -(-BATCH // len(kinds))
            false = np.concatenate([one[:share] for one in kinds.values()])
            targets = np.concatenate([labels[places], np.full(len(false), classes)])
            yield np.concatenate([real, false]), targets.astype(np.int32)


def _compiled(model: Any) -> Callable[[Any], tuple[Any, Any]]:
    import keras
    import tensorflow as tf

    both = keras.Model(model.inputs, [model.get_layer("features").output, model.output])
    spec = tf.TensorSpec((None, *model.inputs[0].shape[1:]), tf.float32)
    function = tf.function(lambda images: both(images, training=False)).get_concrete_function(spec)
    # Keras's layers belong to the model: it has to live as long as the function.
    function.model = both
    return lambda images: function(tf.constant(images, tf.float32))

"""The generative adversarial network (Goodfellow et al. 2014)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from zoo.layers.generators import Generator, random_uniform
from zoo.layers.gradients import gradients
from zoo.layers.losses import batch_mean, penalties
from zoo.layers.metrics import Average


@keras.saving.register_keras_serializable("dlzoo")
class Maxout(layers.Layer):
    """The largest of several affine maps for each unit (Goodfellow et al. 2013)."""

    def __init__(self, units: int, pieces: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.pieces = pieces
        self.maps = layers.Dense(units * pieces)

    def build(self, input_shape: Any) -> None:
        """Create the maps for inputs (B, F)."""
        self.maps.build(input_shape)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Return (B, units)."""
        return ops.max(ops.reshape(self.maps(inputs), (-1, self.units, self.pieces)), axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "units": self.units, "pieces": self.pieces}


@keras.saving.register_keras_serializable("dlzoo")
class GAN(Generator):
    """A generator and a discriminator, each with an optimizer of its own.

    One step trains the discriminator once and then the generator once: algorithm 1 with k = 1.
    The generator maximises log D(G(z)), which section 3 recommends over minimising
    log(1 - D(G(z))).
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        latent_dim: int,
        generator_units: Sequence[int],
        discriminator_units: Sequence[int],
        pieces: int,
        dropout: float,
        input_dropout: float,
        label_smoothing: float,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.example_shape = tuple(input_shape)
        self.latent_dim = latent_dim
        self.arguments = {
            "generator_units": tuple(generator_units),
            "discriminator_units": tuple(discriminator_units),
            "pieces": pieces,
            "dropout": dropout,
            "input_dropout": input_dropout,
            "label_smoothing": label_smoothing,
        }
        self.label_smoothing = label_smoothing
        self.generator = keras.Sequential(
            [
                keras.Input((latent_dim,)),
                *(layers.Dense(units, activation="relu") for units in generator_units),
                layers.Dense(math.prod(self.example_shape), activation="sigmoid"),
                layers.Reshape(self.example_shape),
            ],
            name="generator",
        )
        hidden: list[Any] = []
        for units in discriminator_units:
            hidden += [Maxout(units, pieces), layers.Dropout(dropout)]
        self.discriminator = keras.Sequential(
            [
                keras.Input(self.example_shape),
                layers.Flatten(),
                layers.Dropout(input_dropout),
                *hidden,
                layers.Dense(1, name="logit"),
            ],
            name="discriminator",
        )
        self.noise = keras.random.SeedGenerator()
        self.trackers = [
            Average("discriminator_loss", higher_is_better=False),
            Average("generator_loss", higher_is_better=False),
            # Neither direction is better: 0.5 means that samples cannot be told from data.
            Average("discriminator_accuracy"),
        ]

    def build(self, input_shape: Any) -> None:
        """Do nothing: the constructor has built both networks."""
        self.built = True

    def compile(
        self,
        *,
        generator_optimizer: Any,
        discriminator_optimizer: Any,
        auto_scale_loss: bool = True,
        **kwargs: Any,
    ) -> None:
        """Compile with two optimizers where Keras takes one.

        Args:
            generator_optimizer: The optimizer of the generator.
            discriminator_optimizer: The optimizer of the discriminator.
            auto_scale_loss: Whether both scale their losses under ``mixed_float16``, as in Keras.
            kwargs: As in Keras. Metrics see the discriminator's probabilities of real examples,
                whose target is 1, and of as many generated ones, whose target is 0.
        """
        super().compile(optimizer=generator_optimizer, auto_scale_loss=auto_scale_loss, **kwargs)
        scaled = keras.optimizers.LossScaleOptimizer
        optimizer = keras.optimizers.get(discriminator_optimizer)
        if (
            auto_scale_loss
            and self.dtype_policy.name == "mixed_float16"
            and not isinstance(optimizer, scaled)
        ):
            optimizer = scaled(optimizer, name="discriminator_loss_scale_optimizer")
        self.discriminator_optimizer = optimizer
        self.optimizer.build(self.generator.trainable_variables)
        self.discriminator_optimizer.build(self.discriminator.trainable_variables)

    @property
    def optimizers(self) -> list[Any]:
        """Both optimizers, for checkpoints."""
        return [self.optimizer, self.discriminator_optimizer]

    @property
    def metrics(self) -> list[Any]:
        """The two losses, the discriminator's accuracy, and the compiled metrics."""
        # Keras's own average loss is left out: no single loss is minimised.
        others = (m for m in super().metrics if m not in self.trackers and m.name != "loss")
        return [*self.trackers, *others]

    def call(self, inputs: Any) -> Any:
        """Return the probability (B, 1) that each of the examples (B, *input_shape) is real."""
        return ops.sigmoid(ops.cast(self.discriminator(inputs), "float32"))

    def decode(self, latent: Any) -> Any:
        """Return examples (B, *input_shape) in [0, 1] for noise (B, latent_dim)."""
        return ops.cast(self.generator(latent), "float32")

    def prior(self, count: Any, seed: Any) -> Any:
        """Return noise (count, latent_dim), uniform in [-1, 1)."""
        return random_uniform((count, self.latent_dim), -1.0, 1.0, seed)

    def discriminator_loss(self, real: Any, fake: Any) -> Any:
        """Return -log D(x) - log(1 - D(G(z))), shape (B,), from logits (B, 1).

        The target of real examples is ``1 - label_smoothing`` (Salimans et al. 2016).
        """
        smooth = self.label_smoothing
        on_real = (1.0 - smooth) * ops.softplus(-real) + smooth * ops.softplus(real)
        return ops.sum(on_real + ops.softplus(fake), axis=-1)

    def generator_loss(self, fake: Any) -> Any:
        """Return -log D(G(z)), shape (B,), from logits (B, 1)."""
        return ops.sum(ops.softplus(-fake), axis=-1)

    def train_step(self, data: Any) -> dict[str, Any]:
        """Train the discriminator, then the generator, on real examples (B, *input_shape).

        With sample weights, the weight of an example is also that of the fake it is paired with.
        """
        data, _, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        count = ops.shape(data)[0]
        fake = self.generator(self.prior(count, self.noise), training=True)
        logits = {}

        def discriminate() -> Any:
            logits["real"] = self.discriminator(data, training=True)
            logits["fake"] = self.discriminator(fake, training=True)
            loss = self.discriminator_loss(logits["real"], logits["fake"])
            return batch_mean(loss, sample_weight) + penalties(self.discriminator)

        def deceive() -> Any:
            made = self.generator(self.prior(count, self.noise), training=True)
            loss = self.generator_loss(self.discriminator(made, training=True))
            return batch_mean(loss, sample_weight) + penalties(self.generator)

        for loss, optimizer, network in (
            (discriminate, self.discriminator_optimizer, self.discriminator),
            (deceive, self.optimizer, self.generator),
        ):
            variables = network.trainable_variables
            optimizer.apply(gradients(loss, optimizer, variables), variables)
        return self._scores(logits["real"], logits["fake"], sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Score both networks on real examples (B, *input_shape) and as many fakes."""
        data, _, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        real = self.discriminator(data, training=False)
        fake = self.generator(self.prior(ops.shape(data)[0], seed=0), training=False)
        return self._scores(real, self.discriminator(fake, training=False), sample_weight)

    def _scores(self, real: Any, fake: Any, sample_weight: Any) -> dict[str, Any]:
        """Update trackers and compiled metrics by logits (B, 1), and return all their values."""
        right = 0.5 * (ops.cast(real > 0, "float32") + ops.cast(fake < 0, "float32"))
        values = (
            self.discriminator_loss(real, fake),
            self.generator_loss(fake),
            ops.squeeze(right, axis=-1),
        )
        for tracker, value in zip(self.trackers, values, strict=True):
            tracker.update_state(value, sample_weight)
        probabilities = ops.sigmoid(ops.cast(ops.concatenate([real, fake]), "float32"))
        targets = ops.concatenate([ops.ones_like(real), ops.zeros_like(fake)])
        weights = None
        if sample_weight is not None:
            weights = ops.concatenate([sample_weight, sample_weight])
        return self.compute_metrics(None, targets, probabilities, weights)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Update the compiled metrics by probabilities (B, 1), and return all metrics' values.

        Args:
            x: Not used.
            y: 1 for real examples and 0 for generated ones; None if all are real.
            y_pred: The discriminator's probabilities of being real.
            sample_weight: Weights of the examples.
        """
        targets = ops.ones_like(y_pred) if y is None else y
        return super().compute_metrics(x, targets, y_pred, sample_weight)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {"input_shape": self.example_shape, "latent_dim": self.latent_dim}
        return {**super().get_config(), **own, **self.arguments}


def gan(
    *,
    input_shape: tuple[int, ...] = (28, 28, 1),
    latent_dim: int = 100,
    generator_units: Sequence[int] = (1200, 1200),
    discriminator_units: Sequence[int] = (240, 240),
    pieces: int = 5,
    dropout: float = 0.5,
    input_dropout: float = 0.2,
    label_smoothing: float = 0.0,
) -> keras.Model:
    """Return a generator of fully connected layers against a maxout discriminator.

    Source: Goodfellow et al., "Generative adversarial networks", 2014; the paper gives the kinds
    of units (section 5), the sizes are those its authors published for MNIST.

    Args:
        input_shape: Of one example with values in [0, 1], without the batch axis.
        latent_dim: Width of the generator's noise.
        generator_units: Widths of the generator's rectified layers.
        discriminator_units: Widths of the discriminator's maxout layers.
        pieces: Affine maps under each maxout.
        dropout: Share of the discriminator's hidden units dropped while training.
        input_dropout: Share of the discriminator's inputs dropped while training.
        label_smoothing: By how much real examples' targets are below 1; 0 in the paper.

    Returns:
        A model from (B, *input_shape) to the probability (B, 1) of being real. It generates by
        ``sample(count, seed)``, which decodes noise of its ``prior``. It is compiled with
        ``generator_optimizer`` and ``discriminator_optimizer``.
    """
    if latent_dim < 1:
        raise ValueError(f"latent_dim must be at least 1, got {latent_dim}")
    model = GAN(
        input_shape,
        latent_dim,
        generator_units,
        discriminator_units,
        pieces,
        dropout,
        input_dropout,
        label_smoothing,
        name="gan",
    )
    model.build((None, *input_shape))
    return model

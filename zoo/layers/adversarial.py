"""Generative adversarial training: a generator against a discriminator, an optimizer for each."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from zoo.layers.generators import ConditionalGenerator, Generator, random_uniform
from zoo.layers.gradients import gradients
from zoo.layers.losses import batch_mean, penalties
from zoo.layers.metrics import Average


class Adversarial(Generator):
    """The base of all of them: one step trains the discriminator once, then the generator once.

    It is algorithm 1 of Goodfellow et al. 2014 with k = 1. The generator maximises log D(G(z)),
    which its section 3 recommends over minimising log(1 - D(G(z))). A subclass's constructor makes
    the networks, then calls `adopt`.
    """

    generator: Any
    """From noise (B, latent_dim) to examples in [0, 1]; of a conditional one, also from labels."""
    discriminator: Any
    """From examples, and labels, to logits (B, 1): above 0 for examples it takes for real."""
    label_smoothing: float = 0.0

    def adopt(self, generator: Any, discriminator: Any, latent_dim: int) -> None:
        """Take the two networks, and make what training needs beside them."""
        self.latent_dim = latent_dim
        self.generator = generator
        self.discriminator = discriminator
        self.noise = keras.random.SeedGenerator()
        self.trackers = self.make_trackers()

    def make_trackers(self) -> list[Any]:
        """Return the averages that `scores_of` gives values for, in the same order."""
        return [
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
        """The trackers and the compiled metrics."""
        # Keras's own average loss is left out: no single loss is minimised.
        others = (m for m in super().metrics if m not in self.trackers and m.name != "loss")
        return [*self.trackers, *others]

    # What conditional models do otherwise.

    def split_inputs(self, inputs: Any) -> tuple[Any, tuple[Any, ...]]:
        """Return the examples of a batch, and what both networks are given beside their input."""
        return inputs, ()

    def make(self, latent: Any, given: tuple[Any, ...], training: bool = False) -> Any:
        """Return what the generator makes of noise (B, latent_dim)."""
        return self.generator([latent, *given] if given else latent, training=training)

    def judge(self, examples: Any, given: tuple[Any, ...], training: bool = False) -> Any:
        """Return the discriminator's logits (B, 1)."""
        return self.discriminator([examples, *given] if given else examples, training=training)

    # Answering.

    def call(self, inputs: Any) -> Any:
        """Return the probability (B, 1) that each of the examples (B, *input_shape) is real."""
        examples, given = self.split_inputs(inputs)
        return ops.sigmoid(ops.cast(self.judge(examples, given), "float32"))

    def decode(self, latent: Any) -> Any:
        """Return examples (B, *input_shape) in [0, 1] for noise (B, latent_dim)."""
        return ops.cast(self.make(latent, ()), "float32")

    def prior(self, count: Any, seed: Any) -> Any:
        """Return noise (count, latent_dim), uniform in [-1, 1)."""
        return random_uniform((count, self.latent_dim), -1.0, 1.0, seed)

    def between(self, first: Any, second: Any, share: Any) -> Any:
        """Return noise (B, latent_dim) on the straight way, which stays in the uniform's cube."""
        share = ops.cast(share, first.dtype)[:, None]
        return (1.0 - share) * first + share * second

    # Training.

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
        real, given = self.split_inputs(data)
        count = ops.shape(real)[0]
        fake = self.make(self.prior(count, self.noise), given, training=True)
        logits = {}

        def discriminate() -> Any:
            logits["real"] = self.judge(real, given, training=True)
            logits["fake"] = self.judge(fake, given, training=True)
            loss = self.discriminator_loss(logits["real"], logits["fake"])
            return batch_mean(loss, sample_weight) + penalties(self.discriminator)

        def deceive() -> Any:
            made = self.make(self.prior(count, self.noise), given, training=True)
            loss = self.generator_loss(self.judge(made, given, training=True))
            return batch_mean(loss, sample_weight) + penalties(self.generator)

        self.take_step(discriminate, self.discriminator_optimizer, self.discriminator)
        self.take_step(deceive, self.optimizer, self.generator)
        return self.update_scores(logits["real"], logits["fake"], sample_weight)

    def take_step(self, loss: Any, optimizer: Any, network: Any) -> None:
        """Change one network's variables by the gradients of a loss."""
        variables = network.trainable_variables
        optimizer.apply(gradients(loss, optimizer, variables), variables)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Score both networks on real examples (B, *input_shape) and as many fakes.

        Every batch of one size meets the same fakes, so that scores repeat.
        """
        data, _, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        examples, given = self.split_inputs(data)
        real = self.judge(examples, given)
        fake = self.make(self.prior(ops.shape(examples)[0], seed=0), given)
        return self.update_scores(real, self.judge(fake, given), sample_weight)

    def scores_of(self, real: Any, fake: Any) -> tuple[Any, ...]:
        """Return a value (B,) for each tracker, from logits (B, 1)."""
        right = 0.5 * (ops.cast(real > 0, "float32") + ops.cast(fake < 0, "float32"))
        return (
            self.discriminator_loss(real, fake),
            self.generator_loss(fake),
            ops.squeeze(right, axis=-1),
        )

    def update_scores(self, real: Any, fake: Any, sample_weight: Any) -> dict[str, Any]:
        """Update trackers and compiled metrics by logits (B, 1), and return all their values."""
        for tracker, value in zip(self.trackers, self.scores_of(real, fake), strict=True):
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


class ConditionalAdversarial(Adversarial, ConditionalGenerator):
    """Both networks are also given the label (Mirza and Osindero 2014, equation 2)."""

    def split_inputs(self, inputs: Any) -> tuple[Any, tuple[Any, ...]]:
        """Return examples, and labels (B,)."""
        image, label = (ops.convert_to_tensor(inputs[name]) for name in ("image", "label"))
        return image, (label,)

    def decode(self, latent: Any, label: Any = None) -> Any:
        """Return examples (B, *input_shape) in [0, 1] for noise (B, latent_dim).

        Args:
            latent: The noise.
            label: (B,) of int32; None takes the classes in turn.
        """
        label = self.labels(ops.shape(latent)[0]) if label is None else label
        return ops.cast(self.make(latent, (label,)), "float32")

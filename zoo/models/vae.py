"""The variational auto-encoder (Kingma and Welling 2013)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from zoo.layers.generators import Generator, random_normal
from zoo.layers.losses import batch_mean, penalties
from zoo.layers.metrics import Average


@keras.saving.register_keras_serializable("dlzoo")
class VAE(Generator):
    """A Gaussian encoder q(z|x) and a Bernoulli decoder p(x|z), trained on the ELBO.

    The scores are per example, in nats: ``elbo`` is ``log_likelihood`` minus ``kl``, and the loss
    is ``-elbo``.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        latent_dim: int,
        hidden_units: Sequence[int],
        activation: str,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.example_shape = tuple(input_shape)
        self.latent_dim = latent_dim
        self.hidden_units = tuple(hidden_units)
        self.activation = activation
        pixels = math.prod(self.example_shape)

        # Appendix C.2: one network gives the mean and the logarithm of the variance (eq. 12).
        self.encoder = keras.Sequential(
            [
                keras.Input(self.example_shape),
                layers.Flatten(),
                *(layers.Dense(units, activation=activation) for units in self.hidden_units),
                layers.Dense(2 * latent_dim, name="mean_and_log_variance"),
            ],
            name="encoder",
        )
        # Appendix C.1: the logits of the pixels' Bernoulli means (eq. 11).
        self.decoder = keras.Sequential(
            [
                keras.Input((latent_dim,)),
                *(
                    layers.Dense(units, activation=activation)
                    for units in reversed(self.hidden_units)
                ),
                layers.Dense(pixels, name="logits"),
                layers.Reshape(self.example_shape),
            ],
            name="decoder",
        )
        self.noise = keras.random.SeedGenerator()
        self.trackers = [
            Average("elbo", higher_is_better=True),
            Average("log_likelihood", higher_is_better=True),
            Average("kl"),
        ]

    def build(self, input_shape: Any) -> None:
        """Do nothing: the constructor has built both networks."""
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Return reconstructions of examples (B, *input_shape), from the codes' means."""
        mean, _ = ops.split(self.encoder(inputs), 2, axis=-1)
        return self.decode(mean)

    def decode(self, latent: Any) -> Any:
        """Return the pixels' Bernoulli means (B, *input_shape) for codes (B, latent_dim)."""
        return ops.sigmoid(ops.cast(self.decoder(latent), "float32"))

    def prior(self, count: Any, seed: Any) -> Any:
        """Return codes (count, latent_dim) drawn from p(z), the standard normal."""
        return random_normal((count, self.latent_dim), seed)

    def terms(self, x: Any, training: bool) -> tuple[Any, Any]:
        """Return log p(x|z) for one z drawn from q(z|x), and KL(q(z|x) || p(z)), each (B,)."""
        mean, log_variance = ops.split(self.encoder(x), 2, axis=-1)
        # Evaluation always draws the same noise, so that scores repeat.
        seed = self.noise if training else 0
        noise = keras.random.normal(ops.shape(mean), dtype=mean.dtype, seed=seed)
        z = mean + ops.exp(0.5 * log_variance) * noise  # the reparameterisation, eq. 4 and 10
        logits = ops.reshape(ops.cast(self.decoder(z), "float32"), (ops.shape(x)[0], -1))
        pixels = ops.reshape(x, (ops.shape(x)[0], -1))
        log_likelihood = ops.sum(pixels * logits - ops.softplus(logits), axis=-1)
        kl = -0.5 * ops.sum(1 + log_variance - mean**2 - ops.exp(log_variance), axis=-1)  # eq. 10
        return log_likelihood, ops.cast(kl, "float32")

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return minus the mean ELBO of a batch, plus regularization losses.

        Args:
            x: Examples (B, *input_shape) with values in [0, 1].
            y: Not used.
            y_pred: Not used: the loss needs its own sample of the code.
            sample_weight: Weights of the examples, (B,) or (B, 1).
            training: Whether to draw new noise.
        """
        log_likelihood, kl = self.terms(x, training)
        values = (log_likelihood - kl, log_likelihood, kl)
        for tracker, value in zip(self.trackers, values, strict=True):
            tracker.update_state(value, sample_weight)
        return batch_mean(kl - log_likelihood, sample_weight) + penalties(self)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Update a recipe's metrics, which compare reconstructions with their originals."""
        return super().compute_metrics(x, x if y is None else y, y_pred, sample_weight)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "input_shape": self.example_shape,
            "latent_dim": self.latent_dim,
            "hidden_units": self.hidden_units,
            "activation": self.activation,
        }


def vae(
    *,
    input_shape: tuple[int, ...] = (28, 28, 1),
    latent_dim: int = 20,
    hidden_units: Sequence[int] = (500,),
    activation: str = "tanh",
) -> keras.Model:
    """Return a variational auto-encoder of fully connected layers.

    Source: Kingma and Welling, "Auto-encoding variational Bayes", 2013, appendix C; 500 hidden
    units as in its section 5.

    Args:
        input_shape: Of one example with values in [0, 1], without the batch axis.
        latent_dim: Width of the code.
        hidden_units: Widths of the encoder's layers; the decoder's are the same in reverse order.
        activation: Any Keras activation.

    Returns:
        A model from (B, *input_shape) to reconstructions of the same shape. It generates by
        ``sample(count, seed)``, which decodes latents of its ``prior``.
    """
    if latent_dim < 1:
        raise ValueError(f"latent_dim must be at least 1, got {latent_dim}")
    model = VAE(input_shape, latent_dim, hidden_units, activation, name="vae")
    model.build((None, *input_shape))
    return model

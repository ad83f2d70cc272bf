"""The Wasserstein GAN with a gradient penalty (Gulrajani et al. 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from zoo.layers.adversarial import Adversarial
from zoo.layers.generators import Generator, random_normal
from zoo.layers.gradients import input_gradients
from zoo.layers.losses import batch_mean, penalties
from zoo.layers.metrics import Average
from zoo.layers.resolutions import cropped, halvings


@keras.saving.register_keras_serializable("dlzoo")
class WGANGP(Adversarial):
    """A generator against a critic, whose scores are not bounded.

    The difference between its mean scores of real and generated examples estimates the distance
    between the two distributions, as long as its slope is 1: the penalty sees to that.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        latent_dim: int,
        filters: int,
        smallest: int,
        critic_steps: int,
        gradient_penalty: float,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.example_shape = tuple(input_shape)
        self.critic_steps = critic_steps
        self.gradient_penalty = gradient_penalty
        self.arguments = {
            "filters": filters,
            "smallest": smallest,
            "critic_steps": critic_steps,
            "gradient_penalty": gradient_penalty,
        }
        sides = halvings(input_shape, smallest)
        generator = _generator(latent_dim, sides, input_shape[2], filters)
        self.adopt(generator, _critic(input_shape, sides, filters), latent_dim)

    def make_trackers(self) -> list[Any]:
        """Return the estimated distance, by which training is watched, and -D(G(z))."""
        # In figure 5 of the paper it falls while samples get better; on small data it need not.
        return [Average("wasserstein_distance"), Average("generator_loss")]

    def prior(self, count: Any, seed: Any) -> Any:
        """Return noise (count, latent_dim) from the standard normal."""
        return random_normal((count, self.latent_dim), seed)

    def between(self, first: Any, second: Any, share: Any) -> Any:
        """Return noise (B, latent_dim) on the way along the sphere, as for all normal latents."""
        return Generator.between(self, first, second, share)

    def discriminator_loss(self, real: Any, fake: Any) -> Any:
        """Return D(G(z)) - D(x), shape (B,), from scores (B, 1): equation 3 without its penalty."""
        return ops.sum(ops.cast(fake - real, "float32"), axis=-1)

    def generator_loss(self, fake: Any) -> Any:
        """Return -D(G(z)), shape (B,), from scores (B, 1)."""
        return ops.sum(-ops.cast(fake, "float32"), axis=-1)

    def penalty(self, real: Any, fake: Any) -> Any:
        """Return λ (‖∇D(x̂)‖ - 1)², shape (B,), at a random point between each pair.

        Args:
            real: Examples (B, *input_shape).
            fake: As many generated ones.
        """
        shape = (ops.shape(real)[0], *(1 for _ in self.example_shape))
        share = ops.cast(keras.random.uniform(shape, seed=self.noise), real.dtype)
        between = share * real + (1.0 - share) * ops.cast(fake, real.dtype)
        slopes = input_gradients(lambda x: self.judge(x, (), training=True), between)
        slopes = ops.reshape(ops.cast(slopes, "float32"), (ops.shape(real)[0], -1))
        norm = ops.sqrt(ops.sum(slopes**2, axis=-1) + 1e-12)
        return self.gradient_penalty * (norm - 1.0) ** 2

    def train_step(self, data: Any) -> dict[str, Any]:
        """Train the critic on each part of a batch, then the generator: algorithm 1.

        A batch is cut into `critic_steps` parts of m examples, so that each step of the critic
        sees other examples. The generator's step makes m.
        """
        data, _, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        size = ops.shape(data)[0]
        count = (size + self.critic_steps - 1) // self.critic_steps
        scores: dict[str, Any] = {}
        for step in range(self.critic_steps):
            places = (ops.arange(count) + step * count) % size
            real = ops.take(data, places, axis=0)
            weights = None if sample_weight is None else ops.take(sample_weight, places, axis=0)
            fake = self.make(self.prior(count, self.noise), (), training=True)

            def criticise(real: Any = real, fake: Any = fake, weights: Any = weights) -> Any:
                on_real = self.judge(real, (), training=True)
                on_fake = self.judge(fake, (), training=True)
                scores.update(real=on_real, fake=on_fake, weights=weights)
                loss = self.discriminator_loss(on_real, on_fake) + self.penalty(real, fake)
                return batch_mean(loss, weights) + penalties(self.discriminator)

            self.take_step(criticise, self.discriminator_optimizer, self.discriminator)

        def deceive() -> Any:
            made = self.make(self.prior(count, self.noise), (), training=True)
            loss = self.generator_loss(self.judge(made, (), training=True))
            return batch_mean(loss, scores["weights"]) + penalties(self.generator)

        self.take_step(deceive, self.optimizer, self.generator)
        return self.update_scores(scores["real"], scores["fake"], scores["weights"])

    def scores_of(self, real: Any, fake: Any) -> tuple[Any, ...]:
        """Return the distance's estimate and the generator's loss, (B,) each."""
        return -self.discriminator_loss(real, fake), self.generator_loss(fake)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {"input_shape": self.example_shape, "latent_dim": self.latent_dim}
        return {**super().get_config(), **own, **self.arguments}


def _generator(
    latent_dim: int, sides: list[tuple[int, int]], channels: int, filters: int
) -> keras.Model:
    """Return transposed 5×5 convolutions after a dense layer; at 28×28: 4, 7, 14, 28."""
    noise = keras.Input((latent_dim,), name="noise")
    width = filters * 2 ** (len(sides) - 2)
    x = layers.Dense(sides[-1][0] * sides[-1][1] * width, activation="relu")(noise)
    x = layers.Reshape((*sides[-1], width))(x)
    for size in sides[-2:0:-1]:
        width //= 2
        x = layers.Conv2DTranspose(width, 5, 2, padding="same", kernel_initializer="he_normal")(x)
        x = layers.ReLU()(cropped(x, size))
    x = layers.Conv2DTranspose(channels, 5, 2, padding="same", activation="sigmoid")(x)
    return keras.Model(noise, cropped(x, sides[0]), name="generator")


def _critic(input_shape: Sequence[int], sides: list[tuple[int, int]], filters: int) -> keras.Model:
    """Return 5×5 convolutions with stride 2.

    There is no batch normalisation: the penalty is of each example by itself (section 4).
    """
    image = keras.Input(input_shape, name="image")
    x = image
    for number in range(len(sides) - 1):
        x = layers.Conv2D(
            filters * 2**number, 5, 2, padding="same", kernel_initializer="he_normal"
        )(x)
        x = layers.LeakyReLU(0.2)(x)
    # A bias would be the same for real and generated examples, and get no gradient.
    score = layers.Dense(1, use_bias=False, name="score")(layers.Flatten()(x))
    return keras.Model(image, score, name="discriminator")


def wgan_gp(
    *,
    input_shape: tuple[int, ...] = (28, 28, 1),
    latent_dim: int = 128,
    filters: int = 64,
    smallest: int = 4,
    critic_steps: int = 5,
    gradient_penalty: float = 10.0,
) -> keras.Model:
    """Return a generator of convolutions against a critic without batch normalisation.

    Source: Gulrajani et al., "Improved training of Wasserstein GANs", 2017, algorithm 1; the sizes
    are those that its authors published for MNIST.

    Args:
        input_shape: (height, width, channels) of one example with values in [0, 1].
        latent_dim: Width of the generator's noise.
        filters: Of the layers at the highest resolution; each halving of the image doubles them.
        smallest: Height or width from which the image is not halved any more.
        critic_steps: Steps of the critic for each of the generator; a batch is shared out among
            them.
        gradient_penalty: λ in equation 3.

    Returns:
        A model from (B, *input_shape) to the logistic function (B, 1) of the critic's score. It
        generates by ``sample(count, seed)``. It is compiled with ``generator_optimizer`` and
        ``discriminator_optimizer``.
    """
    for name, value in (
        ("latent_dim", latent_dim),
        ("filters", filters),
        ("critic_steps", critic_steps),
    ):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    model = WGANGP(
        input_shape,
        latent_dim,
        filters,
        smallest,
        critic_steps,
        gradient_penalty,
        name="wgan-gp",
    )
    model.build((None, *input_shape))
    return model

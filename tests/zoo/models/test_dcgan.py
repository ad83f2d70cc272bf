"""The convolutional GANs: the papers' sizes, other sizes, and the gradient penalty."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

import zoo
from zoo.anatomy.counts import trainable_parameters

X = np.random.default_rng(0).uniform(size=(10, 8, 8, 1)).astype("float32")


def build(name: str, **arguments: Any) -> Any:
    given = {"input_shape": (8, 8, 1), "latent_dim": 3, "filters": 4, "smallest": 2, **arguments}
    return zoo.build(name, **given)


def compiled(model: Any, rate: float = 0.01) -> Any:
    model.compile(
        generator_optimizer=keras.optimizers.Adam(rate),
        discriminator_optimizer=keras.optimizers.Adam(rate),
    )
    return model


def test_dcgan_has_the_sizes_of_the_authors_code() -> None:
    model = zoo.build("dcgan")
    assert trainable_parameters(model.generator) == 3_576_704
    assert trainable_parameters(model.discriminator) == 2_765_568


@pytest.mark.parametrize("name", ["dcgan", "wgan-gp"])
@pytest.mark.parametrize(
    ("shape", "smallest"), [((8, 8, 1), 2), ((28, 28, 1), 4), ((9, 15, 3), 4), ((5, 5, 1), 1)]
)
def test_images_of_any_size_are_made_and_judged(
    name: str, shape: tuple[int, int, int], smallest: int
) -> None:
    model = build(name, input_shape=shape, smallest=smallest)
    made = model.sample(3, seed=1)
    assert made.shape == (3, *shape)
    assert 0.0 <= float(tf.reduce_min(made)) <= float(tf.reduce_max(made)) <= 1.0
    assert model(made).shape == (3, 1)


@pytest.mark.parametrize("name", ["dcgan", "wgan-gp"])
def test_an_image_that_cannot_be_halved_is_refused(name: str) -> None:
    with pytest.raises(Exception, match=r"larger than smallest = 4, got 4×4"):
        build(name, input_shape=(4, 4, 1), smallest=4)


def test_the_generators_pixels_are_the_papers_from_minus_one_to_one() -> None:
    model = build("dcgan")
    latent = model.prior(4, seed=0)
    inner = keras.Model(model.generator.input, model.generator.get_layer("pixels").input)
    np.testing.assert_allclose(model.decode(latent), 0.5 + 0.5 * inner(latent), atol=1e-6)


# The gradient penalty.


def linear_critic(slope: float) -> Any:
    """A WGAN-GP whose critic is a weighted sum of pixels: its slope is the same everywhere."""
    model = build("wgan-gp")
    image = keras.Input((8, 8, 1))
    score = keras.layers.Dense(1, use_bias=False)(keras.layers.Flatten()(image))
    critic = keras.Model(image, score)
    direction = np.random.default_rng(1).normal(size=(64, 1))
    critic.set_weights([slope * direction / np.linalg.norm(direction)])
    model.judge = lambda x, given, training=False: critic(x)
    return model


@pytest.mark.parametrize("slope", [0.0, 1.0, 3.0])
def test_the_penalty_is_that_of_the_distance_of_the_slope_from_one(slope: float) -> None:
    model = linear_critic(slope)
    penalty = model.penalty(ops.convert_to_tensor(X), ops.convert_to_tensor(1.0 - X))
    np.testing.assert_allclose(penalty, np.full(10, 10.0 * (slope - 1.0) ** 2), atol=1e-4)


def test_the_critics_loss_is_the_difference_of_its_scores() -> None:
    model = compiled(build("wgan-gp"))
    scores = model.evaluate(X, verbose=0, return_dict=True)
    fake = model.generator(model.prior(10, seed=0))
    difference = np.mean(model.discriminator(X)) - np.mean(model.discriminator(fake))
    assert scores["wasserstein_distance"] == pytest.approx(difference, rel=1e-4, abs=1e-6)
    expected = -np.mean(model.discriminator(fake))
    assert scores["generator_loss"] == pytest.approx(expected, rel=1e-4, abs=1e-6)


class Counting(keras.optimizers.SGD):
    """An optimizer that counts its steps and changes nothing."""

    steps = 0

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        self.steps += 1


def test_the_critic_takes_five_steps_for_each_of_the_generator() -> None:
    model = build("wgan-gp")
    generator, critic = Counting(), Counting()
    model.compile(generator_optimizer=generator, discriminator_optimizer=critic, run_eagerly=True)
    seen: list[Any] = []
    judge = model.judge

    def watched(x: Any, given: Any, training: bool = False) -> Any:
        seen.append(np.asarray(x))
        return judge(x, given, training)

    model.judge = watched
    model.train_on_batch(X)
    assert (critic.steps, generator.steps) == (5, 1)
    # Of each step the real examples, the fakes and the points between; at last the generator's.
    real = np.concatenate(seen[:-1:3])
    np.testing.assert_array_equal(real, X)  # each example of the batch once


def test_a_critic_learns_which_images_are_real() -> None:
    model = compiled(build("wgan-gp", filters=8), 0.005)
    ones = np.ones((50, 8, 8, 1), "float32")
    before = model.evaluate(ones, verbose=0, return_dict=True)["wasserstein_distance"]
    optimizer = keras.optimizers.SGD(1e-9)  # the generator stays as it is
    model.compile(
        generator_optimizer=optimizer, discriminator_optimizer=keras.optimizers.Adam(0.005)
    )
    for _ in range(10):
        model.train_on_batch(ones)
    after = model.evaluate(ones, verbose=0, return_dict=True)["wasserstein_distance"]
    assert after > before + 0.5


@pytest.mark.parametrize("argument", ["latent_dim", "filters", "critic_steps"])
def test_sizes_below_one_are_refused(argument: str) -> None:
    with pytest.raises(Exception, match=rf"{argument} must be at least 1, got 0"):
        build("wgan-gp", **{argument: 0})

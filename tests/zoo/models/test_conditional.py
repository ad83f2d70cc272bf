"""The conditional models: both networks are told the class, and use it."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import zoo

DRAW = np.random.default_rng(0)
LABELS = (np.arange(60) % 3).astype("int32")
# Class 0 is black, class 1 grey, class 2 white, each with a little noise.
X = (LABELS[:, None, None, None] / 2.0 + 0.05 * DRAW.normal(size=(60, 4, 4, 1))).clip(0.0, 1.0)
BATCH = {"image": X.astype("float32"), "label": LABELS}
SIZES: dict[str, dict[str, Any]] = {
    "conditional-vae": {"hidden_units": (16,)},
    "conditional-gan": {
        "noise_units": 8,
        "label_units": 8,
        "generator_units": (16,),
        "image_maxout": (8, 2),
        "label_maxout": (8, 2),
        "joint_maxout": (8, 2),
    },
}


def build(name: str, **arguments: Any) -> Any:
    given = {"input_shape": (4, 4, 1), "classes": 3, "latent_dim": 2, **SIZES[name], **arguments}
    return zoo.build(name, **given)


@pytest.fixture(params=list(SIZES))
def model(request: pytest.FixtureRequest) -> Any:
    return build(request.param)


def test_the_label_changes_what_is_made(model: Any) -> None:
    latent = model.prior(4, seed=0)
    one, two = (np.asarray(model.decode(latent, model.labels(4, label))) for label in (0, 1))
    assert one.shape == (4, 4, 4, 1)
    assert (one != two).any(axis=(1, 2, 3)).all()


def test_without_labels_all_classes_come_in_turn(model: Any) -> None:
    np.testing.assert_array_equal(model.labels(5), [0, 1, 2, 0, 1])
    latent = model.prior(5, seed=0)
    np.testing.assert_array_equal(model.decode(latent), model.decode(latent, model.labels(5)))
    np.testing.assert_allclose(model.sample(5, seed=0), model.decode(latent), atol=1e-6)


def test_the_served_network_takes_latents_and_labels(model: Any) -> None:
    network = model.decoder_network()
    latent, label = model.prior(5, seed=0), model.labels(5, 2)
    np.testing.assert_array_equal(network([latent, label]), model.decode(latent, label))


def test_a_vae_learns_what_each_class_looks_like() -> None:
    model = build("conditional-vae")
    model.compile(keras.optimizers.Adam(0.02))
    model.fit(BATCH, batch_size=20, epochs=60, verbose=0)
    means = [float(np.mean(model.sample(50, label=label))) for label in range(3)]
    np.testing.assert_allclose(means, [0.02, 0.5, 0.98], atol=0.1)


def test_a_gan_learns_what_each_class_looks_like() -> None:
    model = build("conditional-gan", dropout=0.0)
    model.compile(
        generator_optimizer=keras.optimizers.Adam(0.005, beta_1=0.5),
        discriminator_optimizer=keras.optimizers.Adam(0.005, beta_1=0.5),
    )
    model.fit(BATCH, batch_size=20, epochs=100, verbose=0)
    black, grey, white = (float(np.mean(model.sample(50, label=label))) for label in range(3))
    assert black + 0.05 < grey < white - 0.05
    assert white - black > 0.5


def test_a_discriminator_is_told_the_class() -> None:
    model = build("conditional-gan")
    told = {label: model({**BATCH, "label": np.full(60, label, "int32")}) for label in (0, 1)}
    assert np.any(np.asarray(told[0]) != np.asarray(told[1]))


@pytest.mark.parametrize("argument", ["latent_dim", "classes"])
def test_sizes_below_one_are_refused(argument: str) -> None:
    for name in SIZES:
        with pytest.raises(Exception, match=rf"{argument} must be at least 1, got 0"):
            build(name, **{argument: 0})

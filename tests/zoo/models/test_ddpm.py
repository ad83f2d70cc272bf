"""Denoising diffusion: the paper's size, training by averages, classes, and samplers."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.anatomy.counts import multiply_adds, trainable_parameters
from zoo.base.errors import UsageError
from zoo.layers.unet import patched, unpatched

SMALL: dict[str, Any] = {
    "input_shape": (4, 4, 1),
    "width": 8,
    "multipliers": (1,),
    "blocks": 1,
    "groups": 4,
    "attention": (),
    "timesteps": 20,
}
X = {
    "image": np.random.default_rng(0).uniform(size=(6, 4, 4, 1)).astype("float32"),
    "label": np.arange(6, dtype="int32") % 3,
}


def build(**arguments: Any) -> Any:
    keras.utils.set_random_seed(0)
    model = zoo.build("ddpm", **{**SMALL, "classes": 3, **arguments})
    model.compile(optimizer=keras.optimizers.SGD(0.3))
    return model


@pytest.fixture(scope="module")
def trained() -> Any:
    """A model after four steps; tests leave it as it is."""
    model = build()
    model.begun = [weight.numpy() for weight in model.network.weights]
    model.fit(X, epochs=2, batch_size=3, verbose=0)
    return model


def test_the_papers_network_has_its_parts() -> None:
    network = zoo.build("ddpm").network
    assert trainable_parameters(network) == 35_746_307  # "35.7 million", section 4
    attention = [layer.name for layer in network.layers if layer.name.endswith("_heads")]
    # Both blocks on the way down to 16×16, the middle, and three blocks on the way up.
    places = ("down2_1", "down2_2", "middle", "up2_1", "up2_2", "up2_3")
    assert sorted(attention) == sorted(f"{place}_attention_heads" for place in places)
    blocks = [layer for layer in network.layers if layer.name.endswith("_conv2")]
    assert len(blocks) == 4 * 2 + 2 + 4 * 3


def test_a_network_of_patches_sees_and_makes_the_same_pixels() -> None:
    images = keras.Input((6, 4, 3))
    places = patched(images, 2)
    network = keras.Model(images, [places, unpatched(places, 2)])
    pixels = np.arange(2 * 6 * 4 * 3, dtype="float32").reshape(2, 6, 4, 3)
    found, again = (values.numpy() for values in network(pixels))
    assert found.shape == (2, 3, 2, 12)
    np.testing.assert_array_equal(found[1, 2, 0], pixels[1, 4:6, 0:2].ravel())
    np.testing.assert_array_equal(again, pixels)


def test_patches_make_it_as_much_cheaper() -> None:
    whole, patches = build(), build(patch=2)
    assert patches.sample(2).shape == (2, 4, 4, 1)
    assert patches.train_on_batch(X)[0] > 0.0
    # Every level is a quarter as large; only the first and the last convolution are wider.
    assert multiply_adds(patches.network) < 0.4 * multiply_adds(whole.network)


def test_the_network_begins_by_predicting_nothing() -> None:
    noise = build().predict_noise(tf.random.normal((2, 4, 4, 1)), tf.constant([1, 20]))
    assert np.abs(noise).max() < 1e-3


def test_training_moves_the_averages_behind_the_weights(trained: Any) -> None:
    moved = behind = 0.0
    for before, weight, average in zip(
        trained.begun, trained.network.weights, trained.averages.weights, strict=True
    ):
        moved += np.abs(weight.numpy() - before).sum()
        behind += np.abs(average.numpy() - before).sum()
    assert 0.3 * moved < behind < moved


def test_samples_and_scores_are_those_of_the_averages(trained: Any) -> None:
    samples, scores = trained.sample(3).numpy(), trained.evaluate(X, verbose=0)
    for part, alike in ((trained.network, True), (trained.averages, False)):
        kept = [weight.numpy() for weight in part.weights]
        for weight in part.weights:
            weight.assign(0.5 * weight)
        assert np.array_equal(trained.sample(3), samples) == alike
        assert (trained.evaluate(X, verbose=0) == scores) == alike
        for weight, before in zip(part.weights, kept, strict=True):
            weight.assign(before)


def test_the_loss_is_the_error_of_the_noise(trained: Any) -> None:
    outputs = trained(X)
    error = np.mean((outputs["noise"] - outputs["predicted"]) ** 2)
    scores = trained.evaluate(X, verbose=0, return_dict=True)
    assert scores["loss"] == pytest.approx(error, rel=1e-4)
    bits = -trained.likelihood_bounds(X)["variational_bound"].numpy() / 16 / np.log(2)
    # One term of the bound for each image, and all of them: one varies much.
    assert bits.mean() / 5 < scores["bits_estimate"] < 5 * bits.mean()
    assert np.all(bits > 8.0)  # of random pixels with 256 values


def test_guidance_goes_as_much_further_as_it_says(trained: Any) -> None:
    latent = trained.prior(2, seed=0)
    differences = []
    for guidance in (0.0, 3.0):
        model = build(guidance=guidance)
        model.set_weights(trained.get_weights())
        zeros, ones = (
            model.guided(tf.fill([2], label))(latent, tf.fill([2], 10)) for label in (0, 1)
        )
        differences.append(np.asarray(zeros - ones))
    np.testing.assert_allclose(differences[1], 4.0 * differences[0], rtol=1e-2, atol=1e-4)
    assert np.abs(differences[0]).max() > 1e-4


def test_classes_come_in_turn_or_as_they_are_asked_for(trained: Any) -> None:
    assert trained.labels(5).numpy().tolist() == [0, 1, 2, 0, 1]
    assert trained.labels(2, 2).numpy().tolist() == [2, 2]


def test_without_labels_it_is_the_papers_and_refuses_a_class() -> None:
    unaware, plain, aware = build(label_dropout=1.0), build(classes=None), build()
    assert trainable_parameters(unaware) == trainable_parameters(plain)
    assert trainable_parameters(aware) == trainable_parameters(plain) + 4 * 32
    assert unaware.train_on_batch(X)[0] > 0.0
    assert unaware.sample(2).shape == (2, 4, 4, 1)
    with pytest.raises(UsageError, match="was trained without labels"):
        unaware.sample(2, label=1)


def test_labels_are_hidden_now_and_then(trained: Any) -> None:
    many = {key: np.repeat(values, 100, axis=0) for key, values in X.items()}
    *_, label = build().noised(many, training=True)
    assert 0.05 < np.mean(label.numpy() == 3) < 0.15
    *_, label = trained.noised(many, training=False)
    np.testing.assert_array_equal(label, many["label"])


def test_evaluation_sees_every_part_of_the_time_equally_often(trained: Any) -> None:
    many = {key: np.repeat(values, 20, axis=0) for key, values in X.items()}
    _, _, times, _ = trained.noised(many, training=False)
    counts = np.bincount(times, minlength=21)
    assert counts[0] == 0
    assert set(counts[1:]) <= {5, 6, 7}


def test_the_network_that_is_served_is_decode(trained: Any) -> None:
    network = trained.decoder_network()
    latent, labels = trained.prior(3, seed=0), trained.labels(3)
    expected = trained.sample(3)
    np.testing.assert_allclose(network([latent, labels]), expected, atol=1e-5)
    assert multiply_adds(network) == 20 * multiply_adds(trained)


def test_fewer_steps_lead_from_the_same_noise_and_are_taken_as_asked(trained: Any) -> None:
    latent = trained.prior(2, seed=0)
    one = trained.decode(latent, trained.labels(2), steps=1)
    level = trained.diffusion.alpha_bar[-1]
    noise = trained.predict_noise(latent, tf.fill([2], 20), trained.labels(2))
    clean = np.clip((latent - np.sqrt(1 - level) * noise) / np.sqrt(level), -1.0, 1.0)
    np.testing.assert_allclose(one, clean / 2.0 + 0.5, atol=1e-4)


def test_an_image_without_its_noise_is_an_image(trained: Any) -> None:
    clean = trained.denoise(X["image"]).numpy()
    assert clean.shape == (6, 4, 4, 1)
    assert np.all((clean >= 0.0) & (clean <= 1.0))


def test_replicas_train_it_and_agree_on_the_averages() -> None:
    cross = tf.distribute.ReductionToOneDevice()
    mirrored = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"], cross_device_ops=cross)
    with mirrored.scope():
        model = build()
    batches = tf.data.Dataset.from_tensors(X).repeat(2)
    before = [average.numpy() for average in model.averages.weights]
    model.fit(batches, shuffle=False, verbose=0)
    assert any(np.any(a.numpy() != b) for a, b in zip(model.averages.weights, before, strict=True))
    for average in model.averages.weights:
        np.testing.assert_array_equal(*(copy.numpy() for copy in average.value.values))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"groups": 3}, "groups must divide the channels"),
        (
            {"input_shape": (5, 4, 1), "multipliers": (1, 1)},
            "multiples of 2 for 2 levels, got 5×4",
        ),
        ({"patch": 0}, "patch must be at least 1, got 0"),
        (
            {"input_shape": (6, 4, 1), "patch": 2, "multipliers": (1, 1)},
            "multiples of 4 for 2 levels of patches of 2×2, got 6×4",
        ),
        ({"steps": 21}, "steps must be 1 to 20, got 21"),
        ({"label_dropout": 1.5}, "label_dropout must be in"),
        ({"eta": 1.5}, r"eta must be in \[0, 1\], got 1.5"),
        ({"schedule": "sine"}, "schedule must be one of"),
        ({"momentum": 1.0}, "momentum must be in"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        zoo.build("ddpm", **{**SMALL, **arguments})

"""Weights from elsewhere: keras.applications' networks answer the same here, bad files are told."""

from __future__ import annotations

import logging
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

import zoo
from zoo.base.errors import DlzooError, UsageError
from zoo.weights.files import SUFFIXES
from zoo.weights.published import IMAGENET

# What keras.applications is asked for here: small, and no weights of its own.
SMALL: dict[str, Any] = {"weights": None, "input_shape": (64, 64, 3), "classes": 7}


def theirs(name: str, **changes: Any) -> Any:
    """A network of keras.applications in which no weight is at its beginning, biases included."""
    network = getattr(keras.applications, name)(**{**SMALL, **changes})
    draw = np.random.default_rng(0)
    for layer in network.layers:
        for weight in layer.weights:
            kind = weight.path.rpartition("/")[2]
            if kind == "kernel":
                scale = 1.5 / np.sqrt(np.prod(weight.shape[:-1]))
                values = draw.normal(0.0, scale, weight.shape)
            elif kind in ("gamma", "moving_variance"):
                values = draw.uniform(0.5, 1.5, weight.shape)
                # Small at the end of each block: fifty of them are summed up.
                values *= 0.3 if kind == "gamma" and "_3_bn" in weight.path else 1.0
            else:
                values = draw.normal(0.0, 0.3, weight.shape)
            weight.assign(values)
    if network.layers[-1].name == "predictions":
        # Features of whatever size, but answers that are nowhere near 0 or 1.
        head = network.layers[-1]
        features = answers(keras.Model(network.input, head.input), network.input_shape[1])
        head.kernel.assign(head.kernel / features.std())
    return network


def saved(network: Any, path: Path) -> Path:
    """Save as the suffix says."""
    (network.save if path.suffix == ".keras" else network.save_weights)(path)
    return path


def answers(network: Any, side: int = 64) -> np.ndarray:
    """What a network says of the same eight images."""
    images = np.random.default_rng(1).normal(size=(8, side, side, 3)).astype("float32")
    return np.asarray(network(images, training=False))


@pytest.fixture(scope="module")
def resnet50() -> Any:
    """keras.applications' ResNet50."""
    return theirs("ResNet50")


@pytest.fixture(scope="module")
def resnet50_file(resnet50: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in a file."""
    return saved(resnet50, tmp_path_factory.mktemp("theirs") / "resnet50.weights.h5")


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """What is told of layers that were not loaded."""
    messages: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            messages.append(record.getMessage())

    handler = Keep(logging.WARNING)
    logging.getLogger("zoo.registry").addHandler(handler)
    yield messages
    logging.getLogger("zoo.registry").removeHandler(handler)


# The networks that keras.applications has too.


# The deeper ones differ in the number of their blocks only, and take 10 seconds each.
DEEP = ("resnet101", "resnet152")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in DEEP)) for name in IMAGENET]
)
def test_a_saved_network_of_keras_applications_answers_the_same_here(
    name: str, tmp_path: Path, told: list[str]
) -> None:
    network = theirs(IMAGENET[name])
    expected = answers(network)
    assert expected.std(axis=0).max() > 1e-3, "the images are told apart"
    for suffix in SUFFIXES:
        path = saved(network, tmp_path / f"theirs{suffix}")
        ours = zoo.build(name, weights=path, input_shape=(64, 64, 3), classes=7)
        np.testing.assert_allclose(answers(ours), expected, rtol=1e-4)
    assert told == [], "every layer was loaded"


def test_what_is_added_to_the_variance_is_the_same_in_all(
    resnet50: Any, resnet50_file: Path
) -> None:
    # A variance of nothing, as a dead channel has, is where another epsilon shows.
    norm = resnet50.get_layer("conv2_block1_1_bn")
    before = norm.moving_variance.numpy()
    norm.moving_variance.assign(np.full(before.shape, 1e-9))
    path = saved(resnet50, resnet50_file.with_name("dead.weights.h5"))
    norm.moving_variance.assign(before)
    ours = zoo.build("resnet50", weights=path, input_shape=(64, 64, 3), classes=7)
    own = ours.get_layer("conv2_block1_1_norm")
    np.testing.assert_allclose(own.moving_variance.numpy() + own.epsilon, 1e-9 + 1.001e-5, 1e-5)


@pytest.mark.parametrize("name", ["resnet50", "vgg16"])
def test_imagenet_weights_are_those_that_keras_publishes(
    name: str, monkeypatch: pytest.MonkeyPatch, told: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    network = theirs(IMAGENET[name])
    asked: list[dict[str, Any]] = []

    def published(**arguments: Any) -> Any:
        asked.append(arguments)
        print("Downloading data …")
        return network

    monkeypatch.setattr(keras.applications, IMAGENET[name], published)
    ours = zoo.build(name, weights="imagenet", input_shape=(64, 64, 3), classes=7)
    assert asked == [{"weights": "imagenet"}]
    np.testing.assert_allclose(answers(ours), answers(network), rtol=1e-4)
    assert told == []
    assert capfd.readouterr().out == "", "standard output is for what was asked for"


def test_weights_that_cannot_be_downloaded_are_a_failure_and_no_mistake_of_the_user(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def published(**_: Any) -> Any:
        raise OSError("URL fetch failure on https://example.org/x.h5: None -- unreachable")

    monkeypatch.setattr(keras.applications, "ResNet50", published)
    with pytest.raises(DlzooError, match="cannot get the imagenet weights of resnet50: URL") as at:
        zoo.build("resnet50", weights="imagenet", input_shape=(64, 64, 3))
    assert at.value.exit_code == 1


@pytest.mark.parametrize("name", ["lenet5", "resnet", "vgg11"])
def test_other_models_have_no_imagenet_weights_and_are_told_which_have(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        zoo.build(name, weights="imagenet")
    assert str(caught.value) == (
        f"there are no imagenet weights for {zoo.card(name).name}, "
        "only for vgg16, vgg19, resnet50, resnet101, resnet152"
    )


def test_a_softmax_over_two_classes_becomes_the_sigmoid_that_it_is(tmp_path: Path) -> None:
    network = theirs("VGG16", input_shape=(32, 32, 3), classes=2)
    path = saved(network, tmp_path / "two.weights.h5")
    ours = zoo.build("vgg16", weights=path, input_shape=(32, 32, 3), classes=2)
    np.testing.assert_allclose(answers(ours, 32)[:, 0], answers(network, 32)[:, 1], rtol=1e-4)


# Where the two networks differ.


def test_a_head_of_other_classes_is_fresh_and_all_else_is_loaded(
    resnet50: Any, resnet50_file: Path, told: list[str]
) -> None:
    ours = zoo.build("resnet50", weights=resnet50_file, input_shape=(64, 64, 3), classes=3)
    assert told == [
        f"weights of {resnet50_file}: 106 layers loaded, "
        "newly initialised: probabilities (3 classes instead of 7)"
    ]
    features = keras.Model(resnet50.input, resnet50.get_layer("avg_pool").output)
    own = keras.Model(ours.input, ours.get_layer("pool").output)
    np.testing.assert_allclose(answers(own), answers(features), rtol=1e-4, atol=1e-3)


def test_images_of_another_size_change_nothing_for_a_convolutional_network(
    resnet50_file: Path, told: list[str]
) -> None:
    zoo.build("resnet50", weights=resnet50_file, input_shape=(96, 32, 3), classes=7)
    assert told == []


def test_images_of_other_channels_leave_the_first_convolution_fresh(
    resnet50_file: Path, told: list[str]
) -> None:
    zoo.build("resnet50", weights=resnet50_file, input_shape=(64, 64, 1), classes=7)
    assert told[0].endswith(
        "106 layers loaded, newly initialised: conv1_conv (7×7×1×64 instead of 7×7×3×64)"
    )


def test_images_of_another_size_leave_vggs_first_dense_layer_fresh(
    tmp_path: Path, told: list[str]
) -> None:
    network = theirs("VGG19", input_shape=(32, 32, 3))
    path = saved(network, tmp_path / "vgg19.keras")
    ours = zoo.build("vgg19", weights=path, input_shape=(64, 64, 3), classes=7)
    assert told[0].endswith(
        "18 layers loaded, newly initialised: fc1 (2048×4096 instead of 512×4096)"
    )
    np.testing.assert_array_equal(
        ours.get_layer("fc2").kernel.numpy(), network.get_layer("fc2").kernel.numpy()
    )


def test_a_network_without_its_top_leaves_the_head_fresh(tmp_path: Path, told: list[str]) -> None:
    network = theirs("ResNet50", include_top=False)
    zoo.build("resnet50", weights=saved(network, tmp_path / "body.keras"), classes=7)
    assert told[0].endswith(
        "106 layers loaded, newly initialised: probabilities (not in the source)"
    )


def test_what_a_deeper_network_has_more_is_told(
    resnet50_file: Path, tmp_path: Path, told: list[str]
) -> None:
    network = theirs("VGG19", input_shape=(32, 32, 3))
    path = saved(network, tmp_path / "vgg19.weights.h5")
    zoo.build("vgg16", weights=path, input_shape=(32, 32, 3), classes=7)
    assert told[0].endswith("16 layers loaded, not used: block3_conv4, block4_conv4, block5_conv4")


def test_the_second_version_of_a_residual_network_is_another_network(tmp_path: Path) -> None:
    path = saved(theirs("ResNet50V2"), tmp_path / "v2.weights.h5")
    with pytest.raises(UsageError, match=r"not of the same network in keras\.applications: .*_bn"):
        zoo.build("resnet50", weights=path, input_shape=(64, 64, 3), classes=7)


# Files.


def lenet5(path: Path) -> Path:
    """A file of our own."""
    return saved(zoo.build("lenet5"), path)


def cut(path: Path) -> None:
    """Lose the end of a file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    """Change one byte in the middle, where the weights are."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


def scribble(path: Path) -> None:
    """Be something else altogether."""
    path.write_bytes(b"\x80\x04\x95 no weights at all")


@pytest.mark.parametrize(
    ("suffix", "damage"),
    [
        *((".keras", damage) for damage in (cut, flip, scribble)),
        *((".weights.h5", damage) for damage in (cut, scribble)),
    ],
)
def test_a_damaged_file_is_told_in_one_line(suffix: str, damage: Any, tmp_path: Path) -> None:
    path = lenet5(tmp_path / f"damaged{suffix}")
    damage(path)
    with pytest.raises(UsageError) as caught:
        zoo.build("lenet5", weights=path)
    assert str(caught.value).startswith(f"weights cannot be read from {path}: ")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.keras", "there are no weights missing.keras."),
        (".", "there are no weights model.keras."),
        ("all.h5", "weights are in files that end in .keras or .weights.h5, got all.h5"),
        ("imagnet", "there are no weights imagnet. Did you mean 'imagenet'?"),
    ],
)
def test_a_file_that_is_missing_or_of_another_kind_is_told(
    name: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "all.h5").touch()
    with pytest.raises(UsageError) as caught:
        zoo.build("lenet5", weights=name)
    assert str(caught.value) == message


def test_a_file_of_weights_of_which_nothing_fits_is_told_with_what_both_are(
    tmp_path: Path,
) -> None:
    path = lenet5(tmp_path / "lenet5.weights.h5")
    with pytest.raises(UsageError) as caught:
        zoo.build("resnet20", weights=path)
    message = str(caught.value)
    assert message.startswith(f"the weights of {path} do not fit resnet20: they have ")
    assert "they have C1 5×5×1×6, C3 5×5×6×16, C5 5×5×16×120 and 2 more; " in message
    assert "resnet20 has stem_conv 3×3×3×16, " in message
    with pytest.raises(UsageError, match="lstm has embedding 20000×128, probability 128×1"):
        zoo.build("lstm", bidirectional=False, weights=path)
    with h5py.File(tmp_path / "table.weights.h5", "w") as file:
        file["rows"] = np.zeros((3, 4))
    with pytest.raises(UsageError, match="they have none; lenet5 has C1"):
        zoo.build("lenet5", weights=tmp_path / "table.weights.h5")


def test_nothing_that_a_file_says_is_run_for_only_its_arrays_are_read(tmp_path: Path) -> None:
    path = lenet5(tmp_path / "lenet5.keras")
    with zipfile.ZipFile(path) as archive:
        weights = archive.read("model.weights.h5")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", '{"class_name": "Popen", "module": "subprocess"}')
        archive.writestr("model.weights.h5", weights)
    assert zoo.build("lenet5", weights=path).count_params() == 61_706


def test_a_file_that_refers_to_another_one_is_refused(tmp_path: Path) -> None:
    path = lenet5(tmp_path / "lenet5.weights.h5")
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["values"] = np.zeros((84, 10))
    with h5py.File(path, "r+") as file:
        del file["layers/dense_1/vars/0"]
        file["layers/dense_1/vars/0"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "values")
    with pytest.raises(UsageError, match=r"layers/dense_1/vars/0 refers to another file"):
        zoo.build("lenet5", weights=path)

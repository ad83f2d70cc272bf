"""Weights from elsewhere, by layer: files of Keras's, and those that keras.applications has."""

from __future__ import annotations

import io
import re
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from zoo.errors import DlzooError, UsageError, suggestion

# Whose weights on ImageNet keras.applications publishes, and by which of its functions.
IMAGENET = {
    "vgg16": "VGG16",
    "vgg19": "VGG19",
    "resnet50": "ResNet50",
    "resnet101": "ResNet101",
    "resnet152": "ResNet152",
}
SUFFIXES = (".keras", ".weights.h5")
# Added to the variance in keras.applications, and in zoo.models as in the paper's Caffe.
THEIR_EPSILON, OUR_EPSILON = 1.001e-5, 1e-5

# What is saved of one layer: arrays by number, by the attribute that holds them. "" is the layer
# itself, and "cell", say, the cell of a recurrent one.
Saved = Mapping[str, Mapping[str, Any]]


def require(model: str, weights: str | Path) -> None:
    """Raise unless these weights exist for a model; TensorFlow is not needed to tell.

    Args:
        model: A card's name.
        weights: ``"imagenet"``, a file, or a run's folder.

    Raises:
        UsageError: They do not.
    """
    if str(weights) != "imagenet":
        file_of(weights)
    elif model not in IMAGENET:
        raise UsageError(
            f"there are no imagenet weights for {model}, only for {', '.join(IMAGENET)}"
        )


def file_of(weights: str | Path) -> Path:
    """Return the file of weights that are given by a file or by a run's folder.

    Raises:
        UsageError: It is not there, or of another kind.
    """
    path = Path(weights)
    if path.is_dir():
        path /= "model.keras"
    if path.suffix and not path.name.endswith(SUFFIXES):
        raise UsageError(f"weights are in files that end in {' or '.join(SUFFIXES)}, got {path}")
    if not path.is_file():
        raise UsageError(f"there are no weights {path}.{suggestion(str(weights), ['imagenet'])}")
    return path


@contextmanager
def opened(model: str, weights: str | Path) -> Iterator[tuple[str, dict[str, Saved]]]:
    """Yield what weights are called in messages, and what they have for each layer by its name.

    Of a file only arrays are read: what it says of classes and functions is never looked at, let
    alone run. What is keras.applications' is mapped to the zoo's model of the same name.

    Args:
        model: A card's name.
        weights: ``"imagenet"``, a file, or a run's folder.

    Raises:
        UsageError: They do not exist, or the file is damaged or of another kind.
        DlzooError: They cannot be downloaded.
    """
    require(model, weights)
    if str(weights) == "imagenet":
        yield "imagenet weights", _ours(_published(model))
        return
    path = file_of(weights)
    try:
        with _hdf5(path) as file:
            saved = _read(file)
            theirs = "predictions" in saved or any(name.endswith("_bn") for name in saved)
            mapped = _ours(saved) if model in IMAGENET and theirs else saved
            yield f"weights of {path}", mapped
    except UsageError:
        raise
    except Exception as error:  # whatever a damaged file makes of its readers
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UsageError(f"weights cannot be read from {path}: {first}") from error


def layer_name(key: str, given: str) -> str:
    """Return what a layer is called here: its name, or if Keras made that up, its key in files.

    Made-up names ("dense_57") count on through a process. A key ("dense_1") counts the layers of
    a class in one network.
    """
    made_up = re.sub(r"_\d+$", "", given) == re.sub(r"_\d+$", "", key)
    return key if made_up else given


@contextmanager
def _hdf5(path: Path) -> Iterator[Any]:
    import h5py

    source: Any = path
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            # Read as a whole: HDF5 jumps about, which took four times as long in the archive.
            source = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(source, "r") as file:
        yield file


def _read(group: Any, above: str = "") -> dict[str, Saved]:
    """Return what a network's group has for each layer; the arrays themselves stay unread."""
    found: dict[str, Saved] = {}
    for key, entry in _entries(group):
        name = above + layer_name(key, str(entry["vars"].attrs.get("name", key)))
        if "layers" in entry:
            found |= _read(entry, f"{name}/")
        elif arrays := dict(_arrays(entry)):
            found[name] = arrays
    return found


def _entries(group: Any) -> Iterator[tuple[str, Any]]:
    """Yield the layers and networks of a group, which may be in lists."""
    for key, at in _members(group):
        if key != "vars" and not key.endswith("optimizer") and hasattr(at, "keys"):
            if "vars" in at:
                yield key, at
            else:
                yield from _entries(at)


def _arrays(entry: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for key, at in _members(entry):
        if key == "vars" and len(at):
            yield path, dict(_members(at))
        elif key != "vars":
            yield from _arrays(at, f"{path}/{key}".lstrip("/"))


def _members(group: Any) -> Iterator[tuple[str, Any]]:
    """Yield what lies in the file itself: HDF5 can also refer to other files."""
    import h5py

    for key in group:
        at = group[key] if isinstance(group.get(key, getlink=True), h5py.HardLink) else None
        if at is None or (isinstance(at, h5py.Dataset) and (at.external or at.is_virtual)):
            raise ValueError(f"{group.name}/{key} refers to another file")
        yield key, at


def _published(model: str) -> dict[str, Saved]:
    """Return keras.applications' weights; Keras downloads them, checks them and keeps them."""
    import keras

    make = getattr(keras.applications, IMAGENET[model])
    try:
        with redirect_stdout(sys.stderr):  # the download's progress is no answer
            network = make(weights="imagenet")
    except Exception as error:
        raise DlzooError(f"cannot get the imagenet weights of {model}: {error}") from error
    return {
        layer.name: {"": {str(at): weight.numpy() for at, weight in enumerate(layer.weights)}}
        for layer in network.layers
        if layer.weights
    }


def _ours(theirs: dict[str, Saved]) -> dict[str, Saved]:
    """Return keras.applications' weights for the zoo's model of the same name.

    Its convolutions have a bias before each normalisation, which the paper's have not: normalising
    ``x + bias`` is normalising ``x`` with the bias taken from the mean. And what is more of its
    epsilon goes into the variance, which it is added to.

    Raises:
        UsageError: They are of another network.
    """
    found: dict[str, Saved] = {}
    for name, saved in theirs.items():
        ours = re.sub(r"^(conv\d_block\d+)_0_", r"\1_shortcut_", name)
        own = saved.get("", {})
        if name == "predictions":
            found |= _head(own)
        elif name.endswith("_bn"):
            convolution = theirs.get(name.replace("_bn", "_conv"), {}).get("", {})
            if "1" not in convolution or len(own) != 4:
                raise UsageError(
                    f"these weights are not of the same network in keras.applications: {name} does "
                    "not follow a convolution with a bias"
                )
            gamma, beta, mean, variance = (own[str(at)][...] for at in range(4))
            mean = mean - convolution["1"][...]
            variance = variance + (THEIR_EPSILON - OUR_EPSILON)
            arrays = (gamma, beta, mean, variance)
            found[ours.replace("_bn", "_norm")] = {"": {str(i): a for i, a in enumerate(arrays)}}
        elif name.endswith("_conv") and name.replace("_conv", "_bn") in theirs:
            found[ours] = {"": {"0": own["0"]}}
        else:
            found[ours] = saved
    return found


def _head(own: Mapping[str, Any]) -> dict[str, Saved]:
    if own["0"].shape[-1] != 2:
        return {"probabilities": {"": own}}
    # A softmax over two classes is a sigmoid of the difference, see zoo.layers.heads.
    pairs = {at: array[...] for at, array in own.items()}
    return {"probability": {"": {at: p[..., 1:] - p[..., :1] for at, p in pairs.items()}}}

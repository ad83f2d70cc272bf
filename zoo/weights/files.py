"""Files of weights: ``.keras`` and ``.weights.h5``, read layer by layer, arrays only."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from zoo.base.errors import UsageError, gist, suggestion
from zoo.base.files import is_file, is_folder
from zoo.weights.names import layer_name

SUFFIXES = (".keras", ".weights.h5")
GPT2_SUFFIX = ".safetensors"
"""Read for GPT-2 only, see `zoo.weights.gpt2`."""

# The weights of one layer: attribute -> number -> array. The attribute "" is the layer itself;
# a recurrent layer, for example, has most of its weights under "cell".
Saved = Mapping[str, Mapping[str, Any]]


def find_file(weights: str | Path) -> Path:
    """Return the file of weights that a path names: the file itself, or the one in a run's folder.

    Raises:
        UsageError: There is no such file, or it does not hold weights.
    """
    path = Path(weights)
    if is_folder(path):
        path /= "model.keras"
    if path.suffix and not path.name.endswith((*SUFFIXES, GPT2_SUFFIX)):
        raise UsageError(f"weights are in files that end in {' or '.join(SUFFIXES)}, got {path}")
    if not is_file(path):
        raise UsageError(f"there are no weights {path}.{suggestion(str(weights), ['imagenet'])}")
    return path


@contextmanager
def open_file(path: Path) -> Iterator[dict[str, Saved]]:
    """Yield the weights of each layer in a file, by the layer's name.

    Only arrays are read. The classes and functions that a file names are ignored, so that no code
    from it can run.

    Raises:
        UsageError: The file is damaged or of another kind.
    """
    try:
        with _open_hdf5(path) as file:
            yield _read_layers(file)
    except UsageError:
        raise
    except Exception as error:  # a damaged file can raise almost anything
        raise UsageError(f"weights cannot be read from {path}: {gist(error)}") from error


@contextmanager
def _open_hdf5(path: Path) -> Iterator[Any]:
    import h5py

    source: Any = path
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            # Read whole into memory: HDF5 seeks a lot, which took 4 times as long in the archive.
            source = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(source, "r") as file:
        yield file


def _read_layers(group: Any, above: str = "") -> dict[str, Saved]:
    """Return the weights of each layer in a network's group, as arrays that are not read yet."""
    found: dict[str, Saved] = {}
    for key, entry in _entries(group):
        name = above + layer_name(key, str(entry["vars"].attrs.get("name", key)))
        if "layers" in entry:
            found |= _read_layers(entry, f"{name}/")
        elif arrays := dict(_arrays(entry)):
            found[name] = arrays
    return found


def _entries(group: Any) -> Iterator[tuple[str, Any]]:
    """Yield the layers and networks of a group; lists of them are entered."""
    for key, at in _members(group):
        if key != "vars" and not key.endswith("optimizer") and hasattr(at, "keys"):
            if "vars" in at:
                yield key, at
            else:
                yield from _entries(at)


def _arrays(entry: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the arrays of a layer's entry, by the attribute that holds them."""
    for key, at in _members(entry):
        if key == "vars" and len(at):
            yield path, dict(_members(at))
        elif key != "vars":
            yield from _arrays(at, f"{path}/{key}".lstrip("/"))


def _members(group: Any) -> Iterator[tuple[str, Any]]:
    """Yield a group's members; a reference to another file, which HDF5 allows, is refused."""
    import h5py

    for key in group:
        at = group[key] if isinstance(group.get(key, getlink=True), h5py.HardLink) else None
        if at is None or (isinstance(at, h5py.Dataset) and (at.external or at.is_virtual)):
            raise ValueError(f"{group.name}/{key} refers to another file")
        yield key, at

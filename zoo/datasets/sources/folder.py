"""``folder:DIR``: images, a class in each sub-folder, with or without folders of splits above."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from recipes.recipe import Data
from zoo.base.errors import DlzooError, UsageError
from zoo.base.files import is_file, is_folder
from zoo.base.names import natural
from zoo.datasets.features.image import Image
from zoo.datasets.features.label import Label
from zoo.datasets.features.pictures import SUFFIXES, image, plain_format
from zoo.datasets.sources.base import Description
from zoo.datasets.sources.own import OwnSource, Scan, numbers_of

if TYPE_CHECKING:
    from zoo.datasets.split import Split

SPLIT_NAMES = {
    **dict.fromkeys(("train", "training"), 0),
    **dict.fromkeys(("validation", "valid", "val", "dev"), 1),
    **dict.fromkeys(("test", "testing"), 2),
}
"""Names of folders that are splits where one of them is the training split."""
SIZES = (32, 64, 96, 128, 160, 224)
"""Sides that images of several sizes are brought to by default: the nearest to their median."""
MOST_NAMED = 3
"""Files that a message names."""
READERS = 8
"""Threads that read files during a scan."""


class Picture(NamedTuple):
    """One image file, as its first bytes and its content tell."""

    path: str
    """Within the folder."""
    label: str
    split: int
    content: int
    height: int
    width: int
    grey: bool
    form: int
    """Which decoder reads it, see `zoo.datasets.features.decoding`."""
    fault: str
    """Why it cannot be read, or nothing."""


@dataclass(frozen=True, kw_only=True)
class Folder(OwnSource):
    """Images in folders that are named after their classes."""

    options: ClassVar[tuple[str, ...]] = ("split_seed", "skip_bad_files")
    noun: ClassVar[str] = "folder"

    def signature(self) -> Hashable:
        """Return the names, sizes and times of all files."""
        if not is_folder(self.path):
            what = "is a file, not a folder" if is_file(self.path) else "is not there"
            raise UsageError(f"{self.path} {what} ({self.data.name}, seen from {Path.cwd()})")
        states = ((str(path), path.stat() if path.exists() else None) for path in _files(self.path))
        return tuple((name, one and (one.st_size, one.st_mtime_ns)) for name, one in states)

    def scan(self) -> Scan:
        """Read every file once: its content's hash, and the size that its first bytes tell."""
        pictures, strangers = self.pictures()
        if self.data.skip_bad_files:
            pictures = self._decodable(pictures)
        bad = [one for one in pictures if one.fault]
        if bad and not self.data.skip_bad_files:
            raise DlzooError(
                f"{self.path / bad[0].path}: {bad[0].fault}"
                + (f" ({len(bad)} files cannot be read)" if len(bad) > 1 else "")
                + "; --skip-bad-files goes on without, dlzoo datasets check lists them all"
            )
        good = [one for one in pictures if not one.fault]
        if not good:
            raise UsageError(f"none of the {len(bad)} images in {self.path} can be read")
        told = [
            *(f"{one.path} is left out: {one.fault}" for one in bad),
            *_told_of_sizes(good),
        ]
        if strangers:
            told.append(f"{len(strangers)} files are no images and are left out: {_few(strangers)}")
        names = tuple(sorted({one.label for one in good}, key=natural))
        classed = names != ("",)
        if self.scored is not None and self.scored.targets:
            names = getattr(self.scored.features[self.scored.targets[0]], "names", names)
        numbers_of((one.label for one in good), names, self.data.name)
        if classed and len(names) < 2:
            raise UsageError(
                f"{self.path} has images of one class alone, '{names[0]}': two are needed"
            )
        index = {name: at for at, name in enumerate(names)}
        given = np.array([one.split for one in good], np.int8)
        sizes = {(one.height, one.width) for one in good}
        channels = 1 if all(one.grey for one in good) else 3
        features: dict[str, Any] = {
            "image": Image(raw_shape=(*next(iter(sizes)), channels))
            if len(sizes) == 1
            else Image(raw_shape=(None, None, channels), size=_side(good), resize="shorter-side")
        }
        if classed:
            features["label"] = Label(names=names)
        return Scan(
            features=features,
            inputs=("image",),
            targets=("label",) if classed else (),
            keys=[one.path for one in good],
            contents=np.array([one.content for one in good], np.uint64),
            strata=np.array([index[one.label] for one in good]),
            given=None if (given < 0).all() else given,
            in_memory=False,
            question=f"Which of {len(names)} classes is it?" if classed else "Images of no class.",
            told=tuple(told),
            labels=[one.label for one in good] if classed else None,
            skipped={one.path: one.fault for one in bad},
            facts={"pictures": good, "strangers": strangers},
        )

    def pictures(self) -> tuple[list[Picture], list[str]]:
        """Return the images in natural order, and the other files.

        Raises:
            UsageError: The folder holds no images, or images stand beside the folders of classes.
        """
        files = sorted(_files(self.path), key=lambda path: natural(str(path)))
        images = [path for path in files if path.suffix.lower() in SUFFIXES]
        others = [path for path in files if path.suffix.lower() not in SUFFIXES]
        strangers = [str(path.relative_to(self.path)) for path in others]
        if not images:
            raise UsageError(
                f"there are no images in {self.path}; it takes {', '.join(SUFFIXES)} in a "
                "sub-folder for each class"
            )
        places = [path.relative_to(self.path).parts for path in images]
        tops = {parts[0] for parts in places if len(parts) > 1}
        divided = 0 in {SPLIT_NAMES.get(top.lower()) for top in tops}
        odd = sorted(top for top in tops if divided and top.lower() not in SPLIT_NAMES)
        if odd:
            raise UsageError(
                f"{self.path} has folders of splits and others beside them: {_few(odd)}; "
                "a class goes into the folder of a split"
            )
        depth = 1 if divided else 0
        loose = ["/".join(parts) for parts in places if len(parts) < depth + 2]
        if loose and (divided or len(loose) < len(places)):
            raise UsageError(
                f"{len(loose)} images in {self.path} are in no class's folder: {_few(loose)}"
            )
        told = [
            (
                "" if len(parts) < depth + 2 else parts[depth],
                SPLIT_NAMES[parts[0].lower()] if divided else -1,
            )
            for parts in places
        ]
        with ThreadPoolExecutor(READERS) as pool:
            found = pool.map(lambda one: _picture(self.path, one), zip(images, told, strict=True))
            return list(found), strangers

    def split(self, places: np.ndarray, described: Description) -> Split:
        """Return the images at some places, which are read whenever they are used."""
        import tensorflow as tf

        from zoo.datasets.features.decoding import decoded
        from zoo.datasets.split import Split

        scan = self.scanned()
        chosen: Sequence[Picture] = [scan.facts["pictures"][at] for at in places]
        with tf.device("CPU:0"):
            paths = tf.constant([os.fsencode(self.path / one.path) for one in chosen])
            forms = tf.constant([one.form for one in chosen])
        known: dict[str, Any] = {}
        for name in described.targets:
            names = getattr(described.features[name], "names", ())
            known[name] = numbers_of((one.label for one in chosen), names, self.data.name)
        held = {name: tf.constant(values) for name, values in known.items()}
        shape = described.features["image"].shape_as_it_comes()

        def read(place: Any) -> dict[str, Any]:
            image = decoded(paths[place], forms[place], channels=int(shape[-1] or 3))
            image = tf.ensure_shape(image, self._shape(shape))
            return {"image": image, **{name: values[place] for name, values in held.items()}}

        return Split.by_place(len(chosen), read, known)

    def _shape(self, described: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the images as they are here: a run's were perhaps of one size."""
        own = self.scanned().features["image"].shape_as_it_comes()
        return (*own[:2], described[-1])

    def find_faults(self, progress: Callable[[int], None] = lambda done: None) -> dict[str, str]:
        """Return why images cannot be read, by their paths: every one is decoded for this."""
        pictures = self._decodable(self.pictures()[0], progress)
        return {one.path: one.fault for one in pictures if one.fault}

    def prints(self) -> tuple[np.ndarray, np.ndarray]:
        """Return 64 bits for each picture, in which pictures that look alike hardly differ.

        A bit says whether brightness falls from one of 8 rows of 9 squares to the next square.
        Beside them the pictures themselves, (N, 16, 16, 3) bytes, to be sure.
        """
        from PIL import Image as Pillow

        def bits(one: Picture) -> tuple[int, np.ndarray]:
            with Pillow.open(self.path / one.path) as opened:
                opened.draft("RGB", (64, 64))  # JPEG is decoded small at once
                picture = opened.convert("RGB")
            small = picture.convert("L").resize((9, 8), Pillow.Resampling.BOX)
            values = np.asarray(small, np.int16)
            seen = np.asarray(picture.resize((16, 16), Pillow.Resampling.BOX))
            return int.from_bytes(np.packbits(values[:, 1:] < values[:, :-1]).tobytes()), seen

        with ThreadPoolExecutor(READERS) as pool:
            found = list(pool.map(bits, self.scanned().facts["pictures"]))
        return np.array([one[0] for one in found], np.uint64), np.stack([one[1] for one in found])

    def _decodable(
        self, pictures: Sequence[Picture], progress: Callable[[int], None] = lambda done: None
    ) -> list[Picture]:
        """Return pictures with the faults that only decoding shows."""

        def decode(one: Picture) -> str:
            if one.fault:
                return one.fault
            try:
                image((self.path / one.path).read_bytes(), one.path, grey=one.grey)
            except (DlzooError, OSError) as error:
                return str(error).removeprefix(f"{one.path} ")
            return ""

        found = []
        with ThreadPoolExecutor(READERS) as pool:
            for at, fault in enumerate(pool.map(decode, pictures)):
                progress(at + 1)
                found.append(pictures[at]._replace(fault=fault))
        return found


def _files(folder: Path) -> Iterator[Path]:
    """Yield all files below a folder but hidden ones, and links to nothing; none to folders."""
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(here) / name
            if not name.startswith(".") and (is_file(path) or path.is_symlink()):
                yield path


def _picture(folder: Path, found: tuple[Path, tuple[str, int]]) -> Picture:
    path, (label, split) = found
    name = str(path.relative_to(folder))
    try:
        content = path.read_bytes()
        height, width, grey, form = plain_format(content, name)
        fault = ""
    except (DlzooError, OSError) as error:
        content, (height, width, grey, form) = b"", (0, 0, True, 0)
        fault = getattr(error, "strerror", None) or str(error).removeprefix(f"{name} ")
    digest = hashlib.blake2b(content, digest_size=8).digest()
    return Picture(name, label, split, int.from_bytes(digest), height, width, grey, form, fault)


def _side(pictures: Sequence[Picture]) -> tuple[int, int]:
    """Return the size that images of several sizes are brought to by default."""
    middle = median(min(one.height, one.width) for one in pictures)
    side = min(SIZES, key=lambda size: abs(size - middle))
    return side, side


def _told_of_sizes(pictures: Sequence[Picture]) -> list[str]:
    """Return what will be converted, a line each."""
    told = []
    sizes = Counter((one.height, one.width) for one in pictures)
    if len(sizes) > 1:
        heights, widths = zip(*sizes, strict=True)
        told.append(
            f"images are of {len(sizes)} sizes, {min(heights)} to {max(heights)} high and "
            f"{min(widths)} to {max(widths)} wide, and are brought to one"
        )
    grey = sum(one.grey for one in pictures)
    if 0 < grey < len(pictures):
        told.append(f"{grey} of {len(pictures)} images are grey and are made colour")
    return told


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:MOST_NAMED]) + ", …" * (len(names) > MOST_NAMED)


def open_folder(data: Data, path: str) -> Folder:
    """Return the source that ``folder:PATH`` names."""
    return Folder(data=data, path=Path(path))

"""Data sets that come through tensorflow-datasets, which downloads and keeps them."""

from __future__ import annotations

import contextlib
import itertools
import logging
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.base.errors import DlzooError, UsageError, gist
from zoo.base.runtime import start_tensorflow
from zoo.datasets.sources.base import Description, Loaded, Source
from zoo.datasets.sources.network import unreachable

if TYPE_CHECKING:
    from zoo.datasets.split import Split

FILE = Path(__file__).with_suffix(".toml")
OFFLINE = "digits, iris, languages"
"""Some data sets that need no network."""
PART = 50_000
"""Examples on disk that are read one after the other; the parts of a split are mixed."""


@dataclass(frozen=True, kw_only=True)
class TensorFlowDataset(Source):
    """One data set of tensorflow-datasets.

    Its own training split is divided: the end of it becomes the validation split.
    """

    description: Description
    builder: str
    """Its name and version there, such as ``mnist:3.0.1``."""
    test: str
    """Its split that is tested on."""
    archives: tuple[str, ...] = ()
    """Files that the user has to download."""
    encoded: tuple[str, ...] = ()
    """Columns that are kept as they are stored, and decoded whenever an example is read."""

    def describe(self) -> Description:
        """Return the entry of tfds.toml."""
        return self.description

    def fingerprint(self) -> str:
        """Return the name and version."""
        return self.builder

    def is_prepared(self) -> bool:
        """Return whether it was downloaded before."""
        start_tensorflow()
        with self.one_line_errors():
            return bool(self._builder().is_prepared())

    def load(self) -> Loaded:
        """Return the splits, downloaded if they are not there yet."""
        start_tensorflow()
        sizes = self.description.sizes
        with self.one_line_errors():
            builder = self._builder()
            if not builder.is_prepared():
                self._require_archives(builder)
                self.require_network(builder)
                self.prepare(builder)
            train, validation = sizes["train"], sizes["validation"]
            make = self._in_memory if self.description.in_memory else self._on_disk
            splits = {
                "train": make(builder, "train", 0, train),
                "validation": make(builder, "train", train, train + validation),
                "test": make(builder, self.test, 0, sizes["test"]),
            }
        features = dict(self.description.features)
        for name in self.description.targets:
            names = getattr(builder.info.features[name], "names", None)
            if names:
                features[name] = features[name].with_names(names)
        return Loaded(splits, features)

    def _builder(self) -> Any:
        import tensorflow_datasets

        if not sys.stderr.isatty():  # its bars are escape codes
            tensorflow_datasets.disable_progress_bar()
        return tensorflow_datasets.builder(self.builder)

    @contextlib.contextmanager
    def one_line_errors(self) -> Iterator[None]:
        """Keep standard output clean, and say in one line what fails and what can be done."""
        # They warn that what is not downloaded yet is not there, and of every attempt.
        logs = [logging.getLogger(name) for name in ("absl", "urllib3")]
        levels = [log.level for log in logs]
        for log in logs:
            log.setLevel(logging.ERROR)
        try:
            with contextlib.redirect_stdout(sys.stderr):
                yield
        except DlzooError:
            raise
        except Exception as error:  # the network's, the disk's, tensorflow-datasets' own
            raise DlzooError(
                f"tensorflow-datasets cannot get {self.description.name}: "
                f"{type(error).__name__}: {gist(error)}. "
                f"The first use {self.description.first_use}; "
                "later uses find it in TFDS_DATA_DIR or ~/tensorflow_datasets"
            ) from error
        finally:
            for log, level in zip(logs, levels, strict=True):
                log.setLevel(level)

    def prepare(self, builder: Any) -> None:
        """Download and prepare the data."""
        import tensorflow_datasets

        # Some versions look first whether Google's bucket has the data prepared: a minute, offline.
        config = tensorflow_datasets.download.DownloadConfig(try_download_gcs=False)
        builder.download_and_prepare(download_config=config)

    def require_network(self, builder: Any) -> None:
        """Raise a `DlzooError` if files are missing and no host that has them answers."""
        from tensorflow_datasets.core.download.resource import get_dl_fname

        if self.archives:
            return
        folder = builder.data_dir_root / "downloads"
        missing = [
            url
            for url, file in (builder.url_infos or {}).items()
            if not (folder / get_dl_fname(url, file.checksum)).exists()
        ]
        fault = unreachable(missing)
        if fault is not None:
            raise DlzooError(
                f"{self.description.name} is not on this machine and cannot be downloaded "
                f"({fault}); its first use {self.description.first_use}. Data sets that come with "
                f"dlzoo need no network: {OFFLINE} and others, see dlzoo datasets"
            )

    def _require_archives(self, builder: Any) -> None:
        """Raise a `UsageError` that says what to download, and where to put it."""
        folder = builder.data_dir_root / "downloads" / "manual"
        missing = [name for name in self.archives if not (folder / name).exists()]
        if missing:
            raise UsageError(
                f"download {self.description.name} yourself: put {' and '.join(missing)} into "
                f"{folder} (see {self.description.url}; TFDS_DATA_DIR chooses another folder than "
                f"{builder.data_dir_root})"
            )

    def _raw(self, builder: Any, split: str, start: int, stop: int) -> Any:
        """Return a `tf.data.Dataset` of the described columns, in the order of the disk."""
        import tensorflow_datasets

        # One file after the other, so that the order does not depend on how many are read at once.
        config = tensorflow_datasets.ReadConfig(interleave_cycle_length=1, try_autocache=False)
        skip = {name: tensorflow_datasets.decode.SkipDecoding() for name in self.encoded}
        examples = builder.as_dataset(
            split=f"{split}[{start}:{stop}]",
            shuffle_files=False,
            read_config=config,
            decoders=skip or None,
        )
        return examples.map(lambda one: {name: one[name] for name in self.description.features})

    def _in_memory(self, builder: Any, split: str, start: int, stop: int) -> Split:
        from zoo.datasets.split import Split

        parts = list(self._raw(builder, split, start, stop).batch(4096).as_numpy_iterator())
        return Split.in_memory(
            {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        )

    def _on_disk(self, builder: Any, split: str, start: int, stop: int) -> Split:
        from zoo.datasets.split import Split

        def decode(example: Mapping[str, Any]) -> dict[str, Any]:
            features = builder.info.features
            read = {name: features[name].decode_example(example[name]) for name in self.encoded}
            return {**example, **read}

        bounds = [*range(start, stop, PART), stop]
        return Split.on_disk(
            [self._raw(builder, split, *ends) for ends in itertools.pairwise(bounds)], decode
        )


@cache
def openers() -> Mapping[str, Callable[[], Source]]:
    """Return a function that opens each data set, by name."""
    tables: dict[str, dict[str, Any]] = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return {name: partial(_open, name, facts) for name, facts in tables.items()}


def _open(name: str, facts: dict[str, Any]) -> Source:
    facts = dict(facts)
    own = facts.pop("tfds")
    return TensorFlowDataset(
        description=Description.of_table(name, facts, origin="tensorflow-datasets"),
        builder=own["builder"],
        test=own["test"],
        archives=tuple(own.get("archives", ())),
        encoded=tuple(own.get("encoded", ())),
    )

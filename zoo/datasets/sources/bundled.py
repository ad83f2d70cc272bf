"""The data sets that come with dlzoo: small files, each with its checksum and licence."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import textwrap
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from zoo.base.errors import DlzooError
from zoo.datasets.sources.base import Description, Loaded, Source
from zoo.datasets.spec import SPLITS

EXAMPLES = 5
"""That are shown of a data set."""
LINE = 100
"""Characters of an example that are shown."""
FOLDER = Path(__file__).parent / "bundled"


@dataclass(frozen=True, kw_only=True)
class Bundled(Source):
    """One CSV file, of which the first column says which split a row belongs to."""

    description: Description
    path: Path
    sha256: str
    divisors: Mapping[str, float]
    """By column: the file's numbers are divided by it."""

    def describe(self) -> Description:
        """Return the entry of index.toml."""
        return self.description

    def fingerprint(self) -> str:
        """Return the file's SHA-256."""
        return self.sha256

    def load(self) -> Loaded:
        """Read the file, once its checksum is right."""
        from zoo.datasets.split import Split

        header, *body = self._rows()
        features = self.description.features
        named = {name: [header.index(name)] for name in features if name in header}
        # The input's values stand in all the columns that no other feature is called by.
        taken = {0, *(at for places in named.values() for at in places)}
        rest = [at for at in range(len(header)) if at not in taken]
        columns: dict[str, np.ndarray] = {}
        for name, feature in features.items():
            places = named.get(name, rest)
            values = feature.parse([[row[at] for at in places] for row in body])
            divisor = self.divisors.get(name)
            columns[name] = values if divisor is None else values / np.float32(divisor)
        where = np.array([row[0] for row in body])
        splits = {}
        for split in SPLITS:
            # A truth table is whole in every split: there is nothing else to test it on.
            chosen = (where == split) | (where == "all")
            splits[split] = Split.in_memory({name: v[chosen] for name, v in columns.items()})
        return Loaded(splits, features)

    def examples(self) -> list[str]:
        """Return the first training examples where each is one line."""
        header, *body = self._rows()
        columns = [*self.description.inputs, *self.description.targets]
        if not set(columns) <= set(header):
            return []
        train = [row for row in body if row[0] == "train"][:EXAMPLES]
        lines = [": ".join(row[header.index(name)] for name in columns) for row in train]
        return [textwrap.shorten(line, LINE, placeholder=" …") for line in lines]

    def _rows(self) -> list[list[str]]:
        return list(csv.reader(io.StringIO(self._text())))

    def _text(self) -> str:
        name = self.description.name
        try:
            content = self.path.read_bytes()
        except OSError as error:
            raise DlzooError(
                f"data set {name} cannot be read: {self.path}: {error.strerror}. "
                "Install dlzoo again."
            ) from None
        digest = hashlib.sha256(content).hexdigest()
        if digest != self.sha256:
            raise DlzooError(
                f"data set {name} is damaged: {self.path} has SHA-256 {digest}, "
                f"expected {self.sha256}. Install dlzoo again."
            )
        return (gzip.decompress(content) if self.path.suffix == ".gz" else content).decode("utf-8")


@cache
def openers() -> Mapping[str, Callable[[], Source]]:
    """Return a function that opens each bundled data set, by name."""
    tables: dict[str, dict[str, Any]] = tomllib.loads(
        (FOLDER / "index.toml").read_text(encoding="utf-8")
    )
    return {name: partial(_open, name, facts) for name, facts in tables.items()}


def _open(name: str, facts: dict[str, Any]) -> Source:
    facts = dict(facts)
    return Bundled(
        path=FOLDER / facts.pop("file"),
        sha256=facts.pop("sha256"),
        divisors=facts.pop("divisors", {}),
        description=Description.of_table(name, facts, origin="bundled"),
    )

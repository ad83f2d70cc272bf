"""A few of the digits as a data set of their own: for large networks, and odd sizes of splits."""

from __future__ import annotations

from zoo.datasets.loading import load
from zoo.datasets.sources import open_source
from zoo.datasets.sources.base import Description, Loaded, Source
from zoo.datasets.split import Split

SIZES = {"train": 10, "validation": 5, "test": 3}


class FewDigits(Source):
    """The first digits of each split."""

    name = "few-digits"

    def describe(self) -> Description:
        """Return the digits' description with another name and other sizes."""
        values = {**vars(open_source("digits").describe()), "name": self.name, "sizes": SIZES}
        return Description(**{**values, "rows": sum(SIZES.values())})

    def load(self) -> Loaded:
        """Return the first examples of each split."""
        whole = load("digits")
        splits = {
            name: Split.in_memory(next(iter(whole.split(name).chunks(size))))
            for name, size in SIZES.items()
        }
        return Loaded(splits, self.describe().features)

    def fingerprint(self) -> str:
        """Return the digits' own."""
        return open_source("digits").fingerprint()

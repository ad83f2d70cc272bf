"""Data sets that are computed when they are loaded: nothing is downloaded or shipped.

Each is the same on every machine: what is random is drawn from a fixed seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from zoo.datasets.features.number import Number
from zoo.datasets.features.series import Series
from zoo.datasets.sources.base import Description, Loaded, Source
from zoo.datasets.spec import SPLITS

Columns = Mapping[str, np.ndarray]
Compute = Callable[[int], Mapping[str, Columns]]
"""From the length of a series to the columns of each split."""


@dataclass(frozen=True, kw_only=True)
class Computed(Source):
    """Series of the length that a recipe asks for, each with one number to be told."""

    description: Description
    compute: Compute
    version: int
    """Raised when other examples are computed."""

    def describe(self) -> Description:
        """Return what is known beforehand."""
        return self.description

    def fingerprint(self) -> str:
        """Return the name and the version."""
        return f"{self.description.name} {self.version}"

    def load(self) -> Loaded:
        """Compute the examples at the default length."""
        return self.load_as(self.description)

    def load_as(self, described: Description) -> Loaded:
        """Compute the examples at the length that a description asks for."""
        from zoo.datasets.split import Split

        length = described.features["series"].shape[0]
        assert length is not None
        splits = {name: Split.in_memory(found) for name, found in self.compute(length).items()}
        return Loaded(splits, self.description.features)


# The adding problem.

ADDING = {"train": 50_000, "validation": 2_000, "test": 4_000}
_ADDING_SEED = 1997


def adding(length: int) -> dict[str, Columns]:
    """Return series of pairs (value, marker), and the sum of the two values that are marked.

    Values are uniform in [0, 1]. One marker is 1 in each half of the series, all others are 0.

    Args:
        length: Steps, at least 2.
    """
    if length < 2:
        raise ValueError(f"length: the adding problem needs at least 2 steps, got {length}")
    splits: dict[str, Columns] = {}
    for number, (name, size) in enumerate(ADDING.items()):
        draw = np.random.default_rng([_ADDING_SEED, number, length])
        values = draw.random((size, length), np.float32)
        half = length // 2
        first = (draw.random(size) * half).astype(int)
        second = half + (draw.random(size) * (length - half)).astype(int)
        markers = np.zeros((size, length), np.float32)
        rows = np.arange(size)
        markers[rows, first] = markers[rows, second] = 1.0
        splits[name] = {
            "series": np.stack([values, markers], axis=-1),
            "target": values[rows, first] + values[rows, second],
        }
    return splits


# The Mackey-Glass series.

MACKEY_GLASS = {"train": 3_000, "validation": 500, "test": 1_000}
TAU = 17.0
"""The delay, in units of time: the series is chaotic from about 16.8 on."""
EVERY = 6
"""Units of time from one value to the next, as Lapedes and Farber 1987 take them."""
_STEPS = 10
"""Of the integration, in a unit of time."""
_BEFORE = 500
"""Units of time that are left out, until the series has forgotten how it began."""


def mackey_glass(length: int) -> dict[str, Columns]:
    """Return windows of the series, each with the value that follows it.

    The splits are successive parts of one series: no value is in two of them.

    Args:
        length: Values in a window.
    """
    series = mackey_glass_series(sum(MACKEY_GLASS.values()) + len(SPLITS) * length)
    splits: dict[str, Columns] = {}
    begin = 0
    for name, size in MACKEY_GLASS.items():
        part = series[begin : begin + size + length]
        windows = np.lib.stride_tricks.sliding_window_view(part[:-1], length)
        splits[name] = {"series": windows[..., None], "target": part[length:]}
        begin += size + length
    return splits


def mackey_glass_series(count: int) -> np.ndarray:
    """Return that many values, float32, of dx/dt = 0.2 x(t - τ) / (1 + x(t - τ)^10) - 0.1 x(t).

    It is integrated by the Runge-Kutta method of order 4 from x = 1.2.
    """
    delay, step = round(TAU * _STEPS), 1.0 / _STEPS
    x = [1.2] * (delay + 1)

    def change(now: float, past: float) -> float:
        square = past * past
        fourth = square * square
        return 0.2 * past / (1.0 + fourth * fourth * square) - 0.1 * now

    for _ in range((_BEFORE + EVERY * count) * _STEPS):
        now, past, after = x[-1], x[-1 - delay], x[-delay]
        middle = 0.5 * (past + after)
        k1 = change(now, past)
        k2 = change(now + 0.5 * step * k1, middle)
        k3 = change(now + 0.5 * step * k2, middle)
        k4 = change(now + step * k3, after)
        x.append(now + step / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4))
    apart = EVERY * _STEPS
    return np.array(x[-apart * count :: apart], np.float32)


def openers() -> Mapping[str, Callable[[], Source]]:
    """Return a function that opens each computed data set, by name."""
    return {
        "adding": partial(
            Computed,
            compute=adding,
            version=1,
            description=Description(
                name="adding",
                title="The adding problem",
                question="What is the sum of the two numbers that are marked in a long series?",
                note="Mean squared errors on the test part: 0.169 by always answering 1, the mean, "
                "and 0.165 by linear regression on all values and markers at a length of 60. No "
                "series of the test part was trained on.",
                features={
                    "series": Series(channels=("value", "marker"), length=60, standardised=False),
                    "target": Number(),
                },
                inputs=("series",),
                targets=("target",),
                sizes=ADDING,
                rows=sum(ADDING.values()),
                source="Hochreiter and Schmidhuber 1997, section 5.4, in the form of Le, Jaitly "
                "and Hinton 2015: values in [0, 1], one marker in each half",
                url="https://doi.org/10.1162/neco.1997.9.8.1735",
                licence="none: computed from a seed",
                citation="Hochreiter, S. and Schmidhuber, J. (1997). Long short-term memory. "
                "Neural Computation 9(8), 1735-1780. https://doi.org/10.1162/neco.1997.9.8.1735",
                origin="computed",
            ),
        ),
        "mackey-glass": partial(
            Computed,
            compute=mackey_glass,
            version=1,
            description=Description(
                name="mackey-glass",
                title="The Mackey-Glass series",
                question="What is the next value of a chaotic series?",
                note="Mean squared errors on the test part: 0.0343 by repeating the last value, "
                "0.0043 by linear regression on windows of 24, 0.0002 by what followed the most "
                "similar window of the training part. No value is in two parts.",
                features={
                    "series": Series(channels=("x",), length=24),
                    "target": Number(),
                },
                inputs=("series",),
                targets=("target",),
                sizes=MACKEY_GLASS,
                rows=sum(MACKEY_GLASS.values()),
                source="The delay differential equation of Mackey and Glass 1977 with a delay of "
                "17, integrated here; a value every 6 units of time. The splits are successive "
                "parts of one series",
                url="https://doi.org/10.1126/science.267326",
                licence="none: computed",
                citation="Mackey, M. C. and Glass, L. (1977). Oscillation and chaos in "
                "physiological control systems. Science 197(4300), 287-289. "
                "https://doi.org/10.1126/science.267326",
                origin="computed",
            ),
        ),
    }

"""Dividing a source of the user's own: stratified, seeded, and without leaks between the parts."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

SHARES = (0.8, 0.1, 0.1)
"""Of training, validation and test, where the source does not say which example is what."""
TRAIN, VALIDATION, TEST = range(3)
LEFT_OUT = -1
"""Marks an example that is in no split."""
BINS = 10
"""Of equal size and at least as many examples each, by which numbers are stratified."""


def assign(
    contents: np.ndarray,
    strata: np.ndarray,
    *,
    groups: Sequence[Hashable] | None = None,
    given: np.ndarray | None = None,
    seed: int = 0,
) -> np.ndarray:
    """Return the split of each example: 0, 1 or 2 of `zoo.datasets.spec.SPLITS`, or `LEFT_OUT`.

    Examples of the same content, and those of one group, are never in two splits. A class of at
    least three units (a unit is what has to stay together) is in all three splits.

    Args:
        contents: (N,) a hash of each example's content.
        strata: (N,) whole numbers: the class, or the bin of the number that is asked for.
        groups: (N,) what has to stay together besides; None: nothing.
        given: (N,) the splits that the source itself names. An example whose content stands in
            several of them is kept in the last, and left out of the others. A validation or a test
            split that is not there is taken from the training split.
        seed: Of the draw. The order of the examples does not matter to it.
    """
    units = _units(contents, groups)
    if given is None:
        return _drawn(units, strata, SHARES, seed)
    assigned = given.astype(np.int8)
    last = np.full(units.max(initial=0) + 1, -1, np.int8)
    np.maximum.at(last, units, assigned)
    assigned[assigned < last[units]] = LEFT_OUT
    missing = [split for split in (VALIDATION, TEST) if not (given == split).any()]
    if missing:
        shares = tuple(SHARES[split] if split in missing else 0.0 for split in range(3))
        pool = np.flatnonzero(assigned == TRAIN)
        _, relabelled = np.unique(units[pool], return_inverse=True)
        assigned[pool] = _drawn(relabelled, strata[pool], shares, seed)
    return assigned


def bins(values: np.ndarray) -> np.ndarray:
    """Return the bin of each number, by which splits of a regression are stratified."""
    # A bin gives at least one example to every split: small ones would give half of themselves.
    count = max(1, min(BINS, len(values) // BINS))
    edges = np.quantile(values, np.linspace(0.0, 1.0, count + 1)[1:-1])
    return np.searchsorted(edges, values, side="right")


def _units(contents: np.ndarray, groups: Sequence[Hashable] | None) -> np.ndarray:
    """Return the number of each example's unit, in an order that the contents decide."""
    _, units = np.unique(contents, return_inverse=True)
    if groups is None:
        return np.asarray(units)
    # Examples of one content join their groups: union and find.
    above = list(range(units.max(initial=0) + 1))

    def top(unit: int) -> int:
        while above[unit] != unit:
            above[unit] = above[above[unit]]
            unit = above[unit]
        return unit

    first: dict[Hashable, int] = {}
    for unit, group in zip(units.tolist(), groups, strict=True):
        one, other = top(unit), top(first.setdefault(group, unit))
        above[max(one, other)] = min(one, other)
    _, joined = np.unique([top(unit) for unit in units.tolist()], return_inverse=True)
    return np.asarray(joined)


def _drawn(
    units: np.ndarray, strata: np.ndarray, shares: tuple[float, ...], seed: int
) -> np.ndarray:
    """Return a split for each example, drawn unit by unit within each stratum."""
    assigned = np.full(len(units), TRAIN, np.int8)
    if not len(units):
        return assigned
    sizes = np.bincount(units)
    # A unit of several strata, such as a group, belongs to that of its first example.
    _, firsts = np.unique(units, return_index=True)
    of_unit = strata[firsts]
    order = np.random.default_rng(seed).permutation(len(sizes))
    split_of = np.full(len(sizes), TRAIN, np.int8)
    for stratum in np.unique(of_unit):
        members = order[of_unit[order] == stratum]
        rows = int(sizes[members].sum())
        free = list(members)
        for split in (TEST, VALIDATION):
            if not shares[split] or len(free) < 2:
                continue
            wanted, taken = max(1, round(shares[split] * rows)), 0
            kept: list[int] = []
            for place, unit in enumerate(free):
                # The last unit stays in the training split; a large one is not cut.
                last = place == len(free) - 1 and not kept
                if not last and taken + sizes[unit] / 2 <= wanted and taken < wanted:
                    split_of[unit] = split
                    taken += int(sizes[unit])
                else:
                    kept.append(unit)
            if not taken:  # every unit is larger than the share: the smallest will do
                smallest = min(kept, key=lambda unit: sizes[unit])
                split_of[smallest] = split
                kept.remove(smallest)
            free = kept
    return split_of[units]

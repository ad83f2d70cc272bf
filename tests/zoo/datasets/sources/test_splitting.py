"""Dividing a source: every class everywhere, nothing in two splits, the same every time."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.datasets.sources.splitting import LEFT_OUT, TEST, TRAIN, VALIDATION, assign, bins


def contents(count: int) -> np.ndarray:
    return np.arange(count, dtype=np.uint64) * np.uint64(7919)


def test_shares_are_kept_in_every_class() -> None:
    strata = np.repeat([0, 1], [200, 40])
    assigned = assign(contents(240), strata)
    for stratum, size in ((0, 200), (1, 40)):
        counts = np.bincount(assigned[strata == stratum], minlength=3)
        assert counts.tolist() == [0.8 * size, 0.1 * size, 0.1 * size]


@pytest.mark.parametrize(("rows", "splits"), [(1, {0}), (2, {0, 2}), (3, {0, 1, 2})])
def test_a_class_of_few_is_in_training_first(rows: int, splits: set[int]) -> None:
    assert set(assign(contents(rows), np.zeros(rows, int)).tolist()) == splits


def test_the_same_content_is_never_in_two_splits() -> None:
    same = np.repeat(contents(50), 4)
    assigned = assign(same, np.zeros(200, int))
    for content in np.unique(same):
        assert len(set(assigned[same == content].tolist())) == 1


def test_groups_stay_together_and_those_that_share_content_too() -> None:
    draw = np.random.default_rng(0)
    groups = draw.integers(0, 40, 400)
    found = contents(400)
    found[10] = found[390]
    assigned = assign(found, draw.integers(0, 2, 400), groups=groups.tolist())
    assert {0, 1, 2} == set(assigned.tolist())
    for group in np.unique(groups):
        assert len(set(assigned[groups == group].tolist())) == 1
    assert assigned[10] == assigned[390]


def test_the_order_of_the_examples_does_not_matter_and_the_seed_does() -> None:
    strata = np.arange(300) % 3
    order = np.random.default_rng(0).permutation(300)
    whole = assign(contents(300), strata)
    assert (assign(contents(300)[order], strata[order]) == whole[order]).all()
    assert (assign(contents(300), strata, seed=1) != whole).any()


def test_given_splits_are_kept_and_a_double_stays_in_the_last() -> None:
    found = contents(100)
    found[0] = found[99]
    given = np.repeat([TRAIN, TEST], [80, 20])
    assigned = assign(found, np.arange(100) % 2, given=given)
    assert assigned[0] == LEFT_OUT
    assert (assigned[80:] == TEST).all()
    assert (assigned[:80] == VALIDATION).sum() == 8  # it was missing, and is taken from training
    assert (assigned[1:80] <= VALIDATION).all()


def test_numbers_are_divided_by_their_size() -> None:
    values = np.random.default_rng(0).lognormal(size=1000)
    assert np.bincount(bins(values)).tolist() == [100] * 10
    assert np.bincount(bins(values[:40])).tolist() == [10] * 4
    assert not bins(values[:5]).any()

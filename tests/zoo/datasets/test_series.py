"""Series as a column, and the data sets of series that are computed."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from zoo.base.errors import UsageError
from zoo.datasets.features import from_dict
from zoo.datasets.features.series import Series
from zoo.datasets.loading import load
from zoo.datasets.sources import open_source
from zoo.datasets.sources.computed import adding, mackey_glass, mackey_glass_series

NOTHING = io.BytesIO()


def pairs(**fields: object) -> Series:
    """Two channels of series of four steps, fitted."""
    values = np.arange(24, dtype=np.float32).reshape(3, 4, 2)
    return Series(channels=("a", "b"), **fields).fit([values])  # type: ignore[arg-type]


def test_channels_are_standardised_each_by_its_own_figures() -> None:
    values = np.arange(24, dtype=np.float32).reshape(3, 4, 2)
    encoded = np.asarray(pairs().encode(values))
    np.testing.assert_allclose(encoded.mean(axis=(0, 1)), 0.0, atol=1e-6)
    np.testing.assert_allclose(encoded.std(axis=(0, 1)), 1.0, rtol=1e-6)
    np.testing.assert_allclose(pairs().decode(encoded), values, rtol=1e-5, atol=1e-5)


def test_what_is_not_standardised_is_left_as_it_is() -> None:
    values = np.arange(24, dtype=np.float32).reshape(3, 4, 2)
    feature = pairs(standardised=False)
    np.testing.assert_array_equal(feature.encode(values), values)
    np.testing.assert_array_equal(feature.decode(values), values)


def test_a_length_keeps_the_last_steps() -> None:
    feature = pairs(length=2)
    assert feature.shape == (2, 2)
    longer = np.arange(10, dtype=np.float32).reshape(1, 5, 2)
    np.testing.assert_array_equal(feature.encode(longer), feature.encode(longer[:, -2:]))
    np.testing.assert_array_equal(feature.as_raw(longer), longer[:, -2:])


def test_a_constant_channel_can_be_standardised() -> None:
    feature = Series(channels=("a",)).fit([np.full((2, 3, 1), 7.0, np.float32)])
    np.testing.assert_array_equal(feature.encode(np.full((1, 3, 1), 7.0)), np.zeros((1, 3, 1)))


def test_it_travels_as_json() -> None:
    assert from_dict(pairs().as_dict()) == pairs()


def test_samples_fit_the_signature() -> None:
    feature = pairs()
    sample = feature.sample(5)
    wanted = feature.signature("series")
    assert wanted.shape.is_compatible_with(sample.shape)
    assert wanted.dtype == sample.dtype
    np.testing.assert_array_equal(sample, feature.sample(5))


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 1), (4,), (4, 1)])
def test_of_one_channel_the_last_axis_may_be_left_out(shape: tuple[int, ...]) -> None:
    feature = Series(channels=("x",), length=4)
    assert feature.as_raw(np.zeros(shape)).shape == (3 if shape[0] == 3 else 1, 4, 1)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((2, 3, 2)), "expected at least 4 steps, got 3"),
        (np.zeros((2, 4, 3)), "expected series (N, steps, 2) of a, b, got shape (2, 4, 3)"),
        (["a"], "expected numbers"),
    ],
)
def test_values_that_do_not_fit_are_refused(values: object, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        pairs().as_raw(values)
    assert message in str(caught.value)


def test_a_series_is_read_from_a_file_or_as_it_is_typed(tmp_path: Path) -> None:
    feature = pairs()
    file = tmp_path / "series.csv"
    file.write_text("a,b\n9,9\n1,2\n3,4\n5,6\n7,8\n")
    wanted = np.arange(1, 9, dtype=np.float32).reshape(1, 4, 2)
    for text in (str(file), "1,2;3,4;5,6;7,8"):
        (found,) = feature.read(text, NOTHING)
        np.testing.assert_array_equal(found.raw, wanted)
    one = Series(channels=("x",), length=3)
    for text in ("1,2,3", "1;2;3", "0,1,2,3"):
        (found,) = one.read(text, NOTHING)
        np.testing.assert_array_equal(found.raw, [[[1.0], [2.0], [3.0]]])
    (piped,) = one.read("-", io.BytesIO(b"1\n2\n3\n"))
    np.testing.assert_array_equal(piped.raw, [[[1.0], [2.0], [3.0]]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2;3,4", "expected at least 4 steps, got 2"),
        ("1,2;3", "step 2: expected 2 numbers (a, b), got 1"),
        ("1,x;2,3", "step 1: expected numbers, got 1,x"),
        ("1,nan;1,1;1,1;1,1", "numbers must be finite"),
        ("nothing.csv", "there is no file nothing.csv"),
        (" ", "an input is empty"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_line(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        list(pairs().read(text, NOTHING))
    assert message in str(caught.value)


def test_values_far_from_those_of_training_are_unusual() -> None:
    feature = pairs()
    assert feature.unusual(np.ones((1, 4, 2), np.float32)) is None
    told = feature.unusual(np.full((1, 4, 2), 99.0, np.float32))
    assert told == "a goes to 99 (in training 0 to 22)"


@pytest.mark.parametrize("length", [0, 2.5, True])
def test_a_length_that_is_none_is_refused(length: object) -> None:
    with pytest.raises(UsageError, match=r"data\.series\.length: must be a whole number"):
        Series(channels=("x",)).with_form("series", {"length": length})


# Computed data sets.


def test_the_target_of_adding_is_the_sum_of_the_marked_values() -> None:
    for columns in adding(10).values():
        values, markers = columns["series"][..., 0], columns["series"][..., 1]
        np.testing.assert_allclose((values * markers).sum(axis=1), columns["target"], rtol=1e-6)
        np.testing.assert_array_equal(markers[:, :5].sum(axis=1), 1.0)
        np.testing.assert_array_equal(markers[:, 5:].sum(axis=1), 1.0)
        assert np.mean((columns["target"] - 1.0) ** 2) == pytest.approx(1 / 6, abs=0.006)


def test_adding_is_the_same_every_time_and_its_splits_differ() -> None:
    first, second = adding(6), adding(6)
    np.testing.assert_array_equal(first["train"]["series"], second["train"]["series"])
    rows = {row.tobytes() for row in first["train"]["series"]}
    assert not any(row.tobytes() in rows for row in first["test"]["series"])


def test_a_recipe_chooses_how_long_the_series_are() -> None:
    dataset = load("adding", {"series": {"length": 8}})
    assert dataset.spec.features["series"].shape == (8, 2)
    assert next(dataset.split("test").chunks(2))["series"].shape == (2, 8, 2)
    again = load("adding", {"series": {"length": 8}}, fitted=dataset.spec)
    assert next(again.split("test").chunks(2))["series"].shape == (2, 8, 2)


def test_the_equation_holds_between_the_values() -> None:
    # At rest, where 0.2 / (1 + x^10) = 0.1, x is 1; the series swings about it.
    series = mackey_glass_series(300)
    assert 0.2 < series.min() < 0.6
    assert 1.0 < series.max() < 1.4
    np.testing.assert_array_equal(series[:50], mackey_glass_series(300)[:50])


def test_no_value_of_mackey_glass_is_in_two_splits_and_targets_come_next() -> None:
    splits = mackey_glass(5)
    parts = {
        name: {*columns["series"].ravel().tolist(), *columns["target"].tolist()}
        for name, columns in splits.items()
    }
    assert not parts["train"] & parts["validation"]
    assert not parts["train"] & parts["test"]
    assert not parts["validation"] & parts["test"]
    for columns in splits.values():
        np.testing.assert_array_equal(columns["series"][1:, -1, 0], columns["target"][:-1])


@pytest.mark.parametrize("name", ["adding", "mackey-glass"])
def test_the_entry_says_the_sizes_and_what_a_simple_rule_scores(name: str) -> None:
    told = open_source(name).describe()
    loaded = open_source(name).load()
    assert {split: len(found) for split, found in loaded.splits.items()} == dict(told.sizes)
    assert told.rows == sum(told.sizes.values())
    columns = next(loaded.splits["test"].chunks(10_000))
    trivial = 1.0 if name == "adding" else columns["series"][:, -1, 0]
    scored = float(np.mean((columns["target"] - trivial) ** 2))
    quoted = 0.169 if name == "adding" else 0.0343
    assert str(quoted) in told.note
    assert scored == pytest.approx(quoted, rel=0.02)

"""Cells of several kinds: what a column is taken for, and how it is encoded."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from zoo.base.errors import UsageError
from zoo.datasets.features import cells, from_dict
from zoo.datasets.features.record import Record


def scan(*column: str) -> cells.ColumnScan:
    found = cells.ColumnScan("x")
    for cell in column:
        found.add(cell)
    return found


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (["1", "2.5", "", "NA", "-3e2"], cells.NUMBER),
        (["2024-01-31", "", "1999-12-01"], cells.DATE),
        (["31.1.2024", "1.12.1999"], cells.DATE),
        (["2024-13-31", "1999-12-01"], cells.NOTHING),
        (["red", "blue", "red", "blue"], cells.CATEGORY),
        (["a few words", "other words", "more of them"], cells.WORDS),
        (["", "NA", "nan"], cells.NOTHING),
        (["same", "same"], cells.NOTHING),
        (["k1", "k2", "k3"], cells.NOTHING),
    ],
)
def test_a_column_is_taken_for_what_it_holds(column: list[str], kind: str) -> None:
    assert scan(*column).kind == kind


def test_a_day_after_the_twelfth_says_what_is_the_month() -> None:
    assert scan("01/02/2024", "13/02/2024").order == cells.DMY
    assert scan("01/02/2024", "02/13/2024").order == cells.MDY


ROWS = np.array(
    [
        [str(n) if n % 4 else "", "Rome" if n % 2 else "Oslo", f"2024-0{1 + n % 9}-11", "good day"]
        for n in range(40)
    ]
)


@pytest.fixture(scope="module")
def record() -> Record:
    return Record(
        names=("age", "city", "joined", "note"),
        kinds=(cells.NUMBER, cells.CATEGORY, cells.DATE, cells.WORDS),
        orders=("", "", cells.YMD, ""),
    ).fit([ROWS[:20], ROWS[20:]])


def test_it_is_fitted_and_travels_as_plain_data(record: Record) -> None:
    assert record.vocabulary[1] == ("Oslo", "Rome")
    assert record.gaps == (True, False, False, False)
    values = [float(row[0]) for row in ROWS if row[0]]
    assert record.mean[0] == pytest.approx(np.mean(values))
    again = from_dict(record.as_dict())
    assert again == record
    np.testing.assert_array_equal(again.encode(ROWS), record.encode(ROWS))


def test_numbers_are_standardised_and_a_gap_is_the_mean_and_is_marked(record: Record) -> None:
    encoded = record.encode(ROWS).numpy()
    width = 1 + len(record.quantiles[0])  # the number, its pieces, and whether it is missing
    present = np.array([bool(row[0]) for row in ROWS])
    scaled = encoded[present, 0]
    assert scaled.mean() == pytest.approx(0.0, abs=1e-5)
    assert scaled.std() == pytest.approx(1.0, abs=1e-5)
    assert (encoded[~present, 0] == 0.0).all()
    np.testing.assert_array_equal(encoded[:, width - 1 + 0], (~present).astype(np.float32))
    assert record.shape == (encoded.shape[1],)


def test_a_category_never_seen_is_zeros_alone(record: Record) -> None:
    row = ["3", "Lima", "2024-01-11", "unheard words"]
    known = record.encode(np.array([["3", "Rome", *row[2:]]])).numpy()[0]
    new = record.encode(np.array([row])).numpy()[0]
    assert (known != new).sum() == 1
    assert record.unusual(np.array([row])) is not None


@pytest.mark.parametrize(
    ("cell", "order"),
    [
        ("2024-02-29 13:05:07", cells.YMD),
        ("29.2.2000", cells.DMY),
        ("12/31/1969", cells.MDY),
        ("1900-03-01T00:00Z", cells.YMD),
    ],
)
def test_the_graph_reads_dates_as_python_does(cell: str, order: str) -> None:
    import tensorflow as tf

    from zoo.datasets.features.encoding import _seconds

    read = _seconds(tf.constant([cell]), tf.constant([False]), order)[0].numpy()
    assert read.tolist() == [cells.as_seconds(cell, order)]


def test_a_date_lies_on_the_circle_of_the_year() -> None:
    days = np.array([[f"{year}-{month:02d}-15"] for year in (2001, 2023) for month in range(1, 13)])
    fitted = Record(names=("day",), kinds=(cells.DATE,), orders=(cells.YMD,)).fit([days])
    encoded = fitted.encode(days).numpy()
    assert encoded.shape[1] == fitted.shape[0]
    circle = encoded[:, -2:]
    np.testing.assert_allclose((circle**2).sum(axis=1), 1.0, atol=1e-5)
    np.testing.assert_allclose(circle[:12], circle[12:], atol=0.03)  # leap days move it a little
    assert np.abs(circle[0] + circle[6]).max() < 0.1  # January is across from July


def test_rows_of_a_file_are_read_one_by_one_and_a_bad_one_is_a_fault(
    record: Record, tmp_path: Path
) -> None:
    path = tmp_path / "new.csv"
    path.write_text(
        "city,age,joined,note,more\nRome,3,2024-01-02,x,1\nRome,three,2024-01-02,x,1\nRome,4\n"
    )
    good, word, short = record.read(str(path), io.BytesIO())
    assert good.raw.tolist() == [["3", "Rome", "2024-01-02", "x"]]
    assert word.fault == f"{path}:3: age must be a number, got 'three'"
    assert short.fault == f"{path}:4: expected 5 cells, as in the header, got 2"


def test_python_hands_in_rows_by_name_or_in_order(record: Record) -> None:
    row = {"age": 3, "city": "Rome", "joined": "2024-01-02", "note": None}
    assert record.as_raw([row]).tolist() == [["3", "Rome", "2024-01-02", ""]]
    assert record.as_raw(list(row.values())).tolist() == record.as_raw(row).tolist()
    with pytest.raises(UsageError, match="a row has no column 'age'"):
        record.as_raw([{"agee": 3}])
    with pytest.raises(UsageError, match="age must be a number, got 'x'"):
        record.as_raw(["x", "Rome", "2024-01-02", ""])


def test_a_client_sends_numbers_and_texts_by_column_names(record: Record) -> None:
    import tensorflow as tf

    specs = record.serving_inputs("row")
    assert {name: spec.dtype.name for name, spec in specs.items()} == {
        "age": "float64",
        "city": "string",
        "joined": "string",
        "note": "string",
    }
    sent = record.to_serving("row", ROWS)
    assert np.isnan(sent["age"][0])
    tensors = {name: tf.constant(values) for name, values in sent.items()}
    given = record.encode(record.from_serving(tensors))
    np.testing.assert_array_equal(given, record.encode(ROWS))


def test_a_column_that_is_called_as_an_answer_gets_another_name() -> None:
    named = Record(names=("value", "Value"), kinds=(cells.NUMBER,) * 2, orders=("", ""))
    assert list(named.serving_inputs("row")) == ["value_2", "value_3"]

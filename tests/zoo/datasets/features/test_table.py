"""Rows of a table: standardised, read from CSV, and refused by the name of the column."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.zoo.datasets.features.reading import names, read, refusal, values
from zoo.base.errors import UsageError
from zoo.datasets.features.table import Table

COLUMNS = ("length_cm", "width_cm", "weight_g", "age")
RNG = np.random.default_rng(0)
ROWS = RNG.normal((5.0, 3.0, 100.0, 7.0), (1.0, 0.5, 20.0, 0.0), (90, 4)).astype("float32")
TABLE = Table(names=COLUMNS).fit([ROWS[:50], ROWS[50:]])
ROW = "5.1,3.5,140,0.2"
VALUES = np.array([[5.1, 3.5, 140.0, 0.2]], "float32")


def test_rows_are_standardised_by_the_training_splits_figures() -> None:
    encoded = np.asarray(TABLE.encode(ROWS))
    np.testing.assert_allclose(encoded.mean(axis=0), 0.0, atol=1e-5)
    np.testing.assert_allclose(encoded[:, :3].std(axis=0), 1.0, atol=1e-4)
    # The last column is constant: it is divided by 1, not by 0.
    assert TABLE.standard_deviation[3] == 1.0
    other = np.array([[1.0, 2.0, 3.0, 4.0]])
    expected = (other - np.array(TABLE.mean)) / np.array(TABLE.standard_deviation)
    np.testing.assert_allclose(TABLE.encode(other), expected, rtol=1e-5)


def test_a_table_takes_no_form() -> None:
    with pytest.raises(UsageError, match=r"data\.features\.size: unknown key\. A table takes none"):
        TABLE.with_form("features", {"size": [4, 4]})


def test_ordinary_rows_are_not_unusual() -> None:
    assert all(TABLE.unusual(row[None]) is None for row in ROWS)
    assert Table(names=COLUMNS).unusual(ROWS[:1] + 1e9) is None  # nothing to compare with


def test_numbers_far_outside_the_training_range_are_unusual_by_their_columns() -> None:
    row = ROWS[:1].copy()
    row[0, 0] *= 10.0  # millimetres
    told = TABLE.unusual(row)
    assert told is not None
    low, high = ROWS[:, 0].min(), ROWS[:, 0].max()
    assert told.startswith(f"length_cm is {row[0, 0]:g} (in training {low:g} to {high:g}): check")
    assert "width_cm" not in told
    everywhere = TABLE.unusual(ROWS[:1] + 1e6)
    assert everywhere is not None
    assert " and 1 more: check the units" in everywhere


def test_arrays_of_rows_one_or_several() -> None:
    np.testing.assert_array_equal(TABLE.as_raw(VALUES[0].tolist()), VALUES)
    assert TABLE.as_raw(np.ones((7, 4), int)).shape == (7, 4)
    for wrong in (np.ones(3), np.ones((2, 5)), np.ones((2, 2, 4)), 5.0):
        with pytest.raises(UsageError, match="expected rows of 4 numbers, got shape"):
            TABLE.as_raw(wrong)
    with pytest.raises(UsageError, match="expected numbers, got an array of <U"):
        TABLE.as_raw(["a", "b", "c", "d"])


# On the command line.


def test_a_row_is_typed_as_it_is() -> None:
    np.testing.assert_array_equal(values(TABLE, ROW), VALUES)
    np.testing.assert_array_equal(values(TABLE, " 5.1, 3.5 ,140, 2e-1"), VALUES)
    np.testing.assert_array_equal(values(TABLE, "-1,0,1,2"), [[-1, 0, 1, 2]])
    assert names(TABLE, ROW) == [ROW]


def test_a_row_of_many_numbers_is_no_files_name() -> None:
    # Longer than the name of a file may be.
    wide = Table(names=tuple(f"x{at}" for at in range(30)))
    np.testing.assert_allclose(values(wide, ",".join(["0.12345678"] * 30)), [[0.12345678] * 30])


def test_one_column_is_typed_as_one_number() -> None:
    assert values(Table(names=("x",)), "1.5") == [1.5]


def test_a_csv_file_without_a_header_is_rows_in_the_columns_order(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(f"{ROW}\n\n1,2,3,4\n")
    np.testing.assert_array_equal(values(TABLE, str(path)), [VALUES[0], [1, 2, 3, 4]])
    assert names(TABLE, str(path)) == [f"{path}:1", f"{path}:3"]


def test_a_header_says_the_columns_in_any_order_with_others_between(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    a, b, c, d = COLUMNS
    path.write_text(f"id, {d},{c},label,{b},{a}\nx,4,3,setosa,2,1\n")
    np.testing.assert_array_equal(values(TABLE, str(path)), [[1, 2, 3, 4]])
    assert names(TABLE, str(path)) == [f"{path}:2"]


def test_a_file_that_a_spreadsheet_wrote_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    text = ",".join(COLUMNS) + "\r\n" + f'"5.1",{ROW[4:]}' + "\r\n"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())  # with a byte order mark
    np.testing.assert_array_equal(values(TABLE, str(path)), VALUES)


def test_standard_input_is_rows() -> None:
    np.testing.assert_array_equal(values(TABLE, "-", ROW.encode()), VALUES)
    assert names(TABLE, "-", f"{ROW}\n{ROW}\n".encode()) == ["-:1", "-:2"]


HEADER = ",".join(COLUMNS)
WANTED = ", ".join(COLUMNS)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"{ROW}\n1,2,3\n", f", line 2: expected 4 numbers ({WANTED}), got 3"),
        (f"{ROW}\n1,2,3,4,5\n", f", line 2: expected 4 numbers ({WANTED}), got 5"),
        (f"{HEADER}\n1,2,3\n", f", line 2: expected 4 numbers ({WANTED}), got 3"),
        (f"{ROW}\n\n\n1,2,3\n", f", line 4: expected 4 numbers ({WANTED}), got 3"),
        (f"{HEADER}\n{ROW}\n1,2,x,4\n", ", line 3: weight_g must be a number, got 'x'"),
        (f"{ROW}\n1,2,,4\n", ", line 2: weight_g must be a number, got an empty cell"),
        (f"{ROW}\n1,2,nan,4\n", ", line 2: numbers must be finite"),
        ("", " is empty"),
        ("a,b,c,d\n1,2,3,4\n", f": the header has none of the columns {WANTED}; it has a, b, c, d"),
        (
            HEADER.replace("width_cm", "widht_cm") + f"\n{ROW}\n",
            " has no column 'width_cm'. Did you mean 'widht_cm'?",
        ),
        ("length_cm,x,y,z\n1,2,3,4\n", f" has no column 'width_cm'. Expected: {WANTED}."),
    ],
)
def test_rows_that_do_not_fit_are_refused_by_line_and_column(
    content: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(content)
    assert refusal(TABLE, str(path)) == f"{path}{message}"


def test_a_header_alone_has_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(HEADER)
    assert read(TABLE, str(path)) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2,3", f"the row: expected 4 numbers ({WANTED}), got 3"),
        ("1,2,3,four", "the row: age must be a number, got 'four'"),
        ("1,,3,4", "the row: width_cm must be a number, got an empty cell"),
        ("1,2,3,inf", "the row: numbers must be finite"),
        ("", "an input is empty; expected a row such as 1.0,1.0,1.0,1.0"),
        ("5.1", "cannot read 5.1: No such file or directory"),
    ],
)
def test_a_typed_row_that_does_not_fit_is_refused(text: str, message: str) -> None:
    assert refusal(TABLE, text) == message


def test_what_is_neither_a_file_nor_a_row_is_refused(tmp_path: Path) -> None:
    missing = str(tmp_path / "rows.csv")
    assert refusal(TABLE, missing) == f"cannot read {missing}: No such file or directory"
    assert refusal(TABLE, str(tmp_path)) == f"cannot read {tmp_path}: Is a directory"
    binary = tmp_path / "binary.csv"
    binary.write_bytes(b"\xff\xfe\x00")
    assert refusal(TABLE, str(binary)).startswith(f"{binary} is not CSV: ")


def test_noise_has_the_training_splits_means_and_deviations() -> None:
    drawn: Any = TABLE.sample(2000)
    np.testing.assert_allclose(drawn.mean(axis=0), TABLE.mean, rtol=0.05)
    np.testing.assert_array_equal(drawn, TABLE.sample(2000))

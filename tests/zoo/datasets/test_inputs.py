"""What users hand in: arrays, files, folders, rows, texts and standard input, or an error."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from zoo.datasets.inputs import as_raw, read
from zoo.datasets.loading import load
from zoo.datasets.spec import DatasetSpec
from zoo.errors import UsageError

DIGITS = load("digits").spec
COLOURED = load("digits", channels=3).spec
IRIS = load("iris").spec
LANGUAGES = load("languages").spec
ROW = "5.1,3.5,1.4,0.2"
VALUES = np.array([[5.1, 3.5, 1.4, 0.2]], "float32")


def read_values(spec: DatasetSpec, *inputs: str, stdin: bytes = b"") -> list[Any]:
    """The raw examples of a command line, each without its batch axis."""
    return [named.raw[0] for named in read(spec, inputs, io.BytesIO(stdin))]


def read_names(spec: DatasetSpec, *inputs: str, stdin: bytes = b"") -> list[str]:
    """Where the examples of a command line come from."""
    return [named.name for named in read(spec, inputs, io.BytesIO(stdin))]


def refusal(spec: DatasetSpec, *inputs: str, stdin: bytes = b"") -> str:
    """What is said of inputs that cannot be read: one line."""
    with pytest.raises(UsageError) as caught:
        read(spec, inputs, io.BytesIO(stdin))
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


def picture(path: Path, size: tuple[int, int] = (3, 2), mode: str = "L", ink: Any = 51) -> Path:
    """Write an image of one colour and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, ink).save(path)
    return path


# Arrays, as `run.predict` takes them.


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((8, 8), (1, 8, 8, 1)),
        ((8, 8, 1), (1, 8, 8, 1)),
        ((8, 8, 3), (1, 8, 8, 3)),
        ((5, 8, 8), (5, 8, 8, 1)),
        ((5, 9, 7, 3), (5, 9, 7, 3)),
        ((1, 8, 8, 1), (1, 8, 8, 1)),
    ],
)
def test_an_image_or_several_in_grey_or_colour(shape: Any, expected: Any) -> None:
    raw = as_raw(DIGITS, np.full(shape, 0.5))
    assert raw.shape == expected
    assert raw.dtype == np.float32
    assert np.all(raw == 0.5)


def test_bytes_are_scaled_and_other_numbers_must_be_within_0_and_1() -> None:
    np.testing.assert_allclose(as_raw(DIGITS, np.full((8, 8), 51, "uint8")), 0.2)
    assert as_raw(DIGITS, np.eye(8, dtype=bool)).max() == 1.0
    for wrong in (255.0, -0.1):
        with pytest.raises(UsageError, match=r"must lie in \[0, 1\].*uint8"):
            as_raw(DIGITS, np.full((8, 8), wrong))


@pytest.mark.parametrize("shape", [(8,), (2, 8, 8, 2), (1, 2, 8, 8, 1)])
def test_what_has_no_shape_of_images_is_refused_with_its_shape(shape: Any) -> None:
    with pytest.raises(UsageError) as caught:
        as_raw(DIGITS, np.zeros(shape))
    assert str(shape) in str(caught.value)


def test_images_that_are_not_numbers_are_refused() -> None:
    with pytest.raises(UsageError, match="numbers are wanted, got an array of <U"):
        as_raw(DIGITS, ["digit.png"])
    for nothing in (np.nan, np.inf):
        with pytest.raises(UsageError, match=r"nan|inf|finite"):
            as_raw(DIGITS, np.full((8, 8), nothing))


def test_rows_of_a_table_one_or_several() -> None:
    np.testing.assert_array_equal(as_raw(IRIS, VALUES[0].tolist()), VALUES)
    assert as_raw(IRIS, np.ones((7, 4), int)).shape == (7, 4)
    for wrong in (np.ones(3), np.ones((2, 5)), np.ones((2, 2, 4)), 5.0):
        with pytest.raises(UsageError, match="rows of 4 numbers are wanted, got shape"):
            as_raw(IRIS, wrong)


def test_texts_one_or_several() -> None:
    assert as_raw(LANGUAGES, "Norge").tolist() == ["Norge"]
    assert as_raw(LANGUAGES, ["Norge", "ä"]).tolist() == ["Norge", "ä"]
    for wrong in (np.ones(3), [["a"], ["b"]]):
        with pytest.raises(UsageError, match="texts are wanted, got an array of"):
            as_raw(LANGUAGES, wrong)


# Images on the command line.


def test_an_image_file_is_scaled_to_0_and_1_and_named_by_its_path(tmp_path: Path) -> None:
    path = str(picture(tmp_path / "a.png"))
    (raw,) = read_values(DIGITS, path)
    assert raw.shape == (2, 3, 1)  # its own size: height, width, channels
    np.testing.assert_allclose(raw, 0.2)
    assert read_names(DIGITS, path) == [path]


@pytest.mark.parametrize("suffix", ["png", "bmp", "gif", "tiff", "webp", "jpg", "JPEG"])
def test_the_usual_formats_are_read(suffix: str, tmp_path: Path) -> None:
    (raw,) = read_values(DIGITS, str(picture(tmp_path / f"a.{suffix}")))
    np.testing.assert_allclose(raw, 0.2, atol=0.01)


def test_colour_goes_to_models_that_take_it_and_grey_to_those_that_do_not(tmp_path: Path) -> None:
    red = str(picture(tmp_path / "red.png", mode="RGB", ink=(255, 0, 0)))
    grey = str(picture(tmp_path / "grey.png"))
    in_grey, in_colour = read_values(DIGITS, red)[0], read_values(COLOURED, red)[0]
    assert in_grey.shape == (2, 3, 1)
    np.testing.assert_allclose(in_grey, 0.299, atol=0.01)
    np.testing.assert_array_equal(in_colour[0, 0], [1.0, 0.0, 0.0])
    np.testing.assert_allclose(read_values(COLOURED, grey)[0][0, 0], [0.2, 0.2, 0.2])


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_transparent_counts_as_no_ink(mode: str, tmp_path: Path) -> None:
    clear = {"RGBA": (255, 255, 255, 0), "LA": (255, 0)}[mode]
    solid = {"RGBA": (255, 255, 255, 255), "LA": (255, 255)}[mode]
    for ink, expected in ((clear, 0.0), (solid, 1.0)):
        path = picture(tmp_path / "a.png", mode=mode, ink=ink)
        np.testing.assert_allclose(read_values(DIGITS, str(path))[0], expected)


def test_pictures_of_16_bits_are_scaled_by_what_they_can_hold(tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    Image.fromarray(np.full((2, 3), 32_768, "uint16")).save(path)
    np.testing.assert_allclose(read_values(DIGITS, str(path))[0], 0.5, atol=0.01)


def test_a_folder_is_all_its_images_in_order_and_nothing_else(tmp_path: Path) -> None:
    for name in ("b.png", "a.JPG", "deeper/c.png"):
        picture(tmp_path / name)
    (tmp_path / "notes.txt").write_text("not an image")
    (tmp_path / "folder.png").mkdir()
    names = read_names(DIGITS, str(tmp_path))
    assert names == [str(tmp_path / name) for name in ("a.JPG", "b.png", "deeper/c.png")]


def test_files_and_folders_stay_in_the_order_in_which_they_were_given(tmp_path: Path) -> None:
    last = str(picture(tmp_path / "z.png"))
    first = str(picture(tmp_path / "folder" / "a.png"))
    assert read_names(DIGITS, last, str(tmp_path / "folder"), last) == [last, first, last]


def test_standard_input_is_an_image_or_a_list_of_images(tmp_path: Path) -> None:
    paths = [picture(tmp_path / name) for name in ("a.png", "b c.png")]
    content = paths[0].read_bytes()
    assert read_names(DIGITS, "-", stdin=content) == ["-"]
    np.testing.assert_allclose(read_values(DIGITS, "-", stdin=content)[0], 0.2)
    listed = "\n".join(map(str, paths)).encode() + b"\n\n"
    assert read_names(DIGITS, "-", stdin=listed) == [str(path) for path in paths]


def test_images_that_cannot_be_read_are_refused_by_name(tmp_path: Path) -> None:
    empty, text, cut = (tmp_path / name for name in ("empty.png", "text.png", "cut.png"))
    empty.touch()
    text.write_text("this is no image")
    whole = picture(tmp_path / "whole.png", size=(64, 64))
    cut.write_bytes(whole.read_bytes()[:60])
    assert refusal(DIGITS, str(empty)) == f"{empty} is empty (0 bytes)"
    assert refusal(DIGITS, str(text)).startswith(f"{text} is not a readable image")
    assert refusal(DIGITS, str(cut)).startswith(f"{cut} is not a readable image")
    missing = str(tmp_path / "missing.png")
    assert refusal(DIGITS, missing) == f"cannot read {missing}: No such file or directory"
    assert refusal(DIGITS, str(whole), missing).startswith(f"cannot read {missing}")


def test_an_empty_folder_and_an_empty_standard_input_are_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not an image")
    assert refusal(DIGITS, str(tmp_path)) == f"there are no images in the folder {tmp_path}"
    assert refusal(DIGITS, "-") == "- is empty (0 bytes)"


def test_a_list_that_names_a_missing_image_is_refused_with_the_missing_name(tmp_path: Path) -> None:
    there, missing = picture(tmp_path / "a.png"), tmp_path / "b.png"
    assert str(missing) in refusal(DIGITS, "-", stdin=f"{there}\n{missing}\n".encode())


# Rows of a table on the command line.


def test_a_row_is_typed_as_it_is() -> None:
    np.testing.assert_array_equal(read_values(IRIS, ROW), VALUES)
    np.testing.assert_array_equal(read_values(IRIS, " 5.1, 3.5 ,1.4, 2e-1"), VALUES)
    assert read_names(IRIS, ROW) == [ROW]


def test_a_row_of_many_numbers_is_typed_as_it_is() -> None:
    # Longer than the name of a file may be.
    row = ",".join(["0.12345678"] * 30)
    (values,) = read_values(load("breast-cancer").spec, row)
    np.testing.assert_allclose(values, 0.12345678)


def test_a_csv_file_without_a_header_is_rows_in_the_columns_order(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(f"{ROW}\n\n1,2,3,4\n")
    np.testing.assert_array_equal(read_values(IRIS, str(path)), [VALUES[0], [1, 2, 3, 4]])
    assert read_names(IRIS, str(path)) == [f"{path}:1", f"{path}:3"]


def test_a_header_says_the_columns_in_any_order_with_others_between(tmp_path: Path) -> None:
    names = list(IRIS.feature_names)
    path = tmp_path / "rows.csv"
    path.write_text(f"id, {names[3]},{names[2]},label,{names[1]},{names[0]}\nx,4,3,setosa,2,1\n")
    np.testing.assert_array_equal(read_values(IRIS, str(path)), [[1, 2, 3, 4]])
    assert read_names(IRIS, str(path)) == [f"{path}:2"]


def test_a_file_that_a_spreadsheet_wrote_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    text = ",".join(IRIS.feature_names) + "\r\n" + f'"5.1",{ROW[4:]}' + "\r\n"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())  # with a byte order mark
    np.testing.assert_array_equal(read_values(IRIS, str(path)), VALUES)


def test_standard_input_is_rows() -> None:
    np.testing.assert_array_equal(read_values(IRIS, "-", stdin=ROW.encode()), VALUES)
    assert read_names(IRIS, "-", stdin=f"{ROW}\n{ROW}\n".encode()) == ["-:1", "-:2"]


def test_rows_that_do_not_fit_are_refused_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"

    def said_of(content: str) -> str:
        path.write_text(content)
        return refusal(IRIS, str(path))

    header = ",".join(IRIS.feature_names)
    assert said_of(f"{ROW}\n1,2,3\n") == f"{path}, line 2: 4 numbers are wanted, got 3"
    assert said_of(f"{ROW}\n1,2,3,4,5\n") == f"{path}, line 2: 4 numbers are wanted, got 5"
    assert said_of(f"{header}\n1,2,3\n") == f"{path}, line 2: 4 numbers are wanted, got 3"
    assert said_of(f"{header}\n{ROW}\n1,2,x,4\n").startswith(f"{path}, line 3: could not convert")
    assert said_of(f"{ROW}\n1,2,nan,4\n") == f"{path}, line 2: numbers must be finite"
    assert said_of(f"{ROW}\n1,2,,4\n").startswith(f"{path}, line 2: ")
    assert said_of("") == f"{path} is empty"
    assert said_of(header).startswith("there is nothing to predict in")


def test_the_line_is_the_files_own_whatever_is_empty_above_it(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(f"{ROW}\n\n\n1,2,3\n")
    assert refusal(IRIS, str(path)).startswith(f"{path}, line 4: ")


def test_a_missing_column_is_refused_with_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    names = [*IRIS.feature_names[:3], "petal_widht_cm"]
    path.write_text(",".join(names) + f"\n{ROW}\n")
    assert refusal(IRIS, str(path)) == (
        f"{path} has no column 'petal_width_cm'. Did you mean 'petal_widht_cm'?"
    )


def test_a_typed_row_that_does_not_fit_is_refused_with_what_is_wanted() -> None:
    message = refusal(IRIS, "1,2,3")
    assert message.startswith("the row: 4 numbers are wanted (sepal_length_cm, ")
    assert message.endswith("got 3")
    assert refusal(IRIS, "1,2,3,four").startswith("the row: could not convert string to float")
    assert refusal(IRIS, "1,2,3,inf") == "the row: numbers must be finite"


def test_what_is_neither_a_file_nor_a_row_is_refused(tmp_path: Path) -> None:
    missing = str(tmp_path / "rows.csv")
    assert refusal(IRIS, missing) == f"cannot read {missing}: No such file or directory"
    assert refusal(IRIS, str(tmp_path)) == f"cannot read {tmp_path}: Is a directory"
    binary = tmp_path / "binary.csv"
    binary.write_bytes(b"\xff\xfe\x00")
    assert refusal(IRIS, str(binary)).startswith(f"{binary} is not CSV: ")


# Texts on the command line.


def test_a_text_is_itself_a_file_or_a_line_of_standard_input(tmp_path: Path) -> None:
    path = tmp_path / "texts.txt"
    path.write_text("  Norge \n\nÎle de France\n", encoding="utf-8")
    assert read_values(LANGUAGES, "Ísland, Danmark") == ["Ísland, Danmark"]
    assert read_values(LANGUAGES, str(path)) == ["Norge", "Île de France"]
    assert read_values(LANGUAGES, "-", stdin="Éire\n".encode()) == ["Éire"]


def test_a_text_may_be_longer_than_the_name_of_a_file() -> None:
    text = "a long text " * 50
    assert read_values(LANGUAGES, text) == [text]


def test_texts_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    binary, empty = tmp_path / "binary.txt", tmp_path / "empty.txt"
    binary.write_bytes(b"\xff\xfe")
    empty.touch()
    assert refusal(LANGUAGES, str(binary)).startswith(f"{binary} is not UTF-8 text: ")
    assert refusal(LANGUAGES, str(empty)) == f"there is nothing to predict in {empty}"
    assert refusal(LANGUAGES, "-") == "there is nothing to predict in -"

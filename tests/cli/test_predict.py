"""`dlzoo predict`."""

from __future__ import annotations

import csv
import io
import json
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import Dlzoo, Keep
from zoo.datasets.features.label import Label
from zoo.datasets.loading import load
from zoo.run import Run

ROW = "5.1,3.5,1.4,0.2"
COLUMNS = ["sepal_length_cm", "sepal_width_cm", "petal_length_cm", "petal_width_cm"]


def type_in(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))


@cache
def digit() -> np.ndarray:
    """A digit of the test split, light ink on black, as bytes (8, 8)."""
    page = next(iter(load("digits").split("test").chunks(1)))
    values = page["image"][0, ..., 0]
    return values if values.dtype == np.uint8 else np.round(255 * values).astype(np.uint8)


def draw(path: str, side: int = 8) -> np.ndarray:
    """Write a digit as PNG and return its bytes as an array."""
    picture = Image.fromarray(digit()).resize((side, side))
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)
    return np.asarray(picture)


def classes(run: Run) -> tuple[str, ...]:
    label = run.spec.features["label"]
    assert isinstance(label, Label)
    return label.names


def test_a_row_is_answered_by_the_most_probable_classes(table_run: Run, dlzoo: Dlzoo) -> None:
    result = dlzoo("predict", "latest", ROW)
    assert result.code == 0
    heading, line = result.out.splitlines()
    assert heading.split() == ["input", "1", "2", "3"]
    said = table_run.predict([5.1, 3.5, 1.4, 0.2])[0]
    best = classes(table_run)[said.argmax()]
    assert line.startswith(f"{ROW}  {best} {said.max():.4f}")
    assert result.err == "next: dlzoo export mlp-iris-1\n"


def test_json_has_each_answer_in_full(table_run: Run, dlzoo: Dlzoo) -> None:
    told = dlzoo("predict", "latest", ROW, "6,3,5,2", "--top-k", 2, "--json").json
    assert told["run"] == "runs/mlp-iris-1"
    assert [one["input"] for one in told["predictions"]] == [ROW, "6,3,5,2"]
    said = table_run.predict([[5.1, 3.5, 1.4, 0.2], [6, 3, 5, 2]])
    for one, probabilities in zip(told["predictions"], said, strict=True):
        assert one["probability"] == pytest.approx(probabilities.max(), abs=1e-6)
        assert [ranked["probability"] for ranked in one["top"]] == pytest.approx(
            sorted(probabilities, reverse=True)[:2], abs=1e-6
        )


def test_a_csv_file_s_columns_go_by_their_names(table_run: Run, dlzoo: Dlzoo) -> None:
    names = COLUMNS
    Path("flowers.csv").write_text(
        f"colour,{','.join(reversed(names))}\nblue,0.2,1.4,3.5,5.1\nred,2,5,3,6\n"
    )
    told = dlzoo("predict", "latest", "flowers.csv", "--json").json["predictions"]
    plain = dlzoo("predict", "latest", ROW, "6,3,5,2", "--json").json["predictions"]
    assert [one["top"] for one in told] == [one["top"] for one in plain]
    assert [one["input"] for one in told] == ["flowers.csv:2", "flowers.csv:3"]


def test_rows_come_through_a_pipe(
    table_run: Run, dlzoo: Dlzoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = dlzoo("predict", "latest", ROW, "--json").json["predictions"][0]["top"]
    type_in(f"{ROW}\n".encode(), monkeypatch)
    told = dlzoo("predict", "latest", "-", "--json").json["predictions"]
    assert [one["top"] for one in told] == [expected]


def test_a_file_and_a_folder_of_images_of_any_size(keep: Keep, dlzoo: Dlzoo) -> None:
    run = keep("image")
    small, large = draw("one.png"), draw("folder/deep/two.png", side=64)
    told = dlzoo("predict", "latest", "one.png", "folder", "--json").json["predictions"]
    assert [one["input"] for one in told] == ["one.png", "folder/deep/two.png"]
    for one, pixels in zip(told, (small, large), strict=True):
        assert one["probability"] == pytest.approx(run.predict(pixels).max(), abs=1e-5)
    table = dlzoo("predict", "latest", "one.png", "--top-k", 1)
    assert table.out.splitlines()[1].split() == [
        "one.png",
        told[0]["class"],
        f"{told[0]['probability']:.4f}",
    ]


def test_a_picture_comes_through_a_pipe(
    keep: Keep, dlzoo: Dlzoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep("image")
    draw("one.png")
    expected = dlzoo("predict", "latest", "one.png", "--json").json["predictions"][0]["top"]
    type_in(Path("one.png").read_bytes(), monkeypatch)
    assert dlzoo("predict", "latest", "-", "--json").json["predictions"][0]["top"] == expected


def test_texts_are_typed_or_come_one_a_line(keep: Keep, dlzoo: Dlzoo) -> None:
    run = keep("text")
    Path("names.txt").write_text("Deutschland\n\nSuomi\n", encoding="utf-8")
    told = dlzoo("predict", "latest", "日本", "names.txt", "--json").json["predictions"]
    assert [one["input"] for one in told] == ["日本", "Deutschland", "Suomi"]
    said = run.predict(["日本", "Deutschland", "Suomi"])
    assert [one["probability"] for one in told] == pytest.approx(said.max(axis=1), abs=1e-6)


def test_numbers_are_answered_in_a_column(keep: Keep, dlzoo: Dlzoo) -> None:
    run = keep("numbers")
    row = next(iter(load("diabetes").split("test").chunks(1)))["features"][0]
    typed = ",".join(str(value) for value in row)
    told = dlzoo("predict", "latest", typed, "--json").json["predictions"]
    (value,) = run.predict(row)[0]
    assert told == [{"input": typed, "value": pytest.approx(value, rel=1e-5)}]
    result = dlzoo("predict", "latest", typed)
    assert result.out.splitlines()[0].split() == ["input", "value"]
    assert result.out.splitlines()[1].startswith(typed)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("1,2,3", f"the row: expected 4 numbers ({', '.join(COLUMNS)}), got 3"),
        ("1,2,3,blue", "the row: petal_width_cm must be a number, got 'blue'"),
        ("1,,3,4", "the row: sepal_width_cm must be a number, got an empty cell"),
        ("1,2,3,nan", "the row: numbers must be finite"),
        ("missing.csv", "cannot read missing.csv: No such file or directory"),
        ("reviews.txt", "cannot read reviews.txt: No such file or directory"),
        ("short.csv", "short.csv, line 2: expected 4 numbers"),
        ("gap.csv", "gap.csv, line 3: petal_length_cm must be a number, got an empty cell"),
        ("empty.csv", "empty.csv is empty"),
        ("typo.csv", "has no column 'petal_length_cm'. Did you mean 'petal_lenght_cm'?"),
        ("other.csv", f"the header has none of the columns {', '.join(COLUMNS)}; it has a, b"),
        (".", "cannot read .: Is a directory"),
        ("", "an input is empty; expected a row such as 1.0,1.0,1.0,1.0"),
        ("1,2,3,4 --invert", "--invert swaps light and dark in images; the input is a table"),
        (
            "-1,2,3,4",
            "'-1,2,3,4' looks like an option: write -- before rows that begin with a minus sign",
        ),
        ("-.5,2,3,4 --json", "'-.5,2,3,4' looks like an option: write -- before rows"),
    ],
)
def test_wrong_rows_are_refused(typed: str, message: str, table_run: Run, dlzoo: Dlzoo) -> None:
    header = ",".join(COLUMNS)
    files = {
        "short.csv": "1,2,3,4\n1,2\n",
        "gap.csv": f"{header}\n1,2,3,4\n1,2,,4\n",
        "empty.csv": "",
        "typo.csv": header.replace("length_cm,petal_width", "lenght_cm,petal_width")
        + "\n1,2,3,4\n",
        "other.csv": "a,b\n1,2\n",
    }
    for name, text in files.items():
        Path(name).write_text(text)
    assert message in dlzoo("predict", "latest", *(typed.split() or [""])).refusal


def test_a_row_that_begins_with_a_minus_sign_comes_after_two(table_run: Run, dlzoo: Dlzoo) -> None:
    (told,) = dlzoo("predict", "latest", "--json", "--", "-1,2,3,4").json["predictions"]
    assert told["input"] == "-1,2,3,4"


def test_a_row_far_from_the_training_data_is_warned_of_in_one_line(
    table_run: Run, dlzoo: Dlzoo
) -> None:
    result = dlzoo("predict", "latest", ROW, "51,35,14,2")
    assert result.code == 0
    warning, following = result.err.splitlines()
    assert warning.startswith("warning: 51,35,14,2: sepal_length_cm is 51 (in training 4.3 to 7.9)")
    assert warning.endswith(": check the units and the order of the columns")
    assert following.startswith("next: ")


def test_many_warnings_are_five_and_their_number(table_run: Run, dlzoo: Dlzoo) -> None:
    rows = [f"{100 + row},1,1,1" for row in range(8)]
    lines = dlzoo("predict", "latest", *rows).err.splitlines()
    assert [line.startswith("warning: 10") for line in lines] == [True] * 5 + [False] * 2
    assert lines[5] == "warning: 3 more inputs are unlike the training data"


def test_a_picture_of_dark_ink_is_warned_of_and_invert_mends_it(keep: Keep, dlzoo: Dlzoo) -> None:
    keep("image")
    draw("light.png")
    Image.fromarray(255 - digit()).save("dark.png")
    right = dlzoo("predict", "latest", "light.png", "--json")
    assert "warning" not in right.err
    wrong = dlzoo("predict", "latest", "dark.png", "--json")
    (warning, _) = wrong.err.splitlines()
    assert re.fullmatch(
        r"warning: dark.png: .* is lighter \(0\.\d\d of 1\) than any training image's .*"
        r"light and dark may be swapped, try --invert",
        warning,
    )
    mended = dlzoo("predict", "latest", "dark.png", "--invert", "--json")
    assert "warning" not in mended.err
    top = [one["predictions"][0]["top"] for one in (right.json, mended.json)]
    for first, second in zip(*top, strict=True):
        assert first["probability"] == pytest.approx(second["probability"], abs=1e-5)


def test_wrong_images_are_refused(keep: Keep, dlzoo: Dlzoo) -> None:
    keep("image")
    Path("zero.png").touch()
    Path("text.png").write_text("this is no picture")
    draw("whole.png", side=64)
    Path("half.png").write_bytes(Path("whole.png").read_bytes()[:100])
    Path("folder").mkdir()
    for typed, message in {
        "zero.png": "zero.png is empty (0 bytes)",
        "text.png": "text.png is not a readable image",
        "half.png": "half.png is not a readable image",
        "missing.png": "cannot read missing.png: No such file or directory",
        "folder": "there are no images in the folder folder",
        "": "an input is empty; expected an image file or a folder of them",
    }.items():
        refusal = dlzoo("predict", "latest", typed).refusal
        assert refusal.startswith(message)
        assert "0x" not in refusal, "an object's address is of no use to anyone"


def test_one_damaged_image_in_a_folder_is_listed_and_the_others_are_answered(
    keep: Keep, dlzoo: Dlzoo
) -> None:
    keep("image")
    draw("scans/a.png")
    draw("scans/c.png")
    Path("scans/b.png").write_text("this is no picture")
    result = dlzoo("predict", "latest", "scans")
    assert result.code == 1
    assert [line.split()[0] for line in result.out.splitlines()[1:]] == [
        "scans/a.png",
        "scans/c.png",
    ]
    assert result.err.splitlines() == [
        "not read: scans/b.png is not a readable image: its format is unknown",
        "dlzoo: 1 of 3 inputs could not be read",
    ]
    result = dlzoo("predict", "latest", "scans", "--json")
    assert result.code == 1
    told = json.loads(result.out)
    assert [one["input"] for one in told["predictions"]] == ["scans/a.png", "scans/c.png"]
    assert told["failed"] == ["scans/b.png is not a readable image: its format is unknown"]


def test_one_wrong_input_among_good_ones_is_refused(table_run: Run, dlzoo: Dlzoo) -> None:
    assert "cannot read missing.csv" in dlzoo("predict", "latest", ROW, "missing.csv").refusal


def test_a_mistyped_file_of_texts_is_no_text(keep: Keep, dlzoo: Dlzoo) -> None:
    keep("text")
    assert dlzoo("predict", "latest", "reviews.txt").refusal == (
        "there is no file reviews.txt. If it is the text itself, pass it through a pipe: "
        "echo reviews.txt | dlzoo predict RUN -"
    )


def test_answers_are_written_as_csv(table_run: Run, dlzoo: Dlzoo) -> None:
    result = dlzoo("predict", "latest", ROW, "6,3,5,2", "--output", "new/answers.csv")
    assert (result.code, result.out) == (0, "2 answers: new/answers.csv\n")
    with Path("new/answers.csv").open(newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["input"], second["input"]) == (ROW, "6,3,5,2")
    (told, _) = dlzoo("predict", "latest", ROW, "6,3,5,2", "--json").json["predictions"]
    ranked = [first[f"class{rank}"] for rank in ("", 2, 3)]
    assert ranked == [one["class"] for one in told["top"]]
    assert float(first["probability"]) == pytest.approx(told["probability"])


def test_answers_are_written_as_json_lines(table_run: Run, dlzoo: Dlzoo) -> None:
    told = dlzoo("predict", "latest", ROW, ROW, "--output", "answers.jsonl", "--json").json
    lines = Path("answers.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == told["predictions"]


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (f"{ROW} --output mine.csv", "mine.csv exists; --overwrite replaces it"),
        (
            f"{ROW} --output answers.txt",
            "--output writes .csv, .jsonl or .parquet files, got answers.txt",
        ),
        (f"{ROW} --output mine.csv/x.csv", "cannot make the folder mine.csv: "),
        ("1,2,3 --output new/answers.csv", "the row: expected 4 numbers"),
    ],
)
def test_what_is_refused_writes_nothing(
    typed: str, message: str, table_run: Run, dlzoo: Dlzoo
) -> None:
    Path("mine.csv").write_text("mine")
    assert message in dlzoo("predict", "latest", *typed.split()).refusal
    assert Path("mine.csv").read_text() == "mine"
    assert sorted(path.name for path in Path().iterdir()) == ["mine.csv", "runs"]


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("latest", "Missing argument 'INPUT...'."),
        ("mlp-irs-1 1,2,3,4", "there is no run 'mlp-irs-1' in runs. Did you mean 'mlp-iris-1'?"),
        ("latest 1,2,3,4 --top-k 0", "'--top-k': 0 is not in the range"),
    ],
)
def test_wrong_usage_is_refused(typed: str, message: str, table_run: Run, dlzoo: Dlzoo) -> None:
    assert message in dlzoo("predict", *typed.split()).refusal


def test_a_run_that_is_not_finished_answers_and_says_so(unfinished: Keep, dlzoo: Dlzoo) -> None:
    run = unfinished("table")
    result = dlzoo("predict", "latest", ROW)
    assert result.code == 0, result.err
    assert (
        result.err.splitlines()[0] == f"run {run.name} is not finished: its weights are of epoch 1"
    )
    best = dlzoo("predict", "latest", ROW, "--weights", "best").err.splitlines()[0]
    assert best == f"run {run.name} is not finished: its weights are of the best of 1 epochs"


def test_a_generator_predicts_nothing(keep: Keep, dlzoo: Dlzoo) -> None:
    keep("vae")
    draw("one.png")
    assert dlzoo("predict", "latest", "one.png").refusal == (
        "this model is a generator and predicts nothing. Use: dlzoo generate"
    )

"""`dlzoo predict`."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import Dlzoo, Keep
from zoo.datasets.loading import load
from zoo.runs import Run

ROW = "5.1,3.5,1.4,0.2"


def type_in(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))


def draw(path: str, side: int = 8) -> np.ndarray:
    """Write a digit as PNG and return its bytes as an array."""
    pixels = np.round(255 * load("digits").split("test").inputs[0, ..., 0]).astype(np.uint8)
    picture = Image.fromarray(pixels).resize((side, side))
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)
    return np.asarray(picture)


def test_a_row_is_answered_by_the_most_probable_classes(table_run: Run, dlzoo: Dlzoo) -> None:
    result = dlzoo("predict", "latest", ROW)
    assert result.code == 0
    heading, line = result.out.splitlines()
    assert heading.split() == ["input", "1", "2", "3"]
    said = table_run.predict([5.1, 3.5, 1.4, 0.2])[0]
    best = table_run.spec.class_names[said.argmax()]
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
    names = list(table_run.spec.feature_names)
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
    row = load("diabetes").split("test").inputs[0]
    typed = ",".join(str(value) for value in row)
    told = dlzoo("predict", "latest", typed, "--json").json["predictions"]
    (value,) = run.predict(row)[0]
    assert told == [{"input": typed, "value": pytest.approx(value, rel=1e-5)}]
    result = dlzoo("predict", "latest", typed)
    assert result.out.splitlines()[0].split() == ["input", "value"]
    assert result.out.splitlines()[1].startswith(typed)


def test_wrong_rows_are_refused(table_run: Run, dlzoo: Dlzoo) -> None:
    Path("short.csv").write_text("1,2,3,4\n1,2\n")
    Path("empty.csv").touch()
    Path("columns.csv").write_text(
        "sepal_length_cm,sepal_width_cm,petal_lenght_cm,petal_width_cm\n1,2,3,4\n"
    )
    for typed, message in {
        "1,2,3": "4 numbers are wanted",
        "1,2,3,blue": "could not convert string to float: 'blue'",
        "1,2,3,nan": "numbers must be finite",
        "missing.csv": "cannot read missing.csv: No such file or directory",
        "short.csv": "short.csv, line 2: 4 numbers are wanted, got 2",
        "empty.csv": "empty.csv is empty",
        "columns.csv": "has no column 'petal_length_cm'. Did you mean 'petal_lenght_cm'?",
        ".": "cannot read .: Is a directory",
    }.items():
        assert message in dlzoo("predict", "latest", typed).refusal


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
    }.items():
        refusal = dlzoo("predict", "latest", typed).refusal
        assert refusal.startswith(message)
        assert "0x" not in refusal, "an object's address is of no use to anyone"


def test_one_wrong_input_among_good_ones_is_refused(table_run: Run, dlzoo: Dlzoo) -> None:
    assert "cannot read missing.csv" in dlzoo("predict", "latest", ROW, "missing.csv").refusal


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


def test_a_generator_predicts_nothing(keep: Keep, dlzoo: Dlzoo) -> None:
    keep("vae")
    draw("one.png")
    refusal = dlzoo("predict", "latest", "one.png").refusal
    assert refusal.endswith("predicts nothing; try: dlzoo generate")

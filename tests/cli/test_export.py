"""`dlzoo export`."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import Dlzoo, Keep
from zoo.run import Run


def test_the_export_is_where_the_answer_says(table_run: Run, dlzoo: Dlzoo) -> None:
    result = dlzoo("export", "latest")
    assert result.code == 0, result.err
    heading, signature, *rest = result.out.splitlines()
    assert heading == "mlp-iris, version 1: exports/mlp-iris/1"
    assert signature.startswith("signature serving_default  sepal_length_cm float32 [None], ")
    formats = [line.split()[0] for line in rest if line.startswith(("savedmodel", "keras"))]
    assert formats == ["savedmodel", "keras"]
    assert (Path("exports/mlp-iris/1") / "saved_model.pb").is_file()
    assert "dlzoo verify exports/mlp-iris/1" in result.err


def test_json_is_export_json_and_the_path(table_run: Run, dlzoo: Dlzoo) -> None:
    typed = ["--output", "served", "--name", "flowers", "--version", 12]
    told = dlzoo("export", "latest", *typed, "--json").json
    assert told["path"] == "served/flowers/12"
    assert (told["name"], told["version"], told["run"]) == ("flowers", 12, "mlp-iris-1")
    assert told["largest_difference"] <= 1e-5
    assert Path(told["path"]).is_dir()


def test_the_next_export_is_the_next_version(table_run: Run, dlzoo: Dlzoo) -> None:
    assert dlzoo("export", "latest", "--json").json["version"] == 1
    assert dlzoo("export", "latest", "--json").json["version"] == 2


def test_a_version_that_is_there_is_kept_unless_it_is_to_be_replaced(
    table_run: Run, dlzoo: Dlzoo
) -> None:
    mine = Path("exports/mlp-iris/3/mine.txt")
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    result = dlzoo("export", "latest", "--version", 3)
    assert result.refusal == "exports/mlp-iris/3 exists; --overwrite replaces it"
    assert mine.read_text() == "mine"
    assert dlzoo("export", "latest", "--version", 3, "--overwrite").code == 0
    assert not mine.exists()


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("mlp-irs-1", "there is no run 'mlp-irs-1' in runs. Did you mean 'mlp-iris-1'?"),
        ("latest --name ../up", "a model's name may have letters"),
        ("latest --version 0", "'--version': 0 is not in the range"),
        ("latest --version one", "'--version': 'one' is not a valid integer"),
        ("latest --version 12345678901234567890", "'--version': 12345678901234567890 is not in"),
        ("latest --output taken", "cannot make the folder taken: "),
        ("latest --output taken/deep", "cannot make the folder taken/deep: "),
    ],
)
def test_wrong_input_is_refused(typed: str, message: str, table_run: Run, dlzoo: Dlzoo) -> None:
    Path("taken").touch()
    assert message in dlzoo("export", *typed.split()).refusal
    assert sorted(path.name for path in Path().iterdir()) == ["runs", "taken"]


def test_a_run_that_is_not_finished_is_exported_and_says_so(unfinished: Keep, dlzoo: Dlzoo) -> None:
    unfinished("table")
    result = dlzoo("export", "latest", "--weights", "best")
    assert result.code == 0, result.err
    first = result.err.splitlines()[0]
    assert first == "run mlp-iris-1 is not finished: its weights are of the best of 1 epochs"
    assert Path("exports/mlp-iris/1/saved_model.pb").is_file()


def test_the_command_to_try_quotes_spaces(table_run: Run, dlzoo: Dlzoo) -> None:
    result = dlzoo("export", "latest", "--output", "my exports")
    assert shlex.split(result.err.removeprefix("next: ")) == [
        "dlzoo",
        "verify",
        "my exports/mlp-iris/1",
    ]


def test_a_wrong_answer_is_our_failure_and_not_the_user_s(
    table_run: Run, dlzoo: Dlzoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoo.serving.verify.largest_difference", lambda answers, expected: 0.5)
    result = dlzoo("export", "latest")
    assert result.code == 1
    assert result.out == ""
    assert result.err.startswith("dlzoo: savedmodel's answers differ from the model's by 0.5")
    assert result.err.count("\n") == 1
    assert not Path("exports").exists()

"""Rendering: whole and plain in a pipe, fitted and coloured in a terminal, strict as JSON."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from cli import output
from tests.cli.conftest import Dlzoo, Terminal, unstyled

LONG = "words " * 30 + "end"


def test_a_piped_table_is_aligned_and_not_cut(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    output.table(("name", "size", "what"), [("a", 5, LONG), ("bcdef", 12345, "x")], right=("size",))
    assert capsys.readouterr().out.splitlines() == [
        "name    size  what",
        f"a          5  {LONG}",
        "bcdef  12345  x",
    ]


def test_a_piped_table_without_rows_has_its_headings(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("name", "size"), [])
    assert capsys.readouterr().out == "name  size\n"


def test_facts_are_aligned_with_their_second_lines(capsys: pytest.CaptureFixture[str]) -> None:
    output.facts({"paper": "LeCun\nhttps://example.org", "year": 1998, "none": ""})
    assert capsys.readouterr().out.splitlines() == [
        "paper  LeCun",
        "       https://example.org",
        "year   1998",
        "none",
    ]


def test_facts_are_fitted_to_a_terminal_and_an_address_stays_whole(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = "https://example.org/" + "x" * 70
    monkeypatch.setattr("sys.stdout", terminal)
    output.facts({"what": LONG, "address": address})
    lines = unstyled(terminal.getvalue()).splitlines()
    assert lines[-1] == f"address  {address}"
    assert max(len(line) for line in lines[:-1]) <= 70
    assert " ".join(" ".join(lines[:-1]).split()) == f"what {LONG}"


@pytest.mark.parametrize("variable", ["FORCE_COLOR", "CLICOLOR_FORCE", "COLORTERM"])
@pytest.mark.parametrize(
    "typed", ["list", "info lenet5", "recipes", "datasets", "datasets show iris"]
)
def test_a_pipe_gets_no_escape_codes(
    typed: str, variable: str, dlzoo: Dlzoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "1")
    monkeypatch.setenv("COLUMNS", "40")
    result = dlzoo(*typed.split())
    assert result.code == 0
    assert "\x1b" not in result.out + result.err
    assert "…" not in result.out  # which marks what was cut off


def test_a_table_fits_the_terminal_and_keeps_every_word(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout", terminal)
    output.table(("name", "what"), [("lenet5", LONG), ("[red]", "brackets are no markup")])
    shown = unstyled(terminal.getvalue())
    assert max(len(line) for line in shown.splitlines()) <= 70
    assert " ".join(shown.split()).count("words") == 30
    assert "[red]" in shown
    assert "\x1b[" in terminal.getvalue()


def coloured(text: str) -> bool:
    """Whether any escape code sets a colour, for which the codes 30 to 49 and 90 up are."""
    import re

    codes = [code for found in re.findall(r"\x1b\[([0-9;]*)m", text) for code in found.split(";")]
    return any(code and (30 <= int(code) <= 49 or int(code) >= 90) for code in codes)


def test_no_color_is_obeyed(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def show() -> str:
        terminal.seek(0)
        terminal.truncate()
        output.heading("lenet5")
        output.facts({"family": "lenet"})
        output.table(("name", "what"), [("lenet5", "a model")])
        return terminal.getvalue()

    monkeypatch.setattr("sys.stdout", terminal)
    assert coloured(show())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not coloured(show())
    assert "lenet5" in unstyled(show())


def test_json_is_one_document_that_strict_readers_take(capsys: pytest.CaptureFixture[str]) -> None:
    output.emit_json({"nan": math.nan, "list": [math.inf, 1.5], "deep": {"x": (1, -math.inf)}})
    text = capsys.readouterr().out

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    values = json.loads(text, parse_constant=refuse)
    assert values == {"nan": None, "list": [None, 1.5], "deep": {"x": [1, None]}}


def test_json_keeps_names_readable(capsys: pytest.CaptureFixture[str]) -> None:
    output.emit_json({"class": "français 日本"})
    assert "français 日本" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.98765, "0.9877"),
        (0.0, "0.0000"),
        (0.00012345, "0.0001234"),
        (12345.678, "1.235e+04"),
        (-22.5, "-22.5000"),
        (math.nan, "nan"),
    ],
)
def test_scores_have_digits_enough(value: float, shown: str) -> None:
    assert output.number(value) == shown


ROWS = [
    ("resnet20", "269,722", "image-classification", LONG),
    ("logistic-regression", "7,850", "classification", "short"),
]
COLUMNS = ("model", "parameters", "task", "what it is")


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (
            80,
            [
                "model                parameters  task                  what it is",
                "resnet20                269,722  image-classification  words words words words…",
                "logistic-regression       7,850  classification        short",
            ],
        ),
        (
            50,
            [
                "model                parameters  task",
                "resnet20                269,722  image-classifica…",
                "logistic-regression       7,850  classification",
            ],
        ),
        (
            34,
            [
                "model                parameters",
                "resnet20                269,722",
                "logistic-regression       7,850",
            ],
        ),
        (  # too narrow for any table
            24,
            [
                *("model       resnet20", "parameters  269,722", ""),
                *("model       logistic-regression", "parameters  7,850"),
            ],
        ),
    ],
)
def test_columns_are_shortened_in_a_terminal_so_that_a_row_is_one_line(
    width: int, lines: list[str], terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("COLUMNS", str(width))
    output.table(COLUMNS, ROWS, right=("parameters",), shorten=("what it is", "task"))
    assert unstyled(terminal.getvalue()).splitlines() == lines


def test_columns_are_whole_in_a_pipe(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    output.table(COLUMNS, ROWS, right=("parameters",), shorten=("what it is", "task"))
    assert capsys.readouterr().out.splitlines()[1].endswith(LONG)


@pytest.mark.parametrize("width", [80, 50, 30, 20])
def test_no_number_is_broken_however_narrow_the_terminal(
    width: int, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("COLUMNS", str(width))
    numbers = ("138,357,544", "15,470,264,320", "0.9972")
    columns = ("model", "parameters", "multiply-adds", "accuracy", "remark")
    output.table(columns, [("vgg16", *numbers, "16 layers with weights")], right=columns[1:4])
    shown = unstyled(terminal.getvalue())
    for text in ("vgg16", *numbers, "layers", "weights"):
        assert text in shown.split()


def test_wide_characters_take_two_columns(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout", terminal)
    output.table(("input", "1"), [("日本.png", "cat"), ("a.png", "dog")])
    assert unstyled(terminal.getvalue()).splitlines() == [
        "input     1",
        "日本.png  cat",
        "a.png     dog",
    ]


def test_a_cell_of_several_lines_is_put_on_one(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("input", "1"), [("two\nlines", "fr")])
    assert capsys.readouterr().out.splitlines()[1] == "two lines  fr"


@pytest.mark.parametrize(
    ("words", "run_dir", "typed"),
    [
        (["evaluate", "latest"], None, "dlzoo evaluate latest"),
        (["evaluate", "latest"], "runs", "dlzoo evaluate latest"),
        (["evaluate", "latest"], "there", "dlzoo evaluate latest --run-dir there"),
        (["runs"], "my runs", "dlzoo runs --run-dir 'my runs'"),
        (["train", "--freeze", "conv[1-4]*"], None, "dlzoo train --freeze 'conv[1-4]*'"),
        (["train", "mlp", "--epochs", 20], None, "dlzoo train mlp --epochs 20"),
        (["export", "it's here/mlp-1"], None, "dlzoo export 'it'\"'\"'s here/mlp-1'"),
    ],
)
def test_a_next_command_can_be_pasted(words: list[str], run_dir: str | None, typed: str) -> None:
    folder = None if run_dir is None else Path(run_dir)
    assert output.next_command(*words, run_dir=folder) == typed


def test_a_hint_quotes_words(capsys: pytest.CaptureFixture[str]) -> None:
    output.hint(["dlzoo", "evaluate", "my run"])
    assert capsys.readouterr().err == "next: dlzoo evaluate 'my run'\n"


def test_what_to_type_next_does_not_mix_with_what_was_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output.hint("dlzoo evaluate latest", "dlzoo export latest")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == ["next: dlzoo evaluate latest", "      dlzoo export latest"]

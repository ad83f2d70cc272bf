"""The command as a whole: help, errors and exit codes, and what it does not load."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click
import pytest

from cli.main import COMMANDS, main, run
from cli.main import command as whole
from tests.cli.conftest import Dlzoo
from zoo.base.errors import DlzooError, UsageError

ROOT = Path(__file__).parent.parent.parent


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command and sub-command by what is typed."""
    for name, (module, _) in COMMANDS.items():
        found: click.Command = importlib.import_module(f"cli.{module}").command
        yield name, found
        if isinstance(found, click.Group):
            yield from ((f"{name} {below}", one) for below, one in found.commands.items())


def words(text: str) -> str:
    return " ".join(text.split())


def test_help_names_every_command_with_its_line(dlzoo: Dlzoo) -> None:
    for arguments in (["--help"], ["-h"]):
        result = dlzoo(*arguments)
        assert result.code == 0
        assert result.err == ""
        for name, (_, line) in COMMANDS.items():
            assert f" {name} {line}" in words(result.out)
        assert "dlzoo train resnet --epochs 20" in result.out  # the first thing to type


@pytest.mark.parametrize(
    ("typed", "found"), [pytest.param(*pair, id=pair[0]) for pair in commands()]
)
def test_each_command_has_help_that_explains_every_option(
    typed: str, found: click.Command, dlzoo: Dlzoo
) -> None:
    result = dlzoo(*typed.split(), "--help")
    assert result.code == 0
    assert result.err == ""
    assert result.out.startswith(f"Usage: dlzoo {typed} [OPTIONS]")
    assert found.help is not None
    first = found.help.split("\n\n")[0].replace("\b", "")
    assert words(first) in words(result.out)
    assert "..." not in re.sub(r"(RUN|EXPORT|INPUT|MODEL|WORD|\[ARGS\])\.\.\.", "", result.out)
    for parameter in found.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{typed} {parameter.opts[0]} has no help"
            assert words(parameter.help) in words(result.out)
    assert max(len(line) for line in result.out.splitlines()) <= 80


def test_the_table_of_commands_names_modules_that_exist() -> None:
    assert {name for name, _ in commands() if " " not in name} == COMMANDS.keys()
    assert whole.list_commands(click.Context(whole)) == list(COMMANDS)


def test_nothing_typed_gets_the_help_and_the_code_of_usage(dlzoo: Dlzoo) -> None:
    result = dlzoo()
    assert result.code == 2
    assert result.out == dlzoo("--help").out


def test_the_version_is_the_installed_one(dlzoo: Dlzoo) -> None:
    result = dlzoo("--version")
    assert (result.code, result.err) == (0, "")
    assert result.out == f"dlzoo {importlib.metadata.version('dlzoo')}\n"


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (["trian"], "there is no command 'trian'. Did you mean 'train'?"),
        (["transmogrify"], "there is no command 'transmogrify'. See them with: dlzoo --help"),
        (["list", "--familly", "vae"], "No such option '--familly'. Did you mean '--family'?"),
        (["--jsn"], "No such option '--jsn'."),
        (["info"], "Missing argument 'MODEL'."),
        (["info", "vae", "gan"], "Got unexpected extra argument (gan)"),
    ],
)
def test_what_cannot_be_understood_gets_one_line(
    typed: list[str], message: str, dlzoo: Dlzoo
) -> None:
    assert dlzoo(*typed).refusal == message


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (UsageError("no such thing"), 2, "dlzoo: no such thing"),
        (DlzooError("the loss is nan"), 1, "dlzoo: the loss is nan"),
        (KeyboardInterrupt(), 130, "dlzoo: stopped"),
        (click.Abort(), 130, "dlzoo: stopped"),
        (ValueError("two\nlines"), 1, "dlzoo: ValueError: two (dlzoo --debug … shows where)"),
        (KeyError(), 1, "dlzoo: KeyError (dlzoo --debug … shows where)"),
        (DlzooError("in\ntwo lines"), 1, "dlzoo: in two lines"),
    ],
)
def test_errors_are_one_line_and_have_their_exit_codes(
    error: BaseException, code: int, line: str, dlzoo: Dlzoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr("cli.list.list_models", fail)
    result = dlzoo("list")
    assert result.code == code
    assert result.out == ""
    assert result.err.lstrip("\n") == line + "\n"  # Click ends the line that ^C stands in


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (UsageError("no such thing"), 2, "dlzoo: no such thing"),
        (DlzooError("the loss is nan"), 1, "dlzoo: the loss is nan"),
        (ValueError("a bug"), 1, "dlzoo: ValueError: a bug (dlzoo --debug … shows where)"),
        (KeyboardInterrupt(), 130, "dlzoo: stopped"),
    ],
)
def test_debug_shows_the_traceback_and_keeps_the_exit_code(
    error: BaseException, code: int, line: str, dlzoo: Dlzoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr("cli.list.list_models", fail)
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")  # which --debug changes for the whole process
    result = dlzoo("--debug", "list")
    assert result.code == code
    first, *_, last = result.err.splitlines()
    assert first == "Traceback (most recent call last):"
    assert ", in fail\n" in result.err
    assert last == line


SHELL = """
import os, sys
sys.path[:0] = {path!r}
from cli.main import main
main({typed!r})
"""


def shell(redirection: str, *typed: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Type a command in a shell, with what follows it, such as ``>&-``."""
    program = folder / "dlzoo.py"
    program.write_text(SHELL.format(path=[str(ROOT)], typed=list(typed)))
    line = f'"$0" "$1" {redirection}'
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line, sys.executable, str(program)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.parametrize(
    ("redirection", "typed", "code"),
    [
        (">&-", ["list"], 0),
        ("2>&-", ["list"], 0),
        (">&- 2>&-", ["info", "lenet5"], 0),
        ("2>&-", ["info", "lenat5"], 2),
        ("<&-", ["predict", "latest", "-"], 2),
        ("| head -1", ["list"], 0),
        ("| true", ["list"], 0),
        ("2>&1 | true", ["list"], 0),
        ("| true", ["--help"], 0),
        ("| true", ["info", "resnet50"], 0),
        ("| true", ["recipes", "--json"], 0),
    ],
)
def test_streams_that_are_closed_or_not_read_are_no_failure(
    redirection: str, typed: list[str], code: int, tmp_path: Path
) -> None:
    done = shell(redirection, *typed, folder=tmp_path)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert "Error" not in done.stderr


def test_a_training_whose_lines_nobody_reads_comes_to_its_end(tmp_path: Path) -> None:
    typed = ["train", "mlp", "--recipe", "mlp-iris", "--epochs", "4"]
    done = shell("| head -1", *typed, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1
    assert "Error" not in done.stderr
    history = tmp_path / "runs" / "mlp-iris-1" / "history.csv"
    assert len(history.read_text().splitlines()) == 5
    assert history.with_name("metrics.json").exists()


def test_a_full_disk_gets_one_line(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    done = shell(">/dev/full", "list", folder=tmp_path)
    assert done.returncode == 1
    assert "No space left on device" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("info ResNet50", "info resnet50"),
        ("info RESNET", "info resnet"),
        ("recipes LSTM", "recipes lstm"),
        ("recipes show MLP-Iris", "recipes show mlp-iris"),
        ("datasets show Iris", "datasets show iris"),
        ("list --family VAE", "list --family vae"),
        ("list --task Generation", "list --task generation"),
        ("completion BASH", "completion bash"),
    ],
)
def test_names_are_understood_in_any_case(typed: str, meant: str, dlzoo: Dlzoo) -> None:
    result = dlzoo(*typed.split())
    assert result.code == 0, result.err
    assert result == dlzoo(*meant.split())


def test_sigterm_ends_a_command_and_is_handled_only_while_one_runs(
    dlzoo: Dlzoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask_to_end(*_: Any, **__: Any) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr("cli.list.list_models", ask_to_end)
    result = dlzoo("list")
    assert (result.code, result.out, result.err) == (143, "", "dlzoo: stopped\n")
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_command_runs_in_any_thread(dlzoo: Dlzoo) -> None:
    with ThreadPoolExecutor() as pool:
        assert pool.submit(run, ["list"]).result() == 0


def test_control_characters_that_were_typed_are_written_out(dlzoo: Dlzoo) -> None:
    assert dlzoo("info", "\x1b[2Jmlp\0").refusal.startswith(r"unknown model '\x1b[2Jmlp\x00'.")


def test_the_process_exits_with_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["info", "resnt"])
    assert caught.value.code == 2
    monkeypatch.setattr("sys.argv", ["dlzoo", "--version"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 0


PROBE = """
import contextlib, io, json, os, sys
from cli.main import run
heavy = {"keras", "tensorflow", "matplotlib", "tensorflow_datasets", "sklearn", "PIL"}
found = {}
for typed in json.load(sys.stdin):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        code = run(typed.split())
    found[typed] = [code, sorted(heavy & set(sys.modules))]
print(json.dumps(found))
"""

# What answers at once, right or wrong.
LIGHT = {
    "--help": 0,
    "--version": 0,
    "list": 0,
    "list --json": 0,
    "list res* --json": 0,
    "info resnet": 0,
    "info resnet --json": 0,
    "recipes": 0,
    "recipes mlp": 0,
    "recipes show mlp-iris": 0,
    "recipes show lenet5-digits": 0,
    "recipes show mlp-iris --json": 0,
    "datasets": 0,
    "datasets show iris": 0,
    "datasets show digits --json": 0,
    "datasets show imagenet": 0,
    "runs": 0,
    "completion bash": 0,
    "train --help": 0,
    "evaluate --help": 0,
    "export --help": 0,
    "doctor --help": 0,
    "benchmark --help": 0,
    "train resnt": 2,
    "train lenet5 --set epoch=3": 2,
    "train mlp --dataset languages": 2,
    "train mlp --recipe mlp-irs": 2,
    "train mlp --dataset irs": 2,
    "train mlp --set epocks=3": 2,
    "train mlp --epochs 0": 2,
    "train lenet5 --dataset iris": 2,
    "train mlp --epochs 2 --set epochs=3": 2,
    "runs show nothing": 2,
    "runs rm nothing": 2,
    "evaluate nothing": 2,
    "predict nothing input": 2,
    "generate nothing": 2,
    "export nothing": 2,
    "compare nothing": 2,
    "benchmark resnt": 2,
}


def test_what_needs_no_keras_does_not_load_it(tmp_path: Any) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE],
        input=json.dumps(list(LIGHT)),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    assert json.loads(done.stdout) == {typed: [code, []] for typed, code in LIGHT.items()}

"""Calling `dlzoo` in this process, in a folder of its own, with runs to work on."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.main import run as run_command
from tests import tiny
from zoo.run import Run


@dataclass(frozen=True)
class Result:
    """What a command left: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document that standard output holds; anything beside it fails."""
        assert self.code == 0, self.err
        return json.loads(self.out)

    @property
    def failure(self) -> str:
        """The one line of what failed through nobody's typing, without the command's name."""
        assert self.code == 1, (self.out, self.err)
        assert self.err.startswith("dlzoo: ")
        assert self.err.endswith("\n")
        assert self.err.count("\n") == 1
        return self.err.removeprefix("dlzoo: ").removesuffix("\n")

    @property
    def refusal(self) -> str:
        """The one line that wrong input gets, without the command's name."""
        assert self.code == 2, (self.out, self.err)
        assert self.out == ""
        assert self.err.startswith("dlzoo: ")
        assert self.err.endswith("\n")
        assert self.err.count("\n") == 1
        return self.err.removeprefix("dlzoo: ").removesuffix("\n")


Dlzoo = Callable[..., Result]
Keep = Callable[..., Run]


@pytest.fixture
def dlzoo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Dlzoo:
    """`dlzoo(…)` types a command in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> Result:
        capsys.readouterr()
        code = run_command([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Result(code, out, err)

    return call


@pytest.fixture
def keep(dlzoo: Dlzoo, shared_run_dir: Path) -> Keep:
    """`keep(kind)` puts a copy of a trained run into ./runs, where commands look for it."""

    def put(kind: str, name: str | None = None, folder: str = "runs") -> Run:
        return tiny.copy(tiny.run(kind, shared_run_dir), Path(folder), name)

    return put


@pytest.fixture
def unfinished(keep: Keep) -> Keep:
    """`unfinished(kind)` puts a run of one epoch there that was to have three."""

    def put(kind: str, name: str | None = None, folder: str = "runs") -> Run:
        run = keep(kind, name, folder)
        recipe = run.path / "recipe.toml"
        recipe.write_text(recipe.read_text().replace("epochs = 1\n", "epochs = 3\n"))
        for left in ("model.keras", "metrics.json"):
            (run.path / left).unlink()
        return Run(run.path)

    return put


@pytest.fixture
def table_run(keep: Keep) -> Run:
    """mlp-iris-1, the only run there is."""
    return keep("table")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal of 70 columns with colours, to be made standard output."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "70")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    return Terminal()


def unstyled(text: str) -> str:
    """What is left to read when the escape codes are taken away."""
    import re

    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)

"""The README tells the truth: every command in it runs, and its table is the catalogue's."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import numpy as np
import pytest

from cli.main import run
from tests.readme import table

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ (.+)$", README, re.MULTILINE)

# A training in a test is tiny, and a measurement short. What makes it so comes last, and wins.
SHORT = ["--epochs", "1"]
ONCE = ["--repeats", "1"]
TINY = {"lstm": ["--batch-size", "4096", "--set", "data.sequence_length=6"]}


def test_its_commands_are_those_of_dlzoo_and_make() -> None:
    assert len(COMMANDS) > 20
    assert {shlex.split(command)[0] for command in COMMANDS} == {"dlzoo", "make"}


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("make")])
def test_its_make_targets_exist(command: str) -> None:
    done = subprocess.run(
        ["make", "--dry-run", *shlex.split(command)[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "dlzoo train resnet --epochs 20" in done.stdout or "train" not in command


def test_its_commands_run_in_order_in_an_empty_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in COMMANDS:
        words = shlex.split(command)
        if words[0] != "dlzoo":
            continue
        if words[1] == "train":
            more = SHORT if "--resume" not in words else ["--epochs", "2"]
            words += more + TINY.get(words[2], [])
        if words[1] == "benchmark":
            words += ONCE
        assert run(words[1:]) == 0, f"{command}: {capsys.readouterr().err}"
    for picture in ("digits.png", "compare.png", "grid.png"):
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")


def test_its_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    block = re.search(r"```python\n(.+?)```", README, re.DOTALL)
    assert block is not None
    code = block[1].replace("epochs=20", "epochs=1, batch_size=256, overrides=TINY")
    names = {"images": np.zeros((2, 8, 8)), "TINY": {"data.image_size": [8, 8]}}
    exec(compile(code, "README.md", "exec"), names)  # noqa: S102  (our own README)


def test_its_table_is_made_from_the_catalogue_and_the_recipes_headers() -> None:
    between = re.search(r"<!-- zoo -->\n(.*?)\n<!-- /zoo -->", README, re.DOTALL)
    assert between is not None
    assert between[1] == table(), "print it with: python -m tests.readme"


def test_its_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target

"""What a run remembers of where and when it was made."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
import tensorflow as tf

from zoo.base import environment

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git here")


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that dlzoo seems to run from."""
    folder = tmp_path / "zoo" / "base"
    folder.mkdir(parents=True)
    monkeypatch.setattr(environment, "__file__", str(folder / "environment.py"))
    return tmp_path


def test_circumstances_are_plain_values_that_json_keeps() -> None:
    told = environment.describe_environment(7, tf.distribute.get_strategy(), "float32")
    assert json.loads(json.dumps(told)) == told
    assert told["seed"] == 7
    assert told["precision"] == "float32"
    assert told["python"] == platform.python_version()
    assert told["replicas"] == 1
    assert told["devices"] == "CPU"
    assert told["versions"]["tensorflow"] == tf.__version__


def test_the_date_is_the_moment_that_runs_are_ordered_by_in_utc() -> None:
    before = datetime.now(UTC).timestamp()
    strategy = tf.distribute.get_strategy()
    told = environment.describe_environment(0, strategy, "float32")
    assert before <= told["started"] <= datetime.now(UTC).timestamp()
    date = datetime.fromisoformat(told["date"])
    assert date.utcoffset() is not None
    assert int(told["started"]) == date.timestamp()


def test_versions_are_those_that_are_installed() -> None:
    told = environment.versions()
    assert {"dlzoo", "tensorflow", "keras", "numpy"} <= told.keys()
    assert told["keras"] == importlib.metadata.version("keras")
    assert environment.version("no-such-package-anywhere") is None


def test_the_command_can_be_pasted_into_a_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "sys.argv", ["/venv/bin/dlzoo", "train", "mlp", "--set", "arguments.hidden_units=[4, 4]"]
    )
    told = environment.command_line()
    assert told == "dlzoo train mlp --set 'arguments.hidden_units=[4, 4]'"


def test_outside_a_checkout_there_is_no_commit(checkout: Path) -> None:
    assert environment.commit() is None


@needs_git
def test_the_commit_is_told_and_marked_where_files_have_changed(checkout: Path) -> None:
    (checkout / "file").write_text("1")
    git(checkout, "init", "-q")
    git(checkout, "add", "file")
    git(checkout, "commit", "-q", "-m", "one")
    head = git(checkout, "rev-parse", "HEAD")
    assert environment.commit() == head
    (checkout / "runs").mkdir()
    (checkout / "runs" / "untracked").touch()  # runs do not change the code
    assert environment.commit() == head
    (checkout / "file").write_text("2")
    assert environment.commit() == head + "+"


@needs_git
def test_a_checkout_without_a_commit_is_no_failure(checkout: Path) -> None:
    git(checkout, "init", "-q")
    assert environment.commit() is None


def test_a_machine_without_git_is_no_failure(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkout / ".git").mkdir()
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert environment.commit() is None


def test_several_devices_are_counted() -> None:
    mirrored = tf.distribute.MirroredStrategy(
        ["CPU:0", "CPU:1"], cross_device_ops=tf.distribute.ReductionToOneDevice()
    )
    assert environment.devices_line(mirrored) == "2 × CPU"
    assert environment.devices_line(tf.distribute.OneDeviceStrategy("CPU:0")) == "CPU"

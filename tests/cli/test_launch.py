"""`dlzoo launch`: what is checked before any process is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli import launch
from tests import own
from tests.cli.conftest import Dlzoo
from zoo.training import launcher


@pytest.fixture(autouse=True)
def nothing_started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """What would have been started."""
    calls: list[tuple[object, ...]] = []

    def fake(program: object, arguments: object, place: object, **options: object) -> int:
        calls.append((arguments, place, options))
        return 7

    monkeypatch.setattr(launcher, "launch", fake)
    return calls


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--", "trian", "mlp"], "Did you mean 'train'?"),
        (["--", "train", "mpl"], "Did you mean 'mlp'?"),
        (["--", "train", "mlp", "--batch-size", "33"], "cannot be shared evenly by 2 devices"),
        (["--", "train", "mlp", "--strategy", "mirrored"], "strategy mirrored trains in one"),
        (["--", "train", "mlp", "--dry-run"], "--dry-run times one process"),
        (["--", "train", "--resume", "none"], "there are no runs"),
        (["--index", "0", "--", "train", "mlp"], "--index is a place in the file of --hosts"),
    ],
)
def test_what_is_wrong_is_told_once(
    arguments: list[str],
    message: str,
    dlzoo: Dlzoo,
    nothing_started: list[tuple[object, ...]],
) -> None:
    result = dlzoo("launch", "--workers", "2", *arguments)
    assert result.code == 2
    assert message in result.err
    assert not nothing_started


def test_a_training_on_data_of_one_s_own_is_launched(
    dlzoo: Dlzoo, nothing_started: list[tuple[object, ...]]
) -> None:
    own.people(Path("people.csv"))
    words = ("train", "mlp", "--dataset", "csv:people.csv", "--target", "plan", "--keep", "2")
    result = dlzoo("launch", "--workers", "2", "--", *words)
    assert result.code == 7, result.err  # what the launcher was made to return
    ((arguments, _, _),) = nothing_started
    assert arguments == words


def test_the_exit_code_is_that_of_the_group(
    dlzoo: Dlzoo, nothing_started: list[tuple[object, ...]]
) -> None:
    assert dlzoo("launch", "--workers", "2", "--", "train", "mlp").code == 7
    ((arguments, place, options),) = nothing_started
    assert arguments == ("train", "mlp")
    assert place == launcher.Place(addresses=(), first=0, count=2)
    again = options["again"]  # type: ignore[index]
    assert again(Path("runs/a")) == ["train", "--resume", "runs/a"]
    assert list(again(None)) == ["train", "mlp"]  # no run is there yet: all begin anew


def test_hosts_are_told_what_to_type(
    dlzoo: Dlzoo, nothing_started: list[tuple[object, ...]], tmp_path: Path
) -> None:
    file = tmp_path / "hosts"
    file.write_text("a slots=2\nb slots=2\n")
    words = ("--workers", "4", "--hosts", str(file))
    refused = dlzoo("launch", *words, "--", "train", "mlp")
    assert (refused.code, "--name" in refused.err) == (2, True)
    told = dlzoo("launch", *words, "--", "train", "mlp", "--name", "big")
    assert [line.split(" --index ")[1][0] for line in told.out.splitlines()] == ["0", "1"]
    assert not nothing_started
    assert dlzoo("launch", *words, "--index", "1", "--", "train", "mlp", "--name", "x").code == 7
    _, place, options = nothing_started[0]
    assert place == launcher.Place(
        addresses=("a:8888", "a:8889", "b:8888", "b:8889"), first=2, count=2
    )
    again = options["again"]  # type: ignore[index]
    assert (
        again(None) == ("train", "mlp", "--name", "x", "--continue")
        or again(None)[-1] == "--continue"
    )


def test_the_program_runs_the_command() -> None:
    assert "from cli.launch import worker" in launch._PROGRAM[2]

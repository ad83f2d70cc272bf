"""Starting processes together, restarting them, and hosts; without TensorFlow."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from zoo.base.errors import UsageError
from zoo.training import launcher
from zoo.training.hosts import read_hosts
from zoo.training.launcher import Place, launch

TWO = Place(addresses=(), first=0, count=2)
# Each worker prints its number and its arguments; the second fails as long as there is no file.
PROGRAM = """
import json, os, pathlib, sys, time
index = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
print("worker", index, *sys.argv[1:])
print("gpus", os.environ.get("CUDA_VISIBLE_DEVICES"), file=sys.stderr)
mark = pathlib.Path(sys.argv[1])
if index == 0:
    pathlib.Path(os.environ["DLZOO_RUN_NOTE"]).write_text(str(mark.parent))
    if not mark.exists():
        time.sleep(60)
elif not mark.exists():
    mark.touch()
    sys.exit(int(sys.argv[2]))
"""


def launched(
    mark: Path, code: int, restarts: int, told: list[str], again: list[Path | None]
) -> int:
    def go_on(run: Path | None) -> Sequence[str]:
        again.append(run)
        return [str(mark), "0", "again"]

    return launch(
        [sys.executable, "-c", PROGRAM],
        [str(mark), str(code)],
        TWO,
        max_restarts=restarts,
        again=go_on,
        tell=told.append,
    )


def test_the_group_is_restarted_with_the_run(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "nvidia_gpus", lambda: ["0", "1", "2", "3"])
    told: list[str] = []
    again: list[Path | None] = []
    assert launched(tmp_path / "mark", 1, 1, told, again) == 0
    assert again == [tmp_path]
    assert told[0] == "worker 1 ended with exit code 1: stopping the others"
    assert told[1].startswith("restart 1 of 1: ")
    out, err = capfd.readouterr()
    assert out.splitlines().count(f"[1] worker 1 {tmp_path / 'mark'} 0 again") == 1
    assert {"[0] gpus 0,1", "[1] gpus 2,3"} == set(err.splitlines())


@pytest.mark.parametrize(("code", "restarts"), [(1, 0), (2, 3)])
def test_a_group_is_given_up(code: int, restarts: int, tmp_path: Path) -> None:
    """After the last restart, and at once where the user asked for what cannot be."""
    again: list[Path | None] = []
    assert launched(tmp_path / "mark", code, restarts, [], again) == code
    assert again == []


def test_gpus_that_workers_cannot_share_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "nvidia_gpus", lambda: ["0", "1", "2"])
    with pytest.raises(UsageError, match="2 workers cannot share 3 GPUs evenly"):
        launched(tmp_path / "mark", 0, 0, [], [])


def test_hosts_start_the_workers_that_they_have_room_for(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_text("# two machines\nnode1 slots=2\n\nnode2:5000 slots=4  # the large one\nnode3\n")
    addresses = ("node1:8888", "node1:8889", "node2:5000", "node2:5001", "node2:5002")
    assert read_hosts(file, 5) == [
        Place(addresses=addresses, first=0, count=2),
        Place(addresses=addresses, first=2, count=3),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("node1 slots=1\n", "has room for 1 workers, 2 were asked for"),
        ("node 1\n", r"line 1: expected 'name\[:port\] \[slots=N\]', got 'node 1'"),
        ("node1 slots=0\nnode2", "line 1: expected"),
        ("node1\nnode1\n", "names one address twice"),
    ],
)
def test_wrong_hosts_are_refused(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_text(text)
    with pytest.raises(UsageError, match=message):
        read_hosts(file, 2)
    with pytest.raises(UsageError, match="cannot read"):
        read_hosts(tmp_path / "none", 2)

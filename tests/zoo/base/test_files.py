"""Files are whole or not there, and nothing is overwritten unasked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from zoo.base import files
from zoo.base.errors import UsageError
from zoo.base.files import writable, writable_folder, write_text, written_whole


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_when_it_is_whole_and_not_before(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    with written_whole(path) as beside:
        beside.write_text("half")
        assert not path.exists()
        beside.write_text("whole")
    assert path.read_text() == "whole"
    assert names(tmp_path) == ["model.keras"]


def test_until_it_is_replaced_the_old_file_is_what_readers_see(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    path.write_text("old")
    with written_whole(path) as beside:
        beside.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"


def write_and_fail(path: Path) -> None:
    with written_whole(path) as beside:
        beside.write_text("half")
        raise RuntimeError("the disk is full")


def test_a_failure_on_the_way_changes_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="the disk is full"):
        write_and_fail(path)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["metrics.json"]


def test_the_suffix_stays_because_writers_choose_their_format_by_it(tmp_path: Path) -> None:
    with written_whole(tmp_path / "model.keras") as beside:
        beside.touch()
        assert beside.suffix == ".keras"
        assert beside.parent == tmp_path  # a rename across file systems would not be atomic


def test_two_writers_of_one_file_do_not_write_into_each_other(tmp_path: Path) -> None:
    path = tmp_path / "text"
    with written_whole(path) as one, written_whole(path) as other:
        one.write_text("one")
        other.write_text("other")
    assert path.read_text() in ("one", "other")
    assert names(tmp_path) == ["text"]


def test_text_is_written_in_utf_8(tmp_path: Path) -> None:
    write_text(tmp_path / "card.md", "32×32 ≥ 日本\n")
    assert (tmp_path / "card.md").read_bytes() == "32×32 ≥ 日本\n".encode()


def test_an_existing_file_is_refused_unless_overwriting_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "grid.png"
    path.write_text("mine")
    with pytest.raises(UsageError) as caught:
        writable(path, overwrite=False)
    assert str(caught.value) == f"{path} exists; --overwrite replaces it"
    assert writable(path, overwrite=True) == path
    assert path.read_text() == "mine"  # asking changes nothing yet


def test_a_folder_is_refused_where_a_file_is_wanted_even_to_overwrite(tmp_path: Path) -> None:
    for overwrite in (False, True):
        with pytest.raises(UsageError, match="is a folder; name a file"):
            writable(tmp_path, overwrite=overwrite)


def test_the_folders_above_a_file_are_made_when_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "new" / "deep" / "grid.png"
    assert writable(path, overwrite=False) == path
    assert names(tmp_path) == []  # what is refused later leaves nothing behind
    write_text(path, "grid")
    assert path.read_text() == "grid"


def test_a_folder_is_made_with_those_above_it_and_may_exist(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    assert writable_folder(folder) == folder
    assert writable_folder(folder) == folder
    assert folder.is_dir()


@pytest.mark.parametrize("below", ["", "deeper", "deeper/still"])
def test_a_file_in_a_folders_place_is_told_in_one_line(below: str, tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(UsageError) as caught:
        writable_folder(tmp_path / "taken" / below)
    message = str(caught.value)
    assert message.startswith(f"cannot make the folder {tmp_path / 'taken' / below}: ")
    assert "\n" not in message


def test_a_folder_without_permission_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(path: Any, mode: int) -> bool:
        return not mode & os.W_OK

    monkeypatch.setattr(os, "access", denied)  # root, whom containers run as, may write anywhere
    with pytest.raises(UsageError, match="permission denied"):
        writable_folder(tmp_path)


# Power loss and killed writers.


def test_contents_are_on_disk_before_the_name_and_the_name_before_going_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[tuple[str, str]] = []
    flush, replace = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        done.append(("flush", Path(f"/proc/self/fd/{descriptor}").readlink().suffix))
        flush(descriptor)

    def renamed(beside: Path, path: Any) -> Path:
        done.append(("rename", beside.suffix))
        return replace(beside, path)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", renamed)
    write_text(tmp_path / "card.md", "text")
    assert done == [("flush", ".md"), ("rename", ".md"), ("flush", "")]


def test_a_new_folder_is_flushed_with_all_that_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[str] = []
    monkeypatch.setattr(files, "flush_to_disk", lambda path: flushed.append(path.name))
    (tmp_path / "beside" / "inside").mkdir(parents=True)
    (tmp_path / "beside" / "inside" / "file").touch()
    files.rename_durably(tmp_path / "beside", tmp_path / "run")
    assert sorted(flushed[:-1]) == ["beside", "file", "inside"]
    assert flushed[-1] == tmp_path.name
    assert (tmp_path / "run" / "inside" / "file").is_file()


def test_names_are_swapped_when_the_new_contents_are_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    swap = files._swap

    def swapped(one: Path, other: Path) -> None:
        done.append("swap")
        swap(one, other)

    monkeypatch.setattr(files, "flush_to_disk", lambda path: done.append(path.name))
    monkeypatch.setattr(files, "_swap", swapped)
    for name in ("new", "old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name} file").touch()
    files.exchange(tmp_path / "new", tmp_path / "old")
    assert done == ["new file", "new", "swap", tmp_path.name]
    assert names(tmp_path / "old") == ["new file"]
    assert names(tmp_path / "new") == ["old file"]


def test_the_next_write_of_a_file_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    left = tmp_path / ".compare-tmpdeadbeef.png"
    other = tmp_path / ".scores-tmpdeadbeef.csv"
    for path in (left, other, tmp_path / ".mine"):
        path.write_text("half")
    write_text(tmp_path / "compare.png", "whole")
    assert not left.exists()
    assert names(tmp_path) == [".mine", other.name, "compare.png"]


def test_what_a_living_process_writes_is_no_leftover(tmp_path: Path) -> None:
    with written_whole(tmp_path / "text") as beside:
        beside.write_text("half")
        files.remove_leftovers(tmp_path)
        assert beside.is_file()
    assert (tmp_path / "text").read_text() == "half"

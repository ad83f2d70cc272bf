"""The run folder: one for each training, found by its name, and its damage told in one line."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from recipes.library import load as load_recipe
from zoo.base.errors import DlzooError, UsageError
from zoo.datasets.loading import load as load_dataset
from zoo.run import Run
from zoo.run import load as load_run
from zoo.runs import folder as runs
from zoo.runs.folder import RunFolder

RECIPE = load_recipe("mlp-iris")
SPEC = load_dataset("iris").spec


def create(
    folder: Path, *, started: float = 0.0, name: str | None = None, **changes: Any
) -> RunFolder:
    recipe = RECIPE.model_copy(update=changes)
    environment = {"started": started, "sessions": [{"epochs": 60}]}
    return runs.create(recipe, SPEC.to_json(), environment, folder, name)


def finish(run: RunFolder) -> RunFolder:
    """Give a run what makes it a finished one, as far as its folder tells."""
    score = {"metric": "accuracy", "split": "test", "value": 0.9}
    (run.path / "metrics.json").write_text(json.dumps({"score": score}))
    return run


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a folder as another process would that trains in it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


# Making them


def test_runs_of_one_recipe_are_counted_up(run_dir: Path) -> None:
    assert [create(run_dir).name for _ in range(3)] == ["mlp-iris-1", "mlp-iris-2", "mlp-iris-3"]


def test_a_gap_is_not_filled_so_that_numbers_go_with_time(run_dir: Path) -> None:
    for _ in range(3):
        create(run_dir)
    (run_dir / "mlp-iris-1").rename(run_dir / "kept")
    assert create(run_dir).name == "mlp-iris-4"


def test_runs_of_other_recipes_do_not_count(run_dir: Path) -> None:
    create(run_dir, variant="momentum")
    create(run_dir, variant="momentum")
    (run_dir / "mlp-iris-notes").mkdir()
    assert create(run_dir).name == "mlp-iris-1"


def test_a_new_run_holds_what_is_known_before_training(run_dir: Path) -> None:
    run = Run(create(run_dir, started=5.0).path)
    assert run.recipe == RECIPE
    assert run.spec == SPEC
    assert run.environment["started"] == 5.0
    assert run.status == "unfinished"
    assert run.history == {}
    assert not run.finished
    assert (run.path / "checkpoints").is_dir()
    assert (run.path / "figures").is_dir()


def test_threads_that_start_at_once_never_share_a_run(run_dir: Path) -> None:
    together = Barrier(8)

    def start(_: int) -> list[str]:
        together.wait()
        return [create(run_dir).name for _ in range(5)]

    with ThreadPoolExecutor(8) as pool:
        names = [name for made in pool.map(start, range(8)) for name in made]
    assert len(set(names)) == 40
    assert all((run_dir / name / "recipe.toml").is_file() for name in names)


PROCESS = """
import sys
from pathlib import Path
from recipes.library import load
from zoo.runs import folder as runs
recipe = load("mlp-iris")
print("ready", flush=True)
sys.stdin.readline()
for _ in range(10):
    print(runs.create(recipe, "{}", {}, Path(sys.argv[1])).name)
"""


def test_processes_that_start_at_once_never_share_a_run(run_dir: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(run_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    names = [name for process in processes for name in process.communicate()[0].split()]
    assert len(names) == 30
    assert len(set(names)) == 30


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(UsageError, match="cannot make the folder"):
        create(tmp_path / "taken" / "runs")


# Listing them


def test_the_newest_run_is_the_last_whatever_its_name(run_dir: Path) -> None:
    create(run_dir, started=30.0, model="perceptron")
    create(run_dir, started=10.0, model="vae")
    create(run_dir, started=20.0, model="lenet5")
    names = [run.name for run in runs.list_runs(run_dir)]
    assert names == ["vae-iris-1", "lenet5-iris-1", "perceptron-iris-1"]


def test_what_is_not_a_run_is_not_listed(run_dir: Path) -> None:
    create(run_dir)
    (run_dir / "notes").mkdir()
    (run_dir / "notes.txt").touch()
    assert [run.name for run in runs.list_runs(run_dir)] == ["mlp-iris-1"]


def test_a_folder_that_is_not_there_holds_no_runs(run_dir: Path) -> None:
    assert runs.list_runs(run_dir) == []
    assert not run_dir.exists()


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"started": null}', '{"started": "soon"}'])
def test_a_damaged_run_does_not_hide_the_others(text: str, run_dir: Path) -> None:
    create(run_dir, started=1.0)
    (create(run_dir).path / "environment.json").write_text(text)
    assert {run.name for run in runs.list_runs(run_dir)} == {"mlp-iris-1", "mlp-iris-2"}


# Finding one


@pytest.fixture
def several(run_dir: Path) -> Path:
    """Eleven runs of mlp on iris and, the newest but one, one of lenet5."""
    for number in range(10):
        create(run_dir, started=float(number))
    create(run_dir, started=10.0, model="lenet5")
    create(run_dir, started=11.0)
    return run_dir


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("latest", "mlp-iris-11"),
        ("mlp-iris-2", "mlp-iris-2"),
        ("mlp-iris-1", "mlp-iris-1"),  # a whole name, though -10 and -11 begin so
        ("len", "lenet5-iris-1"),
        ("mlp-iris-10", "mlp-iris-10"),
    ],
)
def test_a_run_is_known_by_latest_its_name_or_its_beginning(
    asked: str, found: str, several: Path
) -> None:
    assert load_run(asked, several).name == found


def test_a_run_is_known_by_its_folder(several: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = several / "mlp-iris-3"
    assert load_run(path, "elsewhere").path == path
    assert load_run(f"{path}/", "elsewhere").path == path
    monkeypatch.chdir(several)
    assert load_run("mlp-iris-3", "elsewhere").recipe == RECIPE
    monkeypatch.chdir(several.parent)
    assert load_run("runs/mlp-iris-3", "elsewhere").recipe == RECIPE


def refusal(asked: str | Path, folder: Path) -> str:
    with pytest.raises(UsageError) as caught:
        load_run(asked, folder)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_beginning_that_several_share_names_them(several: Path) -> None:
    message = refusal("mlp-iris", several)
    assert message == (
        "11 runs begin with 'mlp-iris'; the newest are "
        "mlp-iris-7, mlp-iris-8, mlp-iris-9, mlp-iris-10, mlp-iris-11"
    )


def test_an_unknown_run_is_refused_with_the_nearest_name(several: Path) -> None:
    message = refusal("lenet-iris-1", several)
    assert message == f"there is no run 'lenet-iris-1' in {several}. Did you mean 'lenet5-iris-1'?"


def test_where_no_name_is_near_the_command_that_lists_them_is_told(several: Path) -> None:
    assert refusal("transformer", several).endswith("See them with: dlzoo runs")


def test_where_there_are_no_runs_the_way_to_make_one_is_told(run_dir: Path) -> None:
    for asked in ("latest", "mlp-iris-1"):
        message = refusal(asked, run_dir)
        assert message.startswith(f"there are no runs in {run_dir}.")
        assert "dlzoo train" in message


def test_commands_that_are_suggested_find_the_run_again(
    several: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = load_run("mlp-iris-3", several)
    assert load_run(elsewhere.reference).path == several / "mlp-iris-3"
    monkeypatch.chdir(several.parent)
    at_home = load_run("mlp-iris-3")
    assert at_home.reference == "mlp-iris-3"


# Damage


def test_a_folder_without_a_recipe_is_no_run(several: Path) -> None:
    path = several / "mlp-iris-3"
    (path / "recipe.toml").unlink()
    for asked in (path, "mlp-iris-3"):
        with pytest.raises(UsageError, match=r"mlp-iris-3.* damaged: it has no recipe.toml"):
            _ = runs.find(asked, several).recipe
    assert {run.name: run.status for run in runs.list_runs(several)}["mlp-iris-3"] == "damaged"


Look = Callable[[Run], Any]


def damage(run: RunFolder, look: Look) -> str:
    with pytest.raises(UsageError) as caught:
        look(Run(run.path))
    message = str(caught.value)
    assert "\n" not in message
    return message


DAMAGES: list[tuple[str, str | None, Look]] = [
    ("recipe.toml", "model = ", lambda run: run.recipe),
    ("recipe.toml", 'model = "mlp"\nepoch = 3', lambda run: run.recipe),
    ("data.json", "{", lambda run: run.spec),
    ("data.json", "[]", lambda run: run.spec),
    ("data.json", "{}", lambda run: run.spec),
    ("data.json", '{"colour": "blue"}', lambda run: run.spec),
    ("data.json", None, lambda run: run.spec),
    ("metrics.json", '{"test": ', lambda run: run.metrics),
    ("metrics.json", "[]", lambda run: run.metrics),
    ("environment.json", "", lambda run: run.environment),
    ("environment.json", None, lambda run: run.environment),
    ("history.csv", "epoch,loss\n1,low\n", lambda run: run.history),
    ("history.csv", "epoch,loss\n1\n", lambda run: run.history),
]


@pytest.mark.parametrize(
    ("name", "text", "look"), DAMAGES, ids=[f"{name}: {text}" for name, text, _ in DAMAGES]
)
def test_a_damaged_file_is_named(name: str, text: str | None, look: Look, run_dir: Path) -> None:
    run = finish(create(run_dir))
    if text is None:
        (run.path / name).unlink()
    else:
        (run.path / name).write_text(text)
    message = damage(run, look)
    assert "mlp-iris-1" in message
    assert name in message


@pytest.mark.parametrize(
    "name", ["recipe.toml", "data.json", "metrics.json", "environment.json", "history.csv"]
)
def test_a_file_that_may_not_be_read_is_named(
    name: str, run_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = finish(create(run_dir))
    (run.path / "history.csv").write_text("epoch,loss\n1,0.5\n")
    opened = Path.open

    def denied(path: Path, *arguments: Any, **keywords: Any) -> Any:
        if path.name == name:
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments, **keywords)

    monkeypatch.setattr(Path, "open", denied)  # root, whom containers run as, may read anything
    looks = {"data.json": "data", "history.csv": "history"}
    message = damage(run, lambda run: getattr(run, looks.get(name, name.split(".", maxsplit=1)[0])))
    assert name in message
    assert "Permission denied" in message
    if name in ("recipe.toml", "history.csv"):
        assert run.status == "damaged"
    assert [one.name for one in runs.list_runs(run_dir)] == ["mlp-iris-1"]


def test_a_folder_that_may_not_be_looked_into_is_listed_as_damaged(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(run_dir, started=2.0)
    closed = finish(create(run_dir, started=1.0)).path
    is_file = Path.is_file

    def denied(path: Path, **keywords: Any) -> bool:
        if path.parent == closed:
            raise PermissionError(13, "Permission denied")
        return is_file(path, **keywords)

    monkeypatch.setattr(Path, "is_file", denied)
    statuses = {run.name: run.status for run in runs.list_runs(run_dir)}
    assert statuses == {"mlp-iris-1": "unfinished", "mlp-iris-2": "damaged"}
    assert runs.find("latest", run_dir).name == "mlp-iris-1"


# Status


def test_a_failed_run_tells_why_and_is_not_the_latest(run_dir: Path) -> None:
    first = create(run_dir, started=1.0)
    failed = create(run_dir, started=2.0)
    failed.end_session("failed", "loss is nan in epoch 3")
    assert (failed.status, failed.failure) == ("failed", "loss is nan in epoch 3")
    assert runs.find("latest", run_dir).name == first.name
    failed.begin_session({"epochs": 60})
    assert failed.status == "unfinished", "it is being gone on with"
    failed.end_session("stopped")
    assert failed.status == "unfinished"
    assert [one.get("outcome") for one in failed.sessions] == ["failed", "stopped"]


def test_where_all_have_failed_the_newest_is_the_latest(run_dir: Path) -> None:
    for started in (1.0, 2.0):
        create(run_dir, started=started).end_session("failed", "no reason")
    assert runs.find("latest", run_dir).name == "mlp-iris-2"


def test_a_run_that_is_being_trained_says_so_and_cannot_be_removed(run_dir: Path) -> None:
    run = create(run_dir)
    with held(run.path):
        assert run.status == "training"
        with pytest.raises(UsageError, match="run mlp-iris-1 is being trained"):
            run.remove()
        with pytest.raises(UsageError, match="by another process"), runs.training(run):
            pass
    assert run.status == "unfinished"
    run.remove()
    assert runs.list_runs(run_dir) == []


def test_asking_whether_a_run_is_trained_does_not_keep_others_from_it(run_dir: Path) -> None:
    run = create(run_dir)
    descriptor = os.open(run.path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)  # as `is_claimed` does for a moment
    try:
        assert run.status == "unfinished"
    finally:
        os.close(descriptor)


def test_a_finished_run_without_its_score_is_damaged(run_dir: Path) -> None:
    run = finish(create(run_dir))
    assert run.status == "finished"
    assert run.score == ("accuracy", 0.9)
    (run.path / "metrics.json").write_text("{}")
    damaged = RunFolder(run.path)
    assert damaged.status == "damaged"
    assert damaged.score is None


# Names of the user's own


@pytest.mark.parametrize("name", ["latest", "../up", "a b", ".hidden", "-x", "", "a/b"])
def test_a_name_that_a_folder_should_not_have_is_refused(name: str, run_dir: Path) -> None:
    with pytest.raises(UsageError, match="a run's name may have letters"):
        runs.require_free_name(name, run_dir)


def test_a_name_is_given_once(run_dir: Path) -> None:
    assert create(run_dir, name="mine").path == run_dir / "mine"
    with pytest.raises(UsageError, match=r"there is a run .*mine already"):
        create(run_dir, name="mine")
    assert [path.name for path in run_dir.iterdir()] == ["mine"]


# Leftovers and failures


def test_what_killed_processes_left_is_removed_unless_somebody_holds_it(run_dir: Path) -> None:
    run = create(run_dir)
    left, in_use = run_dir / ".run-tmpdeadbeef", run_dir / ".run-tmp00000001"
    for folder in (left, in_use):
        (folder / "checkpoints").mkdir(parents=True)
    (run_dir / ".mine").mkdir()
    with held(in_use):
        create(run_dir)
    assert not left.exists()
    assert in_use.exists()
    assert (run_dir / ".mine").exists()

    halves = [run.path / ".model-tmpdeadbeef.keras"]
    halves += [run.path / "checkpoints" / ".state-tmpdeadbeef.npz"]
    halves += [run.path / "figures" / ".curves-tmpdeadbeef.png"]
    for half in halves:
        half.touch()
    with runs.training(run):
        assert not any(half.exists() for half in halves)


def full_disk(*_: Any) -> None:
    raise OSError(28, "No space left on device")


def test_a_full_disk_leaves_no_run(run_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "write_text", full_disk)
    with pytest.raises(DlzooError, match=r"cannot write run .*: No space left on device"):
        create(run_dir)
    assert not run_dir.exists()


def test_while_another_process_makes_a_run_this_one_waits(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(run_dir)
    clock = iter([0.0, 5.0, 61.0])
    monkeypatch.setattr("zoo.base.files.time.monotonic", lambda: next(clock))
    monkeypatch.setattr("zoo.base.files.time.sleep", lambda seconds: None)
    with held(run_dir), pytest.raises(UsageError, match="is starting a training in"):
        create(run_dir)

"""The run folder: one for each training, found by its name, and its damage told in one line."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pytest

from recipes.library import load as load_recipe
from tests import tiny
from zoo import runs
from zoo.datasets.loading import load as load_dataset
from zoo.errors import UsageError
from zoo.runs import Run

RECIPE = load_recipe("mlp-iris")
SPEC = load_dataset("iris").spec


def create(folder: Path, *, started: float = 0.0, **changes: Any) -> Run:
    recipe = RECIPE.model_copy(update=changes)
    return runs.create(recipe, SPEC, {"started": started}, folder)


def finish(run: Run) -> Run:
    """Give a run what makes it a finished one, as far as its folder tells."""
    score = {"metric": "accuracy", "split": "test", "value": 0.9}
    (run.path / "metrics.json").write_text(json.dumps({"score": score}))
    return run


@pytest.fixture
def trained(shared_run_dir: Path, run_dir: Path) -> Run:
    """A trained run of its own for one test."""
    return tiny.copy(tiny.run("table", shared_run_dir), run_dir)


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
    assert run.environment == {"started": 5.0}
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
from zoo import runs
from zoo.datasets.loading import load as load_dataset
recipe, spec = load("mlp-iris"), load_dataset("iris").spec
print("ready", flush=True)
sys.stdin.readline()
for _ in range(10):
    print(runs.create(recipe, spec, {}, Path(sys.argv[1])).name)
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
    assert runs.load(asked, several).name == found


def test_a_run_is_known_by_its_folder(several: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = several / "mlp-iris-3"
    assert runs.load(path, "elsewhere").path == path
    assert runs.load(f"{path}/", "elsewhere").path == path
    monkeypatch.chdir(several)
    assert runs.load("mlp-iris-3", "elsewhere").recipe == RECIPE
    monkeypatch.chdir(several.parent)
    assert runs.load("runs/mlp-iris-3", "elsewhere").recipe == RECIPE


def refusal(asked: str | Path, folder: Path) -> str:
    with pytest.raises(UsageError) as caught:
        runs.load(asked, folder)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_beginning_that_several_share_names_them(several: Path) -> None:
    message = refusal("mlp-iris", several)
    assert message.startswith("'mlp-iris' is the beginning of 11 runs: ")
    assert message.endswith("mlp-iris-11")  # the newest, which is most often meant


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
    elsewhere = runs.load("mlp-iris-3", several)
    assert runs.load(elsewhere.reference).path == several / "mlp-iris-3"
    monkeypatch.chdir(several.parent)
    at_home = runs.load("mlp-iris-3")
    assert at_home.reference == "mlp-iris-3"


# Damage


def test_a_folder_without_a_recipe_is_no_run(several: Path) -> None:
    path = several / "mlp-iris-3"
    (path / "recipe.toml").unlink()
    for asked in (path, "mlp-iris-3"):
        message = refusal(asked, several)
        assert "mlp-iris-3" in message
        assert "damaged: it has no recipe.toml" in message


Look = Callable[[Run], Any]


def damage(run: Run, look: Look) -> str:
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


@pytest.mark.parametrize("left", [0.0, 0.1, 0.5, 0.9])
def test_a_truncated_model_is_damage_and_no_traceback(left: float, trained: Run) -> None:
    path = trained.path / "model.keras"
    content = path.read_bytes()
    path.write_bytes(content[: int(left * len(content))])
    message = damage(trained, lambda run: run.predict([[5.1, 3.5, 1.4, 0.2]]))
    assert message.startswith("run mlp-iris-1 is damaged: ")
    assert "model.keras cannot be loaded" in message


def test_a_finished_run_without_its_model_is_damaged(trained: Run) -> None:
    (trained.path / "model.keras").unlink()
    message = damage(trained, lambda run: run.model)
    assert message == "run mlp-iris-1 is damaged: it has no model.keras"


@pytest.mark.parametrize("look", [lambda run: run.model, lambda run: run.metrics])
def test_an_unfinished_run_is_not_called_damaged_but_can_be_gone_on_with(
    look: Look, run_dir: Path
) -> None:
    run = create(run_dir)
    message = damage(run, look)
    assert "has not finished training" in message
    assert f"dlzoo train --resume {run.path}" in message


def test_a_model_of_another_kind_of_file_is_refused(trained: Run) -> None:
    (trained.path / "model.keras").write_text("not a model at all")
    assert "is damaged" in damage(trained, lambda run: run.evaluate())


# Using one


def test_what_is_loaded_answers_as_what_was_trained(trained: Run, shared_run_dir: Path) -> None:
    flowers = load_dataset("iris").split("test").inputs
    expected = tiny.run("table", shared_run_dir).predict(flowers)
    np.testing.assert_array_equal(runs.load(trained.path).predict(flowers), expected)


def test_scores_are_those_of_the_training_whenever_they_are_asked_for(trained: Run) -> None:
    for split in ("validation", "test"):
        assert trained.evaluate(split) == pytest.approx(trained.metrics[split], abs=1e-6)
    assert trained.evaluate("train").keys() == trained.metrics["test"].keys()


def test_an_unknown_split_is_refused(trained: Run) -> None:
    with pytest.raises(UsageError, match="unknown split 'tset'"):
        trained.evaluate("tset")


def test_nothing_is_generated_where_nothing_is_asked_for(trained: Run) -> None:
    with pytest.raises(UsageError, match="count must be at least 1, got 0"):
        trained.generate(0)


def test_images_of_different_sizes_are_answered_together(shared_run_dir: Path) -> None:
    run = tiny.run("image", shared_run_dir)
    draw = np.random.default_rng(0)
    batches = [draw.uniform(size=(1, side, side, 1)).astype("float32") for side in (8, 32, 50)]
    together = run.predict_each(batches)
    assert together.shape == (3, 10)
    for batch, answer in zip(batches, together, strict=True):
        np.testing.assert_allclose(run.predict(batch)[0], answer, atol=1e-6)


def test_the_score_that_is_quoted_is_the_target_s(run_dir: Path) -> None:
    run = create(run_dir)
    assert runs.headline(run) is None
    assert runs.headline(finish(run)) == ("accuracy", 0.9)


def test_a_metric_that_the_task_and_the_recipe_name_counts_once() -> None:
    class Task:
        def compile_arguments(self) -> dict[str, Any]:
            return {"loss": "mse", "metrics": ["accuracy", "r2_score"]}

    merged = runs.merged_metrics(Task(), {"optimizer": "sgd", "metrics": ["accuracy"]})
    assert merged == {"optimizer": "sgd", "metrics": ["r2_score", "accuracy"]}

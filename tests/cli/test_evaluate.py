"""`dlzoo evaluate`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Dlzoo, Keep
from zoo.run import Run


def test_the_scores_are_those_of_the_run(table_run: Run, dlzoo: Dlzoo) -> None:
    result = dlzoo("evaluate", "latest")
    assert result.code == 0
    assert result.out.startswith("mlp-iris-1 on the test split of iris (30 examples)\n")
    for name, value in table_run.metrics["test"].items():
        assert f"{name} " in result.out
        assert f"{value:.4f}" in result.out
    assert result.err == "next: dlzoo export mlp-iris-1\n"


def test_json_has_the_figures_in_full(table_run: Run, dlzoo: Dlzoo) -> None:
    told = dlzoo("evaluate", "latest", "--json").json
    assert told["metrics"] == pytest.approx(table_run.metrics["test"], abs=1e-7)
    assert (told["run"], told["model"], told["dataset"]) == ("runs/mlp-iris-1", "mlp", "iris")
    assert (told["split"], told["examples"]) == ("test", 30)


@pytest.mark.parametrize(("split", "size"), [("train", 105), ("validation", 15)])
def test_any_split_can_be_asked_for(split: str, size: int, table_run: Run, dlzoo: Dlzoo) -> None:
    told = dlzoo("evaluate", "latest", "--split", split, "--json").json
    assert (told["split"], told["examples"]) == (split, size)


@pytest.mark.parametrize("typed", ["mlp-iris-1", "mlp", "runs/mlp-iris-1", "runs/mlp-iris-1/"])
def test_a_run_goes_by_its_name_its_beginning_or_its_folder(
    typed: str, table_run: Run, dlzoo: Dlzoo
) -> None:
    assert dlzoo("evaluate", typed, "--json").json["run"] == "runs/mlp-iris-1"


def test_runs_are_kept_in_another_folder_if_it_is_named(keep: Keep, dlzoo: Dlzoo) -> None:
    keep("table", folder="there")
    assert dlzoo("evaluate", "latest").refusal.startswith("there are no runs in runs.")
    result = dlzoo("evaluate", "latest", "--run-dir", "there")
    assert result.code == 0
    assert result.err == "next: dlzoo export mlp-iris-1 --run-dir there\n"


def test_the_next_command_quotes_spaces_and_finds_the_run(keep: Keep, dlzoo: Dlzoo) -> None:
    run = keep("table", folder="my runs")
    assert dlzoo("evaluate", run.path).err == "next: dlzoo export 'my runs/mlp-iris-1'\n"
    assert dlzoo("evaluate", "latest", "--run-dir", "my runs").err == (
        "next: dlzoo export mlp-iris-1 --run-dir 'my runs'\n"
    )


def test_generators_have_scores_too(keep: Keep, dlzoo: Dlzoo) -> None:
    run = keep("vae")
    told = dlzoo("evaluate", "vae", "--json").json
    assert told["metrics"] == pytest.approx(run.metrics["test"], rel=1e-5)
    assert {"elbo", "parzen_log_likelihood"} <= told["metrics"].keys()


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("lenet5", "there is no run 'lenet5' in runs. See them with: dlzoo runs"),
        ("mlp-irs-1", "there is no run 'mlp-irs-1' in runs. Did you mean 'mlp-iris-1'?"),
        ("nowhere/mlp-iris-1", "there is no run 'nowhere/mlp-iris-1' in runs."),
        ("latest --split tets", "Did you mean 'test'?"),
        ("latest --split dev", "'dev' is not one of 'train', 'validation', 'test'."),
        ("", "Missing argument 'RUN'."),
    ],
)
def test_what_is_not_there_is_refused(
    typed: str, message: str, table_run: Run, dlzoo: Dlzoo
) -> None:
    assert message in dlzoo("evaluate", *typed.split()).refusal


def test_a_beginning_of_several_runs_is_refused(keep: Keep, dlzoo: Dlzoo) -> None:
    keep("table")
    keep("table", "mlp-iris-2")
    refusal = dlzoo("evaluate", "mlp").refusal
    assert refusal == "2 runs begin with 'mlp'; they are mlp-iris-1, mlp-iris-2"
    for number in range(3, 9):
        keep("table", f"mlp-iris-{number}")
    assert dlzoo("evaluate", "mlp").refusal == (
        "8 runs begin with 'mlp'; the newest are "
        "mlp-iris-4, mlp-iris-5, mlp-iris-6, mlp-iris-7, mlp-iris-8"
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.keras", b"PK\x03\x04 and no more"),
        ("model.keras", None),
        ("data.json", b"{"),
        ("recipe.toml", b"model = "),
        ("recipe.toml", None),
    ],
)
def test_a_damaged_run_is_refused(
    name: str, content: bytes | None, table_run: Run, dlzoo: Dlzoo
) -> None:
    path = table_run.path / name
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    said = dlzoo("evaluate", table_run.path).failure
    assert name in said
    assert "mlp-iris-1" in said


def test_a_run_that_is_not_finished_is_scored_and_says_so(
    keep: Keep, unfinished: Keep, dlzoo: Dlzoo
) -> None:
    finished = keep("table", "finished", "elsewhere").metrics["test"]
    run = unfinished("table")
    result = dlzoo("evaluate", "latest", "--json")
    assert result.err == f"run {run.name} is not finished: its weights are of epoch 1\n"
    assert result.json["finished"] is False
    assert result.json["metrics"] == pytest.approx(finished, abs=1e-6)


def test_a_run_without_a_whole_epoch_is_told_how_to_go_on(unfinished: Keep, dlzoo: Dlzoo) -> None:
    run = unfinished("table")
    (run.path / "history.csv").unlink()
    for weights in (run.path / "checkpoints").iterdir():
        weights.unlink()
    for command in (["evaluate"], ["export"], ["evaluate", "--weights", "best"]):
        assert dlzoo(*command, "latest").refusal == (
            "run mlp-iris-1 has no checkpoint yet. Go on with: dlzoo train --resume mlp-iris-1"
        )


def test_the_best_epoch_s_weights_can_be_scored(dlzoo: Dlzoo) -> None:
    assert dlzoo("train", "--recipe", "mlp-iris", "--epochs", 2, "--name", "two").code == 0
    run = Run(Path("runs/two"))
    assert run.metrics["best_epoch"] == 1  # so that best and last differ
    for epoch, which in enumerate(("best", "last")):
        typed = ["evaluate", "two", "--split", "validation", "--weights", which]
        told = dlzoo(*typed, "--json").json
        assert told["weights"] == which
        assert told["metrics"]["loss"] == pytest.approx(run.history["val_loss"][epoch], rel=1e-5)
        assert ("best epoch's weights" in dlzoo(*typed).out) == (which == "best")

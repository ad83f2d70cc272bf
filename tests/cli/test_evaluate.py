"""`dlzoo evaluate`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Dlzoo, Keep
from zoo.runs import Run


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
    # The command that is suggested finds the run without --run-dir.
    assert result.err == "next: dlzoo export there/mlp-iris-1\n"


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
    assert refusal == "'mlp' is the beginning of 2 runs: mlp-iris-1, mlp-iris-2"


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
    refusal = dlzoo("evaluate", table_run.path).refusal
    assert name in refusal
    assert "mlp-iris-1" in refusal


def test_an_unfinished_run_is_refused_with_the_command_that_goes_on(
    table_run: Run, dlzoo: Dlzoo
) -> None:
    for name in ("model.keras", "metrics.json"):
        (Path("runs/mlp-iris-1") / name).unlink()
    refusal = dlzoo("evaluate", "latest").refusal
    assert refusal.endswith("Go on with: dlzoo train --resume runs/mlp-iris-1")

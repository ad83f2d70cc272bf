"""`dlzoo runs`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Dlzoo, Keep
from zoo.runs import Run


def started(run: Run, when: float) -> Run:
    path = run.path / "environment.json"
    path.write_text(json.dumps({**run.environment, "started": when}))
    return run


def test_runs_are_listed_with_their_scores_the_newest_last(keep: Keep, dlzoo: Dlzoo) -> None:
    started(keep("vae"), 2.0)
    score = started(keep("table"), 1.0).metrics["score"]["value"]
    result = dlzoo("runs")
    assert result.code == 0
    heading, first, last = result.out.splitlines()
    assert heading.startswith("run ")
    assert first.split()[:5] == ["mlp-iris-1", "finished", "1/1", "accuracy", f"{score:.4f}"]
    assert last.split()[:4] == ["vae-digits-1", "finished", "1/1", "elbo"]
    assert result.err == "next: dlzoo evaluate latest\n"


def test_json_has_the_facts_of_each(table_run: Run, dlzoo: Dlzoo) -> None:
    (one,) = dlzoo("runs", "--json").json
    assert one == {
        "run": "mlp-iris-1",
        "path": "runs/mlp-iris-1",
        "model": "mlp",
        "dataset": "iris",
        "status": "finished",
        "epochs_done": 1,
        "epochs": 1,
        "metric": "accuracy",
        "score": table_run.metrics["score"]["value"],
        "date": table_run.environment["date"],
    }


def test_an_unfinished_run_shows_how_far_it_is(table_run: Run, dlzoo: Dlzoo) -> None:
    for name in ("model.keras", "metrics.json", "history.csv"):
        (table_run.path / name).unlink()
    assert dlzoo("runs").out.splitlines()[1].split()[:3] == ["mlp-iris-1", "unfinished", "0/1"]
    (one,) = dlzoo("runs", "--json").json
    assert (one["status"], one["epochs_done"], one["score"]) == ("unfinished", 0, None)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("recipe.toml", "model = "),
        ("environment.json", "{"),
        ("history.csv", "epoch\nfirst\n"),
        ("metrics.json", "{"),
        ("metrics.json", "{}"),
    ],
)
def test_a_damaged_run_is_said_to_be_one_and_hides_no_other(
    name: str, text: str, keep: Keep, dlzoo: Dlzoo
) -> None:
    keep("table")
    (keep("table", "mlp-iris-2").path / name).write_text(text)
    result = dlzoo("runs")
    assert result.code == 0
    status = {line.split()[0]: line.split()[1] for line in result.out.splitlines()[1:]}
    assert status == {"mlp-iris-1": "finished", "mlp-iris-2": "damaged"}
    told = {one["run"]: one["status"] for one in dlzoo("runs", "--json").json}
    assert told == status


def test_where_there_are_none_the_way_to_make_one_is_told(dlzoo: Dlzoo) -> None:
    result = dlzoo("runs")
    assert (result.code, result.out) == (0, "")
    assert result.err.splitlines() == [
        "there are no runs in runs",
        "next: dlzoo train resnet --epochs 20",
    ]
    assert dlzoo("runs", "--json").json == []
    assert not Path("runs").exists()


def test_another_folder_may_be_named(keep: Keep, dlzoo: Dlzoo) -> None:
    keep("table", folder="there")
    assert [one["run"] for one in dlzoo("runs", "--run-dir", "there", "--json").json] == [
        "mlp-iris-1"
    ]

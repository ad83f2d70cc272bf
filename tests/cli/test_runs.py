"""`dlzoo runs`."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Dlzoo, Keep, Terminal, unstyled
from zoo.run import Run
from zoo.runs.folder import training


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
    assert first.split()[:5] == ["mlp-iris-1", "finished", "1/1", f"{score:.4f}", "accuracy"]
    assert last.split()[:3] == ["vae-digits-1", "finished", "1/1"]
    assert last.split()[4] == "bits_per_dimension"
    assert result.err == "next: dlzoo runs show latest\n"


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
        "failure": None,
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


def test_the_next_commands_look_into_the_same_folder(keep: Keep, dlzoo: Dlzoo) -> None:
    keep("table", folder="my runs")
    assert dlzoo("runs", "--run-dir", "my runs").err == (
        "next: dlzoo runs show latest --run-dir 'my runs'\n"
    )
    assert dlzoo("runs", "--run-dir", "none").err.splitlines() == [
        "there are no runs in none",
        "next: dlzoo train resnet --epochs 20 --run-dir none",
    ]


@pytest.mark.parametrize("width", [80, 50])
def test_a_run_is_one_line_of_a_terminal(
    width: int, keep: Keep, dlzoo: Dlzoo, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep("table")
    keep("vae")
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("COLUMNS", str(width))
    assert dlzoo("runs").code == 0
    lines = unstyled(terminal.getvalue()).splitlines()
    assert sorted(line.split()[0] for line in lines) == ["mlp-iris-1", "run", "vae-digits-1"]
    assert max(map(len, lines)) <= width
    assert all("…" not in line.split()[3] for line in lines[1:])  # the score's number


def failed(run: Run) -> Run:
    """Make of a run one whose training failed."""
    (run.path / "metrics.json").unlink()
    run.end_session("failed", "loss is nan in epoch 2")
    return run


def test_a_failed_run_says_why_and_is_not_the_latest(keep: Keep, dlzoo: Dlzoo) -> None:
    started(keep("table"), 1.0)
    started(failed(keep("table", "mlp-iris-2")), 2.0)
    status = [line.split()[:2] for line in dlzoo("runs").out.splitlines()[1:]]
    assert status == [["mlp-iris-1", "finished"], ["mlp-iris-2", "failed"]]
    assert dlzoo("runs", "--json").json[1]["failure"] == "loss is nan in epoch 2"
    assert dlzoo("runs", "show", "latest").out.startswith("mlp-iris-1: ")
    shown = dlzoo("runs", "show", "mlp-iris-2")
    assert "failed    loss is nan in epoch 2" in shown.out
    assert shown.err == ""  # to resume it would fail again


def test_one_run_is_shown_with_its_scores_and_the_commands_that_trained_it(
    table_run: Run, dlzoo: Dlzoo
) -> None:
    assert dlzoo("train", "--resume", "latest", "--epochs", 2).code == 0
    result = dlzoo("runs", "show", "latest")
    heading, *lines = result.out.splitlines()
    assert heading == "mlp-iris-1: mlp on iris, finished"
    told = dict(re.split(r"  +", line, maxsplit=1) for line in lines if line[0] != " ")
    metrics = Run(table_run.path).metrics
    assert told["epochs"] == "2 of 2"
    assert f"accuracy {metrics['test']['accuracy']:.4f}" in told["test"]
    assert told["best epoch"] == str(metrics["best_epoch"])
    assert told["folder"] == "runs/mlp-iris-1"
    assert result.out.count(", finished)") == 2  # both sessions
    assert result.err == "next: dlzoo evaluate mlp-iris-1\n"
    shown = dlzoo("runs", "show", "mlp", "--json").json
    assert shown["metrics"] == metrics
    assert [one["outcome"] for one in shown["sessions"]] == ["finished", "finished"]
    assert [one["from_epoch"] for one in shown["sessions"]] == [0, 1]


def test_an_unfinished_run_shows_how_to_go_on(unfinished: Keep, dlzoo: Dlzoo) -> None:
    unfinished("table", folder="my runs")
    result = dlzoo("runs", "show", "latest", "--run-dir", "my runs")
    assert result.out.startswith("mlp-iris-1: mlp on iris, unfinished\n")
    assert result.out.splitlines()[1].split() == ["epochs", "1", "of", "3"]
    assert result.err == "next: dlzoo train --resume mlp-iris-1 --run-dir 'my runs'\n"


@pytest.mark.parametrize(
    ("name", "text"), [("recipe.toml", "model = "), ("history.csv", "epoch\nfirst\n")]
)
def test_to_show_a_damaged_run_names_the_damage(
    name: str, text: str, table_run: Run, dlzoo: Dlzoo
) -> None:
    (table_run.path / name).write_text(text)
    said = dlzoo("runs", "show", table_run.path).failure
    assert said.startswith("run mlp-iris-1 is damaged: ")
    assert name in said


def test_runs_are_deleted_after_asking(
    keep: Keep, dlzoo: Dlzoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep("table")
    keep("table", "mlp-iris-2")
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    result = dlzoo("runs", "rm", "mlp-iris-1")
    assert (result.code, result.out) == (1, "")
    assert result.err == ("Delete runs/mlp-iris-1? [y/N]: dlzoo: nothing was deleted\n")
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    result = dlzoo("runs", "rm", "mlp-iris-1")
    assert (result.code, result.out) == (0, "deleted runs/mlp-iris-1\n")
    assert [path.name for path in Path("runs").iterdir()] == ["mlp-iris-2"]


def test_without_a_terminal_yes_is_said_by_an_option(
    keep: Keep, dlzoo: Dlzoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep("table")
    keep("vae")
    keep("text")
    monkeypatch.setattr("sys.stdin", io.StringIO())
    result = dlzoo("runs", "rm", "mlp-iris-1")
    assert result.code == 2
    assert result.err.splitlines()[-1].endswith("without a terminal, add --yes")
    # The same run twice is deleted once.
    result = dlzoo("runs", "rm", "mlp-iris-1", "vae", "runs/vae-digits-1", "--yes")
    assert result.code == 0, result.err
    assert result.out.splitlines() == ["deleted runs/mlp-iris-1", "deleted runs/vae-digits-1"]
    assert [path.name for path in Path("runs").iterdir()] == ["lstm-languages-1"]


def test_a_run_in_training_is_kept_and_all_others_with_it(keep: Keep, dlzoo: Dlzoo) -> None:
    keep("vae")
    run = keep("table")
    (run.path / "metrics.json").unlink()
    with training(run):
        status = {one["run"]: one["status"] for one in dlzoo("runs", "--json").json}
        assert status["mlp-iris-1"] == "training"
        refusal = dlzoo("runs", "rm", "vae", "mlp-iris-1", "--yes").refusal
    assert refusal == "run mlp-iris-1 is being trained: stop that first"
    assert len(list(Path("runs").iterdir())) == 2


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("show", "Missing argument 'RUN'."),
        ("rm", "Missing argument 'RUN...'."),
        ("show mlp-irs-1", "there is no run 'mlp-irs-1' in runs. Did you mean 'mlp-iris-1'?"),
        ("rm mlp-irs-1 --yes", "there is no run 'mlp-irs-1' in runs. Did you mean 'mlp-iris-1'?"),
        ("rm runs --yes", "there is no run 'runs' in runs. See them with: dlzoo runs"),
        ("rm . --yes", "there is no run '.' in runs. See them with: dlzoo runs"),
        ("rm .. --yes", "there is no run '..' in runs. See them with: dlzoo runs"),
        ("rm / --yes", "there is no run '/' in runs. See them with: dlzoo runs"),
        ("shw", "runs has no command 'shw'. Did you mean 'show'?"),
    ],
)
def test_what_is_not_there_is_refused_and_nothing_is_deleted(
    typed: str, message: str, table_run: Run, dlzoo: Dlzoo
) -> None:
    assert dlzoo("runs", *typed.split()).refusal == message
    assert (table_run.path / "metrics.json").is_file()

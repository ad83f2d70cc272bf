"""`dlzoo compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cli.compare import optimizer_cells
from recipes.recipe import parse
from tests.cli.conftest import Dlzoo, Keep


def readable(path: str, kind: str = "PNG") -> bool:
    with Image.open(path) as picture:
        picture.verify()
        return picture.format == kind


def test_curves_come_in_one_picture_and_scores_in_one_table(keep: Keep, dlzoo: Dlzoo) -> None:
    table, numbers = keep("table"), keep("numbers")
    result = dlzoo("compare", "mlp-iris", "mlp-diabetes")
    assert result.code == 0
    heading, first, last, curves = result.out.splitlines()
    assert heading.split()[:4] == ["run", "optimizer", "epochs", "seconds"]
    assert first.split()[:4] == [table.name, "Adam", "learning_rate=0.01", "1"]
    assert f"{table.metrics['test']['accuracy']:.4f}" in first
    assert f"{numbers.metrics['test']['r2_score']:.4f}" in last
    assert curves == "curves: compare.png"
    assert readable("compare.png")
    assert result.err == "next: dlzoo evaluate mlp-iris-1\n"


def test_json_has_every_run_s_scores(keep: Keep, dlzoo: Dlzoo) -> None:
    run = keep("table")
    keep("table", "mlp-iris-2")
    told = dlzoo("compare", "mlp-iris-1", "mlp-iris-2", "--output", "new/both.png", "--json").json
    assert told["picture"] == "new/both.png"
    assert [one["run"] for one in told["runs"]] == ["mlp-iris-1", "mlp-iris-2"]
    assert told["runs"][0]["test"] == run.metrics["test"]
    assert readable("new/both.png")


def test_runs_of_one_name_in_two_folders_are_both_compared(keep: Keep, dlzoo: Dlzoo) -> None:
    keep("table", folder="here")
    keep("table", folder="there")
    told = dlzoo("compare", "here/mlp-iris-1", "there/mlp-iris-1", "--json").json
    assert [one["run"] for one in told["runs"]] == ["here/mlp-iris-1", "there/mlp-iris-1"]


def test_a_run_that_is_named_twice_is_compared_once(keep: Keep, dlzoo: Dlzoo) -> None:
    keep("table")
    told = dlzoo("compare", "latest", "mlp-iris-1", "runs/mlp-iris-1", "--json").json
    assert [one["run"] for one in told["runs"]] == ["mlp-iris-1"]


def test_an_unfinished_run_is_compared_by_what_it_has(keep: Keep, dlzoo: Dlzoo) -> None:
    keep("table")
    (keep("table", "mlp-iris-2").path / "metrics.json").unlink()
    result = dlzoo("compare", "mlp-iris-1", "mlp-iris-2")
    assert result.code == 0
    assert result.out.splitlines()[2].split()[:3] == ["mlp-iris-2", "Adam", "1"]
    assert dlzoo("compare", "mlp-iris-2", "mlp-iris-1").err == "next: dlzoo evaluate mlp-iris-1\n"
    assert dlzoo("compare", "mlp-iris-2").err == ""  # it cannot be evaluated


def test_a_picture_that_is_there_is_kept_and_the_next_name_taken(keep: Keep, dlzoo: Dlzoo) -> None:
    keep("table")
    Path("compare.png").write_text("mine")
    first, second = dlzoo("compare", "latest"), dlzoo("compare", "latest")
    assert first.out.splitlines()[-1] == "curves: compare-2.png"
    assert second.out.splitlines()[-1] == "curves: compare-3.png"
    assert first.out.splitlines()[:-1] == second.out.splitlines()[:-1]
    assert Path("compare.png").read_text() == "mine"
    assert dlzoo("compare", "latest", "--overwrite").out.splitlines()[-1] == "curves: compare.png"
    assert readable("compare.png")


def test_a_picture_that_is_named_is_kept_unless_it_is_to_be_replaced(
    keep: Keep, dlzoo: Dlzoo
) -> None:
    keep("table")
    Path("mine.png").write_text("mine")
    typed = ["compare", "latest", "--output", "mine.png"]
    assert dlzoo(*typed).refusal == "mine.png exists; --overwrite replaces it"
    assert Path("mine.png").read_text() == "mine"
    assert dlzoo(*typed, "--overwrite").code == 0
    assert readable("mine.png")


@pytest.mark.parametrize("name", ["both.jpg", "both.jpeg", "both.JPG"])
def test_a_jpeg_is_one(name: str, keep: Keep, dlzoo: Dlzoo) -> None:
    keep("table")
    assert dlzoo("compare", "latest", "--output", name).code == 0
    assert readable(name, "JPEG")


SGD = {"name": "SGD", "learning_rate": 0.1}


@pytest.mark.parametrize(
    ("changes", "cells"),
    [
        ([{}, {}], ["SGD", "SGD"]),
        ([{}], ["SGD"]),
        (
            [{}, {"optimizer": {**SGD, "momentum": 0.9}}],
            ["SGD", "SGD momentum=0.9"],
        ),
        (
            [{"optimizer": {**SGD, "learning_rate": 0.01}}, {"optimizer": {"name": "Adam"}}, {}],
            ["SGD learning_rate=0.01", "Adam", "SGD learning_rate=0.1"],
        ),
        (
            [{}, {"schedule": {"name": "CosineDecay", "alpha": 0.5}}, {"warmup": {"epochs": 2}}],
            [
                "SGD",
                "SGD schedule=CosineDecay schedule.alpha=0.5",
                "SGD warmup.epochs=2.0 warmup.start=0.0",
            ],
        ),
        (
            [
                {"optimizer": None, "optimizers": {"generator": SGD, "discriminator": SGD}},
                {
                    "optimizer": None,
                    "optimizers": {"generator": SGD, "discriminator": {**SGD, "momentum": 0.5}},
                },
            ],
            ["SGD, SGD", "SGD, SGD discriminator.momentum=0.5"],
        ),
    ],
)
def test_optimizers_are_told_apart_by_what_differs(
    changes: list[dict[str, Any]], cells: list[str]
) -> None:
    values = {"model": "mlp", "epochs": 2, "data": {"name": "iris"}, "optimizer": SGD}
    recipes = [parse({**values, **change}, source="test") for change in changes]
    assert optimizer_cells(recipes) == cells


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("", "Missing argument 'RUN...'."),
        ("latest mlp-irs-1", "there is no run 'mlp-irs-1' in runs. Did you mean 'mlp-iris-1'?"),
        ("latest --output runs", "runs is a folder; name a file"),
        ("latest --output taken/curves.png", "cannot make the folder taken: "),
        (
            "latest --output curves.gif",
            "a picture's name must end in .png, .jpg or .jpeg, got 'curves.gif'",
        ),
    ],
)
def test_wrong_input_is_refused(typed: str, message: str, keep: Keep, dlzoo: Dlzoo) -> None:
    keep("table")
    Path("taken").touch()
    assert message in dlzoo("compare", *typed.split()).refusal
    assert not [*Path().glob("*.png"), *Path().glob("*.gif")]


def test_a_run_without_an_epoch_has_no_curve(keep: Keep, dlzoo: Dlzoo) -> None:
    (keep("table").path / "history.csv").unlink()
    assert dlzoo("compare", "latest").refusal == "run mlp-iris-1 has not finished an epoch yet"

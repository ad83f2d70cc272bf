"""Series and texts of one's own, which are as long as they are; and scores of several numbers."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests import own
from tests.cli.conftest import Dlzoo
from zoo.run import load
from zoo.training.resolve import resolve


def save_series(path: Path, answers: np.ndarray, steps: int = 30) -> None:
    """Write 60 series of two channels, whose mean tells the class."""
    draw = np.random.default_rng(0)
    series = draw.normal(size=(60, steps, 2)) + (np.arange(60) % 2)[:, None, None]
    np.savez(path, x=series.astype("float32"), y=answers)


def test_series_of_one_s_own_are_classified(dlzoo: Dlzoo) -> None:
    save_series(Path("series.npz"), np.arange(60) % 2)
    done = dlzoo("train", "--dataset", "npz:series.npz", "--epochs", 2)
    assert done.code == 0, done.err
    run = load()
    assert run.recipe.model == "gru"
    assert run.recipe.task == "series-classification"
    assert run.model.input_shape == (None, 30, 2)
    assert "accuracy" in run.metrics["test"]
    series = np.load("series.npz")["x"][:3]
    assert run.predict(series).shape == (3, 2)


def test_a_number_asked_of_series_is_no_forecast(dlzoo: Dlzoo) -> None:
    save_series(Path("series.npz"), np.linspace(0.0, 1e-3, 60), steps=90)
    recipe = resolve(None, dataset="npz:series.npz")
    assert recipe.task == "regression"
    assert recipe.data.forms == {}


def test_texts_of_one_s_own_are_not_cut_to_another_data_set_s_length(dlzoo: Dlzoo) -> None:
    with Path("texts.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("review", "mood"))
        rows.writerows((f"word{n} " + "long " * 60, ("good", "bad")[n % 2]) for n in range(40))
    recipe = resolve("gru", dataset="csv:texts.csv", target="mood")
    assert "length" not in recipe.data.forms.get("review", {})


def test_a_metric_of_several_numbers_is_their_mean(dlzoo: Dlzoo) -> None:
    own.people(Path("people.csv"))
    metric = 'metrics=[{name="Precision",thresholds=[0.3,0.6]}]'
    words = ("--dataset", "csv:people.csv", "--target", "plan", "--epochs", 1, "--set", metric)
    done = dlzoo("train", "mlp", *words)
    assert done.code == 0, done.err
    assert 0.0 <= load().metrics["test"]["precision"] <= 1.0


def test_the_worst_errors_are_drawn_in_the_format_of_their_name(dlzoo: Dlzoo) -> None:
    own.photos(Path("photos"), 8)
    assert dlzoo("train", "--dataset", "folder:photos", "--epochs", 1).code == 0
    scored = dlzoo("evaluate", "latest", "--dataset", "folder:photos", "--worst", "w.jpg", "--json")
    assert scored.code == 0, scored.err
    assert scored.json["finished"] is True
    assert scored.json["weights"] == "last"
    assert scored.json["drawn"] is True  # one epoch leaves errors
    with Image.open("w.jpg") as picture:
        assert picture.format == "JPEG"


def test_worst_errors_of_a_table_are_refused(dlzoo: Dlzoo) -> None:
    own.people(Path("people.csv"))
    words = ("--dataset", "csv:people.csv")
    assert dlzoo("train", *words, "--target", "plan", "--epochs", 1).code == 0
    result = dlzoo("evaluate", "latest", *words, "--worst", "worst.png")
    assert result.code == 2
    assert "--worst is for classes of images" in result.err
    assert not Path("worst.png").exists()


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda run: (run / "data.json").unlink(), "it has no data.json"),
        (lambda run: (run / "splits.csv").write_text("example,split\na,train\nb\n"), "ends early"),
    ],
)
def test_damage_is_told_once_of_the_file_that_has_it(
    damage: object, told: str, dlzoo: Dlzoo
) -> None:
    own.people(Path("people.csv"))
    words = ("--dataset", "csv:people.csv", "--target", "plan", "--epochs", 1)
    assert dlzoo("train", *words).code == 0
    damage(load().path)  # type: ignore[operator]
    result = dlzoo("evaluate", "latest")
    assert result.code == 1
    assert result.err.count("is damaged") == 1
    assert told in result.err

"""Pictures open, have the format that their name says, and show what they should."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from zoo.base.errors import UsageError
from zoo.runs import figures, pictures
from zoo.runs.figures import confusion_matrix, curves, regression
from zoo.runs.pictures import image_grid, require_picture_suffix, worst_errors

HISTORY = {
    "epoch": [1.0, 2.0, 3.0],
    "seconds": [0.2, 0.1, 0.1],
    "learning_rate": [0.1, 0.1, 0.1],
    "accuracy": [0.5, 0.7, 0.9],
    "loss": [1.0, 0.6, 0.4],
    "val_accuracy": [0.4, 0.6, 0.7],
    "val_loss": [1.1, 0.8, 0.7],
}


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The matplotlib figures that are saved from here on."""
    kept: list[Any] = []
    for module in (figures, pictures):
        monkeypatch.setattr(module, "save", lambda figure, path: kept.append(figure))
    return kept


def titles(figure: Any) -> list[str]:
    return [panel.get_title() for panel in figure.axes if panel.get_visible()]


def captions(figure: Any) -> list[str]:
    """What stands over the images of a grid."""
    return [text.get_text() for text in figure.axes[0].texts]


def legend(figure: Any) -> list[str]:
    return [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


def test_curves_are_a_readable_picture_with_something_in_it(tmp_path: Path) -> None:
    curves({"mlp-iris-1": HISTORY}, tmp_path / "curves.png")
    picture = pixels(tmp_path / "curves.png")
    assert picture.shape[0] >= 300
    assert picture.shape[1] >= 800  # two panels side by side
    assert len(np.unique(picture.reshape(-1, picture.shape[-1]), axis=0)) > 10
    assert [path.name for path in tmp_path.iterdir()] == ["curves.png"]


def test_there_is_a_panel_for_each_measure_and_none_for_time(drawn: list[Any]) -> None:
    curves({"mlp-iris-1": HISTORY}, Path())
    assert titles(drawn[0]) == ["accuracy", "loss"]
    assert legend(drawn[0]) == ["training", "validation"]


def test_a_single_epoch_is_a_mark_because_a_line_of_one_point_is_invisible(
    drawn: list[Any],
) -> None:
    curves({"a-1": {key: values[:1] for key, values in HISTORY.items()}}, Path())
    curves({"a-1": HISTORY}, Path())
    one, three = (figure.axes[0].get_lines() for figure in drawn)
    assert {line.get_marker() for line in one} == {"o"}
    assert {line.get_marker() for line in three} == {"None"}


def test_several_runs_are_told_apart_in_the_legend(drawn: list[Any]) -> None:
    curves({"a-1": HISTORY, "a-2": HISTORY}, Path())
    assert legend(drawn[0]) == ["a-1", "a-2"]
    assert len({line.get_color() for line in drawn[0].axes[0].get_lines()}) == 2


def test_runs_without_a_common_measure_are_all_in_the_legend(drawn: list[Any]) -> None:
    other = {"epoch": [1.0], "val_elbo": [-30.0]}
    curves({"mlp-iris-1": HISTORY, "vae-digits-1": other}, Path())
    assert titles(drawn[0]) == ["accuracy", "loss", "elbo"]
    assert legend(drawn[0]) == ["mlp-iris-1", "vae-digits-1"]


@pytest.mark.parametrize("measures", [1, 2, 4, 7])
def test_any_number_of_measures_fits(measures: int, tmp_path: Path) -> None:
    history = {"epoch": [1.0, 2.0]} | {f"score_{n}": [1.0, 2.0] for n in range(measures)}
    curves({"run": history}, tmp_path / "curves.png")
    height, width = pixels(tmp_path / "curves.png").shape[:2]
    rows = math.ceil(measures / 3)
    assert height == pytest.approx(rows * 408, abs=2)
    assert width == pytest.approx(min(measures, 3) * 552, abs=2)


def test_values_that_are_not_numbers_leave_gaps_and_no_warning(tmp_path: Path) -> None:
    history = {"epoch": [1.0, 2.0], "loss": [math.nan, math.inf], "val_loss": [1.0, math.nan]}
    curves({"run": history}, tmp_path / "curves.png")
    assert pixels(tmp_path / "curves.png").size


def test_a_confusion_matrix_tells_how_many_are_right(drawn: list[Any]) -> None:
    confusion_matrix(np.array([[8, 2], [1, 9]]), ("malignant", "benign"), Path())
    panel = drawn[0].axes[0]
    assert panel.get_title() == "17 of 20 right"
    assert [text.get_text() for text in panel.texts] == ["8", "2", "1", "9"]
    assert [text.get_text() for text in panel.get_yticklabels()] == ["malignant", "benign"]
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("answer", "truth")


@pytest.mark.parametrize(
    ("matrix", "names"),
    [
        ([[5]], ("only",)),
        ([[0, 0], [0, 4]], ("never seen", "b")),
        ([[0, 0], [0, 0]], ("a", "b")),
        (np.eye(28, dtype=int), tuple(f"language {n}" for n in range(28))),
    ],
    ids=["one class", "a class without examples", "no examples", "28 classes"],
)
def test_every_confusion_matrix_can_be_drawn(matrix: Any, names: Any, tmp_path: Path) -> None:
    confusion_matrix(np.array(matrix), names, tmp_path / "matrix.png")
    height, width = pixels(tmp_path / "matrix.png").shape[:2]
    assert height == pytest.approx(120 * max(4.5, 0.36 * len(names) + 2.0), abs=2)
    assert width == height


def test_small_images_are_enlarged_by_whole_numbers_and_stand_in_order(tmp_path: Path) -> None:
    images = np.linspace(0.0, 1.0, 5, dtype=np.float32)[:, None, None, None]
    image_grid(np.broadcast_to(images, (5, 8, 8, 1)), tmp_path / "grid.png", scale=4)
    picture = pixels(tmp_path / "grid.png")
    cell = 8 * 4 + 2  # four screen pixels for one, and a border
    assert picture.shape == (2 * cell, 3 * cell)
    for at, value in enumerate((0, 64, 128, 191, 255)):
        row, column = divmod(at, 3)
        inside = picture[row * cell + 1 : (row + 1) * cell - 1]
        inside = inside[:, column * cell + 1 : (column + 1) * cell - 1]
        assert inside.shape == (32, 32)
        assert np.all(inside == value)


def test_one_image_is_a_grid_of_one(tmp_path: Path) -> None:
    image_grid(np.ones((1, 8, 8, 1), np.float32), tmp_path / "grid.png", scale=4)
    assert pixels(tmp_path / "grid.png").shape == (34, 34)


def test_colours_stay_and_large_images_are_not_enlarged(tmp_path: Path) -> None:
    images = np.zeros((1, 200, 200, 3), np.float32)
    images[..., 1] = 1.0
    image_grid(images, tmp_path / "grid.png")
    picture = pixels(tmp_path / "grid.png")
    assert picture.shape == (202, 202, 3)
    assert picture[100, 100].tolist() == [0, 255, 0]


def test_values_outside_their_range_are_cut_and_not_wrapped(tmp_path: Path) -> None:
    images = np.array([-0.5, 1.5], np.float32)[:, None, None, None]
    image_grid(np.broadcast_to(images, (2, 8, 8, 1)), tmp_path / "grid.png", scale=4)
    picture = pixels(tmp_path / "grid.png")
    assert picture[17, 17] == 0
    assert picture[17, 34 + 17] == 255


def test_titles_stand_over_their_images(drawn: list[Any], tmp_path: Path) -> None:
    image_grid(np.zeros((3, 8, 8, 1), np.float32), tmp_path / "grid.png", titles=("7", "4", "1"))
    assert captions(drawn[0]) == ["7", "4", "1"]
    for text, picture in zip(drawn[0].axes[0].texts, drawn[0].axes[0].images, strict=True):
        left, right, bottom, top = picture.get_extent()
        across, up = text.get_position()
        assert left < across < right
        assert up < top < bottom  # the vertical axis points down
        assert right - left == pytest.approx(bottom - top)


def test_an_image_keeps_its_sides_in_a_grid_with_titles(drawn: list[Any]) -> None:
    image_grid(np.zeros((2, 8, 16, 1), np.float32), Path(), titles=("7", "4"))
    for picture in drawn[0].axes[0].images:
        left, right, bottom, top = picture.get_extent()
        assert right - left == pytest.approx(2.0 * (bottom - top))


def test_headings_stand_over_the_columns_on_one_line(drawn: list[Any]) -> None:
    images = np.zeros((4, 8, 8, 1), np.float32)
    titles = ("7", "60% 7\n40% 4", "1", "1")
    image_grid(images, Path(), titles=titles, headings=("original", "epoch 0"))
    assert captions(drawn[0]) == [
        "original\n\n\n7",
        "epoch 0\n\n60% 7\n40% 4",
        "1",
        "1",
    ]


@pytest.mark.parametrize("channels", [1, 3])
def test_titled_images_are_a_readable_picture(channels: int, tmp_path: Path) -> None:
    images = np.zeros((4, 8, 8, channels), np.float32)
    image_grid(images, tmp_path / "grid.png", titles=("a", "b", "c", "d"))
    assert pixels(tmp_path / "grid.png").shape[:2] == (312, 264)


@pytest.mark.parametrize(
    ("epochs", "ticks"),
    [(1, [1]), (2, [1, 2]), (3, [1, 2, 3]), (5, [1, 2, 3, 4, 5]), (40, None)],
)
def test_epochs_are_counted_in_whole_numbers(
    epochs: int, ticks: list[int] | None, drawn: list[Any]
) -> None:
    history = {"epoch": [float(n) for n in range(1, epochs + 1)], "loss": [0.5] * epochs}
    curves({"run": history}, Path())
    panel = drawn[0].axes[0]
    low, high = panel.get_xlim()
    shown = [tick for tick in panel.get_xticks() if low <= tick <= high]
    assert all(tick == round(tick) for tick in shown)
    assert shown
    assert ticks is None or shown == ticks


@pytest.mark.parametrize(
    ("name", "kind"), [("a.png", "PNG"), ("a.jpg", "JPEG"), ("a.JPEG", "JPEG")]
)
@pytest.mark.parametrize("titles", [(), ("one", "two")])
def test_a_picture_has_the_format_of_its_name(
    titles: tuple[str, ...], name: str, kind: str, tmp_path: Path
) -> None:
    image_grid(np.zeros((2, 8, 8, 3), np.float32), tmp_path / name, titles=titles)
    with Image.open(tmp_path / name) as picture:
        assert picture.format == kind


@pytest.mark.parametrize("name", ["curves", "curves.gif", "curves.pdf", "curves.png.txt", ".png"])
def test_another_suffix_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(UsageError, match=r"must end in \.png, \.jpg or \.jpeg, got") as caught:
        require_picture_suffix(Path(name))
    assert "\n" not in str(caught.value)
    assert require_picture_suffix(Path("a/b.Png")) == Path("a/b.Png")


def test_answers_are_drawn_against_the_truth_with_the_diagonal(drawn: list[Any]) -> None:
    truth = np.array([50.0, 100.0, 200.0])
    regression(truth, np.array([[60.0], [90.0], [200.0]]), Path(), unit="mg/dl")
    panel = drawn[0].axes[0]
    (diagonal,) = panel.get_lines()
    assert np.array_equal(diagonal.get_xdata(), diagonal.get_ydata())
    assert panel.get_xlim() == panel.get_ylim()
    (points,) = panel.collections
    assert points.get_offsets().tolist() == [[50, 60], [100, 90], [200, 200]]
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("truth (mg/dl)", "answer (mg/dl)")
    assert panel.get_title() == "mean absolute error 6.667 mg/dl"


@pytest.mark.parametrize(
    ("truth", "answers"),
    [([], []), ([1.0], [1.0]), ([1.0, 2.0], [math.nan, math.inf]), ([3.0, 3.0], [3.0, 3.0])],
)
def test_every_regression_can_be_drawn(
    truth: list[float], answers: list[float], tmp_path: Path
) -> None:
    regression(np.array(truth), np.array(answers), tmp_path / "regression.png")
    assert pixels(tmp_path / "regression.png").size


@pytest.mark.parametrize(("count", "shape"), [(1, (1, 1)), (5, (1, 5)), (12, (3, 5))])
def test_the_worst_errors_stand_under_what_is_said_of_them(
    count: int, shape: tuple[int, int], drawn: list[Any]
) -> None:
    titles = [f"truth: {n}\nanswer: a class with quite a long name" for n in range(count)]
    worst_errors(np.zeros((count, 8, 8, 1), np.float32), titles, Path())
    places = [picture.get_extent() for picture in drawn[0].axes[0].images]
    assert (len({top for *_, top in places}), len({left for left, *_ in places})) == shape
    for shown, title in zip(captions(drawn[0]), titles, strict=True):
        assert " ".join(shown.split()) == " ".join(title.split())
        assert max(map(len, shown.splitlines())) <= 20

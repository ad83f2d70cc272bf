"""A data set of two inputs and a text to write, its task and its model, from outside the zoo."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import zoo
from cli.main import run as dlzoo
from recipes.recipe import parse
from tests import plugin
from zoo import registry, tasks
from zoo.datasets import sources
from zoo.run import Run
from zoo.training.progress import Epoch, Silent


@pytest.fixture(scope="module", autouse=True)
def _registered() -> Iterator[None]:
    registry.register(plugin.CARD)
    sources.register(plugin.DATASET, plugin.Stripes)
    tasks.register(plugin.TASK, plugin.QuestionAnswering)
    yield
    registry.unregister(plugin.MODEL)
    sources.unregister(plugin.DATASET)
    tasks.unregister(plugin.TASK)


class StopAfter(Silent):
    """Presses Ctrl-C when so many epochs are done."""

    def __init__(self, epochs: int) -> None:
        super().__init__()
        self.epochs = epochs

    def epoch(self, epoch: Epoch) -> None:
        if epoch.number == self.epochs:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    recipe = parse(plugin.RECIPE, source="tests/plugin.py")
    folder = tmp_path_factory.mktemp("plugin")
    return zoo.train(recipe=recipe, run_dir=folder, reporter=Silent())


def test_it_learns_to_answer(trained: Run) -> None:
    assert trained.metrics["test"]["accuracy"] > 0.95
    assert trained.evaluate() == pytest.approx(trained.metrics["test"])
    columns = next(trained.dataset.split("test").chunks(100))
    questions = [question.decode() for question in columns["question"]]
    asked = {"image": columns["image"], "question": questions}
    answers = trained.predict(asked)
    assert np.mean(answers == columns["answer"]) > 0.9
    assert {len(answer.split()) for answer in answers} == {1, 3}  # of variable length


def test_padding_counts_for_nothing(trained: Run) -> None:
    _, _, weights = next(iter(trained.task.evaluation_batches(trained.dataset, "test")))
    lengths = {int(row.sum()) for row in weights.numpy()}
    assert lengths == {2, 4}  # the words and the end


def test_it_stops_and_goes_on_to_the_same_bits(trained: Run, tmp_path: Path) -> None:
    recipe = parse(plugin.RECIPE, source="tests/plugin.py")
    with pytest.raises(KeyboardInterrupt):
        zoo.train(recipe=recipe, run_dir=tmp_path, reporter=StopAfter(7))
    stopped = zoo.load("latest", tmp_path)
    assert stopped.status == "unfinished"
    resumed = zoo.resume(stopped, reporter=Silent())
    for ours, theirs in zip(resumed.model.weights, trained.model.weights, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


def test_it_is_exported_with_strings_going_in_and_out(trained: Run, tmp_path: Path) -> None:
    import tensorflow as tf

    path = trained.export(tmp_path)
    serve = tf.saved_model.load(str(path)).signatures["serving_default"]
    columns = next(trained.dataset.split("test").chunks(4))
    raw = {"image": columns["image"].astype(np.float32), "question": columns["question"]}
    given = serve(**{name: tf.constant(value) for name, value in raw.items()})
    questions = [question.decode() for question in columns["question"]]
    expected = trained.predict({"image": columns["image"], "question": questions})
    assert given["answer"].numpy().tolist() == expected.tolist()


def test_the_command_asks_with_both_inputs(
    trained: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from PIL import Image

    pixels = np.zeros((8, 8), np.uint8)
    pixels[1:4:2] = 255
    Image.fromarray(pixels).save(tmp_path / "two.png")
    words = [f"image={tmp_path / 'two.png'}", "question=how many are there"]
    assert dlzoo(["predict", str(trained.path), *words]) == 0
    assert "two of them" in capsys.readouterr().out
    assert dlzoo(["predict", str(trained.path), str(tmp_path / "two.png")]) == 2
    assert "image=" in capsys.readouterr().err
    assert dlzoo(["predict", str(trained.path), words[0]]) == 2
    assert "each input once" in capsys.readouterr().err

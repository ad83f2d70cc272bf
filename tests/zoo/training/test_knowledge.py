"""What callbacks know: the lists hold against Keras's code, and who cannot say it is refused."""

from __future__ import annotations

import ast
import inspect
import textwrap
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import zoo
from tests.zoo.training.killing import Killed, KilledAfterSteps
from zoo import run as zoo_run
from zoo.base.errors import UsageError
from zoo.training import knowledge, state
from zoo.training.progress import Silent
from zoo.training.state import Progress

# Set by the constructor, or anew at each beginning, or a function.
NOT_KNOWLEDGE = {"monitor_op", "min_delta", "model", "mode"}


def changed_while_training(kind: type) -> set[str]:
    """Return the attributes that a callback's methods set, its constructor's arguments aside."""
    found: set[str] = set()
    for parent in kind.__mro__:
        if parent in (object, keras.callbacks.Callback):
            break
        for name, method in vars(parent).items():
            if name == "__init__" or not inspect.isfunction(method):
                continue
            for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(method)))):
                if (
                    isinstance(node, ast.Attribute)
                    and isinstance(node.ctx, ast.Store)
                    and ast.unparse(node.value) == "self"
                ):
                    found.add(node.attr)
    return found - NOT_KNOWLEDGE


@pytest.mark.parametrize("kind", knowledge.ATTRIBUTES, ids=lambda kind: kind.__name__)
def test_every_attribute_that_a_callback_of_keras_changes_is_saved(kind: type) -> None:
    assert changed_while_training(kind) == set(knowledge.ATTRIBUTES[kind])


def test_plain_values_and_arrays_come_back_as_they_were(tmp_path: Path) -> None:
    known: dict[str, Any] = {
        "best": np.float32(0.1),
        "wait": 3,
        "none": None,
        "infinite": float("inf"),
        "weights": [np.arange(3.0, dtype=np.float32), np.zeros((2, 0))],
        "nested": {"a": [1, [np.array([True])]]},
    }
    progress = Progress(epoch=2, callbacks=[known, {}])
    state.save(tmp_path / "step-1.npz", state.packed(progress, [np.ones(2)]))
    progress = state.load(tmp_path / "step-1.npz").progress
    assert progress.epoch == 2
    first, second = progress.callbacks
    assert second == {}
    assert first["best"].dtype == np.float32
    assert (first["best"], first["wait"], first["none"]) == (np.float32(0.1), 3, None)
    assert first["infinite"] == float("inf")
    assert [one.dtype for one in first["weights"]] == [np.float32, np.float64]
    np.testing.assert_array_equal(first["weights"][0], known["weights"][0])
    assert first["nested"]["a"][1][0].tolist() == [True]


def test_a_flipped_bit_is_found(tmp_path: Path) -> None:
    path = tmp_path / "step-1.npz"
    state.save(path, state.packed(Progress(), [np.zeros(1000)]))
    content = bytearray(path.read_bytes())
    content[4000] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(UsageError, match=r"step-1\.npz is damaged: Bad CRC-32"):
        state.load(path)


class Counting(keras.callbacks.Callback):
    """Knows something and does not say it."""


IRIS: dict[str, Any] = {
    "recipe": "mlp-iris",
    "epochs": 2,
    "overrides": {"callbacks": [{"name": "Counting"}], "checkpoint.epochs": 1},
}


def test_a_callback_that_cannot_say_what_it_knows_is_refused_on_resume(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keras.callbacks, "Counting", Counting, raising=False)
    run = zoo.train(**IRIS, run_dir=run_dir, reporter=Silent())
    before = {path: path.read_bytes() for path in run.path.rglob("*.*")}
    with pytest.raises(UsageError, match="its callback Counting cannot say what it knows"):
        zoo_run.resume(run, epochs=3, reporter=Silent())
    assert {path: path.read_bytes() for path in run.path.rglob("*.*")} == before


def test_a_callback_that_says_what_it_knows_is_given_it_back(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []

    class Saying(Counting):
        def on_train_begin(self, logs: Any = None) -> None:
            self.steps = 0

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.steps += 1

        def on_train_end(self, logs: Any = None) -> None:
            told.append(self.steps)

        def get_state(self) -> dict[str, Any]:
            return {"steps": self.steps}

        def set_state(self, known: dict[str, Any]) -> None:
            self.steps = known["steps"]

    monkeypatch.setattr(keras.callbacks, "Counting", Saying, raising=False)
    more = {"overrides": {**IRIS["overrides"], "checkpoint.steps": 1, "steps_per_execution": 1}}
    whole = zoo.train(**{**IRIS, **more}, run_dir=run_dir, reporter=Silent())
    with pytest.raises(Killed):
        zoo.train(**{**IRIS, **more}, run_dir=run_dir, reporter=KilledAfterSteps(5))
    zoo_run.resume(zoo.load("latest", run_dir), reporter=Silent())
    assert told == [told[0], told[0]]
    assert told[0] == 2 * -(-105 // int(whole.recipe.batch_size))


def test_backup_and_restore_is_refused_at_once(run_dir: Path) -> None:
    own = [{"name": "BackupAndRestore", "backup_dir": "backup"}]
    with pytest.raises(UsageError, match=r"BackupAndRestore goes on with other examples.*--resume"):
        zoo.train(recipe="mlp-iris", overrides={"callbacks": own}, run_dir=run_dir)
    assert not run_dir.exists()

"""The run folder: all there is to know about one training, and what can be done with it."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from recipes.library import load_file
from recipes.recipe import Recipe
from zoo import registry, tasks
from zoo.datasets.spec import Dataset, DatasetSpec
from zoo.errors import DlzooError, UsageError, suggestion
from zoo.files import writable_folder, write_text
from zoo.runtime import start_tensorflow

RUNS = Path("runs")
"""Where runs are kept unless another folder is named."""
CHECKPOINT = Path("checkpoints") / "state.npz"
"""In a run: what a resumed training starts from."""


class Run:
    """One training's folder.

    ``recipe.toml`` repeats the training, ``data.json`` holds what was fitted on the data,
    ``model.keras`` is the trained model, ``history.csv`` one line for each epoch,
    ``metrics.json`` the scores, ``environment.json`` where and when, ``checkpoints/`` what a
    resumed training starts from, ``figures/`` pictures of the data files, ``README.md`` the card.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.name

    @property
    def reference(self) -> str:
        """What commands know it by: its name, or its folder if it is not kept under `RUNS`."""
        return self.name if self.path.parent == RUNS else str(self.path)

    @property
    def finished(self) -> bool:
        """Whether the training came to its end."""
        return (self.path / "metrics.json").is_file()

    @cached_property
    def recipe(self) -> Recipe:
        """The resolved recipe that was trained from."""
        return load_file(self._existing("recipe.toml"))

    @cached_property
    def spec(self) -> DatasetSpec:
        """What the model knows of its data."""
        path = self._existing("data.json")
        try:
            return DatasetSpec.from_json(path.read_text(encoding="utf-8"))
        except (ValueError, OSError) as error:
            raise UsageError(f"run {self.name} is damaged: {path}: {error}") from None

    @property
    def metrics(self) -> dict[str, Any]:
        """The scores that were measured when the training ended."""
        return self._json("metrics.json")

    @property
    def environment(self) -> dict[str, Any]:
        """Versions, devices, commit, seed and command."""
        return self._json("environment.json")

    @property
    def history(self) -> dict[str, list[float]]:
        """Each column of history.csv by name; empty before the first epoch ends."""
        path = self.path / "history.csv"
        if not path.is_file():
            return {}
        try:
            with path.open(encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
            return {key: [float(row[key]) for row in rows] for key in rows[0]} if rows else {}
        except (ValueError, TypeError, KeyError) as error:
            raise UsageError(f"run {self.name} is damaged: {path}: {error}") from None

    @property
    def model_file(self) -> Path:
        """Where the trained model is; its weights can be built with and started from."""
        return self._existing("model.keras")

    @cached_property
    def dataset(self) -> Dataset:
        """The data set, in the form that the recipe asks for."""
        from zoo.datasets.loading import load as load_dataset

        return load_dataset(**self.recipe.data.model_dump(), fitted=self.spec)

    @cached_property
    def task(self) -> Any:
        """The task, bound to the data that the model was trained on."""
        start_tensorflow()
        card = registry.card(self.recipe.model)
        loss = self.recipe.loss.name if self.recipe.loss else None
        return tasks.make(tasks.check(card, self.recipe.task, self.spec), self.spec, loss)

    @cached_property
    def model(self) -> Any:
        """The trained `keras.Model`, loaded in safe mode and compiled by the recipe."""
        start_tensorflow()
        import keras

        path = self.model_file
        registry.import_family(self.recipe.model)
        try:
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
        except Exception as error:  # whatever a damaged file makes of the loader
            raise UsageError(
                f"run {self.name} is damaged: {path} cannot be loaded: {_first_line(error)}"
            ) from error
        return model

    @cached_property
    def _compiled(self) -> Any:
        """The model, compiled once: what was traced for one split serves the others."""
        self.model.compile(**model_compile_arguments(self.recipe, self.task, steps_per_epoch=1))
        return self.model

    def evaluate(self, split: str = "test") -> dict[str, float]:
        """Return the scores of the trained model on a split, by name.

        Args:
            split: ``"train"``, ``"validation"`` or ``"test"``.

        Raises:
            UsageError: The run is damaged or the split does not exist.
        """
        task = self.task  # starts TensorFlow, before anything else imports it less quietly
        self.dataset.split(split)
        return dict(task.evaluate(self._compiled, self.dataset, split))

    def predict(self, x: Any) -> np.ndarray:
        """Return what the model says of raw examples.

        Args:
            x: Images (N, H, W), (N, H, W, 1) or (N, H, W, 3), either uint8 or floats in [0, 1],
                of any size; rows of a table (N, features) in their own units; or N texts. One
                example without the first axis will do.

        Returns:
            Probabilities (N, classes), or values (N, 1).

        Raises:
            UsageError: `x` does not fit the model's data.
        """
        from zoo.datasets.inputs import as_raw

        return np.asarray(self.task.predict(self.model, as_raw(self.spec, x)))

    def predict_each(self, raw: Sequence[np.ndarray]) -> np.ndarray:
        """Return what the model says of raw batches that may differ in size, such as photographs.

        Args:
            raw: Batches as `zoo.datasets.inputs.read` makes them.
        """
        encoded = [self.task.encoder.encode(batch) for batch in raw]
        return np.asarray(self.task.answers(self.model, np.concatenate(encoded)))

    def generate(self, count: int = 64, seed: int = 0) -> np.ndarray:
        """Return new examples (count, height, width, channels) in [0, 1].

        Args:
            count: How many.
            seed: The same seed gives the same examples.

        Raises:
            UsageError: The model is not a generator.
        """
        if count < 1:
            raise UsageError(f"count must be at least 1, got {count}")
        return np.asarray(self.task.generate(self.model, count, seed))

    def export(
        self,
        output: str | Path = "exports",
        *,
        name: str | None = None,
        version: int | None = None,
        overwrite: bool = False,
    ) -> Path:
        """Write a verified SavedModel for serving, with the `.keras` file beside it.

        Args:
            output: The folder above; the export goes to ``<output>/<name>/<version>/``.
            name: What the model is served as; the recipe's name by default.
            version: A positive number; one more than the highest that is there by default.
            overwrite: Whether a version that is there may be replaced.

        Returns:
            The version's folder.

        Raises:
            UsageError: The folder cannot be written, or the version exists.
            DlzooError: The export does not answer as the model does; nothing is left behind.
        """
        model, task = self.model, self.task  # starts TensorFlow
        from zoo.serving.export import export_model

        return export_model(
            model,
            task,
            Path(output),
            name=name or self.recipe.name,
            version=version,
            overwrite=overwrite,
            origin=self.name,
            keras_file=self.model_file,
        )

    def _existing(self, name: str) -> Path:
        path = self.path / name
        if path.is_file():
            return path
        last = name in ("model.keras", "metrics.json")  # what a training writes at its end
        if last and not self.finished and (self.path / "checkpoints").is_dir():
            raise UsageError(
                f"run {self.name} has not finished training. "
                f"Go on with: dlzoo train --resume {self.path}"
            )
        raise UsageError(f"run {self.name} is damaged: it has no {name}")

    def _json(self, name: str) -> dict[str, Any]:
        path = self._existing(name)
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, OSError) as error:
            raise UsageError(f"run {self.name} is damaged: {path}: {error}") from None
        if not isinstance(values, dict):
            raise UsageError(f"run {self.name} is damaged: {path} is not an object")
        return values


def model_compile_arguments(recipe: Recipe, task: Any, steps_per_epoch: int) -> dict[str, Any]:
    """Return what a model is compiled with: the task's arguments, and the recipe's over them."""
    from recipes.compile import compile_arguments

    arguments = {**task.compile_arguments(), **compile_arguments(recipe, steps_per_epoch)}
    return merged_metrics(task, arguments)


def merged_metrics(task: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return compile arguments in which the task's metrics stand beside the recipe's."""
    always = task.compile_arguments().get("metrics", [])
    asked = arguments.get("metrics", [])
    names = {getattr(metric, "name", metric) for metric in asked}
    merged = [*(metric for metric in always if metric not in names), *asked]
    return {**arguments, "metrics": merged} if merged else arguments


def create(recipe: Recipe, spec: DatasetSpec, environment: dict[str, Any], folder: Path) -> Run:
    """Return a new run, in a folder that no other training has.

    Raises:
        UsageError: The folder of runs cannot be written.
    """
    writable_folder(folder)
    number = 1 + max((_number(path.name, recipe.name) for path in folder.iterdir()), default=0)
    while True:
        path = folder / f"{recipe.name}-{number}"
        try:
            path.mkdir()  # of two trainings that try the same name, one is told that it exists
            break
        except FileExistsError:
            number += 1
    (path / "checkpoints").mkdir()
    (path / "figures").mkdir()
    write_text(path / "recipe.toml", recipe.to_toml())
    write_text(path / "data.json", spec.to_json())
    write_text(path / "environment.json", json.dumps(environment, indent=1) + "\n")
    return Run(path)


def _number(name: str, stem: str) -> int:
    match = re.fullmatch(re.escape(stem) + r"-(\d+)", name)
    return int(match[1]) if match else 0


def list_runs(folder: str | Path = RUNS) -> list[Run]:
    """Return the runs of a folder, the newest last."""
    folder = Path(folder)
    if not folder.is_dir():
        return []
    found = [Run(path) for path in folder.iterdir() if (path / "recipe.toml").is_file()]
    return sorted(found, key=lambda run: (_started(run), run.name))


def _started(run: Run) -> float:
    try:
        return float(run.environment["started"])
    except (UsageError, KeyError, TypeError, ValueError):  # a damaged run still has its place
        return run.path.stat().st_mtime


def load(name: str | Path = "latest", run_dir: str | Path = RUNS) -> Run:
    """Return a run.

    Args:
        name: ``"latest"``, a run's name or a prefix that only one has, or its folder.
        run_dir: The folder of runs.

    Raises:
        UsageError: There is no such run, several have that prefix, or it is damaged.
    """
    text = str(name)
    path = Path(name)
    if path.is_dir() and (len(path.parts) > 1 or (path / "recipe.toml").is_file()):
        if not (path / "recipe.toml").is_file():
            raise UsageError(f"{path} is not a run, or is damaged: it has no recipe.toml")
        return Run(path)
    runs = list_runs(run_dir)
    if not runs:
        raise UsageError(f"there are no runs in {run_dir}. Make one with: dlzoo train resnet")
    if text == "latest":
        return runs[-1]
    by_name = {run.name: run for run in runs}
    if text in by_name:
        return by_name[text]
    if (Path(run_dir) / text).is_dir() and text not in ("", ".", ".."):
        raise UsageError(f"run {text} is damaged: it has no recipe.toml")
    starting = [run for run in runs if run.name.startswith(text)]
    if len(starting) == 1:
        return starting[0]
    if starting:
        several = ", ".join(run.name for run in starting[-5:])
        raise UsageError(f"'{text}' is the beginning of {len(starting)} runs: {several}")
    hint = suggestion(text, by_name) or " See them with: dlzoo runs"
    raise UsageError(f"there is no run '{text}' in {run_dir}.{hint}")


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def headline(run: Run) -> tuple[str, float] | None:
    """Return the run's score by name: its recipe's target, or else its task's headline."""
    try:
        score = run.metrics["score"]
        return str(score["metric"]), float(score["value"])
    except (DlzooError, KeyError, TypeError, ValueError):
        return None

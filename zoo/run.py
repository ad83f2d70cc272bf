"""`Run`, the object users hold: train, resume, evaluate, predict, generate, export."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack

import numpy as np

from zoo import registry
from zoo.base.errors import DlzooError, StorageError, UsageError
from zoo.base.runtime import start_tensorflow
from zoo.runs.folder import RUNS, RunFolder, find
from zoo.serving.formats import DEFAULT, MOST_LOST
from zoo.training.changes import Changes
from zoo.training.progress import Reporter
from zoo.weights.gpt2 import is_checkpoint

if TYPE_CHECKING:
    from recipes.recipe import Data
    from zoo.datasets.loading import Dataset
    from zoo.datasets.spec import DatasetSpec
    from zoo.serving.served import Served
    from zoo.tasks.base import Task
    from zoo.tasks.predictor import Predictor
    from zoo.tasks.samples import SampleRequest, Samples

Weights = Literal["last", "best"]


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """How a model does on other data than it was trained on."""

    dataset: str
    split: str
    examples: int
    metrics: dict[str, float]
    classes: list[dict[str, Any]]
    """A row for each class: ``class``, ``examples``, ``right``, ``recall``, ``precision`` and
    ``taken_for``."""
    worst: list[dict[str, Any]]
    """The worst errors, with what each example is called."""
    drawn: bool
    """Whether there was an error to draw a picture of."""


class Run(RunFolder):
    """One training's folder, and what can be done with its model.

    Args:
        path: The folder.
        weights: ``"last"`` is the model as the training left it; ``"best"`` has the weights of the
            epoch with the best validation score. A run that is not finished has the weights of its
            last checkpoint.
    """

    def __init__(self, path: Path, weights: Weights = "last") -> None:
        super().__init__(path)
        self.weights: Weights = weights

    @cached_property
    def spec(self) -> DatasetSpec:
        """What the model knows of its data."""
        from zoo.datasets.spec import DatasetSpec

        try:
            return replace(DatasetSpec.from_json(self.data), assigned=self.splits)
        except StorageError:
            raise
        except (ValueError, UsageError) as error:
            raise StorageError(
                f"run {self.name} is damaged: {self.path / 'data.json'}: {error}"
            ) from None

    @cached_property
    def dataset(self) -> Dataset:
        """The data set, in the form that the recipe asks for."""
        start_tensorflow()
        from zoo.datasets.loading import load

        return load(self.recipe.data, self.recipe.data.forms, fitted=self.spec)

    @cached_property
    def task(self) -> Task:
        """The task, bound to the data that the model was trained on."""
        start_tensorflow()
        from zoo.training.preparation import make_task

        return make_task(self.recipe, self.spec)

    @cached_property
    def model(self) -> Any:
        """The trained `keras.Model`, loaded in safe mode."""
        start_tensorflow()
        from zoo.training.state import load_weights

        name = registry.card(self.recipe.model).name
        kept = self.finished and self.weights == "last"
        if not kept and not self.checkpoints:
            raise self._without_weights()
        file = self.model_file if self.finished else None
        model = self._built() if file is None else None
        try:
            if file is not None:
                model = registry.restore(name, file)
            if not kept:
                load_weights(self.checkpoints[-1], model, best=self.weights == "best")
        except UsageError as error:
            raise StorageError(f"run {self.name} is damaged: {error}") from error
        return model

    def _without_weights(self) -> UsageError:
        if self.finished:
            return StorageError(f"run {self.name} is damaged: it has no {self.weights} weights")
        return UsageError(
            f"run {self.name} has no checkpoint yet. Go on with: {self.command('train --resume')}"
        )

    def _built(self) -> Any:
        """Return the model of a run that has not saved one yet."""
        import keras

        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(str(self.environment.get("precision", "float32")))
        try:
            arguments = {**self.task.builder_arguments(), **self.recipe.arguments}
            return self.task.built(registry.build(self.recipe.model, **arguments))
        finally:
            keras.config.set_dtype_policy(before)

    @cached_property
    def _compiled(self) -> Any:
        """The model, compiled once: what was traced for one split serves the others."""
        from zoo.training.preparation import compile_arguments

        arguments = compile_arguments(self.recipe, self.task, steps_per_epoch=1)
        self.model.compile(**arguments, jit_compile=False)
        return self.model

    @cached_property
    def predictor(self) -> Predictor:
        """A compiled function from raw examples to answers."""
        return self.task.predictor(self.model)

    def evaluate(self, split: str = "test") -> dict[str, float]:
        """Return the scores of the trained model on a split, by name.

        Args:
            split: ``"train"``, ``"validation"`` or ``"test"``.

        Raises:
            UsageError: The run is damaged or the split does not exist.
        """
        task = self.task  # starts TensorFlow, before anything else imports it less quietly
        from zoo.datasets.faults import readable

        with readable(self.recipe.data):
            self.dataset.split(split)
            return task.evaluate(self._compiled, self.dataset, split)

    def evaluate_on(
        self, data: Data | str, split: str | None = None, *, worst: Path | None = None
    ) -> Evaluation:
        """Return the scores of the trained model on other data, class by class too.

        Args:
            data: A data set, or a source of the user's own such as ``folder:photos``.
            split: Which part; None is the whole of a source of the user's own, and the test split
                of any other.
            worst: A picture's file, for the worst errors.

        Raises:
            UsageError: The data have not the columns or classes of the model.
            DlzooError: They cannot be read.
        """
        task = self.task  # starts TensorFlow
        if worst is not None:
            task.require_worst()
        from recipes.recipe import Data
        from zoo.datasets.faults import readable
        from zoo.datasets.loading import load_to_score

        data = Data(name=data) if isinstance(data, str) else data
        with readable(data):
            dataset, part = load_to_score(data, self.spec, split)
            scores = task.evaluate(self._compiled, dataset, part)
            values = task.data_for_figures(self.predictor, dataset, part)
            drawn = False
            if worst is not None:
                drawn = task.draw_worst(values, dataset, worst)
        keys = (dataset.keys or {}).get(part)
        errors = values.get("worst_errors", {}).get("examples", [])
        named = [{"example": keys[one["place"]] if keys else one["place"], **one} for one in errors]
        return Evaluation(
            dataset=data.name,
            split=part,
            examples=dataset.spec.sizes[part],
            metrics=scores,
            classes=task.by_class(values),
            worst=named,
            drawn=drawn,
        )

    def predict(self, x: Any, *, beams: int = 1) -> np.ndarray:
        """Return what the model says of raw examples.

        Args:
            x: Images (N, H, W), (N, H, W, 1) or (N, H, W, 3), either uint8 or floats in [0, 1],
                of any size; rows of a table (N, columns) in their own units; or N texts. One
                example without the first axis will do. For a model of several inputs, a dict by
                column name.
            beams: Of the beam search, for models that write texts; 1 is greedy.

        Returns:
            Probabilities (N, classes), values (N, 1), or texts (N,) in UTF-8.

        Raises:
            UsageError: `x` does not fit the model's data, or beams do not fit its task.
        """
        raw = self.task.as_raw(x)
        if beams != 1:
            return self.task.predictor(self.model, beams=beams)(raw)
        return self.predictor(raw)

    def predict_each(
        self, examples: Iterable[Mapping[str, np.ndarray]], *, beams: int = 1
    ) -> np.ndarray:
        """Return what the model says of examples that may differ in size, such as photographs.

        Args:
            examples: Raw columns of one example each, as `Task.read` makes them.
            beams: Of the beam search, for models that write texts; 1 is greedy.
        """
        return np.concatenate(list(self.predict_stream(examples, beams=beams)))

    def predict_stream(
        self, examples: Iterable[Mapping[str, np.ndarray]], *, beams: int = 1
    ) -> Iterator[np.ndarray]:
        """Yield what the model says of examples that may differ in size, some at a time, in order.

        Args:
            examples: Raw columns of one example each, as `Task.read` makes them.
            beams: Of the beam search, for models that write texts; 1 is greedy.
        """
        if beams != 1:
            return self.task.predictor(self.model, beams=beams).each(examples)
        return self.predictor.each(examples)

    def draw_attention(self, example: Mapping[str, np.ndarray], path: Path) -> None:
        """Draw what the model looks at while it answers one example.

        Args:
            example: Raw columns, as `Task.read` makes them.
            path: The picture's file.

        Raises:
            UsageError: The model has no attention.
        """
        self.task.draw_attention(self.model, example, path)

    def neighbours(
        self, plus: str | Sequence[str], minus: str | Sequence[str] = (), *, count: int = 10
    ) -> list[tuple[str, float]]:
        """Return the words nearest to a word, or to a sum of words, each with its cosine.

        Args:
            plus: A word, or several that are added.
            minus: Words that are subtracted.
            count: How many.

        Raises:
            UsageError: The model has no vectors of words, or its vocabulary not these words.

        Example:
            >>> run.neighbours(["encoded", "decode"], "encode", count=1)
        """
        added, taken = ([one] if isinstance(one, str) else one for one in (plus, minus))
        return self.task.neighbours(self.model, added, taken, count)

    def draw_words(self, words: Sequence[str], path: Path, *, marked: int = 0) -> None:
        """Draw words in the plane of their vectors' first two principal components.

        Args:
            words: Of the vocabulary.
            path: The picture's file.
            marked: The first so many are drawn apart from the rest.

        Raises:
            UsageError: The model has no vectors of words, or its vocabulary not these words.
        """
        self.task.draw_words(self.model, words, path, marked)

    def generate(self, count: int | None = None, seed: int = 0, **request: Any) -> np.ndarray:
        """Return new examples: images (count, height, width, channels) in [0, 1], or texts.

        Args:
            count: How many; None makes 64 images or 1 text.
            seed: The same seed gives the same examples.
            request: For texts: ``prompt``, ``length``, ``temperature``, ``top_k`` and ``top_p``,
                see `zoo.tasks.base.SampleRequest`. For conditional models: ``label``, the number
                of the class. For diffusion models: ``steps`` of the sampler.

        Raises:
            UsageError: The model is not a generator, or a text cannot be written like that.
        """
        from zoo.tasks.samples import SampleRequest

        count = self.task.default_count if count is None else count
        return np.asarray(self.sample(SampleRequest(count=count, seed=seed, **request)).values)

    def sample(self, request: SampleRequest) -> Samples:
        """Return new examples, as the model's task makes them.

        Raises:
            UsageError: The model is not a generator.
        """
        return self.task.sample(self.model, request)

    def reconstruct(self, x: Any) -> np.ndarray:
        """Return what the model makes of raw images: (N, height, width, channels) in [0, 1].

        Args:
            x: As for `predict`.

        Raises:
            UsageError: `x` does not fit the model's data, or the model does not reconstruct.
        """
        from zoo.tasks.rebuilding import reconstruct

        feature = self.task.spec.features[self.task.inputs[0]]
        _, made, _ = reconstruct(self.task, self.model, [feature.as_raw(x)])
        return np.stack(made)

    def animate(self, request: SampleRequest, pictures: int = 50) -> list[Samples]:
        """Return how samples come about: pictures of all of them, the first of noise.

        There are none where a model makes its samples in one step.

        Args:
            request: What to sample.
            pictures: How many, beside the first.

        Raises:
            UsageError: The model has no sampler of so many steps, or makes no images.
        """
        return self.task.animate(self.model, request, pictures)

    def denoise(self, examples: Sequence[Mapping[str, np.ndarray]]) -> Samples:
        """Return images without the noise that is in them.

        Args:
            examples: Raw columns of one image each, which may differ in size.

        Raises:
            UsageError: The model cannot do it.
        """
        from zoo.tasks.rebuilding import denoise

        return denoise(self.task, self.model, examples)

    def export(
        self,
        output: str | Path = "exports",
        *,
        formats: Sequence[str] = DEFAULT,
        name: str | None = None,
        version: int | None = None,
        overwrite: bool = False,
        quantize: str | None = None,
        max_loss: float = MOST_LOST,
    ) -> Path:
        """Write the model for serving, and verify it.

        Args:
            output: The folder above; the export goes to ``<output>/<name>/<version>/``.
            formats: Of ``"savedmodel"``, ``"keras"``, ``"onnx"``, ``"litert"`` and ``"openvino"``.
            name: What the model is served as; the recipe's name by default.
            version: A positive number; one more than the highest that is there by default.
            overwrite: Whether a version that is there may be replaced.
            quantize: ``"dynamic"``, ``"float16"`` or ``"int8"``, for formats that can.
            max_loss: The most that a quantised format may lose of the task's score.

        Returns:
            The version's folder.

        Raises:
            UsageError: The folder cannot be written, or the version exists, or there is no such
                format.
            DlzooError: A format's answers differ from the model's; nothing is left behind.
        """
        served = self.served()
        from zoo.serving.export import export_model

        return export_model(
            served,
            Path(output),
            name=self.recipe.name if name is None else name,
            version=version,
            overwrite=overwrite,
            origin=self.name,
            wanted=formats,
            quantize=quantize,
            max_loss=max_loss,
        ).path

    def served(self) -> Served:
        """Return the model as it is exported, with its test split to check exports with."""
        model, task = self.model, self.task  # starts TensorFlow
        from zoo.serving import samples
        from zoo.serving.served import Served

        try:
            dataset: Dataset | None = self.dataset
        except DlzooError:  # the data are not here: exports are checked on noise, and say so
            dataset = None
        return Served(task, task.served(model), *samples.examples(task, dataset))


class Pretrained(Run):
    """A GPT-2 as the transformers library saves it, used like a run: it generates and is exported.

    Args:
        path: A folder with config.json, model.safetensors, vocab.json and merges.txt.
    """

    @cached_property
    def _opened(self) -> tuple[Task, Any]:
        start_tensorflow()
        from zoo.tasks.pretrained import open_gpt2

        return open_gpt2(self.path)

    @property
    def finished(self) -> bool:
        """Whether it is trained: always."""
        return True

    @property
    def task(self) -> Task:
        """Language modelling, with GPT-2's vocabulary."""
        return self._opened[0]

    @property
    def spec(self) -> DatasetSpec:
        """What the model knows of texts."""
        return self.task.spec

    @property
    def model(self) -> Any:
        """The `keras.Model` with the folder's weights."""
        return self._opened[1]

    def export(self, output: str | Path = "exports", **options: Any) -> Path:
        """Write a verified SavedModel, named after the folder by default; see `Run.export`."""
        return super().export(output, **{**options, "name": options.get("name") or self.name})

    def _existing(self, name: str) -> Path:
        raise UsageError(
            f"{self.path} holds weights that were trained elsewhere: it can generate and be "
            "exported; it is no run"
        )


def train(
    model: str | None = None,
    *,
    run_dir: str | Path = RUNS,
    name: str | None = None,
    reporter: Reporter | None = None,
    **changes: Unpack[Changes],
) -> Run:
    """Train a model by a recipe and return the run.

    Args:
        model: A model or family, see `zoo.list_models`.
        run_dir: The folder in which the run's folder is made.
        name: Of the run; by default the recipe's name and a number.
        reporter: Is told how the training goes; lines on standard output by default.
        changes: Of the recipe: ``recipe``, ``dataset``, ``epochs``, ``batch_size``,
            ``learning_rate``, ``seed``, ``precision``, ``strategy``, ``devices``, ``init_from``,
            ``freeze`` and ``overrides``, see `zoo.training.changes.Changes`.

    Returns:
        The run, with its model trained and scored.

    Raises:
        UsageError: Something is unknown, out of range or does not fit together.
        DlzooError: The loss is no longer a number.

    Example:
        >>> run = zoo.train("resnet", epochs=20)
        >>> run.evaluate()["accuracy"]
    """
    from zoo.training import trainer
    from zoo.training.resolve import resolve

    recipe = resolve(model, run_dir=run_dir, **changes)
    folder, prepared = trainer.train(recipe, run_dir=Path(run_dir), name=name, reporter=reporter)
    run = Run(folder.path)
    run.dataset = prepared.dataset  # loaded once is enough
    return run


def resume(
    run: RunFolder | str | Path,
    *,
    epochs: int | None = None,
    run_dir: str | Path = RUNS,
    reporter: Reporter | None = None,
) -> Run:
    """Go on with a training from its last checkpoint, in its own folder.

    It ends in the weights, the history and the best epoch of a training that was never stopped, on
    CPU to the bit.

    Args:
        run: A run, its name or its folder.
        epochs: In all, counting those that are finished; the recipe's by default. They can only
            be raised.
        run_dir: The folder of runs.
        reporter: As for `train`.

    Raises:
        UsageError: There is nothing to go on from, or nothing left to do.
    """
    from zoo.training import trainer

    given = run if isinstance(run, RunFolder) else find(run, run_dir)
    folder, prepared = trainer.resume(RunFolder(given.path), epochs=epochs, reporter=reporter)
    resumed = Run(folder.path)
    resumed.dataset = prepared.dataset
    return resumed


def load(
    name: str | Path = "latest", run_dir: str | Path = RUNS, *, weights: Weights = "last"
) -> Run:
    """Return a run.

    Args:
        name: ``"latest"``, a run's name or the beginning of only one, or its folder. Or a folder
            with a GPT-2 as the transformers library saves it, see `Pretrained`.
        run_dir: The folder of runs.
        weights: See `Run`.

    Raises:
        UsageError: There is no such run, several have that beginning, or it is damaged.
    """
    if weights not in ("last", "best"):
        raise UsageError(f"weights must be 'last' or 'best', got '{weights}'")
    if is_checkpoint(Path(name)):
        return Pretrained(Path(name))
    return Run(find(name, run_dir).path, weights)

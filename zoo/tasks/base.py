"""The base of all tasks: one small class per kind of work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar

import numpy as np

from zoo.base.errors import UsageError
from zoo.catalog import ModelCard
from zoo.datasets.features.base import Reading
from zoo.datasets.features.inputs import matching
from zoo.tasks.endpoint import Endpoint
from zoo.tasks.feeding import EVALUATION_BATCH, Feeding
from zoo.tasks.refusals import Refusals

if TYPE_CHECKING:
    from zoo.datasets.loading import Dataset
    from zoo.tasks.predictor import Predictor


@dataclass(frozen=True)
class Score:
    """A measure of how well a model does its work."""

    name: str
    higher_is_better: bool


class Task(Feeding, Refusals):
    """Binds a data set to a model, scores it, renders what it says, and says how it is served."""

    scores: ClassVar[tuple[Score, ...]] = ()
    """What it computes, with which value is better."""
    headline: ClassVar[str] = "loss"
    """The score that is quoted where a recipe has no target."""
    final_scores: tuple[str, ...] = ()
    """Scores that `evaluate` adds to those that Keras computes in every epoch."""
    absent: Mapping[str, str] = MappingProxyType({})
    """Scores that cannot be computed here -> why, and what to do about it."""
    commands: ClassVar[tuple[str, ...]] = ("evaluate", "export")
    """The commands to try after a training."""
    example_models: ClassVar[tuple[str, ...]] = ()
    """Models that can do it though their cards name another task."""
    prompted: ClassVar[bool] = False
    """Whether `sample` writes texts that begin with a prompt."""
    default_count: ClassVar[int] = 64
    """Samples that are made where nobody says how many."""
    output: ClassVar[str] = "output"
    """What an answer is called in serving signatures."""

    @classmethod
    def of(cls, card: ModelCard) -> type[Task]:
        """Return the class that does this work with a model: this one, or a variant of it."""
        return cls

    # Scoring.

    def higher_is_better(self, name: str, model: Any = None) -> bool | None:
        """Return whether a higher value of a score is better, or None where nobody says.

        The task says it of its own scores, and Keras of its metrics.

        Args:
            name: As in a history: ``accuracy`` or ``val_accuracy``.
            model: Compiled, with metrics of the recipe's.
        """
        name = name.removeprefix("val_")
        for score in (*self.scores, Score("loss", False)):
            if score.name == name:
                return score.higher_is_better
        for metric in [] if model is None else _metrics(model):
            direction = getattr(metric, "_direction", None)
            if metric.name == name and direction in ("up", "down"):
                return bool(direction == "up")
        return None

    def evaluate(self, model: Any, dataset: Dataset, split: str) -> dict[str, float]:
        """Return the scores of a compiled model on a split, by name.

        A model that was built for several replicas is scored on all of them, each example on one.
        """
        from zoo.tasks.predictor import measure

        return measure(
            model,
            lambda replicas, shard, shards: self.evaluation_batches(
                dataset, split, replicas=replicas, shard=shard, shards=shards
            ),
        )

    # Answering.

    def respond(self, model: Any, encoded: Mapping[str, Any]) -> Any:
        """Return the answers to encoded input columns, as users get them."""
        return self.answer(model(self.model_inputs(encoded), training=False))

    def respond_served(self, model: Any, encoded: Mapping[str, Any]) -> Any:
        """Return the answers to encoded input columns, as an export gives them."""
        return self.respond(model, encoded)

    def answer(self, outputs: Any) -> Any:
        """Return a model's outputs in the form that users get."""
        return outputs

    def predictor(self, model: Any, *, beams: int = 1) -> Predictor:
        """Return a compiled function from raw examples to answers.

        Args:
            model: The trained one.
            beams: Of the beam search, for work that writes.

        Raises:
            UsageError: This kind of work writes nothing, and several beams are asked for.
        """
        from zoo.tasks.predictor import Predictor

        if beams != 1:
            raise UsageError(f"this model does {self.name}; beams are for models that write texts")
        network = self.served(model)
        return Predictor(self.asked, lambda encoded: self.respond(network, encoded))

    def as_raw(self, values: Any) -> dict[str, np.ndarray]:
        """Return raw columns from what a Python caller hands in.

        Args:
            values: Of the one input column, or a dict by column name.

        Raises:
            UsageError: They do not fit.
        """
        if len(self.inputs) == 1 and not isinstance(values, Mapping):
            values = {self.inputs[0]: values}
        if not isinstance(values, Mapping) or set(values) != set(self.inputs):
            raise UsageError(f"expected a dict with the columns {', '.join(self.inputs)}")
        return {name: feature.as_raw(values[name]) for name, feature in self.asked.items()}

    def read(self, inputs: Sequence[str], stdin: BinaryIO) -> Iterator[dict[str, Reading]]:
        """Yield the examples that a command line names, each by column, one at a time.

        Args:
            inputs: For one input column, what its feature reads. For several, ``COLUMN=VALUE``:
                the first value of each column is the first example, and so on.
            stdin: Where ``-`` reads from.

        Raises:
            UsageError: Nothing is there, or it cannot be read.
        """
        if len(self.inputs) == 1:
            name = self.inputs[0]
            anything = False
            for text in inputs:
                for path in matching(text):
                    for one in self.asked[name].read(path, stdin):
                        anything = True
                        yield {name: one}
        else:
            columns: dict[str, list[Reading]] = {name: [] for name in self.inputs}
            for text in inputs:
                name, sign, value = text.partition("=")
                if not sign or name not in columns:
                    wanted = " ".join(f"{column}=…" for column in self.inputs)
                    raise UsageError(
                        f"this model has several inputs: expected {wanted}, got '{text}'"
                    )
                columns[name] += self.asked[name].read(value, stdin)
            counts = {name: len(readings) for name, readings in columns.items()}
            if len(set(counts.values())) > 1:
                told = ", ".join(f"{count} of {name}" for name, count in counts.items())
                raise UsageError(f"every example needs each input once, got {told}")
            anything = any(counts.values())
            for example in zip(*columns.values(), strict=True):
                yield dict(zip(columns, example, strict=True))
        if not anything:
            raise UsageError("there is nothing to predict in " + ", ".join(inputs))

    def rows(self, answers: np.ndarray, top_k: int) -> list[dict[str, Any]]:
        """Return what is printed of each answer, as plain values.

        Args:
            answers: What a predictor returned.
            top_k: How many classes to name, the most probable first.
        """
        raise UsageError(
            f"this model does {self.name} and predicts nothing. "
            f"Try: {', '.join(f'dlzoo {command}' for command in self.commands)}"
        )

    # Serving.

    def served(self, model: Any) -> Any:
        """Return the network that is served: without what only training uses."""
        from zoo.layers.training_outputs import answer_only

        return answer_only(model)

    def serving_outputs(self, answers: Any) -> dict[str, Any]:
        """Return what a signature returns for the answers of `respond`, in the graph."""
        return {self.output: answers}

    def endpoints(self, network: Any) -> dict[str, Endpoint]:
        """Return the serving signatures by name, the default one first.

        They take raw inputs, and columns that can be read from files also as files.

        Args:
            network: What `served` returned.
        """
        from zoo.tasks.signatures import files_endpoint, raw_endpoint

        def respond(encoded: Mapping[str, Any]) -> dict[str, Any]:
            return self.serving_outputs(self.respond_served(network, encoded))

        found = {"serving_default": raw_endpoint(self.asked, respond)}
        from_files = files_endpoint(self.asked, respond)
        return found if from_files is None else {**found, "serving_bytes": from_files}

    def portable(self, network: Any) -> Endpoint:
        """Return the one signature of runtimes that have numbers only, and no strings.

        Args:
            network: What `served` returned.
        """
        from zoo.tasks.signatures import portable_endpoint

        def respond(encoded: Mapping[str, Any]) -> dict[str, Any]:
            answers = self.serving_outputs(self.respond(network, encoded))
            return {name: one for name, one in answers.items() if one.dtype != "string"}

        return portable_endpoint(self.asked, respond)

    def encoded(self, network: Any) -> Endpoint:
        """Return the network's own signature, from encoded columns to its output.

        Args:
            network: What `served` returned.
        """
        from zoo.tasks.signatures import network_endpoint

        return network_endpoint({**self.fed, **self.asked}, self.model_inputs, network)

    def score_served(
        self, outputs: Mapping[str, np.ndarray], raw: Mapping[str, np.ndarray]
    ) -> tuple[Score, float] | None:
        """Return how good served answers to raw examples are, or None where they cannot be scored.

        Args:
            outputs: Of a signature, by name.
            raw: The examples with their targets.
        """
        return None

    def answering(self, model: Any, count: int) -> Callable[[], np.ndarray]:
        """Return a function that answers `count` encoded samples as users get them.

        It calls the compiled function that `predictor` or `sample` calls, so that its speed is
        what users get.
        """
        encoded = {name: one.encode(one.sample(count)) for name, one in self.asked.items()}
        predictor = self.predictor(model)
        return lambda: predictor.encoded(encoded)

    # Figures.

    def training_callbacks(self, folder: Path, epochs: int) -> list[Any]:
        """Return Keras callbacks that draw figures while a model is trained.

        Args:
            folder: To write PNGs into.
            epochs: Of the whole training.
        """
        return []

    def answered(
        self, predictor: Predictor, dataset: Dataset, split: str
    ) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
        """Yield a split's answers and raw target columns, in order, some at a time."""
        from zoo.datasets.batches import prepared

        encoded = prepared(dataset.split(split), self.asked, self.targets)
        for part in encoded.in_order(EVALUATION_BATCH):
            columns = {name: one.finish(part[name]) for name, one in self.asked.items()}
            yield predictor.encoded(columns), {name: part[name].numpy() for name in self.targets}

    def by_class(self, values: dict[str, Any]) -> list[dict[str, Any]]:
        """Return for each class how many examples were right, and what the others were taken for.

        Args:
            values: What `data_for_figures` returned.

        Returns:
            A row for each class; none where the work has no classes.
        """
        return []

    def data_for_figures(
        self, predictor: Predictor, dataset: Dataset, split: str
    ) -> dict[str, Any]:
        """Return plain values that `draw` makes pictures of; they are kept in metrics.json."""
        return {}

    def draw(self, values: dict[str, Any], model: Any, dataset: Dataset, folder: Path) -> None:
        """Draw the task's own figures into a folder.

        Args:
            values: What `data_for_figures` returned.
            model: The trained one.
            dataset: Its data.
            folder: To write PNGs into.
        """


def _metrics(model: Any) -> list[Any]:
    """Return a model's metrics, those that Keras made in `compile` among them."""
    found = []
    for metric in model.metrics:
        found += [metric, *getattr(metric, "metrics", [])]
    return found

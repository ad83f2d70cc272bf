"""The base of all tasks: one small class per kind of work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, Protocol

import numpy as np

from zoo.base.errors import UsageError, require
from zoo.catalog import ModelCard
from zoo.datasets.features.base import Feature, Reading
from zoo.datasets.features.inputs import matching
from zoo.datasets.sources.base import Description
from zoo.datasets.spec import DatasetSpec

if TYPE_CHECKING:
    from zoo.datasets.augmentation.augmenter import Augmenter
    from zoo.datasets.batches import Batches
    from zoo.datasets.loading import Dataset
    from zoo.datasets.split import Split
    from zoo.tasks.predictor import Predictor

EVALUATION_BATCH = 256
MOST_SAMPLES = 100_000
"""The most samples that one request may ask for."""

# What a need of `Feature.serves` is called in messages.
_WORDS = {
    "pixels": "images",
    "numbers": "tables of numbers",
    "series": "series",
    "tokens": "texts",
}
_TARGETS = {"class": "a class", "value": "a number", "tags": "tags", "tokens": "a text"}


class ColumnsError(UsageError):
    """A data set does not have the columns that a task needs."""


class Columns(Protocol):
    """What a `Description` and a `DatasetSpec` have in common."""

    @property
    def name(self) -> str:
        """The reference by which the data set is opened."""

    @property
    def features(self) -> Mapping[str, Feature]:
        """By the column's name."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns that a model is given."""

    @property
    def targets(self) -> tuple[str, ...]:
        """The columns that a model is asked for."""


@dataclass(frozen=True)
class Score:
    """A measure of how well a model does its work."""

    name: str
    higher_is_better: bool


@dataclass(frozen=True, kw_only=True)
class SampleRequest:
    """What is asked of a model that generates."""

    count: int = 64
    seed: int = 0
    """The same seed gives the same samples."""
    progress: Callable[[int], None] = lambda done: None
    """Is told how many samples are done."""
    prompt: str = ""
    """What a text begins with."""
    length: int = 200
    """Tokens that are written after the prompt."""
    temperature: float = 1.0
    """Below 1 favours probable tokens; 0 takes the most probable one."""
    top_k: int | None = None
    """Draw among so many most probable tokens only."""
    top_p: float | None = None
    """Draw among the most probable tokens that together have this probability."""
    label: int | None = None
    """The number of the class to make, for conditional models; None takes all classes in turn."""
    steps: int | None = None
    """Of a sampler that goes step by step; None takes the model's own."""
    interpolate: bool = False
    """Whether each row of the grid of images goes from one random latent to another."""
    written: Callable[[str], None] = lambda text: None
    """Is told what was written of the first text, a few tokens at a time."""


@dataclass(frozen=True)
class Samples:
    """What a model generated: images, or whatever its data are."""

    feature: Feature
    """What one sample is; it draws or writes them."""
    values: Sequence[Any]
    """As the feature's `decode` returns them."""


@dataclass(frozen=True)
class Endpoint:
    """One signature of an exported model."""

    function: Callable[..., Any]
    """From tensors to a dict of named tensors."""
    signature: Mapping[str, Any]
    """A `tf.TensorSpec` for each argument, by name and in order."""
    sample: Callable[[int], tuple[Any, ...]]
    """Gives that many examples of its arguments, the same ones every time."""
    examples: Callable[[Mapping[str, np.ndarray]], tuple[Any, ...]] | None = None
    """From raw columns (B, …) of a data set to arguments; None where it is not asked with such."""
    left_out: str = ""
    """What a runtime without strings has to do outside of it, in one line."""
    constants: Mapping[str, Any] = field(default_factory=dict)
    """Plain values that this needs."""
    tolerance: float = 0.0
    """By how much its answers may differ in any format, where that is more than the format's own:
    many steps one after another multiply what rounding changes."""

    def asked_with(self, raw: Mapping[str, np.ndarray]) -> tuple[Any, ...]:
        """Return arguments for raw examples, or as many samples."""
        if self.examples is None:
            return self.sample(len(next(iter(raw.values()))))
        return self.examples(raw)


class Task:
    """Binds a data set to a model, scores it, renders what it says, and says how it is served.

    Args:
        name: By which recipes and cards call it.
        spec: Of the data.
        loss: Its Keras name where a recipe names one: some losses need targets in another form.
    """

    reads: ClassVar[tuple[str, ...]] = ()
    """What an input column must serve as, see `Feature.serves`; any of them will do."""
    answers: ClassVar[str | None] = None
    """What the target column must serve as; None where models are trained without targets."""
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
    example_model: ClassVar[str] = ""
    """A model that can do it though its card names another task."""
    prompted: ClassVar[bool] = False
    """Whether `sample` writes texts that begin with a prompt."""
    evaluation_batch: ClassVar[int] = EVALUATION_BATCH
    """Examples that are scored at a time."""
    default_count: ClassVar[int] = 64
    """Samples that are made where nobody says how many."""
    output: ClassVar[str] = "output"
    """What an answer is called in serving signatures."""

    def __init__(self, name: str, spec: DatasetSpec, loss: str | None = None) -> None:
        self.name = name
        self.spec = spec
        self.loss = loss
        self.inputs = spec.inputs
        self.targets = self.target_columns(spec)

    @classmethod
    def of(cls, card: ModelCard) -> type[Task]:
        """Return the class that does this work with a model: this one, or a variant of it."""
        return cls

    # Which columns it works on.

    @classmethod
    def target_columns(cls, data: Columns) -> tuple[str, ...]:
        """Return the columns that a model is asked for."""
        if cls.answers is None:
            return ()
        return tuple(n for n in data.targets if data.features[n].serves(cls.answers))[:1]

    @classmethod
    def check(cls, model: str, task: str, data: Columns) -> None:
        """Raise a `UsageError` unless a model can do this task with a data set's columns.

        It is a `ColumnsError` if another model or task might do.

        Args:
            model: Its name.
            task: The name by which the task was asked for.
            data: The data set.
        """
        for name in data.inputs:
            if not data.features[name].serves(*cls.reads):
                wanted = " or ".join(_WORDS.get(need, need) for need in cls.reads)
                raise ColumnsError(
                    f"{model} does {task} and reads {wanted}; "
                    f"{data.name} gives {data.features[name].noun()}"
                )
        if cls.answers is not None and not cls.target_columns(data):
            wanted = _TARGETS.get(cls.answers, cls.answers)
            given = ", ".join(data.features[name].noun() for name in data.targets) or "none"
            raise ColumnsError(
                f"{model} does {task}, which needs {wanted} for each example; "
                f"{data.name} gives {given}"
            )

    @classmethod
    def adapt(cls, described: Description) -> Description:
        """Return a description whose columns are as the task needs them, before they are fitted."""
        return described

    @property
    def fed(self) -> dict[str, Feature]:
        """The features that a model is trained with."""
        return {name: self.spec.features[name] for name in (*self.inputs, *self.targets)}

    @property
    def asked(self) -> dict[str, Feature]:
        """The features that a trained model is asked with."""
        return {name: self.spec.features[name] for name in self.inputs}

    # Building, compiling and feeding a model.

    def builder_arguments(self) -> dict[str, Any]:
        """Return what the model's builder has to know of the data.

        Of one input it is the feature's arguments, such as ``input_shape``; of several, these by
        the column's name, such as ``image_shape``.
        """
        if len(self.inputs) == 1:
            return self.spec.features[self.inputs[0]].builder_arguments()
        return {
            f"{name}_{key.removeprefix('input_')}": value
            for name, feature in self.asked.items()
            for key, value in feature.builder_arguments().items()
        }

    def built(self, model: Any) -> Any:
        """Return a new model with what the task adds behind its outputs."""
        return model

    def compile_arguments(self) -> dict[str, Any]:
        """Return the loss and ``weighted_metrics`` for `keras.Model.compile`."""
        return {}

    def model_inputs(self, encoded: Mapping[str, Any]) -> Any:
        """Return what a model is called with: the input's tensor, or several by name."""
        if len(self.inputs) == 1:
            return encoded[self.inputs[0]]
        return {name: encoded[name] for name in self.inputs}

    def model_targets(self, encoded: Mapping[str, Any]) -> Any:
        """Return targets in the form that the loss takes, or None."""
        return encoded[self.targets[0]] if self.targets else None

    def feed(self, encoded: Mapping[str, Any]) -> tuple[Any, Any, Any]:
        """Return inputs, targets and weights from encoded columns.

        Weights are those of the examples, times 0 where a target is padding; None counts all.
        """
        import tensorflow as tf

        targets = self.model_targets(encoded)
        weights = None
        if self.spec.weights is not None:
            weights = tf.cast(encoded[self.spec.weights], tf.float32)
        for name in self.targets:
            mask = self.spec.features[name].mask(targets)
            if mask is not None:
                weights = mask if weights is None else mask * weights[:, None]
        inputs = self.model_inputs(encoded)
        if targets is None and weights is not None:
            targets = inputs  # Keras wants targets beside weights; the model does not look at them
        return inputs, targets, weights

    def require_soft_targets(self) -> None:
        """Raise a `UsageError` unless a target may be shares of several classes, for mixing."""
        raise UsageError(
            f"mixup and cutmix mix classes, and {self.name} has none: take them out of the recipe"
        )

    def class_weights(self, dataset: Dataset) -> dict[int, float]:
        """Return a weight for each class's number, by which all classes count alike in the loss.

        Raises:
            UsageError: The work has no classes.
        """
        raise UsageError(f"class_weights weigh classes, and {self.name} has none")

    def soft_metrics(self, metrics: list[Any]) -> list[Any]:
        """Return metrics for `keras.Model.compile` that accept such targets."""
        return metrics

    def training_batches(
        self,
        dataset: Dataset,
        *,
        batch_size: int,
        seed: int,
        accumulate: int = 1,
        augment: Augmenter | None = None,
    ) -> Batches:
        """Return the batches of the training split, in an order that seed and epoch decide."""
        from zoo.datasets.batches import Batches, prepared

        split, features, extra = self._split_to_feed(dataset, "train")
        return Batches(
            split=prepared(split, features, extra),
            features=features,
            feed=self.feed,
            batch_size=batch_size,
            seed=seed,
            accumulate=accumulate,
            augment=augment,
        )

    def evaluation_batches(
        self, dataset: Dataset, split: str, *, replicas: int = 1, shard: int = 0, shards: int = 1
    ) -> Any:
        """Return a `tf.data.Dataset` of a split's batches, each example once and in order.

        Args:
            dataset: Whose splits are raw.
            split: Its name.
            replicas: How many share a batch, in all shards together.
            shard: Which part of every batch to give, counted from 0.
            shards: Into how many equal parts batches are divided.
        """
        from zoo.datasets.batches import evaluation_batches

        raw, features, extra = self._split_to_feed(dataset, split)
        return evaluation_batches(
            raw,
            features,
            self.feed,
            batch_size=self.evaluation_batch,
            replicas=replicas,
            extra=extra,
            shard=shard,
            shards=shards,
        )

    def _split_to_feed(
        self, dataset: Dataset, split: str
    ) -> tuple[Split, Mapping[str, Feature], tuple[str, ...]]:
        """Return a split, the features of its columns, and columns that are fed as they are."""
        return dataset.split(split), self.fed, self._weights

    @property
    def _weights(self) -> tuple[str, ...]:
        return () if self.spec.weights is None else (self.spec.weights,)

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

    def draw_attention(self, model: Any, raw: Mapping[str, np.ndarray], path: Path) -> None:
        """Draw what a model looks at while it answers one raw example.

        Raises:
            UsageError: Models of this kind have no attention to draw.
        """
        raise UsageError(f"this model does {self.name} and has no attention to draw")

    def sample(self, model: Any, request: SampleRequest) -> Samples:
        """Return new examples.

        Raises:
            UsageError: This kind of work makes none.
        """
        raise UsageError(
            f"this model does {self.name} and generates nothing; see: dlzoo list --task generation"
        )

    def neighbours(
        self, model: Any, plus: Sequence[str], minus: Sequence[str] = (), count: int = 10
    ) -> list[tuple[str, float]]:
        """Return the words nearest to a sum of words, each with its cosine.

        Raises:
            UsageError: This kind of work learns no vectors of words.
        """
        raise UsageError(
            f"this model does {self.name} and has no vectors of words; "
            "see: dlzoo list --task embedding"
        )

    def example_words(self) -> list[str]:
        """Return words that one may ask the neighbours of.

        Raises:
            UsageError: This kind of work learns no vectors of words.
        """
        self.neighbours(None, ())
        return []

    def draw_words(self, model: Any, words: Sequence[str], path: Path, marked: int = 0) -> None:
        """Draw words where their vectors lie; see `neighbours`."""
        self.neighbours(model, words)

    def animate(self, model: Any, request: SampleRequest, pictures: int) -> list[Samples]:
        """Return the way from noise to samples, as pictures of all of them; [] if there is none.

        Args:
            model: The trained one.
            request: What to sample.
            pictures: At most so many, of evenly spread steps; the last is of the samples.

        Raises:
            UsageError: It has no sampler of so many steps, or makes no images.
        """
        raise UsageError(f"this model does {self.name}; --animate is for generators of images")

    def denoise(self, model: Any, examples: Sequence[Mapping[str, np.ndarray]]) -> Samples:
        """Return images without the noise that is in them.

        Args:
            model: The trained one; one that can do this has ``denoise(images)``.
            examples: Raw columns of one image each, which may differ in size.

        Raises:
            UsageError: The model cannot do it.
        """
        if not hasattr(model, "denoise"):
            raise UsageError(
                f"this model does {self.name} and takes no noise away; --denoise is for diffusion "
                "models and denoising autoencoders"
            )
        from zoo.tasks.predictor import Predictor

        name = self.inputs[0]
        feature = self.asked[name]
        clean = Predictor({name: feature}, lambda encoded: model.denoise(encoded[name]))
        return Samples(feature, feature.decode(np.concatenate(list(clean.each(examples)))))

    def class_number(self, text: str) -> int:
        """Return the number of the class that a user asks samples of.

        Args:
            text: Its name or number.

        Raises:
            UsageError: The model makes no samples of one class, or there is no such class.
        """
        raise UsageError(
            f"this model does {self.name} without labels; --class is for conditional models"
        )

    def require_reconstructions(self, model: Any) -> None:
        """Raise a `UsageError` unless a model has ``reconstruct(inputs)``."""
        if not hasattr(model, "reconstruct"):
            raise UsageError(
                f"this model does {self.name} and has no reconstructions; --reconstruct is for "
                "autoencoders and models of their kind"
            )

    def reconstruct(
        self, model: Any, raw: Sequence[np.ndarray]
    ) -> tuple[list[Any], list[Any], float]:
        """Return examples, what a model makes of them, and the mean squared difference.

        Args:
            model: The trained one.
            raw: Of the one input column: batches of one, which may differ in size, or larger ones.

        Raises:
            UsageError: The model cannot do it.
        """
        self.require_reconstructions(model)
        from zoo.tasks.predictor import Predictor

        name = self.inputs[0]
        feature = self.asked[name]
        again = Predictor(self.asked, lambda encoded: model.reconstruct(encoded[name]))
        made = feature.decode(np.concatenate(list(again.each({name: one} for one in raw))))
        originals = [one for batch in raw for one in feature.decode(feature.encode(batch))]
        error = np.mean(np.square(np.stack(made) - np.stack(originals)))
        return originals, made, float(error)

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


def require_unit_pixels(data: Columns, what: str) -> None:
    """Raise a `UsageError` unless the inputs are images in [0, 1].

    Args:
        data: The data set.
        what: Begins the message: "generators make".
    """
    for name in data.inputs:
        pixels = data.features[name].pixels
        require(
            pixels is not None and pixels.clipped,
            f"{what} images in [0, 1]; set data.{name}.scaling = 'unit'",
        )


def _metrics(model: Any) -> list[Any]:
    """Return a model's metrics, those that Keras made in `compile` among them."""
    found = []
    for metric in model.metrics:
        found += [metric, *getattr(metric, "metrics", [])]
    return found

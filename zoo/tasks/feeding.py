"""What a model is built with and fed: the part of a task that a training needs first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from zoo.base.errors import UsageError
from zoo.datasets.features.base import Feature
from zoo.datasets.sources.base import Description
from zoo.datasets.spec import DatasetSpec
from zoo.tasks.columns import INPUT_WORDS, TARGET_WORDS, Columns, ColumnsError

if TYPE_CHECKING:
    from zoo.datasets.augmentation.augmenter import Augmenter
    from zoo.datasets.batches import Batches
    from zoo.datasets.loading import Dataset
    from zoo.datasets.split import Split

EVALUATION_BATCH = 256


class Feeding:
    """Binds the columns of a data set to a model's arguments, inputs, targets and weights.

    Args:
        name: Of the task, by which recipes and cards call it.
        spec: Of the data.
        loss: Its Keras name where a recipe names one: some losses need targets in another form.
    """

    reads: ClassVar[tuple[str, ...]] = ()
    """What an input column must serve as, see `Feature.serves`; any of them will do."""
    answers: ClassVar[str | None] = None
    """What the target column must serve as; None where models are trained without targets."""
    evaluation_batch: ClassVar[int] = EVALUATION_BATCH
    """Examples that are scored at a time."""

    def __init__(self, name: str, spec: DatasetSpec, loss: str | None = None) -> None:
        self.name = name
        self.spec = spec
        self.loss = loss
        self.inputs = spec.inputs
        self.targets = self.target_columns(spec)

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
                wanted = " or ".join(INPUT_WORDS.get(need, need) for need in cls.reads)
                raise ColumnsError(
                    f"{model} does {task} and reads {wanted}; "
                    f"{data.name} gives {data.features[name].noun()}"
                )
        if cls.answers is not None and not cls.target_columns(data):
            wanted = TARGET_WORDS.get(cls.answers, cls.answers)
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

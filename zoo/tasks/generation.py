"""Generation: new examples that look like the data."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from zoo.base.errors import UsageError
from zoo.catalog import ModelCard
from zoo.datasets.features.base import Feature, Reading
from zoo.datasets.spec import DatasetSpec
from zoo.runs.pictures import grid_columns
from zoo.tasks.base import Score, Task
from zoo.tasks.columns import Columns, require_unit_pixels
from zoo.tasks.endpoint import Endpoint
from zoo.tasks.quality import (
    SCORED_SAMPLES,
    Data,
    calibration,
    compiled_bounds,
    likelihood_bounds,
    quality,
    weights_digest,
)
from zoo.tasks.sample_figures import draw_map, while_it_learns
from zoo.tasks.samples import MOST_SAMPLES, SampleRequest, Samples

if TYPE_CHECKING:
    from zoo.datasets.loading import Dataset
    from zoo.tasks.predictor import Predictor

CHUNK = 256
"""Samples that are computed at a time."""
SAMPLE_SCORES = (
    Score("parzen_log_likelihood", higher_is_better=True),
    Score("frechet_distance", higher_is_better=False),
    Score("precision", higher_is_better=True),
    Score("recall", higher_is_better=True),
    Score("accepted", higher_is_better=True),
    Score("near_copies", higher_is_better=False),
    Score("rarest_class", higher_is_better=True),
)
"""Of whatever makes images, see `zoo.tasks.quality.quality`."""
_NO_ANSWERS = "this model is a generator and predicts nothing. Use: dlzoo generate"


class Generation(Task):
    """Models that make images in [0, 1], trained without labels.

    They have ``latent_shape``, ``prior(count, seed) -> latent``, ``decode(latent) -> examples`` and
    ``decoder_network() -> keras.Model``, which does the same as ``decode``.
    """

    reads = ("pixels",)
    scores = (
        *SAMPLE_SCORES,
        Score("bound_10", higher_is_better=True),
        Score("bound_100", higher_is_better=True),
        Score("bound_1000", higher_is_better=True),
        Score("bits_per_dimension", higher_is_better=False),
        Score("right_class", higher_is_better=True),  # of conditional models
    )
    headline = "frechet_distance"
    final_scores = tuple(score.name for score in scores)
    commands = ("generate", "export")
    output = "image"

    def __init__(self, name: str, spec: DatasetSpec, loss: str | None = None) -> None:
        super().__init__(name, spec, loss)
        self._compiled: tuple[Any, dict[str, Any], Any] | None = None
        self._bounds: tuple[Any, Any] | None = None
        self._scored: tuple[int, np.ndarray] | None = None
        self.check(name, name, spec)

    @classmethod
    def of(cls, card: ModelCard) -> type[Task]:
        """Return the variant for models that are told a class, if a card's inputs name a label."""
        if "label" not in card.inputs:
            return cls
        from zoo.tasks.conditional_generation import ConditionalGeneration

        return ConditionalGeneration

    @classmethod
    def check(cls, model: str, task: str, data: Columns) -> None:
        """Raise a `UsageError` unless the data are images in [0, 1]."""
        super().check(model, task, data)
        require_unit_pixels(data, "generators make")

    @property
    def image(self) -> Feature:
        """What is generated."""
        return self.spec.features[self.inputs[0]]

    def evaluate(self, model: Any, dataset: Dataset, split: str) -> dict[str, float]:
        """Return the model's own scores, its bounds, and those by which generators are compared.

        See `zoo.tasks.quality`. Bounds are those of models that have ``likelihood_bounds(inputs)``.
        """
        scores = super().evaluate(model, dataset, split)
        if hasattr(model, "likelihood_bounds"):
            batches = self.evaluation_batches(dataset, split)
            if self._bounds is None or self._bounds[0] is not model:
                self._bounds = (model, compiled_bounds(model, batches))
            dimensions = math.prod(side or 1 for side in self.image.shape)
            scores |= likelihood_bounds(self._bounds[1], batches, dimensions)
        return {**scores, **self.sample_scores(model, dataset, split)}

    def sample_scores(self, model: Any, dataset: Dataset, split: str) -> dict[str, float]:
        """Return what `zoo.tasks.quality.quality` says of a model's samples."""
        request = SampleRequest(count=SCORED_SAMPLES)

        def draw(count: int) -> np.ndarray:
            # Every split is compared with the same samples: they are drawn once.
            state = weights_digest(model)
            if self._scored is None or self._scored[0] != state:
                self._scored = (state, self._images(model, request))
            return self._scored[1]

        return quality(draw, self._data(dataset), split, self.asked_classes(request))

    def asked_classes(self, request: SampleRequest) -> np.ndarray | None:
        """Return the class that each sample of a request is to be of, or None."""
        return None

    def _data(self, dataset: Dataset) -> Data:
        """Return the images, and the labels where there are some."""
        labels = [name for name in self.spec.targets if self.spec.features[name].serves("class")]
        return Data(dataset, self.inputs[0], labels[0] if labels else None)

    def data_for_figures(
        self, predictor: Predictor, dataset: Dataset, split: str
    ) -> dict[str, Any]:
        """Return what noise and real images score, to compare the samples' scores with."""
        return {"calibration": calibration(self._data(dataset), split)}

    def as_raw(self, values: Any) -> dict[str, np.ndarray]:
        """Raise a `UsageError`: nothing is asked of a generator."""
        raise UsageError(_NO_ANSWERS)

    def read(self, inputs: Sequence[str], stdin: BinaryIO) -> Iterator[dict[str, Reading]]:
        """Raise a `UsageError`: nothing is asked of a generator."""
        raise UsageError(_NO_ANSWERS)

    def sample(self, model: Any, request: SampleRequest) -> Samples:
        """Return images decoded from latents of the model's prior."""
        return Samples(self.image, self.image.decode(self._images(model, request)))

    def _images(self, model: Any, request: SampleRequest) -> np.ndarray:
        if not 1 <= request.count <= MOST_SAMPLES:
            raise UsageError(f"count must be 1 to {MOST_SAMPLES:,}, got {request.count}")
        given = self.drawn(model, request)
        decode = self._decoder(model, given, request.steps, request.interpolate)
        parts = []
        for at in range(0, request.count, CHUNK):
            part = decode(*(values[at : at + CHUNK] for values in given))
            parts.append(np.asarray(part, np.float32))
            request.progress(min(at + CHUNK, request.count))
        return np.concatenate(parts)

    def drawn(self, model: Any, request: SampleRequest) -> tuple[Any, ...]:
        """Return what `decode` is called with: latents (count, *latent_shape), and what else."""
        if request.label is not None:
            self.class_number(str(request.label))
        return (self.latents(model, request),)

    def latents(self, model: Any, request: SampleRequest) -> Any:
        """Return latents (count, *latent_shape) of the prior, or rows of latents between two."""
        if not request.interpolate:
            return model.prior(request.count, request.seed)
        columns = grid_columns(request.count)
        rows = -(-request.count // columns)
        ends = np.asarray(model.prior(2 * rows, request.seed))
        first, second = (np.repeat(part, columns, axis=0) for part in np.split(ends, 2))
        share = np.tile(np.linspace(0.0, 1.0, columns, dtype=np.float32), rows)
        return model.between(first, second, share)[: request.count]

    def _decoder(
        self,
        model: Any,
        given: tuple[Any, ...],
        steps: int | None = None,
        interpolate: bool = False,
    ) -> Any:
        """Return a model's `decode`, compiled once.

        Args:
            model: The trained one.
            given: What it will be called with, see `drawn`.
            steps: Of a sampler that goes step by step; None takes the model's own.
            interpolate: Whether what it makes has to change smoothly: no step is random then.
        """
        import tensorflow as tf

        arguments: dict[str, Any] = {}
        if steps is not None:
            _require_steps(model, steps)
            arguments["steps"] = steps
        if interpolate and getattr(model, "most_steps", None) is not None:
            arguments["eta"] = 0.0
        if self._compiled is None or self._compiled[:2] != (model, arguments):
            specs = [tf.TensorSpec((None, *one.shape[1:]), one.dtype) for one in given]
            found = functools.partial(model.decode, **arguments)
            self._compiled = (model, arguments, tf.function(found).get_concrete_function(*specs))
        return self._compiled[2]

    def animate(self, model: Any, request: SampleRequest, pictures: int) -> list[Samples]:
        """Return the way from noise to images; nothing where a model makes them in one step.

        The first picture is of the noise.
        """
        import tensorflow as tf

        if getattr(model, "most_steps", None) is None:
            return []
        steps = model.steps if request.steps is None else request.steps
        _require_steps(model, steps)
        given = self.drawn(model, request)
        path = tf.function(
            functools.partial(model.path, steps=steps, pictures=min(pictures, steps))
        )(*given)
        noise = np.clip(0.5 * np.asarray(given[0])[None] + 0.5, 0.0, 1.0)
        shown = np.concatenate([noise, np.asarray(path)])
        return [Samples(self.image, self.image.decode(images)) for images in shown]

    def served(self, model: Any) -> Any:
        """Return the network from latents to images."""
        return model.decoder_network()

    def answering(self, model: Any, count: int) -> Callable[[], np.ndarray]:
        """Return a function that decodes `count` latents of the model's prior."""
        given = self.drawn(model, SampleRequest(count=count))
        decode = self._decoder(model, given)
        return lambda: np.asarray(decode(*given))

    def endpoints(self, network: Any) -> dict[str, Endpoint]:
        """Return one signature, from latents to images."""
        import tensorflow as tf

        shape = network.inputs[0].shape[1:]

        def generate(latent: Any) -> dict[str, Any]:
            return {"image": tf.cast(network(latent, training=False), tf.float32)}

        def sample(count: int) -> tuple[Any, ...]:
            return (np.random.default_rng(0).normal(size=(count, *shape)).astype(np.float32),)

        signature = {"latent": tf.TensorSpec((None, *shape), tf.float32, name="latent")}
        return {"generate": Endpoint(generate, signature, sample)}

    def portable(self, network: Any) -> Endpoint:
        """Return the same signature or, of a Markov chain, the two halves of one of its steps.

        The chain's units are drawn outside of it: so its answers depend on no random numbers.
        """
        whole = self.endpoints(network)["generate"]
        if not hasattr(network, "half_steps"):
            return whole
        import tensorflow as tf

        chain = network.chain
        (machine,) = chain.machines
        (latent,) = whole.signature.values()

        def serve(visible: Any, hidden: Any) -> dict[str, Any]:
            odds, means = network.half_steps(visible, hidden)
            image = tf.reshape(tf.clip_by_value(means, 0.0, 1.0), (-1, *network.output_shape[1:]))
            return {"hidden_odds": odds, "visible_means": means, "image": image}

        def sample(count: int) -> tuple[Any, ...]:
            (noise,) = whole.sample(count)
            units = np.random.default_rng(1).random((count, machine.units)) < 0.5
            return (noise > 0.0).astype(np.float32), units.astype(np.float32)

        return Endpoint(
            serve,
            {
                "visible": tf.TensorSpec(latent.shape, tf.float32, name="visible"),
                "hidden": tf.TensorSpec((None, machine.units), tf.float32, name="hidden"),
            },
            sample,
            left_out="the chain's loop and its draws are outside of it",
            constants={
                "steps": chain.steps,
                "visible": machine.visible,
                "deviation": machine.deviation,
            },
        )

    def encoded(self, network: Any) -> Endpoint:
        """Return the same signature, with the network's name of its output."""
        one = self.endpoints(network)["generate"]

        def generate(*given: Any) -> dict[str, Any]:
            return {"output": network(given[0] if len(given) == 1 else given, training=False)}

        return dataclasses.replace(one, function=generate)

    def training_callbacks(self, folder: Path, epochs: int) -> list[Any]:
        """Return a callback that draws samples of one fixed noise now and then."""
        return [while_it_learns(self._draw_samples, folder, epochs)]

    def _draw_samples(self, model: Any, path: Path) -> None:
        samples = self.sample(model, SampleRequest(count=64, seed=0))
        samples.feature.write(samples.values, path)

    def draw(self, values: dict[str, Any], model: Any, dataset: Dataset, folder: Path) -> None:
        """Draw 64 samples and, where latents are pairs of numbers, a map of them."""
        self._draw_samples(model, folder / "samples.png")
        codes = getattr(model, "codes", None)
        if codes is not None and tuple(model.latent_shape) == (2,):
            batches = self.evaluation_batches(dataset, "test").take(4)
            draw_map(model, self._data(dataset), "test", batches, folder)


def _require_steps(model: Any, steps: int) -> None:
    """Raise a `UsageError` unless a model's sampler can take so many steps."""
    most = getattr(model, "most_steps", None)
    if most is None:
        raise UsageError("this model has no sampler that goes step by step; leave --steps out")
    if not 1 <= steps <= most:
        raise UsageError(f"steps must be 1 to {most:,}, got {steps:,}")

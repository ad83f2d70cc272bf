"""Scoring a generator's samples against the data it was trained on."""

from __future__ import annotations

import hashlib
import math
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.datasets.features.base import Feature
from zoo.tasks import sample_scores
from zoo.tasks.judge import MOST_EXAMPLES, Judge, noise, train_judge

if TYPE_CHECKING:
    from zoo.datasets.loading import Dataset

BOUNDED = 1000
"""Examples of a split for which bounds are computed, at least."""
GROUPS = 4
"""Into which the samples are divided: how much a score varies between them is its spread."""
SCORED_SAMPLES = 2000
"""Samples that are drawn to score a generator, of all groups together."""
PARZEN_SAMPLES = 1000
"""Of them, those that the Parzen estimate is made of."""
MOST_REAL = 2000
"""Real images that features are compared with, at most."""
SPREAD = "_spread"
"""Ends the names of standard deviations between groups."""


@dataclass(frozen=True)
class Data:
    """Images of a data set as models see them, and their labels.

    Args:
        dataset: The data set.
        column: Of the images.
        label: The column of their classes; None where they have none.
    """

    dataset: Dataset
    column: str
    label: str | None

    @property
    def image(self) -> Feature:
        """The images' feature."""
        return self.dataset.spec.features[self.column]

    @property
    def classes(self) -> int:
        """How many classes there are; 1 where there are no labels."""
        return 1 if self.label is None else self.dataset.spec.features[self.label].classes

    def chunks(self, split: str, most: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield encoded images and labels of a split's first examples, a part at a time."""
        for chunk in self.dataset.split(split).chunks(1024):
            images = np.asarray(self.image.encode(chunk[self.column]))[:most]
            labels = np.zeros(len(images), int) if self.label is None else chunk[self.label]
            yield images, np.asarray(labels)[: len(images)]
            most -= len(images)
            if most <= 0:
                return

    def images(self, split: str, most: int = MOST_EXAMPLES) -> np.ndarray:
        """Return a split's first images."""
        return np.concatenate([images for images, _ in self.chunks(split, most)])


@dataclass(frozen=True)
class Reference:
    """What samples are compared with."""

    judge: Judge
    shares: np.ndarray
    """Of each class among the training examples."""


_references: dict[str, Reference] = {}
"""By the training examples: both splits that a training is scored on need the same judge."""


def reference(data: Data) -> Reference:
    """Return a data set's judge, trained once in a process."""
    parts = list(data.chunks("train", MOST_EXAMPLES))
    images, labels = (np.concatenate(one) for one in zip(*parts, strict=True))
    key = hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()
    if key not in _references:
        shares = np.bincount(labels, minlength=data.classes) / len(labels)
        _references[key] = Reference(train_judge(images, labels, data.classes), shares)
    return _references[key]


def compiled_bounds(model: Any, batches: Iterable[Any]) -> Callable[[Any], dict[str, Any]]:
    """Return a model's ``likelihood_bounds``, compiled once for inputs like those of batches."""
    import tensorflow as tf

    specs = tf.nest.map_structure(
        lambda one: tf.TensorSpec((None, *one.shape[1:]), one.dtype),
        inputs_of(next(iter(batches))),
    )
    function: Callable[[Any], dict[str, Any]] = tf.function(
        model.likelihood_bounds, input_signature=[specs]
    )
    return function


def likelihood_bounds(
    compiled: Callable[[Any], dict[str, Any]], batches: Iterable[Any], dimensions: int
) -> dict[str, float]:
    """Return the means of bounds on the log-likelihood, in nats, the loosest first.

    Args:
        compiled: From inputs to bounds (B,), by the bound's name.
        batches: Of the examples; the first `BOUNDED` of them count.
        dimensions: Of an example, for ``bits_per_dimension`` by the tightest bound.
    """
    found: list[dict[str, np.ndarray]] = []
    seen = 0
    for batch in batches:
        found.append({name: one.numpy() for name, one in compiled(inputs_of(batch)).items()})
        seen += len(next(iter(found[-1].values()), ()))
        if seen >= BOUNDED:
            break
    scores = {name: float(np.concatenate([one[name] for one in found]).mean()) for name in found[0]}
    if scores:
        tightest = max(scores.values())
        scores["bits_per_dimension"] = -tightest / dimensions / math.log(2.0)
    return scores


def inputs_of(batch: Any) -> Any:
    """Return the inputs of a batch, which are all of it where a model is fed with nothing else."""
    return batch[0] if isinstance(batch, tuple) else batch


def quality(
    draw: Callable[[int], np.ndarray], data: Data, split: str, asked: np.ndarray | None = None
) -> dict[str, float]:
    """Return the scores of a generator's samples.

    Args:
        draw: Returns that many samples (N, height, width, channels) in [0, 1].
        data: What the generator was trained on.
        split: Whose images samples are compared with.
        asked: The class that each of `SCORED_SAMPLES` samples was asked for, if it was.

    Returns:
        ``parzen_log_likelihood``: the mean log-likelihood, in nats, of the split's examples under
        Gaussians around 1,000 samples, whose width is chosen on the validation split (Goodfellow
        et al. 2014, section 5). ``frechet_distance``, ``precision`` and ``recall`` in the features
        of a judge. ``accepted``: the share that the judge does not take for noise.
        ``near_copies`` of training images. ``rarest_class``: how even the classes are; left out
        where there are none. ``right_class``: the share that the judge takes for the class that was
        asked for. Those of the judge are means over `GROUPS` groups, and ``…_spread`` are the
        standard deviations between these.
    """
    found = reference(data)
    samples = draw(SCORED_SAMPLES)
    real = data.images(split, MOST_REAL)
    scores = {"parzen_log_likelihood": _parzen_score(samples[:PARZEN_SAMPLES], data, real)}
    features, classes = found.judge.features(samples), found.judge.classes(samples)
    real_features = found.judge.features(real)
    groups: dict[str, list[float]] = {}
    # Each group has samples of every class, whatever the order in which they were asked for.
    for group in np.array_split(np.random.default_rng(0).permutation(len(samples)), GROUPS):
        own = features[group]
        precision, recall = sample_scores.precision_and_recall(real_features, own)
        values = {
            "frechet_distance": sample_scores.frechet_distance(real_features, own),
            "precision": precision,
            "recall": recall,
            "accepted": float((classes[group] >= 0).mean()),
        }
        if asked is not None:
            values["right_class"] = float((classes[group] == asked[group]).mean())
        for name, value in values.items():
            groups.setdefault(name, []).append(value)
    for name, several in groups.items():
        scores[name] = float(np.mean(several))
        scores[name + SPREAD] = float(np.std(several, ddof=1))
    training = (images for images, _ in data.chunks("train", MOST_EXAMPLES))
    scores["near_copies"] = sample_scores.near_copies(samples, training)
    if data.label is not None:
        scores["rarest_class"] = sample_scores.rarest_class(classes, found.shares)
    return scores


def weights_digest(model: Any) -> int:
    """Return a number that differs, in all likelihood, where a model or its weights differ."""
    found = id(model)
    for weight in model.weights:
        found = zlib.crc32(np.asarray(weight).tobytes(), found & 0xFFFFFFFF)
    return found


def _parzen_score(samples: np.ndarray, data: Data, real: np.ndarray) -> float:
    validation = data.images("validation", MOST_REAL)
    widths = np.geomspace(0.05, 0.5, 11)
    likelihoods = [sample_scores.parzen(samples, validation, width) for width in widths]
    return sample_scores.parzen(samples, real, widths[int(np.argmax(likelihoods))])


def calibration(data: Data, split: str) -> dict[str, dict[str, float]]:
    """Return what uniform noise, shuffled images and a fresh half of the real data score.

    Args:
        data: A data set.
        split: Whose images are compared: its first half with its second one, and noise with all.
    """
    found = reference(data)
    real = data.images(split, MOST_REAL)
    order = np.random.default_rng(0).permutation(len(real))
    half = len(real) // 2
    kinds = noise(real, np.random.default_rng(0))
    pairs = {
        "real": (real[order[:half]], real[order[half:]]),
        "uniform": (real, kinds["uniform"]),
        "shuffled": (real, kinds["shuffled"]),
    }
    told = {}
    for name, (first, second) in pairs.items():
        if min(len(first), len(second)) < 2:
            continue
        features = [found.judge.features(one) for one in (first, second)]
        precision, recall = sample_scores.precision_and_recall(*features)
        told[name] = {
            "frechet_distance": sample_scores.frechet_distance(*features),
            "precision": precision,
            "recall": recall,
            "accepted": float((found.judge.classes(second) >= 0).mean()),
        }
    return told

"""Another distribution's data set, task and model, made of public pieces alone.

Two inputs, a picture of stripes and a question about it, and a target text of variable length.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from zoo.catalog import ModelCard, Paper
from zoo.datasets.features.image import Image
from zoo.datasets.features.text import END, START, Text
from zoo.datasets.sources.base import Description, Loaded, Source
from zoo.datasets.split import Split
from zoo.tasks.base import Score, Task

SIZES = {"train": 96, "validation": 16, "test": 24}
WORDS = ("one", "two", "three")
MODEL = "stripe-reader"
DATASET = "stripes"
TASK = "question-answering"


class Stripes(Source):
    """Pictures of one to three stripes, questions about them and their answers."""

    def describe(self) -> Description:
        return Description(
            name=DATASET,
            title="Stripes",
            question="How many stripes are there, or which way do they lie?",
            features={
                "image": Image(raw_shape=(8, 8, 1)),
                "question": Text(unit="word"),
                "answer": Text(unit="word"),
            },
            inputs=("image", "question"),
            targets=("answer",),
            sizes=SIZES,
            rows=sum(SIZES.values()),
            origin="test",
        )

    def fingerprint(self) -> str:
        return "1"

    def load(self) -> Loaded:
        splits = {name: self._split(size, seed) for seed, (name, size) in enumerate(SIZES.items())}
        return Loaded(splits, self.describe().features)

    def _split(self, size: int, seed: int) -> Split:
        draw = np.random.default_rng(seed)
        columns: dict[str, list[Any]] = {"image": [], "question": [], "answer": []}
        for _ in range(size):
            count, lying = int(draw.integers(3)), bool(draw.integers(2))
            image = np.zeros((8, 8, 1), np.uint8)
            image[1 : 2 * count + 2 : 2] = 255
            columns["image"].append(image if lying else image.transpose(1, 0, 2))
            if draw.integers(2):
                columns["question"].append("how many are there")
                columns["answer"].append(f"{WORDS[count]} of them")
            else:
                columns["question"].append("which way do they lie")
                columns["answer"].append("across" if lying else "up and down")
        return Split.in_memory({name: np.array(values) for name, values in columns.items()})


class QuestionAnswering(Task):
    """Models that write an answer, a word at a time."""

    reads = ("pixels", "tokens")
    answers = "tokens"
    scores = (Score("accuracy", higher_is_better=True),)
    headline = "accuracy"
    output = "answer"

    @classmethod
    def adapt(cls, described: Description) -> Description:
        import dataclasses

        answer = described.features["answer"]
        assert isinstance(answer, Text)
        answer = dataclasses.replace(answer, marked=True)
        return dataclasses.replace(described, features={**described.features, "answer": answer})

    @property
    def written(self) -> Text:
        found = self.spec.features["answer"]
        assert isinstance(found, Text)
        return found

    def builder_arguments(self) -> dict[str, Any]:
        answer = {"answer_shape": self.written.shape, "answer_vocabulary": self.written.tokens}
        return {**super().builder_arguments(), **answer}

    def compile_arguments(self) -> dict[str, Any]:
        loss = keras.losses.SparseCategoricalCrossentropy(reduction="mean_with_sample_weight")
        return {"loss": loss, "weighted_metrics": ["accuracy"]}

    def model_inputs(self, encoded: Mapping[str, Any]) -> Any:
        return {**super().model_inputs(encoded), "before": encoded["answer"][:, :-1]}

    def model_targets(self, encoded: Mapping[str, Any]) -> Any:
        return encoded["answer"][:, 1:]

    def respond(self, model: Any, encoded: Mapping[str, Any]) -> Any:
        count, length = tf.shape(encoded["image"])[0], self.written.shape[0]
        assert length is not None
        written = tf.fill([count, 1], START)
        for _ in range(length - 1):
            padded = tf.pad(written, [[0, 0], [0, length - tf.shape(written)[1]]])
            answer = tf.ensure_shape(padded, (None, length))
            probabilities = model(self.model_inputs({**encoded, "answer": answer}), training=False)
            at = tf.shape(written)[1] - 1
            word = tf.argmax(probabilities[:, at], axis=-1, output_type=tf.int32)
            written = tf.concat([written, word[:, None]], axis=1)
        return self.written.joined(written)

    def rows(self, answers: np.ndarray, top_k: int) -> list[dict[str, Any]]:
        return [{"answer": answer.decode("utf-8")} for answer in answers]


def stripe_reader(
    *,
    image_shape: tuple[int, int, int] = (8, 8, 1),
    question_shape: tuple[int] = (5,),
    question_vocabulary_size: int = 20,
    answer_shape: tuple[int] = (5,),
    answer_vocabulary: int = 20,
    units: int = 32,
) -> keras.Model:
    """A picture and a question start a recurrent network that writes the answer."""
    image = keras.Input(image_shape, name="image")
    question = keras.Input(question_shape, dtype="int32", name="question")
    before = keras.Input((answer_shape[0] - 1,), dtype="int32", name="before")
    seen = layers.Dense(units, activation="relu", name="seen")(layers.Flatten()(image))
    read = layers.Embedding(question_vocabulary_size, units, name="words")(question)
    asked = layers.GlobalAveragePooling1D()(read)
    start = layers.Dense(units, activation="tanh", name="start")(
        ops.concatenate([seen, asked], axis=-1)
    )
    words = layers.Embedding(answer_vocabulary, units, name="before_words")(before)
    states = layers.GRU(units, return_sequences=True, name="writer")(words, initial_state=start)
    outputs = layers.Dense(answer_vocabulary, activation="softmax", name="word")(states)
    inputs = {"image": image, "question": question, "before": before}
    return keras.Model(inputs, outputs, name=MODEL)


CARD = ModelCard(
    name=MODEL,
    family=MODEL,
    task=TASK,
    builder="tests.plugin:stripe_reader",
    paper=Paper(title="None", authors="Nobody", year=2026, url=""),
    inputs={"image": (8, 8, 1), "question": (5,)},
    parameters=0,
    macs=0,
    recipe="",
    summary="Answers questions about stripes",
)
RECIPE = {
    "model": MODEL,
    "epochs": 60,
    "batch_size": 16,
    "data": {"name": DATASET},
    "optimizer": {"name": "Adam", "learning_rate": 0.01},
}
SPECIAL = (START, END)

"""Translation: a text goes in, another text comes out, written token by token."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from zoo.base.errors import UsageError
from zoo.datasets.features.text import END, START, Text
from zoo.datasets.sources.base import Description
from zoo.datasets.spec import DatasetSpec
from zoo.tasks.base import Score, Task

if TYPE_CHECKING:
    from zoo.datasets.loading import Dataset
    from zoo.tasks.predictor import Predictor

LENGTH_PENALTY = 0.6
"""Of beam search; Wu et al. 2016 found 0.6 to 0.7 best."""
MOST_BEAMS = 100
MOST_ERRORS = 24
"""Wrong answers that are kept in metrics.json."""


class Translation(Task):
    """Models that read a text and write another, see `zoo.layers.translator.Translator`.

    In training they see the true tokens before each place (teacher forcing). ``accuracy`` is that
    of the tokens then, padding left out; ``exact_match`` is the share of texts that are written
    without any error, from the source alone.
    """

    reads = ("tokens",)
    answers = "tokens"
    scores = (Score("accuracy", higher_is_better=True), Score("exact_match", higher_is_better=True))
    headline = "exact_match"
    final_scores = ("exact_match",)
    output = "answer"

    def __init__(self, name: str, spec: DatasetSpec, loss: str | None = None) -> None:
        super().__init__(name, spec, loss)
        self._predictors: dict[int, tuple[Any, Predictor]] = {}

    @classmethod
    def adapt(cls, described: Description) -> Description:
        """Return the description with marks around the target: where it starts and ends."""
        marked = {
            name: dataclasses.replace(cast("Text", described.features[name]), marked=True)
            for name in cls.target_columns(described)
        }
        return dataclasses.replace(described, features={**described.features, **marked})

    @property
    def source(self) -> Text:
        """The text that is read."""
        return cast("Text", self.spec.features[self.inputs[0]])

    @property
    def target(self) -> Text:
        """The text that is written."""
        return cast("Text", self.spec.features[self.targets[0]])

    def builder_arguments(self) -> dict[str, Any]:
        """Return lengths and vocabularies of both texts."""
        target = {"target_shape": self.target.shape, "target_vocabulary_size": self.target.tokens}
        return {**self.source.builder_arguments(), **target}

    def compile_arguments(self) -> dict[str, Any]:
        """Return cross-entropy and accuracy, both means over the tokens that are not padding."""
        import keras

        loss = keras.losses.SparseCategoricalCrossentropy(reduction="mean_with_sample_weight")
        return {"loss": loss, "weighted_metrics": ["accuracy"]}

    def model_inputs(self, encoded: Mapping[str, Any]) -> Any:
        """Return the source, and the target without its last token."""
        return {"source": encoded[self.inputs[0]], "before": encoded[self.targets[0]][:, :-1]}

    def model_targets(self, encoded: Mapping[str, Any]) -> Any:
        """Return the target without its start token."""
        return encoded[self.targets[0]][:, 1:]

    # Scoring.

    def evaluate(self, model: Any, dataset: Dataset, split: str) -> dict[str, float]:
        """Return the scores under teacher forcing, and the share of texts written exactly."""
        scores = super().evaluate(model, dataset, split)
        right, size = 0, 0
        for _, truth, answer in self._answered(self.predictor(model), dataset, split):
            right, size = right + (truth == answer), size + 1
        return {**scores, "exact_match": right / max(size, 1)}

    def _answered(self, predictor: Predictor, dataset: Dataset, split: str) -> Any:
        """Yield source, truth and answer of each example, as bytes."""
        for chunk in dataset.split(split).chunks(1024):
            answers = predictor({name: chunk[name] for name in self.inputs})
            yield from zip(chunk[self.inputs[0]], chunk[self.targets[0]], answers, strict=True)

    # Answering.

    def predictor(self, model: Any, *, beams: int = 1) -> Predictor:
        """Return a compiled function from raw texts to the texts that are written.

        Args:
            model: The trained one.
            beams: Of the beam search; 1 is greedy.
        """
        from zoo.tasks.predictor import Predictor

        if not 1 <= beams <= MOST_BEAMS:
            raise UsageError(f"beams must be 1 to {MOST_BEAMS}, got {beams}")
        known = self._predictors.get(beams)
        if known is None or known[0] is not model:
            network = self.served(model)
            # A closure: TensorFlow does not bind the keyword of a partial function.
            known = (
                model,
                Predictor(self.asked, lambda encoded: self.respond(network, encoded, beams)),
            )
            self._predictors[beams] = known
        return known[1]

    def respond(self, model: Any, encoded: Mapping[str, Any], beams: int = 1) -> Any:
        """Return the texts (B,) that a model writes for encoded sources, in the graph."""
        return self.target.joined(self._write(model, encoded, beams))

    def _write(self, model: Any, encoded: Mapping[str, Any], beams: int = 1) -> Any:
        """Return the tokens (B, T) that are written, without the start token."""
        import tensorflow as tf

        from zoo.layers.decoding import beam_search, greedy

        source = encoded[self.inputs[0]]
        state, context = model.begin(source)
        length = self.target.shape[0]
        assert length is not None  # it is fitted
        arguments = {"length": length - 1, "end": END, "context": context}
        first = tf.fill([tf.shape(source)[0]], START)
        if beams == 1:
            return greedy(model.step, first, state, **arguments).tokens
        penalty = LENGTH_PENALTY
        return beam_search(
            model.step, first, state, beams=beams, length_penalty=penalty, **arguments
        ).tokens

    def rows(self, answers: np.ndarray, top_k: int) -> list[dict[str, Any]]:
        """Return for each example the text that was written."""
        return [{"answer": answer.decode("utf-8")} for answer in answers]

    def questions(self, model: Any, count: int) -> Any:
        """Return sources, and targets as they are seen in training."""
        return self.model_inputs(
            {name: one.encode(one.sample(count)) for name, one in self.fed.items()}
        )

    # Figures.

    def data_for_figures(
        self, predictor: Predictor, dataset: Dataset, split: str
    ) -> dict[str, Any]:
        """Return the first wrong answers."""
        wrong: list[dict[str, str]] = []
        for texts in self._answered(predictor, dataset, split):
            source, truth, answer = (text.decode("utf-8") for text in texts)
            if truth != answer and len(wrong) < MOST_ERRORS:
                wrong.append({"input": source, "truth": truth, "answer": answer})
        return {"wrong_answers": {"split": split, "examples": wrong}}

    def draw(self, values: dict[str, Any], model: Any, dataset: Dataset, folder: Path) -> None:
        """Draw the attention to the first test example, where the model has attention."""
        if model.has_attention:
            first = next(dataset.split("test").chunks(1))
            raw = {name: first[name] for name in self.inputs}
            self.draw_attention(model, raw, folder / "attention.png")

    def draw_attention(self, model: Any, raw: Mapping[str, np.ndarray], path: Path) -> None:
        """Draw what a model looks at while it writes the answer to one raw example.

        Raises:
            UsageError: The model has no attention.
        """
        if not model.has_attention:
            raise UsageError(
                f"{model.name} has no attention to draw; seq2seq-attention and transformer have"
            )
        import tensorflow as tf

        from zoo.runs.figures import attention_map

        texts = raw[self.inputs[0]][:1]
        encoded = {self.inputs[0]: self.source.encode(texts)}
        tokens = self._write(model, encoded)
        before = tf.concat([tf.fill([1, 1], START), tokens[:, :-1]], axis=1)
        weights = np.asarray(model.attention(encoded[self.inputs[0]], before))[0]
        read = [one.decode("utf-8") for one in self.source.split(texts).to_list()[0]]
        written = [self.target.decode([[token]])[0] for token in np.asarray(tokens)[0]]
        ends = np.flatnonzero(np.asarray(tokens)[0] == END)
        count = int(ends[0]) + 1 if len(ends) else len(written)
        if len(ends):
            written[count - 1] = "end"
        read = read[: weights.shape[1]]
        attention_map(weights[:count, : len(read)], read, written[:count], path)

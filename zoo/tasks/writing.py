"""What kinds of work that answer with a text written token by token have in common."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from zoo.base.errors import UsageError
from zoo.datasets.features.text import END, START, Text
from zoo.datasets.sources.base import Description
from zoo.datasets.spec import DatasetSpec
from zoo.tasks import bleu
from zoo.tasks.base import Score, Task
from zoo.tasks.endpoint import Endpoint

if TYPE_CHECKING:
    from zoo.datasets.loading import Dataset
    from zoo.tasks.predictor import Predictor

LENGTH_PENALTY = 0.6
"""Of beam search; Wu et al. 2016 found 0.6 to 0.7 best."""
MOST_BEAMS = 100
MOST_ERRORS = 24
"""Wrong answers that are kept in metrics.json."""


class Writing(Task):
    """Models that are given one input and write a text, see `zoo.layers.translator.Translator`.

    In training they see the true tokens before each place (teacher forcing). ``accuracy`` is that
    of the tokens then, padding left out. Two scores are of the texts that are written from the
    input alone: ``exact_match`` is the share without any error, and ``bleu`` (Papineni et al.
    2002), for texts of words, is the one that sacrebleu computes, from 0 to 100. Without sacrebleu
    it is left out.
    """

    answers = "tokens"
    scores = (
        Score("accuracy", higher_is_better=True),
        Score("exact_match", higher_is_better=True),
        Score("bleu", higher_is_better=True),
    )
    headline = "exact_match"
    final_scores: tuple[str, ...] = ("exact_match",)
    output = "answer"

    def __init__(self, name: str, spec: DatasetSpec, loss: str | None = None) -> None:
        super().__init__(name, spec, loss)
        self._predictors: dict[int, tuple[Any, Predictor]] = {}
        if self.targets and self.target.unit == "word":
            if bleu.is_installed():
                self.final_scores = ("exact_match", "bleu")
            else:
                self.absent = {"bleu": bleu.INSTALL}

    @classmethod
    def adapt(cls, described: Description) -> Description:
        """Return the description with marks around the target: where it starts and ends."""
        marked = {
            name: dataclasses.replace(cast("Text", described.features[name]), marked=True)
            for name in cls.target_columns(described)
        }
        return dataclasses.replace(described, features={**described.features, **marked})

    @property
    def target(self) -> Text:
        """The text that is written."""
        return cast("Text", self.spec.features[self.targets[0]])

    def builder_arguments(self) -> dict[str, Any]:
        """Return what the builder has to know of the input, and the text's length and tokens."""
        target = {"target_shape": self.target.shape, "target_vocabulary_size": self.target.tokens}
        return {**super().builder_arguments(), **target}

    def compile_arguments(self) -> dict[str, Any]:
        """Return cross-entropy and accuracy, both means over the tokens that are not padding."""
        from zoo.layers.losses import Crossentropy

        loss = Crossentropy(reduction="mean_with_sample_weight")
        return {"loss": loss, "weighted_metrics": ["accuracy"]}

    def model_inputs(self, encoded: Mapping[str, Any]) -> Any:
        """Return the source, and the target without its last token."""
        return {"source": encoded[self.inputs[0]], "before": encoded[self.targets[0]][:, :-1]}

    def model_targets(self, encoded: Mapping[str, Any]) -> Any:
        """Return the target without its start token."""
        return encoded[self.targets[0]][:, 1:]

    # Scoring.

    def evaluate(self, model: Any, dataset: Dataset, split: str) -> dict[str, float]:
        """Return the scores under teacher forcing, and those of the texts that are written."""
        scores = super().evaluate(model, dataset, split)
        truths, answers = [], []
        for _, truth, answer in self._answered(self.predictor(model), dataset, split):
            truths.append(truth)
            answers.append(answer)
        right = sum(truth == answer for truth, answer in zip(truths, answers, strict=True))
        scores["exact_match"] = right / max(len(truths), 1)
        if "bleu" in self.final_scores:
            titles = self.target.titles
            scores["bleu"] = bleu.corpus_bleu(titles(answers), titles(truths))
        return scores

    def _answered(self, predictor: Predictor, dataset: Dataset, split: str) -> Any:
        """Yield each example's place in the split, its truth and its answer, as bytes."""
        place = 0
        for chunk in dataset.split(split).chunks(1024):
            truths = chunk[self.targets[0]]
            answers = predictor({name: chunk[name] for name in self.inputs})
            yield from zip(range(place, place + len(truths)), truths, answers, strict=True)
            place += len(truths)

    # Answering.

    def predictor(self, model: Any, *, beams: int = 1) -> Predictor:
        """Return a compiled function from raw inputs to the texts that are written.

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

    def respond_served(self, model: Any, encoded: Mapping[str, Any]) -> Any:
        """Return the texts, or tokens (B, T) where the graph cannot put texts together."""
        if self.target.in_graph:
            return self.respond(model, encoded)
        return self._write(model, encoded)

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

    # Serving.

    def endpoints(self, network: Any) -> dict[str, Endpoint]:
        """Return the signatures of inputs, with the texts that are written greedily."""
        found = super().endpoints(network)
        return {"generate": found.pop("serving_default"), **found}

    def portable(self, network: Any) -> Endpoint:
        """Return the probabilities of each next token: the loop that writes stays outside.

        It takes the input as `Task.portable` does, and the tokens ``before`` each place.
        """
        from zoo.tasks.signatures import LOOP, portable_endpoint

        (name,) = self.inputs
        source = portable_endpoint(self.asked, dict)

        def serve(*given: Any) -> dict[str, Any]:
            asked = {"source": source.function(*given[:-1])[name], "before": given[-1]}
            return {"probabilities": network(asked, training=False)}

        def examples(raw: Mapping[str, np.ndarray]) -> tuple[Any, ...]:
            return (*source.asked_with(raw), self._before(raw))

        return Endpoint(
            serve,
            {**source.signature, "before": self._before_signature()},
            lambda count: examples(self._noise(count)),
            examples,
            left_out="; ".join(filter(None, (source.left_out, LOOP))),
        )

    def _before(self, raw: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the tokens before each place of raw targets."""
        (name,) = self.targets
        return np.asarray(self.target.encode(raw[name]))[:, :-1]

    def _before_signature(self) -> Any:
        import tensorflow as tf

        return tf.TensorSpec((None, (self.target.shape[0] or 1) - 1), tf.int32, name="before")

    def _noise(self, count: int) -> dict[str, np.ndarray]:
        return {name: one.sample(count) for name, one in self.fed.items()}

    def score_served(
        self, outputs: Mapping[str, np.ndarray], raw: Mapping[str, np.ndarray]
    ) -> tuple[Score, float] | None:
        """Return the share of texts that were written exactly."""
        if self.output not in outputs or outputs[self.output].dtype.kind not in "US":
            return None
        truth = self.target.titles(raw[self.targets[0]])
        right = [one == said for one, said in zip(truth, outputs[self.output], strict=True)]
        return Score("exact_match", True), float(np.mean(right))

    def rows(self, answers: np.ndarray, top_k: int) -> list[dict[str, Any]]:
        """Return for each example the text that was written."""
        return [{"answer": answer.decode("utf-8")} for answer in answers]

    def questions(self, model: Any, count: int) -> Any:
        """Return inputs, and targets as they are seen in training."""
        return self.model_inputs(
            {name: one.encode(one.sample(count)) for name, one in self.fed.items()}
        )

    # Figures.

    def data_for_figures(
        self, predictor: Predictor, dataset: Dataset, split: str
    ) -> dict[str, Any]:
        """Return the first wrong answers with their places in the split."""
        wrong: list[dict[str, Any]] = []
        for place, *texts in self._answered(predictor, dataset, split):
            truth, answer = self.target.titles(texts)
            if truth != answer and len(wrong) < MOST_ERRORS:
                wrong.append({"place": place, "truth": truth, "answer": answer})
        return {"wrong_answers": {"split": split, "examples": wrong}}

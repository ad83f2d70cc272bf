"""Translation: a text goes in, another text comes out, written token by token."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from zoo.base.errors import UsageError
from zoo.datasets.features.text import END, START, Text
from zoo.tasks.writing import Writing

if TYPE_CHECKING:
    from zoo.datasets.loading import Dataset
    from zoo.tasks.endpoint import Endpoint
    from zoo.tasks.predictor import Predictor


class Translation(Writing):
    """Models that read a text and write another; see `Writing`."""

    reads = ("tokens",)

    @property
    def source(self) -> Text:
        """The text that is read."""
        return cast("Text", self.spec.features[self.inputs[0]])

    def _attention(self, model: Any, encoded: Mapping[str, Any]) -> tuple[Any, Any]:
        """Return the tokens (B, T) that are written, and what each looks at (B, T, S)."""
        import tensorflow as tf

        source = encoded[self.inputs[0]]
        tokens = self._write(model, encoded)
        before = tf.concat([tf.fill([tf.shape(tokens)[0], 1], START), tokens[:, :-1]], axis=1)
        return tokens, model.attention(source, before)

    # Serving.

    def endpoints(self, network: Any) -> dict[str, Endpoint]:
        """Return a signature that writes and, of models with attention, one that shows it.

        ``attention`` returns the ``weights`` (B, T, S), the pieces that were ``read`` (B, S), and
        those that were ``written`` (B, T): at the end and after it they are empty.
        """
        found = super().endpoints(network)
        if network.has_attention and self.source.in_graph and self.target.in_graph:
            from zoo.tasks.signatures import raw_endpoint

            found["attention"] = raw_endpoint(self.asked, functools.partial(self._seen, network))
        return found

    def _seen(self, network: Any, encoded: Mapping[str, Any]) -> dict[str, Any]:
        import tensorflow as tf

        tokens, weights = self._attention(network, encoded)
        going_on = tf.cumsum(tf.cast(tokens == END, tf.int32), axis=1) == 0
        return {
            "weights": weights,
            "read": self.source.pieces(encoded[self.inputs[0]]),
            "written": tf.where(going_on, self.target.pieces(tokens), ""),
        }

    # Figures.

    def data_for_figures(
        self, predictor: Predictor, dataset: Dataset, split: str
    ) -> dict[str, Any]:
        """Return the first wrong answers with what was read."""
        values = super().data_for_figures(predictor, dataset, split)
        examples = values["wrong_answers"]["examples"]
        take = dataset.split(split).take
        if examples and take is not None:
            read = np.asarray(take([one["place"] for one in examples])[self.inputs[0]])
            for one, text in zip(examples, self.source.titles(read), strict=True):
                one["input"] = text
        return values

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
        from zoo.runs.figures import attention_map

        texts = raw[self.inputs[0]][:1]
        tokens, attention = self._attention(model, {self.inputs[0]: self.source.encode(texts)})
        weights = np.asarray(attention)[0]
        read = [one.decode("utf-8") for one in self.source.split(texts).to_list()[0]]
        written = [self.target.decode([[token]])[0] for token in np.asarray(tokens)[0]]
        ends = np.flatnonzero(np.asarray(tokens)[0] == END)
        count = int(ends[0]) + 1 if len(ends) else len(written)
        if len(ends):
            written[count - 1] = "end"
        read = read[: weights.shape[1]]
        attention_map(weights[:count, : len(read)], read, written[:count], path)

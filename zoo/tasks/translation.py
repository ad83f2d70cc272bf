"""Translation: a text goes in, another text comes out, written token by token."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from zoo.base.errors import UsageError
from zoo.datasets.features.text import END, START, Text
from zoo.tasks.writing import Writing

if TYPE_CHECKING:
    from zoo.datasets.loading import Dataset
    from zoo.tasks.predictor import Predictor


class Translation(Writing):
    """Models that read a text and write another; see `Writing`."""

    reads = ("tokens",)

    @property
    def source(self) -> Text:
        """The text that is read."""
        return cast("Text", self.spec.features[self.inputs[0]])

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

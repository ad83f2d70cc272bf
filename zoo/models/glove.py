"""GloVe (Pennington et al. 2014): vectors whose products are logarithms of co-occurrence counts."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from zoo.layers.losses import batch_mean, penalties
from zoo.layers.words import WordVectors, table


@keras.saving.register_keras_serializable("dlzoo")
class GloVe(WordVectors):
    """Weighted least squares on the logarithms of counts; see `glove`."""

    def __init__(
        self,
        *,
        input_shape: tuple[int, ...],
        vocabulary_size: int,
        width: int,
        x_max: float,
        alpha: float,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.arguments: dict[str, Any] = {
            "input_shape": input_shape,
            "vocabulary_size": vocabulary_size,
            "width": width,
            "x_max": x_max,
            "alpha": alpha,
        }
        # A vector and a bias for each token in both roles: equation 7.
        columns, scale = [width, 1], 0.5 / width
        self.words = table("words", vocabulary_size, columns, scale)
        self.contexts = table("contexts", vocabulary_size, columns, scale)

    def vectors(self, tokens: Any) -> Any:
        """Return the sums of both vectors (…, width) of tokens (…): section 4.2."""
        vectors, _ = self.words(tokens)
        others, _ = self.contexts(tokens)
        return vectors + others

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the mean over pairs of equation 8's terms.

        Args:
            x: Pairs of tokens (B, 2): a word and a context.
            y: How often they stand together (B,), above 0; None is 1 for all.
            y_pred: Not used.
            sample_weight: Weights of the pairs, (B,).
            training: Not used.
        """
        count = ops.ones(ops.shape(x)[:1]) if y is None else ops.cast(y, "float32")
        count = ops.reshape(count, (-1,))
        word, word_bias = self.words(x[:, :1])  # (B, 1, width), (B, 1, 1)
        context, context_bias = self.contexts(x[:, 1:2])
        product = ops.sum(ops.cast(word, "float32") * ops.cast(context, "float32"), axis=-1)
        bias = ops.cast(word_bias, "float32") + ops.cast(context_bias, "float32")
        error = product[:, 0] + bias[:, 0, 0] - ops.log(count)
        # Equation 9: rare pairs count less, and frequent ones no more than those of x_max.
        weight = ops.minimum(count / self.arguments["x_max"], 1.0) ** self.arguments["alpha"]
        return batch_mean(weight * error**2, sample_weight) + penalties(self)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), **self.arguments}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> GloVe:
        """Return the model that a config describes."""
        return cls(**{**config, "input_shape": tuple(config["input_shape"])})


def glove(
    *,
    input_shape: tuple[int, ...] = (2,),
    vocabulary_size: int = 400_000,
    width: int = 300,
    x_max: float = 100.0,
    alpha: float = 0.75,
) -> keras.Model:
    """Return vectors of words, fitted to the counts of words that stand together.

    Source: Pennington, Socher and Manning, "GloVe: global vectors for word representation", 2014;
    the sizes are those of section 4.2.

    Args:
        input_shape: (2,): a word and a context.
        vocabulary_size: Tokens are 0 to vocabulary_size - 1.
        width: Of the vectors.
        x_max: Pairs that stand together more often weigh no more; 100 in section 3.
        alpha: Of the weighting, above 0; 3/4 in section 3.

    Returns:
        A model from tokens (B, T) to their vectors (B, T, width), the sums of the word's and the
        context's. It is trained on pairs (B, 2) with their counts as targets.
    """
    if tuple(input_shape) != (2,):
        raise ValueError(f"input_shape must be (2,), got {input_shape}")
    for name, value in (("width", width), ("x_max", x_max), ("alpha", alpha)):
        if value <= 0:
            raise ValueError(f"{name} must be above 0, got {value}")
    model = GloVe(
        input_shape=tuple(input_shape),
        vocabulary_size=vocabulary_size,
        width=width,
        x_max=x_max,
        alpha=alpha,
        name="glove",
    )
    model.build((None, *input_shape))
    return model

"""A text in byte pairs: frequent pieces, of a vocabulary that the tokenizers library trains.

The vocabulary is not in TensorFlow's graph: Python is called while data are prepared, exports take
the tokens' numbers, and the vocabulary stands beside them as tokenizer.json.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from zoo.datasets.features import byte_pair
from zoo.datasets.features.text import BYTE_PAIR, END, PADDING, START, UNKNOWN, Text


@dataclass(frozen=True, kw_only=True)
class BytePairText(Text):
    """Raw it is a string or its tokens (T,), encoded the numbers (length,) of its tokens, int32."""

    type: ClassVar[str] = "byte-pair-text"
    units: ClassVar[tuple[str, ...]] = (BYTE_PAIR,)
    in_graph: ClassVar[bool] = False

    unit: str = BYTE_PAIR
    tokenizer: str = ""
    """The vocabulary, as the text of a tokenizer.json; empty until it is fitted."""
    padding: int = PADDING  # type: ignore[misc]  # GPT-2 has another

    def __post_init__(self) -> None:
        super().__post_init__()
        least = self.specials + byte_pair.BYTES
        if not self.tokenizer and (self.vocabulary_size or 0) < least:
            raise ValueError(
                f"vocabulary_size: of byte pairs it must be a whole number of at least {least}, "
                f"got {self.vocabulary_size}"
            )

    @classmethod
    def of(cls, text: Text) -> Self:
        """Return a text of another unit as one of the bytes alone, not fitted."""
        return cls(
            vocabulary_size=text.specials + byte_pair.BYTES,
            length=text.length,
            lowercase=text.lowercase,
            marked=text.marked,
            windows=text.windows,
        )

    @classmethod
    def from_gpt2(cls, folder: str | Path, length: int = 1024) -> Self:
        """Return texts in GPT-2's vocabulary.

        Args:
            folder: With its vocab.json and merges.txt.
            length: Tokens that a model reads.

        Raises:
            UsageError: A file is missing or damaged.
            DlzooError: The tokenizers library is not installed.
        """
        text = byte_pair.from_gpt2(Path(folder))
        pairs = byte_pair.open_vocabulary(text)
        # It has no token for padding; its end of a text stands for it, and is never written.
        end = pairs.number(byte_pair.GPT2_END)
        padding = pairs.size if end is None else end
        return cls(length=length, windows=True, tokenizer=text, padding=padding)

    @classmethod
    def noun(cls) -> str:
        """Return what one is called in messages."""
        return Text.noun()

    @property
    def _pairs(self) -> byte_pair.BytePairs:
        return byte_pair.open_vocabulary(self.tokenizer)

    @property
    def tokens(self) -> int:
        """Size of the vocabulary with the special tokens."""
        return self._pairs.size

    @property
    def unwritten(self) -> tuple[int, ...]:
        """The tokens that a language model never writes."""
        return (PADDING, UNKNOWN) if self.padding == PADDING else (self.padding,)

    def characters(self) -> np.ndarray | None:
        """Return how many characters begin in each token (V,)."""
        return self._pairs.characters()

    def fit(self, chunks: Iterable[np.ndarray]) -> Self:
        """Return the feature with a vocabulary and a length; GPT-2's vocabulary is kept."""
        trained = self.tokenizer
        if not trained:
            texts = (text.decode("utf-8") for chunk in chunks for text in chunk.tolist())
            assert self.vocabulary_size is not None
            trained = byte_pair.train(
                texts, self.vocabulary_size, self.specials, lowercase=self.lowercase
            )
        length = self.length
        if length is None:
            pairs = byte_pair.open_vocabulary(trained)
            rows = (row for chunk in chunks for row in pairs.encode(chunk.tolist()))
            length = max(1, max(map(len, rows), default=0) + (2 if self.marked else 0))
        return dataclasses.replace(self, tokenizer=trained, length=length)

    def split(self, raw: Any) -> Any:
        """Return the tokens of texts (B,) as a ragged tensor (B, tokens) of strings."""
        import tensorflow as tf

        rows = self._pairs.encode(np.asarray(raw).tolist())
        return tf.ragged.constant([self._pairs.pieces(row) for row in rows], tf.string)

    def numbers(self, raw: Any) -> Any:
        """Return the numbers of the tokens of texts (B,) as a ragged tensor (B, tokens), int32."""
        import tensorflow as tf

        def encode(texts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            rows = [self._with_marks(row) for row in self._pairs.encode(texts.tolist())]
            flat = np.array([token for row in rows for token in row], np.int32)
            return flat, np.array([len(row) for row in rows], np.int64)

        texts = tf.convert_to_tensor(raw)
        values, lengths = tf.numpy_function(encode, [texts], (tf.int32, tf.int64))
        values, lengths = tf.ensure_shape(values, (None,)), tf.ensure_shape(lengths, texts.shape)
        return tf.RaggedTensor.from_row_lengths(values, lengths)

    def _with_marks(self, tokens: list[int]) -> list[int]:
        if not self.marked:
            return tokens
        # A text that is cut off ends with its mark too.
        room = len(tokens) if self.length is None else max(self.length - 2, 0)
        return [START, *tokens[:room], END]

    def prepare(self, raw: Any) -> Any:
        """Return the numbers (B, length) of texts (B,), or of tokens (B, T); padded."""
        import tensorflow as tf

        given = tf.convert_to_tensor(raw)
        if given.dtype == tf.string:
            return self.numbers(given).to_tensor(self.padding, shape=(None, *self.shape))
        (length,) = self.shape
        room = tf.maximum(length - tf.shape(given)[1], 0)
        padded = tf.pad(tf.cast(given, tf.int32), [[0, 0], [0, room]], constant_values=self.padding)
        return tf.ensure_shape(padded[:, :length], (None, length))

    def cut(self, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return windows of tokens (N, length + 1): a text that is cut would be other tokens."""
        if not self.windows:
            return super().cut(raw)
        if self.length is None:
            raise ValueError("windows need a length")
        rows, places = [], []
        for place, tokens in enumerate(self._pairs.encode(raw.tolist())):
            for at in range(0, max(len(tokens) - 1, 1), self.length):
                part = tokens[at : at + self.length + 1]
                rows.append(part + [self.padding] * (self.length + 1 - len(part)))
                places.append(place)
        return np.array(rows, np.int32).reshape(-1, self.length + 1), np.array(places, np.int64)

    def mask(self, encoded: Any) -> Any:
        """Return 1.0 for tokens and 0.0 for padding."""
        import tensorflow as tf

        return tf.cast(encoded != self.padding, tf.float32)

    def beside(self) -> Mapping[str, str]:
        """Return the vocabulary's file."""
        return {"tokenizer.json": self.tokenizer}

    @classmethod
    def how_to_use(cls, file: str) -> str:
        """Return the three lines that use the vocabulary."""
        return byte_pair.USE.format(file=file)

    def resources(self) -> Sequence[Any]:
        """Return nothing: the graph has no look-up."""
        return ()

    def signature(self, name: str) -> Any:
        """Return (B, T) of int32."""
        import tensorflow as tf

        return tf.TensorSpec((None, None), tf.int32, name=name)

    def to_serving(self, name: str, raw: np.ndarray) -> dict[str, np.ndarray]:
        """Return the tokens (B, T) of texts (B,), padded; tokens as they are."""
        if raw.dtype.kind in "iu":
            return {name: raw}
        return {name: np.asarray(self.numbers(raw).to_tensor(self.padding))}

    def sample(self, count: int, seed: int = 0) -> np.ndarray:
        """Return random tokens (count, T)."""
        draw = np.random.default_rng(seed)
        shape = (count, self.shape[0] or 12)
        return draw.integers(self.specials, self.tokens, shape).astype(np.int32)

    def joined(self, encoded: Any) -> Any:
        """Return the texts (B,) of tokens (B, T) as a tensor of strings; Python is called."""
        import tensorflow as tf

        def decode(rows: np.ndarray) -> np.ndarray:
            texts = self._pairs.decode(map(self._without_marks, rows.tolist()))
            return np.array([text.encode("utf-8") for text in texts], object)

        return tf.ensure_shape(tf.numpy_function(decode, [encoded], tf.string), (None,))

    def _without_marks(self, tokens: list[int]) -> list[int]:
        if not self.marked:
            return [token for token in tokens if token != self.padding]
        ended = tokens[: tokens.index(END)] if END in tokens else tokens
        return [token for token in ended if token not in (self.padding, START)]

    def unusual(self, raw: np.ndarray) -> str | None:
        """Return None: every text can be written in byte pairs."""
        return None

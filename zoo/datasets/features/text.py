"""A text: split into tokens, which are numbered by a vocabulary and padded to one length."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, ClassVar, Self, cast

import numpy as np

from zoo.base.errors import UsageError
from zoo.base.files import is_file
from zoo.datasets.features.base import Feature, Reading
from zoo.datasets.features.inputs import STDIN, content_of, require_value

PADDING, UNKNOWN, START, END = 0, 1, 2, 3
"""The special tokens' numbers; the last two exist where a text is `marked`."""
UNITS = ("character", "word")
BYTE_PAIR = "byte-pair"
"""The unit of `zoo.datasets.features.byte_pair_text`."""
# Control characters stand for the special tokens in look-ups; in a text they are unknown.
_UNKNOWN, _MARKS = "\x01", ("\x02", "\x03")
# In the syntax of TensorFlow's regular expressions: what Python's str.split() splits at.
_WHITE_SPACE = r"[\s\p{Z}\x0b\x1c-\x1f\x{85}]+"
_FILE = re.compile(
    r"(?:[~.]{0,2}/)?[^\s]*\.(?:txt|text|csv|tsv|json|jsonl|md|log|gz)", re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True)
class Text(Feature):
    """Raw it is a string, encoded the numbers (length,) of its tokens, int32, padded with 0."""

    type: ClassVar[str] = "text"
    uses: ClassVar[tuple[str, ...]] = ("tokens",)
    units: ClassVar[tuple[str, ...]] = UNITS
    padding: ClassVar[int] = PADDING
    """The token that stands where there is none."""
    form: ClassVar[tuple[str, ...]] = ("unit", "length", "vocabulary_size", "lowercase")

    unit: str = "character"
    """What a token is: a ``"character"``, or a ``"word"`` between white space of any kind. A text
    of ``"byte-pair"`` is a `zoo.datasets.features.byte_pair_text.BytePairText`."""
    length: int | None = None
    """Tokens that are kept, with the marks; None keeps as many as the longest training text has."""
    vocabulary_size: int | None = None
    """The most tokens that are told apart, with the special ones; None keeps all."""
    lowercase: bool = False
    """Whether texts are put in lower case first."""
    marked: bool = False
    """Whether a start and an end token surround the text, as models that write texts need."""
    windows: bool = False
    """Whether long texts are cut into windows, as language models read them: each has `length`
    tokens and the one that follows them, which is the first of the next window."""
    vocabulary: tuple[str, ...] = ()
    """The tokens after the special ones, the most frequent first."""
    counts: tuple[int, ...] = ()
    """How often each of them stands in the training texts."""

    def __post_init__(self) -> None:
        if self.unit not in self.units:
            choices = ", ".join(map(repr, (*UNITS, BYTE_PAIR)))
            raise ValueError(f"unit: must be one of {choices}, got {self.unit!r}")
        for key, least in (("length", 1), ("vocabulary_size", self.specials + 1)):
            value = getattr(self, key)
            if value is not None and (type(value) is not int or value < least):
                raise ValueError(
                    f"{key}: must be a whole number of at least {least}, got {value!r}"
                )
        if not isinstance(self.lowercase, bool):
            raise ValueError(f"lowercase: must be true or false, got {self.lowercase!r}")

    def with_form(self, column: str, values: Mapping[str, Any]) -> Self:
        """Return the feature in the form that a recipe asks for; of byte pairs another class."""
        if values.get("unit") != BYTE_PAIR or self.unit == BYTE_PAIR:
            return super().with_form(column, values)
        from zoo.datasets.features.byte_pair_text import BytePairText

        size = {"vocabulary_size": self.vocabulary_size}
        changed: Any = BytePairText.of(self).with_form(column, {**size, **values})
        return cast(Self, changed)

    @property
    def unwritten(self) -> tuple[int, ...]:
        """The tokens that a language model never writes."""
        return (PADDING, UNKNOWN)

    def characters(self) -> np.ndarray | None:
        """Return how many characters each token stands for (V,), or None where nobody knows."""
        if self.unit != "character":
            return None  # an unknown word may have any number of them
        return np.array([0, *[1] * (self.tokens - 1)], np.int32)

    @property
    def specials(self) -> int:
        """How many special tokens there are: padding, unknown, and the marks."""
        return 4 if self.marked else 2

    @property
    def tokens(self) -> int:
        """Size of the vocabulary with the special tokens."""
        return len(self.vocabulary) + self.specials

    @property
    def shape(self) -> tuple[int | None, ...]:
        """(length,); with `windows` one more."""
        if self.length is None:
            return (None,)
        return (self.length + 1 if self.windows else self.length,)

    def summary(self) -> str:
        """Return what a token is."""
        return f"{self.unit}s"

    def builder_arguments(self) -> dict[str, Any]:
        """Return the length and the size of the vocabulary."""
        return {"input_shape": self.shape, "vocabulary_size": self.tokens}

    def fit(self, chunks: Iterable[np.ndarray]) -> Self:
        """Return the feature with a vocabulary and a length."""
        counts: Counter[str] = Counter()
        longest = 0
        for chunk in chunks:
            for row in self.split(chunk).to_list():
                counts.update(token.decode("utf-8") for token in row)
                longest = max(longest, len(row))
        for reserved in (_UNKNOWN, *_MARKS):
            del counts[reserved]
        # By code point among tokens of one count, so that every machine agrees.
        ranked = sorted(counts, key=lambda token: (-counts[token], token))
        most = None if self.vocabulary_size is None else self.vocabulary_size - self.specials
        kept = tuple(ranked[:most])
        return dataclasses.replace(
            self,
            vocabulary=kept,
            counts=tuple(counts[token] for token in kept),
            length=self.length or max(1, longest + (2 if self.marked else 0)),
        )

    def split(self, raw: Any) -> Any:
        """Return the tokens of texts (B,) as a ragged tensor (B, tokens) of strings."""
        import tensorflow as tf

        text = tf.convert_to_tensor(raw)
        if self.marked:  # a mark within a text would end it
            text = tf.strings.regex_replace(text, f"[{''.join(_MARKS)}]", _UNKNOWN)
        if self.lowercase:
            text = tf.strings.lower(text, encoding="utf-8")
        if self.unit == "character":
            return tf.strings.unicode_split(text, "UTF-8")
        # TensorFlow splits at ASCII white space alone: make all others, such as U+00A0, a space.
        return tf.strings.split(tf.strings.regex_replace(text, _WHITE_SPACE, " "))

    @functools.cached_property
    def _lookup(self) -> Any:
        """The Keras layer from tokens to numbers."""
        import keras
        import tensorflow as tf

        marks = _MARKS if self.marked else ()
        with tf.init_scope():  # its table must outlive the graph that first asks for it
            return keras.layers.StringLookup(
                vocabulary=[*marks, *self.vocabulary] or ["\x04"],
                mask_token="",
                oov_token=_UNKNOWN,
            )

    def numbers(self, raw: Any) -> Any:
        """Return the numbers of the tokens of texts (B,) as a ragged tensor (B, tokens), int32."""
        import tensorflow as tf

        tokens = self.split(raw)
        if self.marked:
            if self.length is not None:  # a text that is cut off ends with its mark too
                tokens = tokens[:, : max(self.length - len(_MARKS), 0)]
            start, end = (tf.fill([tokens.nrows(), 1], mark) for mark in _MARKS)
            tokens = tf.concat([start, tokens, end], axis=1)
        return tokens.with_flat_values(tf.cast(self._lookup(tokens.flat_values), tf.int32))

    def prepare(self, raw: Any) -> Any:
        """Return the numbers (B, length) of the tokens of texts (B,), padded."""
        return self.numbers(raw).to_tensor(shape=(None, *self.shape))

    @property
    def cuts(self) -> bool:
        """Whether texts are cut into windows."""
        return self.windows

    def cut(self, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the windows of texts and the place of the text that each is from."""
        if not self.windows:
            return super().cut(raw)
        if self.length is None:
            raise ValueError("windows need a length")
        joint = b"" if self.unit == "character" else b" "
        pieces, places = [], []
        for place, tokens in enumerate(self.split(raw).to_list()):
            # A last token alone would have nothing before it.
            for at in range(0, max(len(tokens) - 1, 1), self.length):
                pieces.append(joint.join(tokens[at : at + self.length + 1]).decode("utf-8"))
                places.append(place)
        return np.array(pieces), np.array(places, np.int64)

    def mask(self, encoded: Any) -> Any:
        """Return 1.0 for tokens and 0.0 for padding."""
        import tensorflow as tf

        return tf.cast(encoded != PADDING, tf.float32)

    def resources(self) -> Sequence[Any]:
        """Return the look-up layer, called once so that Keras tracks its table."""
        import tensorflow as tf

        self.encode(tf.constant([""]))
        return (self._lookup,)

    def signature(self, name: str) -> Any:
        """Return (B,) of strings."""
        import tensorflow as tf

        return tf.TensorSpec((None,), tf.string, name=name)

    def like(self, shape: tuple[int, ...], defaults: Mapping[str, Any]) -> Self:
        """Return texts of as many words as the network reads or writes by default."""
        written = "" if shape else "target_"
        shape = shape or defaults["target_shape"]
        count = int(defaults[f"{written}vocabulary_size"]) - self.specials
        words = tuple(f"word{number}" for number in range(count))
        return type(self)(
            unit="word",
            length=shape[0],
            marked=self.marked,
            windows=self.windows,
            vocabulary=words,
        )

    def sample(self, count: int, seed: int = 0) -> np.ndarray:
        """Return texts of known tokens and now and then an unknown one."""
        draw = np.random.default_rng(seed)
        tokens = [*self.vocabulary, "?"]
        joint = "" if self.unit == "character" else " "
        return np.array(
            [joint.join(draw.choice(tokens, self.shape[0] or 12)) for _ in range(count)]
        )

    def parse(self, cells: Sequence[Sequence[str]]) -> np.ndarray:
        """Return the texts of one cell each."""
        return np.array([cell for (cell,) in cells])

    def decode(self, encoded: Any) -> list[Any]:
        """Return the texts of tokens (B, T), up to the end token and without padding."""
        return [text.decode("utf-8") for text in self.joined(np.asarray(encoded)).numpy()]

    def pieces(self, encoded: Any) -> Any:
        """Return the tokens' texts (B, T) of their numbers, a tensor of strings, in the graph too.

        Those of padding and of marks are empty, and that of the unknown token is U+FFFD.
        """
        import tensorflow as tf

        words = tf.constant(["", "\ufffd", *[""] * (self.specials - 2), *self.vocabulary])
        return tf.gather(words, tf.convert_to_tensor(encoded))

    def joined(self, encoded: Any) -> Any:
        """Return the texts (B,) of tokens (B, T) as a tensor of strings, in the graph too.

        A text ends before its end token. Padding and the start token are left out, and an unknown
        token is U+FFFD.
        """
        import tensorflow as tf

        numbers = tf.convert_to_tensor(encoded)
        kept = (numbers != PADDING) & (numbers != START if self.marked else True)
        if self.marked:
            ended = tf.cumsum(tf.cast(numbers == END, tf.int32), axis=1)
            kept &= ended == 0
        tokens = tf.ragged.boolean_mask(self.pieces(numbers), kept)
        separator = "" if self.unit == "character" else " "
        return tf.strings.reduce_join(tokens, axis=1, separator=separator)

    def titles(self, raw: Iterable[Any]) -> list[str]:
        """Return the texts themselves."""
        return [text.decode("utf-8") if isinstance(text, bytes) else str(text) for text in raw]

    def as_raw(self, values: Any) -> np.ndarray:
        """Return an array of texts from a list of them, or one text."""
        texts = np.array([values] if isinstance(values, str) else values)
        if texts.ndim != 1 or texts.dtype.kind not in "UO":
            raise UsageError(f"expected texts, got an array of {texts.dtype} {texts.shape}")
        return texts

    def read(self, text: str, stdin: BinaryIO) -> Iterator[Reading]:
        """Yield a text, or those of a file or of standard input, one a line."""
        require_value(text, "a text, or a file with one text a line")
        if text != STDIN and not is_file(text):
            if _FILE.fullmatch(text):
                raise UsageError(
                    f"there is no file {text}. If it is the text itself, pass it through a pipe: "
                    f"echo {text} | dlzoo predict RUN -"
                )
            yield Reading(text, np.array([text]))
            return
        try:
            lines = content_of(text, stdin).decode("utf-8-sig").split("\n")
        except UnicodeDecodeError as error:
            raise UsageError(f"{text} is not UTF-8 text: {error}") from None
        for line in lines:
            if line.strip():
                yield Reading(line.strip(), np.array([line.strip()]))

    def unusual(self, raw: np.ndarray) -> str | None:
        """Say whether most tokens were never seen in training."""
        tokens = [token.decode("utf-8") for token in self.split(raw).to_list()[0]]
        known = set(self.vocabulary)
        unknown = [token for token in tokens if token not in known]
        if not tokens or 2 * len(unknown) <= len(tokens):
            return None
        shown = ", ".join(f"'{token}'" for token in dict.fromkeys(unknown[:5]))
        return f"{len(unknown)} of {len(tokens)} {self.unit}s are not in the vocabulary ({shown} …)"

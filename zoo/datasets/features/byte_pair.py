"""Byte-pair vocabularies (Sennrich et al. 2016, of bytes as in GPT-2), by the tokenizers library.

They are not in TensorFlow's graph: while data are prepared Python is called, and exports take the
tokens' numbers.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.base.errors import DlzooError, UsageError, gist
from zoo.base.files import is_file

SPECIALS = ("<|padding|>", "<|unknown|>", "<|start|>", "<|end|>")
"""Of vocabularies that are trained here, in the order of their numbers."""
BYTES = 256
"""Tokens that every vocabulary has: any text can be written with them."""
GPT2_FILES = ("vocab.json", "merges.txt")
GPT2_END = "<|endoftext|>"
USE = """\
from tokenizers import Tokenizer
tokenizer = Tokenizer.from_file("{file}")
tokens = tokenizer.encode("a text").ids  # and back: tokenizer.decode(tokens)
"""
"""The three lines that use a vocabulary's file."""


def _library() -> Any:
    try:
        import tokenizers
    except ImportError:
        raise DlzooError(
            "byte-pair vocabularies need the tokenizers library: pip install 'dlzoo[text]'"
        ) from None
    return tokenizers


class BytePairs:
    """A vocabulary that can be used; see `open_vocabulary`.

    Args:
        tokenizer: Of the tokenizers library.
    """

    def __init__(self, tokenizer: Any) -> None:
        tokenizer.encode_special_tokens = True  # in a text, "<|end|>" is seven characters
        self._tokenizer = tokenizer
        self.size = int(tokenizer.get_vocab_size())

    def encode(self, texts: Iterable[Any]) -> list[list[int]]:
        """Return the tokens of texts, given as strings or as bytes in UTF-8."""
        strings = [one.decode("utf-8") if isinstance(one, bytes) else str(one) for one in texts]
        return [one.ids for one in self._tokenizer.encode_batch(strings)]

    def decode(self, rows: Iterable[Sequence[int]]) -> list[str]:
        """Return the texts of tokens; a character that is cut in two is U+FFFD."""
        return [self._tokenizer.decode(list(map(int, row))) for row in rows]

    def pieces(self, tokens: Sequence[int]) -> list[str]:
        """Return each token by itself."""
        return self.decode([token] for token in tokens)

    def number(self, token: str) -> int | None:
        """Return a special token's number, or None if there is no such token."""
        found: int | None = self._tokenizer.token_to_id(token)
        return found

    def characters(self) -> np.ndarray:
        """Return (size,): how many characters begin in each token; 0 of special tokens.

        The numbers of a text's tokens add up to its characters, also where a character's bytes are
        spread over several tokens.
        """
        byte_of = {sign: byte for byte, sign in _signs().items()}
        counts = np.zeros(self.size, np.int32)
        special = set(self._tokenizer.get_added_tokens_decoder())
        for token, number in self._tokenizer.get_vocab().items():
            if number not in special:
                # In UTF-8 a byte 10xxxxxx goes on with a character.
                counts[number] = sum(byte_of[sign] & 0xC0 != 0x80 for sign in token)
        return counts


def _signs() -> dict[int, str]:
    """Return the sign that stands for each byte in GPT-2's vocabularies.

    Bytes that can be printed stand for themselves, the others for the signs from U+0100 on.
    """
    printed = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(BYTES) if byte not in printed]
    return {byte: chr(byte) for byte in printed} | {
        byte: chr(BYTES + at) for at, byte in enumerate(others)
    }


@functools.lru_cache(maxsize=16)
def open_vocabulary(text: str) -> BytePairs:
    """Return the vocabulary of a tokenizer.json's text.

    Raises:
        ValueError: It is none.
        DlzooError: The library is not installed.
    """
    library = _library()
    try:
        return BytePairs(library.Tokenizer.from_str(text))
    except Exception as error:  # the library raises nothing more special
        raise ValueError(f"tokenizer: not a vocabulary: {gist(error)}") from error


def train(texts: Iterator[str], size: int, specials: int, *, lowercase: bool) -> str:
    """Return a vocabulary for texts, as the text of a tokenizer.json.

    Args:
        texts: Of the training split.
        size: Tokens, with the special ones and the bytes.
        specials: How many of `SPECIALS` there are.
        lowercase: Whether texts are put in lower case first.
    """
    library = _library()
    tokenizer = _byte_level(library, library.models.BPE())
    if lowercase:
        tokenizer.normalizer = library.normalizers.Lowercase()
    trainer = library.trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(SPECIALS[:specials]),
        initial_alphabet=sorted(_signs().values()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return str(tokenizer.to_str())


def from_gpt2(folder: Path) -> str:
    """Return GPT-2's vocabulary in a folder, as the text of a tokenizer.json.

    Args:
        folder: With vocab.json and merges.txt, as the transformers library saves them.

    Raises:
        UsageError: A file is missing or damaged.
        DlzooError: The library is not installed.
    """
    library = _library()
    vocabulary, merges = (folder / name for name in GPT2_FILES)
    for path in (vocabulary, merges):
        if not is_file(path):
            raise UsageError(
                f"there is no {path}: a GPT-2 vocabulary is {' and '.join(GPT2_FILES)}"
            )
    try:
        model = library.models.BPE.from_file(str(vocabulary), str(merges))
        tokenizer = _byte_level(library, model)
        if tokenizer.token_to_id(GPT2_END) is not None:
            tokenizer.add_special_tokens([GPT2_END])
    except Exception as error:
        raise UsageError(f"{folder} holds no GPT-2 vocabulary: {gist(error)}") from error
    return str(tokenizer.to_str())


def _byte_level(library: Any, model: Any) -> Any:
    """Return a tokenizer that splits texts as GPT-2 does, and works on their bytes."""
    tokenizer = library.Tokenizer(model)
    tokenizer.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = library.decoders.ByteLevel()
    return tokenizer

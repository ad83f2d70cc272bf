"""``text:FILE``: plain text, or a text and its class or a pair of texts on each line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from recipes.recipe import Data
from zoo.base.errors import DlzooError, UsageError
from zoo.base.names import natural
from zoo.datasets.features.base import Feature
from zoo.datasets.features.label import Label
from zoo.datasets.features.text import Text
from zoo.datasets.sources.base import Description
from zoo.datasets.sources.own import OwnSource, Scan, numbers_of
from zoo.datasets.sources.rows import content_of

if TYPE_CHECKING:
    from zoo.datasets.split import Split

TEXT, LABEL, SOURCE, TARGET = "text", "label", "source", "target"
"""Names of the columns."""
DOCUMENT = 2_000
"""Characters up to which paragraphs of plain text are kept together, as one example."""
LONGEST = 256
"""Tokens of a text that are read where a recipe does not say."""
WORDS_KNOWN = 20_000
LARGEST = 500_000_000
"""Bytes of a file: its texts are held in memory."""
MOST_CLASSES = 1_000


@dataclass(frozen=True, kw_only=True)
class Texts(OwnSource):
    """A file of text: a TAB on every line parts two columns."""

    options: ClassVar[tuple[str, ...]] = ("target", "split_seed", "skip_bad_files")

    def scan(self) -> Scan:
        """Read the file once."""
        lines = self._lines()
        tabs = Counter(line.count("\t") for _, line in lines)
        if tabs[0] == len(lines):
            return self._plain(lines)
        good = [(number, line) for number, line in lines if line.count("\t") == 1]
        bad = {
            f"line {number}": f"expected 2 texts with one TAB between, got {line.count(chr(9)) + 1}"
            for number, line in lines
            if line.count("\t") != 1
        }
        for number, line in good:
            if not all(part.strip() for part in line.split("\t")):
                bad[f"line {number}"] = "a text is empty"
        for key, why in bad.items():
            if not self.data.skip_bad_files:
                raise DlzooError(f"{self.path}, {key}: {why}; --skip-bad-files leaves it out")
        kept = [(number, line) for number, line in good if f"line {number}" not in bad]
        if not kept:
            raise UsageError(f"{self.path} has no line that can be read")
        return self._pairs(kept, bad)

    def _lines(self) -> list[tuple[int, str]]:
        """Return the lines that are not empty, with their numbers."""
        if self.path.stat().st_size > LARGEST:
            raise UsageError(
                f"{self.path} has more than {LARGEST // 10**6} MB; text: holds its texts in "
                "memory. A table of texts is read from disk: csv:FILE or tsv:FILE"
            )
        try:
            content = self.path.read_bytes().decode("utf-8-sig")
        except OSError as error:
            raise UsageError(f"cannot read {self.path}: {error.strerror}") from None
        except UnicodeDecodeError as error:
            raise UsageError(f"{self.path} is not UTF-8 text: {error}") from None
        lines = [
            (number, line)
            for number, line in enumerate(content.replace("\r\n", "\n").split("\n"), start=1)
            if line.strip()
        ]
        if not lines:
            raise UsageError(f"{self.path} is empty")
        return lines

    def _plain(self, lines: Sequence[tuple[int, str]]) -> Scan:
        """Return plain text in examples of whole paragraphs."""
        raw = self.path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
        paragraphs = [part for part in raw.split("\n\n") if part.strip()]
        joint = "\n\n"
        if len(paragraphs) < 10:
            paragraphs, joint = [line for _, line in lines], "\n"
        # A paragraph that is there twice is kept once, or it could stand in two splits.
        once = list(dict.fromkeys(paragraphs))
        texts: list[str] = []
        for paragraph in once:
            if texts and len(texts[-1]) + len(paragraph) < DOCUMENT:
                texts[-1] += joint + paragraph
            else:
                texts.append(paragraph)
        if len(texts) < 3:
            raise UsageError(
                f"{self.path} is too short for three splits: {sum(map(len, once)):,} characters; "
                f"it takes at least {3 * DOCUMENT:,}"
            )
        told = [f"plain text in {len(texts):,} parts of whole paragraphs"]
        if len(once) < len(paragraphs):
            told.append(f"{len(paragraphs) - len(once)} paragraphs are repeated and left out")
        return Scan(
            features={TEXT: Text()},
            inputs=(TEXT,),
            targets=(),
            keys=[f"part {number}" for number in range(1, len(texts) + 1)],
            contents=np.array([content_of([text]) for text in texts], np.uint64),
            strata=np.zeros(len(texts), np.int64),
            question="Which character comes next?",
            told=tuple(told),
            facts={TEXT: texts},
        )

    def _pairs(self, lines: Sequence[tuple[int, str]], skipped: dict[str, str]) -> Scan:
        """Return texts with their classes, or pairs of texts."""
        pairs = [tuple(part.strip() for part in line.split("\t")) for _, line in lines]
        columns = [[pair[at] for pair in pairs] for at in (0, 1)]
        kinds = [len(set(column)) for column in columns]
        few = min(kinds)
        classed = self._is_classed(few, len(pairs), columns[kinds.index(few)])
        if classed and few < 2:
            raise UsageError(
                f"{self.path}: every line has one class, '{columns[kinds.index(1)][0]}'"
            )
        at = kinds.index(few) if classed and kinds[1] != few else 1
        features: dict[str, Feature]
        texts = columns[1 - at]
        if classed:
            names = tuple(sorted(set(columns[at]), key=natural))
            features = {TEXT: _text(texts), LABEL: Label(names=names)}
            facts: dict[str, Any] = {TEXT: texts, LABEL: columns[at]}
            strata = numbers_of(columns[at], names, self.data.name)
            question = f"Which of {len(names)} classes is a text of?"
        else:
            features = {SOURCE: _text(columns[0]), TARGET: _text(columns[1])}
            facts = {SOURCE: columns[0], TARGET: columns[1]}
            strata = np.zeros(len(pairs), np.int64)
            question = "What is the second text to a first?"
        inputs, targets = list(features)
        told = [
            f"each line is a text and its class, of {few}"
            if classed
            else "each line is a pair of texts: the second is written from the first",
            *(f"{key} is left out: {why}" for key, why in skipped.items()),
        ]
        return Scan(
            features=features,
            inputs=(inputs,),
            targets=(targets,),
            keys=[f"line {number}" for number, _ in lines],
            # Pairs of one source stay together: its answers are nearly the same.
            contents=np.array([content_of([pair[0 if not classed else 1 - at]]) for pair in pairs]),
            strata=strata,
            question=question,
            told=tuple(told),
            labels=columns[at] if classed else None,
            skipped=skipped,
            facts=facts,
        )

    def _is_classed(self, few: int, size: int, labels: Sequence[str]) -> bool:
        """Return whether the column with the fewest different texts is a class."""
        if self.data.target not in (None, LABEL, TARGET):
            raise UsageError(
                f"--target of {self.data.name} is '{LABEL}' (classes) or '{TARGET}' (a text that "
                f"is written), got '{self.data.target}'"
            )
        if self.data.target is not None:
            return self.data.target == LABEL
        words = sum(" " in label for label in set(labels))
        return few * 2 <= size and few <= MOST_CLASSES and words * 2 < few

    def split(self, places: np.ndarray, described: Description) -> Split:
        """Return the texts at some places, in memory."""
        from zoo.datasets.split import Split

        scan = self.scanned()
        columns = {}
        for name in (*described.inputs, *described.targets):
            if name not in scan.facts:
                raise UsageError(f"{self.data.name} has no column '{name}'")
            values = [scan.facts[name][at] for at in places]
            feature = described.features[name]
            if feature.classes:
                columns[name] = numbers_of(values, getattr(feature, "names", ()), self.data.name)
            else:
                columns[name] = np.array(values, object)
        return Split.in_memory(columns)


def _text(texts: Sequence[str]) -> Text:
    """Return how texts are read: by words where most have several."""
    by_words = sum(" " in text for text in texts) * 2 >= len(texts)
    longest = max(len(text.split()) if by_words else len(text) for text in texts)
    return Text(
        unit="word" if by_words else "character",
        length=min(longest + 2, LONGEST),
        vocabulary_size=WORDS_KNOWN if by_words else None,
        lowercase=False,
    )


def open_text(data: Data, path: str) -> Texts:
    """Return the source that ``text:PATH`` names."""
    return Texts(data=data, path=Path(path))

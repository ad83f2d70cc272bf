"""What a table of counts scores on a data set of texts: `python -m tools.ngram pydoc --order 8`.

Interpolated Kneser-Ney smoothing over characters (Kneser and Ney 1995), with one discount for each
order, n1 / (n1 + 2 n2) (Ney, Essen and Kneser 1994). A language model that scores no better has
learned little.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

import click

START = "\x00"
UNKNOWN = "\x01"


class KneserNey:
    """Counts of all character sequences up to a length.

    Args:
        texts: To count.
        order: The longest sequence: a character is predicted from the `order` - 1 before it.
    """

    def __init__(self, texts: Sequence[str], order: int) -> None:
        self.order = order
        self.characters = {*"".join(texts), UNKNOWN}
        counts: dict[int, Counter[str]] = {order: Counter()}
        for text in texts:
            counts[order].update(self._sequences(text))
        for shorter in range(order - 1, 0, -1):  # in how many contexts it stands
            counts[shorter] = Counter(longer[1:] for longer in counts[shorter + 1])
        self.counts = counts
        self.totals: dict[int, Counter[str]] = {}
        self.followers: dict[int, Counter[str]] = {}
        self.discounts: dict[int, float] = {}
        for size, found in counts.items():
            once, twice = (sum(count == times for count in found.values()) for times in (1, 2))
            self.discounts[size] = once / (once + 2 * twice) if once else 0.5
            self.totals[size], self.followers[size] = Counter(), Counter()
            for sequence, count in found.items():
                self.totals[size][sequence[:-1]] += count
                self.followers[size][sequence[:-1]] += 1

    def _sequences(self, text: str) -> Iterator[str]:
        padded = START * (self.order - 1) + text
        return (padded[at : at + self.order] for at in range(len(text)))

    def probability(self, sequence: str) -> float:
        """Return the probability of a sequence's last character after those before it."""
        if not sequence:
            return 1.0 / len(self.characters)
        size, before = len(sequence), sequence[:-1]
        shorter = self.probability(sequence[1:])
        total = self.totals[size][before]
        if not total:
            return shorter
        discount = self.discounts[size]
        kept = max(self.counts[size][sequence] - discount, 0.0)
        return (kept + discount * self.followers[size][before] * shorter) / total

    def bits_per_character(self, texts: Sequence[str]) -> float:
        """Return the mean of -log2 of the probability over all characters."""
        bits, characters = 0.0, 0
        for text in texts:
            for sequence in self._sequences(text):
                last = sequence[-1] if sequence[-1] in self.characters else UNKNOWN
                bits -= math.log2(self.probability(sequence[:-1] + last))
            characters += len(text)
        return bits / characters


@click.command()
@click.argument("dataset")
@click.option("--column", default="text", show_default=True)
@click.option("--order", type=click.IntRange(min=1), default=8, show_default=True)
def main(dataset: str, column: str, order: int) -> None:
    """Print the bits per character of DATASET's validation and test splits."""
    from zoo.base.runtime import start_tensorflow
    from zoo.datasets.sources import open_source

    start_tensorflow()
    splits = open_source(dataset).load().splits
    texts = {
        name: [text.decode("utf-8") for chunk in split.column(column) for text in chunk]
        for name, split in splits.items()
    }
    model = KneserNey(texts["train"], order)
    for name in ("validation", "test"):
        print(f"{name}: {model.bits_per_character(texts[name]):.3f} bits per character")


if __name__ == "__main__":
    main()

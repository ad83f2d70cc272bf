"""BLEU, the share of word sequences that an answer has in common with the truth, by sacrebleu."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

INSTALL = "bleu is computed by sacrebleu: pip install 'dlzoo[bleu]'"


def is_installed() -> bool:
    """Return whether sacrebleu is there."""
    return importlib.util.find_spec("sacrebleu") is not None


def corpus_bleu(answers: Sequence[str], truths: Sequence[str]) -> float:
    """Return the BLEU of a corpus, from 0 to 100, as sacrebleu computes it by default.

    Source: Papineni et al., "BLEU: a method for automatic evaluation of machine translation", 2002,
    with the tokens of the WMT conferences (13a) and exponential smoothing (Post, "A call for
    clarity in reporting BLEU scores", 2018).

    Args:
        answers: One text for each example.
        truths: The text that each should be.
    """
    import sacrebleu

    return float(sacrebleu.corpus_bleu(list(answers), [list(truths)]).score)

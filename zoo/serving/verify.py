"""Comparing an artefact's answers with the model's, before it is handed over."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from zoo.base.errors import DlzooError
from zoo.serving.formats import savedmodel
from zoo.tasks.base import Endpoint

TOLERANCE = 1e-5
"""The most by which an export's answers may differ from the model's."""
EXAMPLES = 8


def largest_difference(endpoints: Mapping[str, Endpoint], folder: Path) -> float:
    """Return the largest difference between a SavedModel's answers and the model's.

    It is absolute for probabilities and pixels, and relative for numbers above 1.

    Raises:
        DlzooError: The answers have other names, or differ by more than `TOLERANCE`.
    """
    worst = 0.0
    for name, endpoint in endpoints.items():
        values = endpoint.sample(EXAMPLES)
        expected = endpoint.function(*(tf.constant(value) for value in values))
        inputs = dict(zip(endpoint.signature, values, strict=True))
        given = savedmodel.answers(folder, name, inputs)
        if sorted(given) != sorted(expected):
            raise DlzooError(f"the export's {name} returns {sorted(given)}, not {sorted(expected)}")
        for key, wanted in expected.items():
            worst = max(worst, _difference(given[key], np.asarray(wanted)))
    if not worst <= TOLERANCE:
        raise DlzooError(
            f"the export's answers differ from the model's by {worst:.2g}, "
            f"more than {TOLERANCE:g}. Nothing was written."
        )
    return worst


def _difference(given: np.ndarray, wanted: np.ndarray) -> float:
    if given.dtype.kind not in "fiub":
        return 0.0 if np.array_equal(given, wanted) else float("inf")
    said, meant = given.astype(np.float64), wanted.astype(np.float64)
    differences = np.abs(said - meant) / np.maximum(1.0, np.abs(meant))
    return float("inf") if np.isnan(differences).any() else float(differences.max(initial=0.0))

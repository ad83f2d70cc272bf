"""Labels and numbers: read from files, and answered as people say them."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.datasets.features.label import Label
from zoo.datasets.features.number import Number


def test_labels_are_read_and_answered_by_their_names() -> None:
    label = Label(names=("cat", "dog"))
    assert label.classes == 2
    raw = label.parse([["dog"], ["cat"]])
    assert raw.dtype == np.int32
    assert raw.tolist() == [1, 0]
    assert label.titles(raw) == ["dog", "cat"]
    assert label.decode([[0.2, 0.8], [0.6, 0.4]]) == ["dog", "cat"]
    with pytest.raises(ValueError, match="there is no class 'bird'"):
        label.parse([["bird"]])


def test_labels_without_names_have_a_count_until_they_are_named() -> None:
    label = Label(count=3)
    assert label.classes == 3
    assert label.titles([2]) == ["2"]
    assert label.with_names(["a", "b", "c"]).titles([2]) == ["c"]


def test_numbers_keep_their_unit_of_the_data() -> None:
    number = Number()
    raw = number.parse([["1.5"], ["-2e3"]])
    assert number.encode(raw).numpy().tolist() == [[1.5], [-2000.0]]
    assert number.decode(number.encode(raw)) == [1.5, -2000.0]
    assert number.titles(raw) == ["1.5", "-2000"]
    with pytest.raises(ValueError, match="abc"):
        number.parse([["abc"]])

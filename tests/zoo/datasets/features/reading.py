"""What the tests of features share: reading what a command line hands in."""

from __future__ import annotations

import io
from typing import Any

import pytest

from zoo.base.errors import UsageError
from zoo.datasets.features.base import Feature, Reading


def read(feature: Feature, text: str, stdin: bytes = b"") -> list[Reading]:
    """The examples that an argument names."""
    return list(feature.read(text, io.BytesIO(stdin)))


def values(feature: Feature, text: str, stdin: bytes = b"") -> list[Any]:
    """The raw examples, each without its batch axis."""
    return [one.raw[0] for one in read(feature, text, stdin)]


def names(feature: Feature, text: str, stdin: bytes = b"") -> list[str]:
    """What the examples are called."""
    return [one.name for one in read(feature, text, stdin)]


def refusal(feature: Feature, text: str, stdin: bytes = b"") -> str:
    """What is said of an argument that cannot be read: one line."""
    with pytest.raises(UsageError) as caught:
        read(feature, text, stdin)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message

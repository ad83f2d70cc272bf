"""dlzoo: the architectures that made deep learning, in Keras, each with a recipe and a command.

The public API is loaded lazily: ``import zoo`` imports neither Keras nor TensorFlow.

Example:
    >>> import zoo
    >>> zoo.list_models("resnet*")
    >>> run = zoo.train("resnet", epochs=20)
    >>> run.evaluate()
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.registry import build as build
    from zoo.registry import card as card
    from zoo.registry import list_models as list_models
    from zoo.run import load as load
    from zoo.run import resume as resume
    from zoo.run import train as train

_WHERE = {
    "build": "zoo.registry",
    "card": "zoo.registry",
    "list_models": "zoo.registry",
    "load": "zoo.run",
    "resume": "zoo.run",
    "train": "zoo.run",
}
__all__ = ["build", "card", "list_models", "load", "resume", "train"]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(importlib.import_module(_WHERE[name]), name)
    raise AttributeError(f"module 'zoo' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])

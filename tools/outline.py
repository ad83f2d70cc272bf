"""Networks whose weights have shapes but no values, to count what is too large to fill."""

from __future__ import annotations

from typing import Any

from zoo import registry

LARGE = 100_000_000
"""Parameters from which drawing initial weights takes seconds and gigabytes."""


def outline(name: str) -> Any:
    """Return a model built from its defaults, to be counted only: its weights cannot be read.

    GPT-2 small takes 0.4 s and no memory for weights like this, instead of 7 s and 0.5 GB.
    """
    import keras
    from keras.src.backend.common import global_state

    with keras.StatelessScope(initialize_variables=False):
        model = registry.build(name)
    # Keras would fill them when the next scope ends.
    global_state.set_global_attribute("uninitialized_variables", [])
    return model


def network(name: str) -> Any:
    """Return a model built from its defaults; a large one without values, see `outline`."""
    return outline(name) if registry.card(name).parameters > LARGE else registry.build(name)

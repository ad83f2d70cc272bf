"""Layers without loops and routing, for runtimes that cannot carry those of TensorFlow.

ONNX Runtime and OpenVINO refuse some loops, and LiteRT needs a fixed number of rows for all. A
sequence of a known length needs no loop: each step stands in the graph by itself. None of the three
has TensorFlow's operations that route tokens to experts; without them, each expert computes all.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from zoo.base.errors import DlzooError, gist


@contextlib.contextmanager
def unrolled(network: Any) -> Iterator[bool]:
    """Within it, a network's loops and routing are traced part by part; say if there are any.

    Args:
        network: A `keras.Model`. Layers with loops have ``unroll``, as Keras's own do; so have
            those that route.
    """
    looped = [one for one in network._flatten_layers() if getattr(one, "unroll", None) is False]
    for layer in looped:
        layer.unroll = True
    try:
        yield bool(looped)
    finally:
        for layer in looped:
            layer.unroll = False


def written(network: Any, name: str, write: Callable[[], None]) -> dict[str, Any]:
    """Write a network with its loops or, where the format cannot carry them, without.

    Args:
        network: A `keras.Model`.
        name: The format's, for messages.
        write: Writes a file and opens it; raises where it cannot.

    Returns:
        What is worth saying: whether loops were unrolled.

    Raises:
        DlzooError: The format cannot carry it either way.
    """
    try:
        write()
        return {}
    except Exception as error:  # converters and runtimes raise their own, of many kinds
        failed = error
    with unrolled(network) as looped:
        if looped:
            try:
                write()
                return {"unrolled": True}
            except Exception as error:
                failed = error
    raise DlzooError(f"{name} cannot carry {network.name}: {gist(failed)}") from failed

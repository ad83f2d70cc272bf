"""Gradients, and the order in which variables are read and changed once a graph is optimized."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from tensorflow.python.eager import context

from zoo import registry

SHAPE = (8, 8, 1)


def optimized_graph(function: Callable[[], Any]) -> dict[str, Any]:
    """Return the nodes, by name, of the largest graph that a call of a function computes."""
    active = context.context()
    active.enable_graph_collection()
    try:
        tf.function(function)()
        graphs = active.export_run_metadata().function_graphs
    finally:
        active.disable_graph_collection()
    largest = max((one.post_optimization_graph for one in graphs), key=lambda one: len(one.node))
    return {node.name: node for node in largest.node}


def before(name: str, nodes: dict[str, Any]) -> set[str]:
    """Return all nodes that are computed before one."""
    found: set[str] = set()
    left = [name]
    while left:
        for put in nodes[left.pop()].input:
            above = put.lstrip("^").split(":")[0]
            if above not in found:
                found.add(above)
                left.append(above)
    return found


def unordered(nodes: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the reads and changes of one variable of which either may come first."""
    uses = defaultdict(list)
    for node in nodes.values():
        if node.op.endswith("VariableOp"):
            uses[node.input[0]].append(node)
    earlier = {node.name: before(node.name, nodes) for used in uses.values() for node in used}
    return [
        (read.name, change.name)
        for used in uses.values()
        for read in used
        for change in used
        if read.op == "ReadVariableOp" != change.op
        and read.name not in earlier[change.name]
        and change.name not in earlier[read.name]
    ]


def test_no_variable_changes_while_a_gradient_needs_it() -> None:
    model = registry.build("wgan-gp", input_shape=SHAPE, latent_dim=2, filters=2, smallest=2)
    model.compile(
        generator_optimizer=keras.optimizers.Adam(),
        discriminator_optimizer=keras.optimizers.Adam(),
    )
    nodes = optimized_graph(lambda: model.train_step((tf.zeros((10, *SHAPE)),)))
    assert sum(node.op == "AssignSubVariableOp" for node in nodes.values()) > 5
    assert unordered(nodes) == []

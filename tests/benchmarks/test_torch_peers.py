"""The networks that dlzoo is measured beside are its own: the same layers, weight for weight."""

import pytest

from benchmarks.peers import CASES
from benchmarks.sides import Case
from zoo import registry

pytest.importorskip("torch")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.model)
def test_pytorch_has_the_parameters_of_the_zoo(case: Case) -> None:
    from benchmarks import torch_peers
    from zoo.anatomy.counts import trainable_parameters

    ours = registry.build(case.model, input_shape=case.input_shape, classes=case.classes)
    theirs = torch_peers.parameters(case.model, case.input_shape, case.classes)
    assert theirs == trainable_parameters(ours)

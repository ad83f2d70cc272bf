"""The networks that dlzoo is measured beside are its own: the same layers, weight for weight."""

from typing import Any

import numpy as np
import pytest

from benchmarks.peers import CASES
from benchmarks.sides import Case
from zoo import registry

pytest.importorskip("torch")
IMAGES = [case for case in CASES if isinstance(case, Case)]


@pytest.mark.parametrize("case", IMAGES, ids=lambda case: case.model)
def test_pytorch_has_the_parameters_of_the_zoo(case: Case) -> None:
    from benchmarks import torch_peers
    from zoo.anatomy.counts import trainable_parameters

    generates = registry.card(case.model).task == "generation"
    told: dict[str, Any] = {} if generates else {"classes": case.classes}
    ours = registry.build(case.model, input_shape=case.input_shape, **told)
    theirs = torch_peers.parameters(case.model, case.input_shape, case.classes)
    assert theirs == trainable_parameters(ours)


def test_the_u_net_finds_the_noise_that_the_zoos_finds() -> None:
    import torch

    from benchmarks.torch_diffusion import UNet

    sizes: dict[str, Any] = {
        "width": 8,
        "multipliers": (1, 2),
        "blocks": 1,
        "groups": 4,
        "attention": (4,),
    }
    ours = registry.build("ddpm", input_shape=(8, 8, 3), **sizes).network
    draw = np.random.default_rng(0)
    for weight in ours.weights:  # the last of each block begin at nearly nothing
        weight.assign(draw.normal(0.0, 0.3, weight.shape))
    theirs = UNet((8, 8, 3), **sizes).eval()
    for name, part in theirs.parts.items():
        layer = next((one for one in ours.layers if one.name == name), None)
        if layer is None:
            heads, _, projection = name.partition("_heads_")
            layer = getattr(ours.get_layer(f"{heads}_heads"), projection)
        kernel, bias = (torch.from_numpy(weight.numpy()) for weight in layer.weights)
        turned = {2: (1, 0), 4: (3, 2, 0, 1)}.get(kernel.ndim, (0,))
        with torch.no_grad():
            part.weight.copy_(kernel.permute(turned))
            part.bias.copy_(bias)
    x, times = draw.normal(size=(3, 8, 8, 3)).astype("float32"), np.array([1, 400, 1000])
    expected = ours({"image": x, "time": times.astype("float32")})
    with torch.no_grad():
        found = theirs.noise(torch.from_numpy(x).permute(0, 3, 1, 2), torch.from_numpy(times))
    np.testing.assert_allclose(found.permute(0, 2, 3, 1), expected, rtol=1e-3, atol=1e-3)

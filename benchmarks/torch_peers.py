"""The zoo's networks in PyTorch, layer for layer: what `benchmarks/peers.py` measures beside dlzoo.

Inputs are (B, C, H, W), outputs logits (B, classes). Counts of parameters are the zoo's, which
tests/benchmarks/test_torch_peers.py holds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional


class Network(nn.Module):
    """A classifier by its logits, trained on cross-entropy."""

    def __init__(self, *layers: Any) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Any) -> Any:
        """Return what `loss` and `answer` take."""
        return self.layers(images)

    def loss(self, outputs: Any, classes: Any) -> Any:
        """Return the batch's loss."""
        return functional.cross_entropy(outputs, classes)

    def answer(self, outputs: Any) -> Any:
        """Return logits or probabilities (B, classes)."""
        return outputs


def mlp(input_shape: tuple[int, int, int], classes: int) -> Network:
    """Return 300 hidden units, see zoo/models/mlp.py."""
    height, width, channels = input_shape
    return Network(
        nn.Flatten(), nn.Linear(height * width * channels, 300), nn.Tanh(), nn.Linear(300, classes)
    )


def lenet5(input_shape: tuple[int, int, int], classes: int) -> Network:
    """Return LeNet-5 as it is commonly built, see zoo/models/lenet.py."""
    height, width, channels = input_shape
    maps = ((height - 12) // 4 - 4) * ((width - 12) // 4 - 4)  # pixels of C5: 1 at 32×32
    return Network(
        *(nn.Conv2d(channels, 6, 5), nn.Tanh(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2)),
        *(nn.Conv2d(16, 120, 5), nn.Tanh()),
        *(nn.Flatten(), nn.Linear(120 * maps, 84), nn.Tanh(), nn.Linear(84, classes)),
    )


def _conv_norm(inputs: int, filters: int, size: int, strides: int = 1) -> Any:
    return nn.Sequential(
        nn.Conv2d(inputs, filters, size, strides, padding=size // 2, bias=False),
        nn.BatchNorm2d(filters),
    )


class IdentityShortcut(nn.Module):
    """Option A: every `strides`-th pixel, and zeros for the new channels."""

    def __init__(self, filters: int, strides: int) -> None:
        super().__init__()
        self.filters = filters
        self.strides = strides

    def forward(self, x: Any) -> Any:
        """Return (B, filters, H / strides, W / strides)."""
        x = x[:, :, :: self.strides, :: self.strides]
        return functional.pad(x, (0, 0, 0, 0, 0, self.filters - x.shape[1]))


class Block(nn.Module):
    """A residual block: convolutions beside a shortcut."""

    def __init__(self, layers: list[Any], shortcut: Any) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)
        self.shortcut = shortcut

    def forward(self, x: Any) -> Any:
        """Return the sum of both ways, rectified."""
        return functional.relu(self.layers(x) + self.shortcut(x), inplace=True)


def _cifar(blocks: int) -> Callable[..., Network]:
    def build(input_shape: tuple[int, int, int], classes: int) -> Network:
        layers: list[Any] = [_conv_norm(input_shape[2], 16, 3), nn.ReLU(inplace=True)]
        width = 16
        for filters in (16, 32, 64):
            for block in range(blocks):
                strides = 2 if filters > 16 and block == 0 else 1
                main = [_conv_norm(width, filters, 3, strides), nn.ReLU(inplace=True)]
                main += [_conv_norm(filters, filters, 3)]
                grows = width != filters
                layers += [
                    Block(main, IdentityShortcut(filters, strides) if grows else nn.Identity())
                ]
                width = filters
        pooled = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes))
        return Network(*layers, *pooled)

    return build


def _imagenet(stages: tuple[int, ...], bottleneck: bool) -> Callable[..., Network]:
    def build(input_shape: tuple[int, int, int], classes: int) -> Network:
        layers: list[Any] = [_conv_norm(input_shape[2], 64, 7, 2), nn.ReLU(inplace=True)]
        layers += [nn.MaxPool2d(3, 2, padding=1)]
        width = 64
        for stage, blocks in enumerate(stages):
            filters = 64 * 2**stage
            out = 4 * filters if bottleneck else filters
            for block in range(blocks):
                strides = 2 if stage > 0 and block == 0 else 1
                if bottleneck:  # the stride in the first 1×1, as published and as in dlzoo
                    main = [_conv_norm(width, filters, 1, strides), nn.ReLU(inplace=True)]
                    main += [_conv_norm(filters, filters, 3), nn.ReLU(inplace=True)]
                    main += [_conv_norm(filters, out, 1)]
                else:
                    main = [_conv_norm(width, filters, 3, strides), nn.ReLU(inplace=True)]
                    main += [_conv_norm(filters, out, 3)]
                same = strides == 1 and width == out
                layers += [
                    Block(main, nn.Identity() if same else _conv_norm(width, out, 1, strides))
                ]
                width = out
        pooled = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes))
        return Network(*layers, *pooled)

    return build


NETWORKS: dict[str, Callable[..., Network]] = {
    "mlp": mlp,
    "lenet5": lenet5,
    "resnet20": _cifar(3),
    "resnet18": _imagenet((2, 2, 2, 2), bottleneck=False),
    "resnet50": _imagenet((3, 4, 6, 3), bottleneck=True),
}


def build(model: str, input_shape: tuple[int, int, int], classes: int) -> Network:
    """Return the network of a zoo's model for images (height, width, channels)."""
    return NETWORKS[model](input_shape, classes)


def parameters(model: str, input_shape: tuple[int, int, int], classes: int) -> int:
    """Return the number of trainable parameters, without making any of them."""
    with torch.device("meta"):
        network = build(model, input_shape, classes)
    return sum(weights.numel() for weights in network.parameters())

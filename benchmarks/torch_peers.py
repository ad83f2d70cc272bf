"""The zoo's networks in PyTorch, layer for layer: what `benchmarks/peers.py` measures beside dlzoo.

Inputs are (B, C, H, W), outputs logits (B, classes). Counts of parameters are the zoo's, which
tests/benchmarks/test_torch_peers.py holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn
from torch.nn import functional

# Szegedy et al. 2014, table 1, as in zoo/models/googlenet.py, which would bring TensorFlow along.
INCEPTION = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
POOLED_AFTER = ("3b", "4e")


class Network(nn.Module):
    """A classifier by its logits, trained on cross-entropy."""

    def __init__(self, *layers: Any) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Any) -> Any:
        """Return what `loss` and `answer` take."""
        return self.layers(images)

    def loss(self, outputs: Any, images: Any, classes: Any) -> Any:
        """Return the batch's loss."""
        return functional.cross_entropy(outputs, classes)

    def answer(self, outputs: Any) -> Any:
        """Return what is largest for the class (B, classes)."""
        return outputs

    def right(self, outputs: Any, classes: Any) -> Any:
        """Return how many answers are right."""
        return (self.answer(outputs).argmax(1) == classes).sum()

    def stepped(self) -> None:
        """Do what is done after each step of the optimizer."""

    def part(self, optimizer: str) -> Any:
        """Return what an optimizer trains, by its key in the recipe."""
        return self

    def learn(self, images: Any, classes: Any, optimizers: Mapping[str, Any]) -> tuple[Any, Any]:
        """Train by one batch; return its mean loss, and how many answers were right."""
        optimizers["optimizer"].zero_grad()
        outputs = self(images)
        loss = self.loss(outputs, images, classes)
        loss.backward()
        optimizers["optimizer"].step()
        self.stepped()
        return loss.detach(), self.right(outputs, classes)

    def questions(self, images: Any) -> Any:
        """Return what is answered when it does not train: images, or a generator's latents."""
        return images


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


def _relu_conv(inputs: int, filters: int, size: int, strides: int = 1, groups: int = 1) -> Any:
    conv = nn.Conv2d(inputs, filters, size, strides, padding=size // 2, groups=groups)
    return nn.Sequential(conv, nn.ReLU(inplace=True))


def _classifier(features: int, classes: int) -> list[Any]:
    hidden = [nn.Linear(features, 4096), nn.ReLU(inplace=True), nn.Dropout(0.5)]
    again = [nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Dropout(0.5)]
    return [nn.Flatten(), *hidden, *again, nn.Linear(4096, classes)]


def _response_norm() -> Any:
    return nn.LocalResponseNorm(5, alpha=5 * 1e-4, beta=0.75, k=2.0)  # PyTorch's alpha is a mean's


def alexnet(input_shape: tuple[int, int, int], classes: int) -> Network:
    """Return AlexNet with its two groups, see zoo/models/alexnet.py."""
    assert input_shape[:2] == (224, 224)
    return Network(
        *(nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(input_shape[2], 96, 11, 4)),
        *(nn.ReLU(inplace=True), _response_norm(), nn.MaxPool2d(3, 2)),
        *(_relu_conv(96, 256, 5, groups=2), _response_norm(), nn.MaxPool2d(3, 2)),
        *(_relu_conv(256, 384, 3), _relu_conv(384, 384, 3, groups=2)),
        *(_relu_conv(384, 256, 3, groups=2), nn.MaxPool2d(3, 2)),
        *_classifier(6 * 6 * 256, classes),
    )


def _vgg(*blocks: int) -> Callable[..., Network]:
    def build(input_shape: tuple[int, int, int], classes: int) -> Network:
        height, width, channels = input_shape
        layers: list[Any] = []
        for count, filters in zip(blocks, (64, 128, 256, 512, 512), strict=True):
            for _ in range(count):
                layers.append(_relu_conv(channels, filters, 3))
                channels = filters
            layers.append(nn.MaxPool2d(2))
        return Network(*layers, *_classifier((height // 32) * (width // 32) * 512, classes))

    return build


class Inception(nn.Module):
    """Figure 2b of Szegedy et al.: four branches side by side."""

    def __init__(self, inputs: int, block: str) -> None:
        super().__init__()
        ones, reduce3, threes, reduce5, fives, projection = INCEPTION[block]
        self.branches = nn.ModuleList(
            [
                _relu_conv(inputs, ones, 1),
                nn.Sequential(_relu_conv(inputs, reduce3, 1), _relu_conv(reduce3, threes, 3)),
                nn.Sequential(_relu_conv(inputs, reduce5, 1), _relu_conv(reduce5, fives, 5)),
                nn.Sequential(nn.MaxPool2d(3, 1, padding=1), _relu_conv(inputs, projection, 1)),
            ]
        )
        self.filters = ones + threes + fives + projection

    def forward(self, x: Any) -> Any:
        """Return (B, filters, H, W)."""
        return torch.cat([branch(x) for branch in self.branches], dim=1)


class GoogLeNet(Network):
    """Answers with the last head's logits, and in training with all three."""

    def __init__(self, input_shape: tuple[int, int, int], classes: int) -> None:
        assert input_shape[:2] == (224, 224)
        super().__init__(
            *(_relu_conv(input_shape[2], 64, 7, 2), nn.MaxPool2d(3, 2, ceil_mode=True)),
            *(_response_norm(), _relu_conv(64, 64, 1), _relu_conv(64, 192, 3)),
            *(_response_norm(), nn.MaxPool2d(3, 2, ceil_mode=True)),
        )
        width = 192
        self.blocks = nn.ModuleDict()
        for name in INCEPTION:
            block = Inception(width, name)
            width = block.filters
            pooled = name in POOLED_AFTER
            pool = nn.MaxPool2d(3, 2, ceil_mode=True) if pooled else nn.Identity()
            self.blocks[name] = nn.Sequential(block, pool)
        self.auxiliary = nn.ModuleDict(
            {"4a": self._auxiliary(512, classes), "4d": self._auxiliary(528, classes)}
        )
        pooled_features = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.4))
        self.head = nn.Sequential(*pooled_features, nn.Linear(width, classes))

    def _auxiliary(self, inputs: int, classes: int) -> Any:
        conv = (nn.AvgPool2d(5, 3), _relu_conv(inputs, 128, 1), nn.Flatten())
        hidden = (nn.Linear(2048, 1024), nn.ReLU(inplace=True), nn.Dropout(0.7))
        return nn.Sequential(*conv, *hidden, nn.Linear(1024, classes))

    def forward(self, images: Any) -> Any:
        """Return the heads' logits, the last one's first."""
        x = self.layers(images)
        others = []
        for name, block in self.blocks.items():
            x = block(x)
            if self.training and name in self.auxiliary:
                others.append(self.auxiliary[name](x))
        return [self.head(x), *others]

    def loss(self, outputs: Any, images: Any, classes: Any) -> Any:
        """Return the last head's loss and 0.3 times each other's."""
        last, *others = (functional.cross_entropy(logits, classes) for logits in outputs)
        return last + 0.3 * sum(others)

    def answer(self, outputs: Any) -> Any:
        """Return the last head's logits."""
        return outputs[0]


def _squash(s: Any) -> Any:
    square = s.square().sum(-1, keepdim=True)
    return square / (1.0 + square) * s / torch.sqrt(square + 1e-7)


class CapsNet(Network):
    """Routing by agreement, see zoo/models/capsnet.py; outputs are the capsules."""

    def __init__(self, input_shape: tuple[int, int, int], classes: int) -> None:
        height, width, channels = input_shape
        stem = (nn.Conv2d(channels, 256, 9), nn.ReLU(inplace=True), nn.Conv2d(256, 256, 9, 2))
        super().__init__(*stem)
        below = 32 * ((height - 15) // 2) * ((width - 15) // 2)
        self.kernel = nn.Parameter(0.1 * torch.randn(below, classes, 16, 8))
        self.decoder = nn.Sequential(
            *(nn.Linear(16 * classes, 512), nn.ReLU(inplace=True)),
            *(nn.Linear(512, 1024), nn.ReLU(inplace=True)),
            *(nn.Linear(1024, height * width * channels), nn.Sigmoid()),
        )

    def forward(self, images: Any) -> Any:
        """Return (B, classes, 16): procedure 1."""
        maps = self.layers(images).permute(0, 2, 3, 1)
        capsules = _squash(maps.reshape(len(images), -1, 8))
        predictions = torch.einsum("ijod,bid->bijo", self.kernel, capsules)
        logits = torch.zeros(predictions.shape[:3])
        for iteration in range(3):
            v = _squash(torch.einsum("bij,bijo->bjo", logits.softmax(2), predictions))
            if iteration < 2:
                logits = logits + torch.einsum("bijo,bjo->bij", predictions, v)
        return v

    def loss(self, outputs: Any, images: Any, classes: Any) -> Any:
        """Return the margin loss and 0.0005 times the reconstruction's square error."""
        targets = functional.one_hot(classes, outputs.shape[1]).float()
        lengths = self.answer(outputs)
        there = targets * functional.relu(0.9 - lengths).square()
        elsewhere = 0.5 * (1.0 - targets) * functional.relu(lengths - 0.1).square()
        reconstruction = self.decoder((outputs * targets[:, :, None]).flatten(1))
        error = (reconstruction - images.permute(0, 2, 3, 1).flatten(1)).square()
        return (there + elsewhere).sum(1).mean() + 0.0005 * error.sum(1).mean()

    def answer(self, outputs: Any) -> Any:
        """Return the capsules' lengths."""
        return torch.sqrt(outputs.square().sum(-1) + 1e-7)


NETWORKS: dict[str, Callable[..., Network]] = {
    "mlp": mlp,
    "lenet5": lenet5,
    "alexnet": alexnet,
    "vgg11": _vgg(1, 1, 2, 2, 2),
    "vgg16": _vgg(2, 2, 3, 3, 3),
    "googlenet": GoogLeNet,
    "resnet20": _cifar(3),
    "resnet18": _imagenet((2, 2, 2, 2), bottleneck=False),
    "resnet50": _imagenet((3, 4, 6, 3), bottleneck=True),
    "capsnet": CapsNet,
}


def build(model: str, input_shape: tuple[int, int, int], classes: int) -> Network:
    """Return the network of a zoo's model for images (height, width, channels)."""
    if model == "ddpm":
        from benchmarks.torch_diffusion import UNet

        return UNet(input_shape)
    if model in ("vae", "gan", "dcgan"):
        from benchmarks import torch_generators

        return torch_generators.NETWORKS[model](input_shape)
    return NETWORKS[model](input_shape, classes)


def parameters(model: str, input_shape: tuple[int, int, int], classes: int) -> int:
    """Return the number of trainable parameters, without making any of them."""
    with torch.device("meta"):
        network = build(model, input_shape, classes)
    return sum(weights.numel() for weights in network.parameters())

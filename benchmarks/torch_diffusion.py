"""ddpm in PyTorch: the U-Net of zoo/layers/unet.py, its parts under the same names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from benchmarks.torch_peers import Network

MOMENTUM = 0.9999
TIMESTEPS = 1000


class UNet(Network):
    """The noise in images (B, C, H, W) of times (B,); trained by algorithm 1 of Ho et al. 2020."""

    def __init__(
        self,
        input_shape: tuple[int, int, int],
        classes: int | None = None,
        width: int = 128,
        multipliers: Sequence[int] = (1, 2, 2, 2),
        blocks: int = 2,
        attention: Sequence[int] = (16,),
        dropout: float = 0.1,
        groups: int = 32,
    ) -> None:
        super().__init__()
        del classes  # the paper's network is not told one
        self.width, self.multipliers, self.blocks = width, multipliers, blocks
        self.dropout, self.groups = dropout, groups
        self.parts = nn.ModuleDict()
        time = 4 * width
        self.parts["time_dense1"] = nn.Linear(width, time)
        self.parts["time_dense2"] = nn.Linear(time, time)
        side, _, channels = input_shape
        self._conv("in_conv", channels, width)
        now, skips = width, [width]
        for depth, multiplier in enumerate(multipliers, 1):
            for number in range(1, blocks + 1):
                self._level(f"down{depth}_{number}", now, multiplier * width, side in attention)
                now = multiplier * width
                skips.append(now)
            if depth < len(multipliers):
                self.parts[f"down{depth}_half"] = nn.Conv2d(now, now, 3, 2)
                skips.append(now)
                side //= 2
        self._level("middle_1", now, now, False)
        self._attention("middle_attention", now)
        self._level("middle_2", now, now, False)
        for depth, multiplier in reversed(list(enumerate(multipliers, 1))):
            for number in range(1, blocks + 2):
                name = f"up{depth}_{number}"
                self._level(name, now + skips.pop(), multiplier * width, side in attention)
                now = multiplier * width
            if depth > 1:
                self._conv(f"up{depth}_conv", now, now)
                side *= 2
        self.parts["out_norm"] = nn.GroupNorm(groups, now, eps=1e-6)
        self._conv("out", now, channels)
        beta = torch.linspace(1e-4, 0.02, TIMESTEPS, device="cpu")
        self.alpha_bar = torch.cumprod(1.0 - beta, 0)
        self.averages: list[Any] = []

    def _conv(self, name: str, inputs: int, filters: int, size: int = 3) -> None:
        self.parts[name] = nn.Conv2d(inputs, filters, size, padding=size // 2)

    def _level(self, name: str, inputs: int, filters: int, attends: bool) -> None:
        self.parts[f"{name}_norm1"] = nn.GroupNorm(self.groups, inputs, eps=1e-6)
        self._conv(f"{name}_conv1", inputs, filters)
        self.parts[f"{name}_time"] = nn.Linear(4 * self.width, filters)
        self.parts[f"{name}_norm2"] = nn.GroupNorm(self.groups, filters, eps=1e-6)
        self._conv(f"{name}_conv2", filters, filters)
        if inputs != filters:
            self._conv(f"{name}_shortcut", inputs, filters, 1)
        if attends:
            self._attention(f"{name}_attention", filters)

    def _attention(self, name: str, channels: int) -> None:
        self.parts[f"{name}_norm"] = nn.GroupNorm(self.groups, channels, eps=1e-6)
        for part in ("query", "key", "value", "output_projection"):
            self.parts[f"{name}_heads_{part}"] = nn.Linear(channels, channels)

    def _block(self, name: str, x: Any, time: Any) -> Any:
        parts = self.parts
        y = parts[f"{name}_conv1"](functional.silu(parts[f"{name}_norm1"](x)))
        y = y + parts[f"{name}_time"](time)[:, :, None, None]
        y = functional.silu(parts[f"{name}_norm2"](y))
        y = parts[f"{name}_conv2"](functional.dropout(y, self.dropout, self.training))
        if f"{name}_shortcut" in parts:
            x = parts[f"{name}_shortcut"](x)
        x = x + y
        return self._attend(f"{name}_attention", x) if f"{name}_attention_norm" in parts else x

    def _attend(self, name: str, x: Any) -> Any:
        places = self.parts[f"{name}_norm"](x).flatten(2).transpose(1, 2)
        query, key, value = (
            self.parts[f"{name}_heads_{part}"](places) for part in ("query", "key", "value")
        )
        y = functional.scaled_dot_product_attention(query, key, value)
        y = self.parts[f"{name}_heads_output_projection"](y)
        return x + y.transpose(1, 2).reshape(x.shape)

    def noise(self, x: Any, times: Any) -> Any:
        """Return the noise in images (B, C, H, W) of times (B,)."""
        half = self.width // 2
        frequencies = torch.exp(-math.log(10_000.0) * torch.arange(half) / (half - 1))
        angles = times.float()[:, None] * frequencies
        time = torch.cat([angles.sin(), angles.cos()], 1)
        time = self.parts["time_dense2"](functional.silu(self.parts["time_dense1"](time)))
        time = functional.silu(time)
        x = self.parts["in_conv"](x)
        skips = [x]
        for depth in range(1, len(self.multipliers) + 1):
            for number in range(1, self.blocks + 1):
                x = self._block(f"down{depth}_{number}", x, time)
                skips.append(x)
            if depth < len(self.multipliers):
                # TensorFlow pads the lower right side of a stride of 2.
                x = self.parts[f"down{depth}_half"](functional.pad(x, (0, 1, 0, 1)))
                skips.append(x)
        x = self._block("middle_1", x, time)
        x = self._block("middle_2", self._attend("middle_attention", x), time)
        for depth in range(len(self.multipliers), 0, -1):
            for number in range(1, self.blocks + 2):
                x = self._block(f"up{depth}_{number}", torch.cat([x, skips.pop()], 1), time)
            if depth > 1:
                x = self.parts[f"up{depth}_conv"](functional.interpolate(x, scale_factor=2))
        return self.parts["out"](functional.silu(self.parts["out_norm"](x)))

    def forward(self, images: Any) -> Any:
        """Return noise and its prediction of images in [0, 1]; answering, of the middle time."""
        images = 2.0 * images - 1.0
        if not self.training:
            return self.noise(images, torch.full((len(images),), TIMESTEPS // 2))
        times = torch.randint(1, TIMESTEPS + 1, (len(images),))
        noise = torch.randn_like(images)
        level = self.alpha_bar[times - 1][:, None, None, None]
        return noise, self.noise(level.sqrt() * images + (1.0 - level).sqrt() * noise, times)

    def loss(self, outputs: Any, images: Any, classes: Any) -> Any:
        """Return the mean squared error of the noise."""
        return functional.mse_loss(outputs[1], outputs[0])

    def right(self, outputs: Any, classes: Any) -> Any:
        """Return 0: nothing is classified."""
        return torch.zeros((), dtype=torch.long)

    @torch.no_grad()
    def stepped(self) -> None:
        """Move the averages of the weights."""
        weights = list(self.parameters())
        if not self.averages:
            self.averages = [weight.clone() for weight in weights]
        torch._foreach_lerp_(self.averages, weights, 1.0 - MOMENTUM)

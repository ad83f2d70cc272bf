"""What the PyTorch side of `benchmarks/peers.py` runs: a network and the loop that people write."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import torch

from benchmarks import torch_peers
from benchmarks.sides import Case, Turns, examples, recipe_of


def sgd(weights: Any, learning_rate: float, momentum: float = 0.0, nesterov: bool = False) -> Any:
    """Return Keras's SGD."""
    return torch.optim.SGD(weights, learning_rate, momentum, nesterov=nesterov)


def adam(weights: Any, learning_rate: float, beta_1: float = 0.9) -> Any:
    """Return Keras's Adam."""
    return torch.optim.Adam(weights, learning_rate, (beta_1, 0.999), eps=1e-7)


OPTIMIZERS: dict[str, Callable[..., Any]] = {"SGD": sgd, "Adam": adam}


class TorchSide:
    """A PyTorch module and the loop that people write."""

    def __init__(self, case: Case) -> None:
        torch.manual_seed(0)
        torch.set_num_threads(len(os.sched_getaffinity(0)))
        self.case = case
        network = torch_peers.build(case.model, case.input_shape, case.classes)
        self.network = network.to(memory_format=torch.channels_last)
        self.parameters = sum(weights.numel() for weights in network.parameters())
        images, classes = examples(case)
        self.images = torch.from_numpy(images)  # (N, H, W, C): channels last as they are
        self.classes = torch.from_numpy(classes).long()
        recipe = recipe_of(case)
        self.optimizers = {
            key: OPTIMIZERS[named.name](self.network.part(key).parameters(), **named.arguments)
            for key, named in recipe.all_optimizers.items()
        }

    def training(self, turns: Turns) -> None:
        """Run the loop, with a turn for each epoch."""
        self.network.train()
        for _ in range(turns.count):
            turns.begin()
            self._epoch()
            turns.end()

    def _epoch(self) -> tuple[float, float]:
        size = self.case.batch_size
        order = torch.randperm(self.case.examples)
        loss_sum, right = torch.zeros(()), torch.zeros((), dtype=torch.long)
        for chosen in order.split(size):
            images = self.images[chosen].permute(0, 3, 1, 2)
            classes = self.classes[chosen]
            loss, hits = self.network.learn(images, classes, self.optimizers)
            loss_sum += loss * len(chosen)
            right += hits
        return float(loss_sum) / self.case.examples, float(right) / self.case.examples

    def inference(self, turns: Turns) -> None:
        """Answer under `inference_mode` in each turn."""
        self.network.eval()
        questions = self.network.questions(self.images.permute(0, 3, 1, 2))
        for _ in range(turns.count):
            turns.begin()
            with torch.inference_mode():
                batches = questions.split(self.case.batch_size)
                torch.cat([self.network.answer(self.network(batch)) for batch in batches])
            turns.end()

"""Requests that come at the same time are answered together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

Inputs = Mapping[str, np.ndarray]
Answer = Callable[[Inputs], dict[str, np.ndarray]]


class TooManyError(Exception):
    """A request is larger than the queue."""


class OverloadedError(Exception):
    """So many examples wait already that another request is turned away."""


@dataclass(frozen=True)
class _Waiting:
    inputs: Inputs
    size: int
    answer: asyncio.Future[dict[str, np.ndarray]]


class Batcher:
    """Collects requests for one signature while the one before is computed, and answers them.

    A request that comes to an idle model is answered at once. Those that come meanwhile form the
    next batch, so that no timer has to be chosen.

    Args:
        answer: From inputs (B, …) to outputs (B, …); it is called in `executor`.
        executor: Threads to compute in.
        most: Examples of a batch. A larger request is answered alone, in parts.
        queue: Examples that may wait; more are refused.
        batched: Is told the size of each batch.
    """

    def __init__(
        self,
        answer: Answer,
        executor: Executor,
        *,
        most: int,
        queue: int,
        batched: Callable[[int], None] = lambda size: None,
    ) -> None:
        self._answer = answer
        self._executor = executor
        self._most = most
        self._queue = queue
        self._batched = batched
        self._waiting: list[_Waiting] = []
        self.depth = 0
        """How many examples wait."""
        self._worker: asyncio.Task[None] | None = None

    async def __call__(self, inputs: Inputs) -> dict[str, np.ndarray]:
        """Return the outputs for a request's inputs.

        Raises:
            OverloadedError: Too many examples wait.
            TooManyError: It has more examples than may wait at all.
        """
        size = len(next(iter(inputs.values())))
        if size > self._queue:
            raise TooManyError(f"{size:,} examples are more than the {self._queue:,} that may wait")
        if self.depth + size > self._queue:
            raise OverloadedError
        future: asyncio.Future[dict[str, np.ndarray]] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(inputs, size, future))
        self.depth += size
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        return await future

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch = self._next()
            self._batched(sum(one.size for one in batch))
            try:
                outputs = await loop.run_in_executor(self._executor, self._together, batch)
            except Exception as error:
                await self._apart(batch, error)
                continue
            for one, output in zip(batch, outputs, strict=True):
                if not one.answer.done():  # its client may be gone
                    one.answer.set_result(output)

    async def _apart(self, batch: list[_Waiting], error: Exception) -> None:
        """Answer each request of a failed batch alone, so that one does not fail the others."""
        loop = asyncio.get_running_loop()
        for one in batch:
            try:
                if len(batch) == 1:
                    raise error
                (output,) = await loop.run_in_executor(self._executor, self._together, [one])
            except Exception as own:
                if not one.answer.done():
                    one.answer.set_exception(own)
            else:
                if not one.answer.done():
                    one.answer.set_result(output)

    def _next(self) -> list[_Waiting]:
        """Take requests of the same shapes, in order, until a batch is full."""
        first, *rest = self._waiting
        batch, left, size = [first], [], first.size
        for one in rest:
            same = all(
                values.shape[1:] == first.inputs[name].shape[1:]
                for name, values in one.inputs.items()
            )
            if same and size + one.size <= self._most:
                batch.append(one)
                size += one.size
            else:
                left.append(one)
        self._waiting = left
        self.depth -= size
        return batch

    def _in_parts(self, one: _Waiting) -> dict[str, np.ndarray]:
        """Answer a request of any size, no more than `most` examples at a time."""
        parts = [
            self._answer({name: found[at : at + self._most] for name, found in one.inputs.items()})
            for at in range(0, one.size, self._most)
        ]
        if len(parts) == 1:
            return parts[0]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _together(self, batch: list[_Waiting]) -> list[dict[str, np.ndarray]]:
        if len(batch) == 1:
            return [self._in_parts(batch[0])]
        names = list(batch[0].inputs)
        joined = {name: np.concatenate([one.inputs[name] for one in batch]) for name in names}
        outputs = self._answer(joined)
        ends = np.cumsum([one.size for one in batch])
        return [
            {name: values[end - one.size : end] for name, values in outputs.items()}
            for one, end in zip(batch, ends, strict=True)
        ]

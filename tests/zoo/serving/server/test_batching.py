"""Requests that come together are computed together, and none is lost or mixed up."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import numpy as np
import pytest

from zoo.serving.server.batching import Batcher, Inputs, OverloadedError


class Doubles:
    """Doubles numbers, and notes the sizes of the batches."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.go = Event()
        self.go.set()

    def __call__(self, inputs: Inputs) -> dict[str, np.ndarray]:
        self.go.wait(30)
        self.sizes.append(len(inputs["x"]))
        if (inputs["x"] < 0).any():
            raise ValueError("negative")
        return {"y": 2 * inputs["x"]}


def ask(batcher: Batcher, *numbers: float) -> asyncio.Task[dict[str, np.ndarray]]:
    async def asked() -> dict[str, np.ndarray]:
        return await batcher({"x": np.array(numbers)})

    return asyncio.ensure_future(asked())


async def waiting(batcher: Batcher, depth: int) -> None:
    while batcher.depth != depth:
        await asyncio.sleep(0)


def test_those_that_come_meanwhile_form_the_next_batch_and_get_their_own_answers() -> None:
    async def run() -> None:
        doubles = Doubles()
        doubles.go.clear()
        with ThreadPoolExecutor(1) as executor:
            batcher = Batcher(doubles, executor, most=64, queue=1000)
            first = ask(batcher, 0.0)
            await asyncio.sleep(0)
            await waiting(batcher, 0)  # the first is being computed
            rest = [ask(batcher, float(at), float(at) + 0.5) for at in range(1, 50)]
            await waiting(batcher, 98)
            doubles.go.set()
            assert (await first)["y"].tolist() == [0.0]
            for at, one in enumerate(rest, start=1):
                assert (await one)["y"].tolist() == [2.0 * at, 2.0 * at + 1.0]
        assert doubles.sizes == [1, 64, 34]

    asyncio.run(run())


def test_one_bad_request_does_not_fail_the_others() -> None:
    async def run() -> None:
        doubles = Doubles()
        doubles.go.clear()
        with ThreadPoolExecutor(1) as executor:
            batcher = Batcher(doubles, executor, most=64, queue=1000)
            several = [ask(batcher, float(at)) for at in (1, -1, 2)]
            await asyncio.sleep(0)
            doubles.go.set()
            answers = await asyncio.gather(*several, return_exceptions=True)
        assert isinstance(answers[1], ValueError)
        assert [one["y"].tolist() for one in (answers[0], answers[2])] == [[2.0], [4.0]]  # type: ignore[index]

    asyncio.run(run())


def test_a_full_queue_turns_requests_away_and_empties_again() -> None:
    async def run() -> None:
        doubles = Doubles()
        doubles.go.clear()
        with ThreadPoolExecutor(1) as executor:
            batcher = Batcher(doubles, executor, most=2, queue=3)
            first = ask(batcher, 0.0)
            await asyncio.sleep(0)
            await waiting(batcher, 0)
            rest = [ask(batcher, float(at)) for at in range(3)]
            await waiting(batcher, 3)
            with pytest.raises(OverloadedError):
                await ask(batcher, 9.0)
            doubles.go.set()
            await asyncio.gather(first, *rest)
            assert (await ask(batcher, 9.0))["y"].tolist() == [18.0]

    asyncio.run(run())


def test_requests_of_other_shapes_are_not_joined() -> None:
    async def run() -> None:
        doubles = Doubles()
        doubles.go.clear()
        with ThreadPoolExecutor(1) as executor:
            batcher = Batcher(doubles, executor, most=64, queue=100)
            several = [
                asyncio.ensure_future(batcher({"x": np.zeros((1, size))})) for size in (2, 3, 2)
            ]
            await asyncio.sleep(0)
            doubles.go.set()
            answers = await asyncio.gather(*several)
        assert [one["y"].shape for one in answers] == [(1, 2), (1, 3), (1, 2)]

    asyncio.run(run())

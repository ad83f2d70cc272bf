"""Measuring speed and memory: what is measured, batches that do not fit, and what follows."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

import zoo
from recipes import library
from recipes.recipe import Recipe
from zoo.base.errors import DlzooError, UsageError
from zoo.base.processes import DoesNotFitError
from zoo.registry import builder_defaults
from zoo.training import benchmark as benchmarks
from zoo.training.benchmark import MODES, Measurement, benchmark, default_batch_size

MEASURED = Measurement(
    model="lenet5",
    mode="inference",
    input_shape=(32, 32, 1),
    batch_size=64,
    asked_batch_size=64,
    device="CPU",
    precision="float32",
    repeats=10,
    seconds=0.004,
    quartiles=(0.0035, 0.005),
    peak_memory=12_000_000,
    multiply_adds=400_000,
    matmul_rate=1e11,
)


def test_rate_and_share_follow_from_the_median() -> None:
    assert MEASURED.samples_per_second == 64 / 0.004
    assert MEASURED.share_of_matmul_rate == pytest.approx(2 * 400_000 * 16_000 / 1e11)
    training = dataclasses.replace(MEASURED, mode="training")
    assert training.share_of_matmul_rate == pytest.approx(6 * 400_000 * 16_000 / 1e11)
    told = MEASURED.as_dict()
    assert told["samples_per_second"] == MEASURED.samples_per_second
    assert told["share_of_matmul_rate"] == MEASURED.share_of_matmul_rate
    assert told["quartiles"] == (0.0035, 0.005)


@pytest.mark.parametrize("name", zoo.list_models())
def test_a_default_batch_is_a_power_of_two_by_the_models_cost(name: str) -> None:
    card = zoo.card(name)
    size = default_batch_size(card, card.input_shape)
    assert size in {1, 2, 4, 8, 16, 32, 64, 128}
    operations = 6 * card.macs
    assert size == 128 or operations * size * 2 > 1e11  # twice as many would take too long
    assert size == 1 or operations * size <= 1e11


def test_smaller_inputs_get_larger_batches() -> None:
    card = zoo.card("resnet50")
    assert default_batch_size(card, (224, 224, 3)) == 4
    assert default_batch_size(card, (112, 112, 3)) == 16


class Machine:
    """Stands in for the process that measures: so many examples fit into its memory."""

    def __init__(self, inference: int = 10**9, training: int = 10**9) -> None:
        self.room = {"inference": inference, "training": training}
        self.asked: list[tuple[int, tuple[str, ...]]] = []
        self.recipe: Recipe | None = None

    def __call__(
        self,
        measure: Any,
        recipe: Recipe,
        shape: tuple[int, ...],
        repeats: int,
        modes: Sequence[str],
    ) -> Iterator[Measurement]:
        size = int(recipe.batch_size)
        self.recipe = recipe
        self.asked.append((size, tuple(modes)))
        for mode in modes:
            if size > self.room[mode]:
                raise DoesNotFitError("no room")
            yield dataclasses.replace(
                MEASURED,
                mode=mode,
                input_shape=shape,
                repeats=repeats,
                batch_size=size,
                asked_batch_size=size,
            )


def on(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmarks, "run_apart", machine)


def test_what_is_asked_for_is_measured_in_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine()
    on(machine, monkeypatch)
    told: list[str] = []
    found = benchmark(
        "resnet",
        batch_size=24,
        input_size=48,
        precision="mixed_bfloat16",
        repeats=3,
        tell=told.append,
    )
    assert machine.asked == [(24, MODES)]
    assert [one.mode for one in found] == list(MODES)
    assert {one.input_shape for one in found} == {(48, 48, 3)}
    assert {one.repeats for one in found} == {3}
    assert machine.recipe is not None
    assert machine.recipe.model == "resnet20"
    assert machine.recipe.precision == "mixed_bfloat16"
    assert told[0] == "resnet20: input 48 × 48 × 3, batches of 24"
    assert told[1:] == [f"resnet20: {mode} 6,000 samples/s" for mode in MODES]  # 24 in 4 ms


def test_a_size_is_a_texts_length_and_a_batch_that_was_chosen_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on(Machine(), monkeypatch)
    told: list[str] = []
    assert benchmark("lstm", input_size=20, tell=told.append)[0].input_shape == (20,)
    assert told[0] == "lstm: input 20, batches of 128, chosen by cost"


def test_a_batch_that_does_not_fit_is_halved_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(inference=200, training=50)
    on(machine, monkeypatch)
    told: list[str] = []
    found = benchmark("lenet5", batch_size=256, tell=told.append)
    assert [(one.mode, one.batch_size, one.asked_batch_size) for one in found] == [
        ("inference", 128, 256),
        ("training", 32, 256),
    ]
    # What has been measured is not measured again.
    left = ("training",)
    assert machine.asked == [(256, MODES), (128, MODES), (64, left), (32, left)]
    assert "lenet5: inference with batch 256 does not fit, trying 128" in told
    assert "lenet5: training with batch 128 does not fit, trying 64" in told
    assert "lenet5: training with batch 64 does not fit, trying 32" in told


def test_one_example_that_does_not_fit_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(training=0)
    on(machine, monkeypatch)
    with pytest.raises(
        DlzooError,
        match=r"^lenet5 does not fit into memory: training fails at batch 1 \(no room\)$",
    ):
        benchmark("lenet5", batch_size=3)
    assert [size for size, _ in machine.asked] == [3, 1]


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(UsageError, match=r"unknown model 'resnt50'\. Did you mean 'resnet50'\?"):
        benchmark("resnt50")


@pytest.mark.parametrize("name", zoo.list_models())
def test_it_is_the_papers_network_that_is_fed_with_what_it_takes(name: str) -> None:
    card = zoo.card(name)
    task = benchmarks.noise_task(card, card.input_shape)
    batch = benchmarks._batch(task, 2)
    inputs = batch[0] if isinstance(batch, tuple) else batch
    read = inputs[next(iter(inputs))] if isinstance(inputs, dict) else inputs
    # A window of words has the first word of the next one too.
    more = 1 if card.task == "embedding" else 0
    assert read.shape == (2, card.input_shape[0] + more, *card.input_shape[1:])
    # Generators and word vectors are trained without targets.
    assert isinstance(batch, tuple) != (card.task in ("generation", "embedding"))
    defaults = builder_defaults(name)
    given = {**defaults, **task.builder_arguments()}
    differ = {key for key in given if given[key] != defaults.get(key)}
    # The window's extra word; and the paper's diffusion is told no classes.
    assert differ == {"word2vec": {"input_shape"}, "ddpm": {"classes"}}.get(name, set())
    recipe = benchmarks._for_noise(library.load(card.recipe), task)
    assert (recipe.arguments, recipe.strategy) == ({}, "one-device")


# One of each kind of work, and one of whose outputs only training sees some: (model, input size).
KINDS = [("mlp", 8), ("lenet5", 32), ("capsnet", 28), ("lstm", 5), ("vae", 8), ("gan", 8)]


@pytest.mark.parametrize(("name", "size"), KINDS)
def test_every_kind_of_model_is_timed(
    name: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmarks, "SHORTEST", 1e-9)
    monkeypatch.setattr(benchmarks, "MATMUL_SIZE", 64)

    def here(measure: Any, *arguments: Any) -> Iterator[Measurement]:
        sent: list[Measurement] = []
        measure(sent.append, *arguments)
        yield from sent

    monkeypatch.setattr(benchmarks, "run_apart", here)
    found = benchmark(name, batch_size=2, input_size=size, repeats=1)
    assert [one.mode for one in found] == list(MODES)
    for one in found:
        assert one.model == name
        assert one.batch_size == 2
        assert one.seconds > 0
        assert one.quartiles == (one.seconds, one.seconds)
        assert one.precision == "float32"
        assert one.multiply_adds > 0
        assert one.matmul_rate > 0
        if sys.platform == "linux":
            assert one.peak_memory is not None


def test_the_peak_of_memory_is_what_came_since() -> None:
    memory = benchmarks._Memory()
    before = memory.peak()
    if before is None:
        pytest.skip("this system does not tell")
    held = bytearray(64 * 2**20)
    held[:: 2**10] = b"x" * len(held[:: 2**10])  # memory counts once it is written to
    after = memory.peak()
    assert after is not None
    assert after - before > 48 * 2**20

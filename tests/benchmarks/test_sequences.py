"""Models of sequences beside their peers: the same function, and as many weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks import sequences
from benchmarks.peers import present
from benchmarks.sequences import Case, dlzoo, examples, plain_keras, recipe_of
from benchmarks.sides import Turns
from tests.benchmarks.test_sides import Pipe
from zoo import registry
from zoo.anatomy.counts import trainable_parameters
from zoo.base.names import natural


def small(case: Case) -> Case:
    """A case with few examples of short texts."""
    changed = {"input_shape": (6,), "batch_size": 4, "examples": 8, "vocabulary_size": 20}
    return Case(**{**vars(case), **changed, "written": 5 if case.written else 0})


def made(case: Case) -> tuple[Any, Any, Any]:
    """Our model, theirs with our weights, and what writes with it."""
    from benchmarks import keras_sequences

    ours = registry.build(case.model, **case.builder_arguments)
    theirs, write = keras_sequences.build(case)
    pairs = zip(*_orders(ours, theirs), strict=True)
    for mine, other in pairs:
        other.assign(np.reshape(mine, other.shape))
    return ours, theirs, write


def _orders(ours: Any, theirs: Any) -> tuple[list[Any], list[Any]]:
    """Our weights and theirs, in one order."""
    if hasattr(ours, "encoder_layers"):
        halves = (
            (ours.embedding, ours.encoder_layers),
            (ours.target_embedding, ours.decoder_layers),
        )
        layers = [
            [table, *(part for one in half for part in _parts(one))] for table, half in halves
        ]
        return [weight for half in layers for one in half for weight in one.weights], theirs.weights
    if not hasattr(ours, "encoder"):
        return ours.weights, theirs.weights
    read, wrote = ours.encoder.get_layer, ours.decoder.get_layer
    mine = [read("source_embedding"), wrote("target_embedding"), read("forward"), read("backward")]
    mine += [read("keys"), read("first_state"), wrote("hidden"), wrote("logits")]
    mine += [wrote("aligned_gru")]
    # As they were made: Keras numbers layers of one kind.
    kinds = ("Embedding", "GRU", "Dense", "AttentionCell")
    other = sorted(
        (one for one in theirs.layers if type(one).__name__ in kinds),
        key=lambda one: (kinds.index(type(one).__name__), natural(one.name)),
    )
    return [w for one in mine for w in one.weights], [w for one in other for w in one.weights]


def _parts(layer: Any) -> list[Any]:
    found = [layer.attention, layer.attention_sum[1]]
    if hasattr(layer, "lookup"):
        found += [layer.lookup, layer.lookup_sum[1]]
    return [*found, layer.hidden, layer.dense, layer.dense_sum[1]]


@pytest.mark.parametrize("case", sequences.CASES, ids=lambda case: case.model)
def test_plain_keras_says_and_writes_what_the_zoo_does(case: Case) -> None:
    from zoo.layers.decoding import greedy

    case = small(case)
    ours, theirs, write = made(case)
    assert {type(one).__module__.split(".")[0] for one in theirs.layers} <= {"keras", "benchmarks"}
    source, target = examples(case)
    if not case.written:
        np.testing.assert_allclose(theirs(source), ours(source), atol=1e-5)
        return
    inputs = {"source": source, "before": target[:, :-1]}
    np.testing.assert_allclose(theirs(inputs), ours(inputs), atol=1e-5)
    state, context = ours.begin(source)
    first = np.full(len(source), sequences.START, "int32")
    length = case.written - 1
    expected = greedy(ours.step, first, state, length=length, end=None, context=context).tokens
    np.testing.assert_array_equal(write(source), expected)


@pytest.mark.parametrize("case", sequences.CASES, ids=lambda case: case.model)
def test_pytorch_has_the_parameters_of_the_zoo_learns_and_writes(case: Case) -> None:
    torch = pytest.importorskip("torch")
    from benchmarks import torch_sequences

    case = small(case)
    ours = registry.build(case.model, **case.builder_arguments)
    theirs = torch_sequences.build(case.model, **case.builder_arguments)
    assert torch_sequences.trainable(theirs) == trainable_parameters(ours)
    source, target = (torch.from_numpy(one).long() for one in examples(case))
    loss, right = theirs.learn(source, target)
    loss.backward()
    assert all(one.grad is not None for one in theirs.parameters() if one.requires_grad)
    assert 0 <= int(right) <= target.numel()
    theirs.eval()
    with torch.inference_mode():
        answers = theirs.answer(source)
        if case.written:  # what is written is what the whole model finds most probable
            before = torch.cat([target[:, :1], answers[:, :-1]], 1)
            torch.testing.assert_close(theirs(source, before).argmax(-1), answers)
    assert answers.shape == ((8, 4) if case.written else (8,))


@pytest.mark.parametrize("make", [dlzoo, plain_keras, sequences.TorchSide])
@pytest.mark.parametrize("model", ["gru", "seq2seq-attention"])
def test_a_side_takes_one_turn_for_each_epoch(make: Any, model: str) -> None:
    if make is sequences.TorchSide:
        pytest.importorskip("torch")
    side = make(small(next(case for case in sequences.CASES if case.model == model)))
    for phase in (side.training, side.inference):
        pipe: Any = Pipe()
        phase(Turns(pipe, 2))
        assert len(pipe.sent) == 2


def test_the_zoo_writes_all_places_even_if_it_has_learnt_to_end_early() -> None:
    case = small(next(case for case in sequences.CASES if case.model == "seq2seq-attention"))
    side = dlzoo(case)
    bias = side.model.decoder.get_layer("logits").bias
    bias.assign(100.0 * np.eye(case.vocabulary_size)[sequences.END])
    with pytest.raises(SystemExit, match="ended early"):
        side.answer()
    side.inference(Turns(Pipe(), 1))  # type: ignore[arg-type]


def test_keras_hub_writes_by_its_caches_what_it_finds_most_probable() -> None:
    pytest.importorskip("keras_hub")
    from benchmarks import keras_sequences

    case = small(sequences.CASES[-1])
    model, write = keras_sequences.hub(case)
    ours = registry.build(case.model, **case.builder_arguments)
    assert trainable_parameters(model) == trainable_parameters(ours)
    source, _ = examples(case)
    written = np.asarray(write(source))
    first = np.full((len(source), 1), sequences.START)
    before = np.concatenate([first, written[:, :-1]], axis=1)
    found = np.argmax(model({"source": source, "before": before}), axis=-1)
    np.testing.assert_array_equal(found, written)


@pytest.mark.parametrize("case", sequences.CASES, ids=lambda case: case.model)
def test_the_recipe_has_nothing_that_the_other_sides_lack(case: Case) -> None:
    recipe = recipe_of(case)
    assert recipe.batch_size == case.batch_size
    assert case.examples % case.batch_size == 0
    assert (recipe.loss, recipe.schedule, recipe.precision) == (None, None, "float32")
    assert {"dlzoo", "plain Keras"} <= set(present(case))

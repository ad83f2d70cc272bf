"""What each side of `benchmarks/peers.py` runs for models of sequences.

As in `benchmarks/sides.py`, all sides train the same network on the same arrays in float32, by Adam
at a small constant rate. Sequences have their full length: none is padded. A classifier's inference
is its answer; that of a model that writes is greedy decoding of all places, without an early end:

- dlzoo: the compiled function that `run.predict` calls, from encoded tokens to texts. One loop in
  one graph, with caches. It writes with its initial weights, because it would end early with
  those it has learnt: the end is the most frequent of the random targets' tokens.
- plain Keras: Keras's own layers and `fit`. A recurrent decoder keeps its state and is a compiled
  function, called for each token; `MultiHeadAttention` has no cache, so that a Transformer answers
  for the whole prefix, by a compiled function, at each token.
- keras-hub, where it is installed, of the Transformer: its encoder and decoder layers, and its
  decoder's own caches. It has no layers for the other models (version 0.32).
- PyTorch: eager. `nn.TransformerDecoder` has no cache either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.sides import LEARNING_RATE, KerasSide, Side, Turns

if TYPE_CHECKING:
    from recipes.recipe import Recipe
    from zoo.datasets.loading import Dataset

START, END, SPECIALS = 2, 3, 4
"""Tokens of `zoo.datasets.features.text`; a text without marks has words from 2 on."""


@dataclass(frozen=True)
class Case:
    """One network to compare on."""

    model: str
    input_shape: tuple[int]
    batch_size: int
    examples: int
    """Of an epoch: full batches."""
    vocabulary_size: int = 20_000
    written: int = 0
    """Tokens of a target with its marks; 0 where two classes are told apart."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """Of the builder."""
    aims: Mapping[str, float] = field(default_factory=dict)
    """As for images."""

    @property
    def builder_arguments(self) -> dict[str, Any]:
        """All that the builder is given."""
        known: dict[str, Any] = {
            "input_shape": self.input_shape,
            "vocabulary_size": self.vocabulary_size,
        }
        if self.written:
            known |= {
                "target_shape": (self.written,),
                "target_vocabulary_size": self.vocabulary_size,
            }
        else:
            known["classes"] = 2
        return {**known, **self.arguments}


CASES = (
    Case("lstm", (80,), batch_size=32, examples=256),
    Case("gru", (80,), batch_size=32, examples=256),
    Case(
        "seq2seq-attention",
        (30,),
        batch_size=64,
        examples=256,
        vocabulary_size=100,
        written=12,
        arguments={
            "embedding_dim": 64,
            "units": 96,
            "alignment_units": 96,
            "output_units": 64,
        },
    ),
    Case(
        "transformer",
        (50,),
        batch_size=64,
        examples=256,
        vocabulary_size=100,
        written=51,
        arguments={"attention_bias": True},  # as the layers of the others have
    ),
)


def examples(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Return random tokens (N, S), and classes (N,) or targets (N, written) with their marks."""
    random = np.random.default_rng(0)
    words = (case.examples, *case.input_shape)
    source = random.integers(2, case.vocabulary_size, words, np.int32)
    if not case.written:
        return source, random.integers(0, 2, case.examples, np.int32)
    target = random.integers(
        SPECIALS, case.vocabulary_size, (case.examples, case.written), np.int32
    )
    target[:, 0], target[:, -1] = START, END
    return source, target


def recipe_of(case: Case) -> Recipe:
    """Return the model's own recipe, without what the other sides would not have."""
    from recipes.recipe import parse
    from zoo.training.resolve import resolve

    recipe = resolve(case.model, batch_size=case.batch_size, precision="float32")
    bare = ("regularization", "schedule", "warmup", "loss", "augmentation", "callbacks", "metrics")
    kept = {key: value for key, value in recipe.as_dict().items() if key not in bare}
    adam = {"name": "Adam", "learning_rate": LEARNING_RATE}
    changed = {"optimizer": adam, "arguments": dict(case.arguments)}
    return parse({**kept, **changed}, source=recipe.name)


def dataset_of(case: Case) -> Dataset:
    """Return the examples as dlzoo gets its data: as texts, whose words are the tokens."""
    from zoo.datasets.features.label import Label
    from zoo.datasets.features.text import Text
    from zoo.datasets.loading import Dataset
    from zoo.datasets.spec import DatasetSpec
    from zoo.datasets.split import Split

    def text(length: int, marked: bool) -> Text:
        first = SPECIALS if marked else 2
        words = tuple(f"w{number}" for number in range(first, case.vocabulary_size))
        return Text(unit="word", length=length, vocabulary=words, marked=marked)

    source, target = examples(case)
    features: dict[str, Any] = {"text": text(case.input_shape[0], marked=False)}
    if case.written:
        features["target"] = text(case.written, marked=True)
        given = np.array([" ".join(f"w{one}" for one in row[1:-1]) for row in target])
    else:
        features["target"] = Label(names=("0", "1"))
        given = target
    spec = DatasetSpec(
        name="random",
        features=features,
        inputs=("text",),
        targets=("target",),
        sizes={"train": case.examples},
    )
    texts = np.array([" ".join(f"w{one}" for one in row) for row in source])
    return Dataset(spec, {"train": Split.in_memory({"text": texts, "target": given})})


def dlzoo(case: Case) -> KerasSide:
    """Return what `dlzoo train` trains, fed as it feeds it."""
    from zoo import registry, tasks
    from zoo.base.runtime import start_tensorflow
    from zoo.training.strategy import make_strategy

    start_tensorflow()
    import keras

    from zoo.training.callbacks import StopAtNaN
    from zoo.training.preparation import build_model

    keras.utils.set_random_seed(0)
    recipe, dataset, card = recipe_of(case), dataset_of(case), registry.card(case.model)
    strategy = make_strategy(recipe)
    task = tasks.make(tasks.check(card, None, dataset.spec), dataset.spec)
    batches = task.training_batches(dataset, batch_size=case.batch_size, seed=recipe.seed)
    model, _, _ = build_model(recipe, card, task, batches, strategy)
    predictor = task.predictor(model)
    source, _ = examples(case)

    def answer() -> Any:
        rows = range(0, case.examples, case.batch_size)
        found = [predictor.encoded({"text": source[at : at + case.batch_size]}) for at in rows]
        if case.written and max(len(text.split()) for text in found[0]) < case.written - 2:
            raise SystemExit(f"{case.model} ended early: the others write all places")
        return found

    endless = {"x": batches.start(), "steps_per_epoch": batches.steps, "shuffle": False}
    return Beginner(model, answer, callbacks=[StopAtNaN()], **endless)


class Beginner(KerasSide):
    """A side that answers with its initial weights."""

    def __init__(self, model: Any, answer: Callable[[], Any], **fit: Any) -> None:
        super().__init__(model, answer, **fit)
        self.initial = model.get_weights()

    def inference(self, turns: Turns) -> None:
        """Answer for all examples in each turn."""
        self.model.set_weights(self.initial)
        super().inference(turns)


def plain_keras(case: Case, make: str = "build") -> KerasSide:
    """Return the same network of Keras's own layers alone."""
    from zoo.base.runtime import start_tensorflow

    start_tensorflow()
    import keras

    from benchmarks import keras_sequences

    keras.utils.set_random_seed(0)
    model, write = getattr(keras_sequences, make)(case)
    source, target = examples(case)
    x: Any = source
    y, loss = target, "binary_crossentropy"
    if case.written:
        x, y = {"source": source, "before": target[:, :-1]}, target[:, 1:]
        loss = "sparse_categorical_crossentropy"
    model.compile(optimizer=keras.optimizers.Adam(LEARNING_RATE), loss=loss, metrics=["accuracy"])

    def answer() -> Any:
        if write is None:
            return model.predict(source, batch_size=case.batch_size, verbose=0)
        rows = range(0, case.examples, case.batch_size)
        return [np.asarray(write(source[at : at + case.batch_size])) for at in rows]

    return KerasSide(model, answer, x=x, y=y, batch_size=case.batch_size)


def keras_hub(case: Case) -> KerasSide:
    """Return the same network of keras-hub's layers."""
    return plain_keras(case, "hub")


class TorchSide:
    """A PyTorch module and the loop that people write."""

    def __init__(self, case: Case) -> None:
        import os

        import torch

        from benchmarks import torch_sequences

        torch.manual_seed(0)
        torch.set_num_threads(len(os.sched_getaffinity(0)))
        self.torch, self.case = torch, case
        self.network = torch_sequences.build(case.model, **case.builder_arguments)
        self.parameters = torch_sequences.trainable(self.network)
        self.source, self.target = (torch.from_numpy(one).long() for one in examples(case))
        self.optimizer = torch.optim.Adam(self.network.parameters(), LEARNING_RATE, eps=1e-7)

    def training(self, turns: Turns) -> None:
        """Run the loop, with a turn for each epoch."""
        self.network.train()
        for _ in range(turns.count):
            turns.begin()
            loss_sum = right = 0.0
            for chosen in self.torch.randperm(self.case.examples).split(self.case.batch_size):
                self.optimizer.zero_grad()
                loss, hits = self.network.learn(self.source[chosen], self.target[chosen])
                loss.backward()
                self.optimizer.step()
                loss_sum, right = loss_sum + loss.detach(), right + hits
            float(loss_sum), float(right)
            turns.end()

    def inference(self, turns: Turns) -> None:
        """Answer or write under `inference_mode` in each turn."""
        self.network.eval()
        for _ in range(turns.count):
            turns.begin()
            with self.torch.inference_mode():
                batches = self.source.split(self.case.batch_size)
                self.torch.cat([self.network.answer(batch) for batch in batches])
            turns.end()


SIDES: dict[str, Callable[[Any], Side]] = {
    "dlzoo": dlzoo,
    "plain Keras": plain_keras,
    "keras-hub": keras_hub,
    "PyTorch": TorchSide,
}

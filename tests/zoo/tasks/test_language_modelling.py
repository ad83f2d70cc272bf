"""Language modelling: windows, scores, and texts that are written."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import zoo
from cli.main import run as dlzoo
from recipes.recipe import parse
from zoo.base.errors import UsageError
from zoo.datasets.sources import open_source
from zoo.run import Run
from zoo.tasks.samples import SampleRequest
from zoo.training.progress import Silent

RECIPE = {
    "model": "gpt",
    "epochs": 1,
    "batch_size": 256,
    "steps_per_execution": 1,
    "arguments": {"width": 16, "num_layers": 1, "num_heads": 2},
    "data": {"name": "pydoc", "text": {"length": 64}},
    "optimizer": {"name": "Adam", "learning_rate": 0.01},
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    recipe = parse(RECIPE, source="tests")
    return zoo.train(recipe=recipe, run_dir=tmp_path_factory.mktemp("gpt"), reporter=Silent())


def lines(texts: list[str]) -> set[str]:
    """Paragraphs and long lines, without indentation."""
    found = {" ".join(part.split()) for text in texts for part in text.split("\n\n")}
    whole = [" ".join(line.split()) for text in texts for line in text.split("\n")]
    return (found | {line for line in whole if len(line) >= 40}) - {""}


def test_no_paragraph_or_long_line_stands_in_two_splits() -> None:
    splits = open_source("pydoc").load().splits
    found = {
        name: lines([text.decode() for chunk in split.column("text") for text in chunk])
        for name, split in splits.items()
    }
    assert not found["train"] & (found["validation"] | found["test"])
    assert not found["validation"] & found["test"]


def test_windows_cover_every_text_and_overlap_by_one_character(trained: Run) -> None:
    whole = [
        text.decode()
        for chunk in open_source("pydoc").load().splits["test"].column("text")
        for text in chunk
    ]
    windows = [
        text.decode() for chunk in trained.dataset.split("test").column("text") for text in chunk
    ]
    expected = [text[at : at + 65] for text in whole for at in range(0, max(len(text) - 1, 1), 64)]
    assert windows == expected
    assert trained.spec.sizes["test"] == len(windows)
    inputs, targets, weights = next(iter(trained.task.evaluation_batches(trained.dataset, "test")))
    np.testing.assert_array_equal(inputs[:, 1:], targets[:, :-1])
    np.testing.assert_array_equal(weights, targets.numpy() != 0)


def test_scores_are_one_cross_entropy_and_padding_does_not_count(trained: Run) -> None:
    scores = trained.evaluate()
    assert scores["perplexity"] == pytest.approx(math.exp(scores["loss"]), rel=1e-3)
    assert scores["bits_per_character"] == pytest.approx(scores["loss"] / math.log(2), rel=1e-3)
    assert scores == pytest.approx(trained.metrics["test"])
    bits, characters = 0.0, 0.0
    for inputs, targets, weights in trained.task.evaluation_batches(trained.dataset, "test"):
        logits = trained.model(inputs).numpy().astype(float)
        shares = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
        right = np.take_along_axis(shares, targets.numpy()[..., None], axis=-1)[..., 0]
        bits -= (np.log2(right) * weights.numpy()).sum()
        characters += weights.numpy().sum()
    assert scores["bits_per_character"] == pytest.approx(bits / characters, rel=1e-3)


def test_a_text_begins_with_its_prompt_and_is_as_long_as_asked_for(trained: Run) -> None:
    # Longer than the model reads, and not a multiple of anything.
    (text,) = trained.generate(prompt="The import", length=150, seed=1)
    assert text.startswith("The import")
    assert len(text) == 10 + 150
    assert trained.generate(prompt="The import", length=150, seed=1).tolist() == [text]
    assert trained.generate(prompt="The import", length=150, seed=2).tolist() != [text]
    two = trained.generate(2, length=20)
    assert [len(text) for text in two] == [20, 20]
    assert two[0] != two[1]
    assert len(trained.generate(prompt="x" * 200, length=5)[0]) == 205


def test_one_token_to_draw_from_is_the_most_probable(trained: Run) -> None:
    greedy = trained.generate(prompt="An ", length=30, temperature=0.0).tolist()
    assert trained.generate(prompt="An ", length=30, top_k=1).tolist() == greedy
    assert trained.generate(prompt="An ", length=30, top_p=1e-6).tolist() == greedy
    for wrong in ({"temperature": -1.0}, {"top_k": 0}, {"top_p": 1.5}, {"length": 0}):
        with pytest.raises(UsageError, match=next(iter(wrong))):
            trained.generate(**wrong)


def test_a_model_that_xla_cannot_compile_writes_too(trained: Run) -> None:
    sizes = {"width": 8, "num_layers": 2, "num_heads": 2, "num_experts": 2}
    model = zoo.build("moe-transformer", **{**trained.task.builder_arguments(), **sizes})
    request = SampleRequest(count=2, prompt="The", length=9, temperature=0.0)
    first, second = trained.task.sample(model, request).values
    assert first.startswith("The")
    assert len(first) == 3 + 9
    assert first == second


def test_the_command_prints_a_text_or_writes_it(
    trained: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["generate", str(trained.path), "--prompt", "The import", "--length", "20"]
    assert dlzoo(words) == 0
    printed = capsys.readouterr().out
    assert printed == trained.generate(prompt="The import", length=20)[0] + "\n"
    path = tmp_path / "text.txt"
    assert dlzoo([*words, "--output", str(path)]) == 0
    assert path.read_text("utf-8") == printed
    assert dlzoo([*words, "--output", str(path)]) == 2


def test_an_export_takes_a_prompt_and_gives_the_text(trained: Run, tmp_path: Path) -> None:
    import tensorflow as tf

    path = trained.export(tmp_path)
    serve = tf.saved_model.load(str(path)).signatures["generate"]
    prompts = ["The import", "A", "", "y" * 99]
    given = [text.decode() for text in serve(prompt=tf.constant(prompts))["text"].numpy()]
    assert [len(text) for text in given] == [64, 64, 64, 64]
    for prompt, text in zip(prompts[:2], given[:2], strict=True):
        length = 64 - len(prompt)
        assert trained.generate(prompt=prompt, length=length, temperature=0.0)[0] == text

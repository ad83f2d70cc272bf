"""Translation: tiny runs of each model, from texts to texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoo
from cli.main import run as dlzoo
from recipes.recipe import parse
from zoo.base.errors import UsageError
from zoo.run import Run
from zoo.training.progress import Epoch, Silent

MODELS = ("seq2seq", "seq2seq-attention", "transformer")


def recipe(model: str) -> Any:
    """A model so small that it learns little, in two epochs."""
    sizes: dict[str, Any] = {
        "seq2seq": {"embedding_dim": 8, "units": 12, "num_layers": 2},
        "seq2seq-attention": {
            "embedding_dim": 8,
            "units": 12,
            "alignment_units": 8,
            "output_units": 8,
        },
        "transformer": {"width": 16, "num_layers": 1, "num_heads": 2},
    }
    values = {
        "model": model,
        "epochs": 2,
        "batch_size": 512,
        "steps_per_execution": 1,
        "arguments": sizes[model],
        "data": {"name": "dates"},
        "optimizer": {"name": "Adam", "learning_rate": 0.01},
    }
    return parse(values, source="test_translation.py")


@pytest.fixture(scope="module", params=MODELS)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp(request.param)
    return zoo.train(recipe=recipe(request.param), run_dir=folder, reporter=Silent())


@pytest.fixture(scope="module")
def served(trained: Run, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Its export."""
    import tensorflow as tf

    path = trained.export(tmp_path_factory.mktemp("export"), formats=["savedmodel"])
    return tf.saved_model.load(str(path))


def texts(run: Run, count: int) -> list[str]:
    return [one.decode() for one in next(run.dataset.split("test").chunks(count))["text"]]


def tokens(run: Run, count: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Encoded sources and targets."""
    columns = next(run.dataset.split("test").chunks(count))
    features = run.spec.features
    return tuple(np.array(features[name].encode(columns[name])) for name in ("text", "date"))  # type: ignore[return-value]


def test_scores_are_those_of_tokens_and_of_whole_texts(trained: Run) -> None:
    scores = trained.metrics["test"]
    assert set(scores) == {"loss", "accuracy", "exact_match"}
    assert trained.metrics["score"]["metric"] == "exact_match"
    columns = next(trained.dataset.split("test").chunks(3000))
    answers = trained.predict([one.decode() for one in columns["text"]])
    assert np.mean(answers == columns["date"]) == pytest.approx(scores["exact_match"])


def test_what_is_written_with_states_is_what_recomputing_writes(trained: Run) -> None:
    from zoo.datasets.features.text import START

    source, _ = tokens(trained)
    written = np.full((len(source), 12), 0, "int32")
    written[:, 0] = START
    for at in range(11):
        inputs = {"source": source, "before": written[:, :-1]}
        probabilities = np.array(trained.model(inputs, training=False))
        written[:, at + 1] = probabilities[:, at].argmax(axis=-1)
    assert np.any(written[:, 1:] != written[:, 1:2])
    expected = trained.task.target.decode(written)  # type: ignore[attr-defined]
    assert [one.decode() for one in trained.predict(texts(trained, 4))] == expected


def test_padding_changes_nothing(trained: Run) -> None:
    source, target = tokens(trained, 8)
    arguments = {**trained.task.builder_arguments(), **trained.recipe.arguments}
    arguments |= {"input_shape": (45,), "target_shape": (15,)}
    longer = zoo.build(trained.recipe.model, **arguments)
    longer.set_weights(trained.model.get_weights())
    compiled = trained._compiled
    longer.compile(loss=compiled.loss, weighted_metrics=["accuracy"])

    scores = []
    for model, read, wrote in ((compiled, 0, 0), (longer, 8, 3)):
        read_text = np.pad(source, [(0, 0), (0, read)])
        text = np.pad(target, [(0, 0), (0, wrote)])
        inputs = {"source": read_text, "before": text[:, :-1]}
        weights = (text[:, 1:] != 0).astype("float32")
        model.reset_metrics()
        scores.append(model.test_on_batch(inputs, text[:, 1:], weights))
    np.testing.assert_allclose(scores[1], scores[0], rtol=1e-5)
    first = []
    for model, read_tokens in ((longer, read_text), (trained.model, source)):
        state, context = model.begin(read_tokens)
        first.append(model.step(target[:, 0], 0, state, context)[0])
    np.testing.assert_allclose(first[0], first[1], atol=1e-5)


def test_one_beam_is_greedy(trained: Run) -> None:
    from zoo.datasets.features.text import END, START
    from zoo.layers.decoding import beam_search, greedy

    source, _ = tokens(trained, 16)
    state, context = trained.model.begin(source)
    first = np.full(len(source), START, "int32")
    arguments = {"length": 11, "end": END, "context": context}
    one = beam_search(trained.model.step, first, state, beams=1, **arguments)
    quick = greedy(trained.model.step, first, state, **arguments)
    np.testing.assert_array_equal(one.tokens, quick.tokens)


def test_a_batch_is_written_as_its_rows_are(trained: Run) -> None:
    some = texts(trained, 6)
    rows = [trained.predict([text])[0] for text in some]
    assert trained.predict(some).tolist() == rows
    beams = [trained.predict([text], beams=4)[0] for text in some]
    assert trained.predict(some, beams=4).tolist() == beams


def test_it_stops_and_goes_on_to_the_same_bits(trained: Run, tmp_path: Path) -> None:
    if trained.recipe.model != "transformer":
        pytest.skip("only the transformer draws random numbers here, for its dropout")

    class StopAfterOne(Silent):
        def epoch(self, epoch: Epoch) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        zoo.train(recipe=recipe(trained.recipe.model), run_dir=tmp_path, reporter=StopAfterOne())
    resumed = zoo.resume(zoo.load("latest", tmp_path), reporter=Silent())
    for ours, theirs in zip(resumed.model.weights, trained.model.weights, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


def test_the_export_takes_texts_and_writes_the_same_texts(trained: Run, served: Any) -> None:
    import tensorflow as tf

    some = [*texts(trained, 5), "", "?"]
    answers = served.signatures["generate"](text=tf.constant(some))["answer"].numpy()
    assert answers.tolist() == trained.predict(some).tolist()


def test_the_command_writes_the_answer_and_draws_the_attention(
    trained: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from PIL import Image

    text, picture = "venerdì 3 maggio 1979", tmp_path / "attention.png"
    assert dlzoo(["predict", str(trained.path), text, "--beams", "2"]) == 0
    expected = trained.predict([text], beams=2)[0].decode()
    assert expected in capsys.readouterr().out
    code = dlzoo(["predict", str(trained.path), text, "--attention", str(picture)])
    if trained.recipe.model == "seq2seq":
        assert code == 2
        assert "no attention" in capsys.readouterr().err
        assert not picture.exists()
    else:
        assert code == 0
        with Image.open(picture) as drawn:
            assert min(drawn.size) > 100


def test_weights_of_attention_are_shares_of_the_source(trained: Run) -> None:
    if trained.recipe.model == "seq2seq":
        pytest.skip("it has none")
    source, target = tokens(trained)
    weights = np.array(trained.model.attention(source, target[:, :-1]))
    np.testing.assert_allclose(weights.sum(axis=-1), 1.0, rtol=1e-5)
    assert not weights[np.broadcast_to(source[:, None] == 0, weights.shape)].any()


def test_beams_are_for_models_that_write(shared_run_dir: Path) -> None:
    from tests import tiny

    run = tiny.run("table", shared_run_dir)
    with pytest.raises(UsageError, match="beams are for models that write"):
        run.predict(np.zeros((1, 4), "float32"), beams=2)


def test_an_export_shows_where_the_model_looked(trained: Run, served: Any) -> None:
    import tensorflow as tf

    if not trained.model.has_attention:
        pytest.skip("it has none")
    some = texts(trained, 3)
    seen = {
        name: one.numpy()
        for name, one in served.signatures["attention"](text=tf.constant(some)).items()
    }
    np.testing.assert_allclose(seen["weights"].sum(axis=-1), 1.0, atol=1e-5)
    answers = served.signatures["generate"](text=tf.constant(some))["answer"].numpy()
    for read, written, text, answer in zip(
        seen["read"], seen["written"], some, answers, strict=True
    ):
        assert b"".join(written) == answer
        assert len(read) == seen["weights"].shape[2]
        assert b"".join(read).decode() in text or len(text) > len(read)

"""Language modelling: which token comes next, and texts that are written by asking it again."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zoo.base.errors import require
from zoo.datasets.spec import DatasetSpec
from zoo.tasks.base import Score
from zoo.tasks.endpoint import Endpoint
from zoo.tasks.samples import SampleRequest, Samples
from zoo.tasks.windows import TextWindows

LENGTH = 128
"""Tokens of a window where a recipe does not say."""
SEGMENT = 16
"""Tokens that are written between two reports of progress."""
LONGEST = 100_000
"""Tokens that one request may ask for."""
MOST_TEXTS = 1024
"""That one request may ask for."""
LINE_BREAK = "\n"
"""Stands before a text without a prompt."""
UNKNOWN = 1
"""The token that stands for a prompt without one."""
PROMPT = 8
"""Characters, or tokens, of the prompts that an export is checked with."""
WINDOW_SEEDS = 1_000_003
"""How far apart the seeds of two windows of a text are."""


class LanguageModelling(TextWindows):
    """Models that say at each token of a text how probable every next one is.

    They return logits (B, T, V), and have ``context_length``, ``new_state(rows)`` and ``step``, as
    `zoo.layers.decoding` takes it. A window of `length` + 1 tokens is read but for its last, and
    the targets are the same tokens shifted by one; so every token of a text but its first is
    predicted once.
    """

    window = LENGTH
    scores = (
        Score("perplexity", higher_is_better=False),
        Score("bits_per_character", higher_is_better=False),
    )
    headline = "perplexity"
    commands = ("generate", "evaluate", "export")
    output = "text"
    prompted = True
    default_count = 1

    def __init__(self, name: str, spec: DatasetSpec, loss: str | None = None) -> None:
        super().__init__(name, spec, loss)
        self._writers: dict[Any, Any] = {}
        """Compiled functions by model and way of drawing."""

    # Feeding a model.

    def builder_arguments(self) -> dict[str, Any]:
        """Return the length that is read, one less than a window's, and the vocabulary's size."""
        (window,) = self.text.shape
        return {**super().builder_arguments(), "input_shape": (int(window or 1) - 1,)}

    def compile_arguments(self) -> dict[str, Any]:
        """Return cross-entropy, the perplexity, and bits per character where these are known."""
        from zoo.layers.losses import Crossentropy
        from zoo.layers.metrics import BitsPerCharacter, Perplexity

        metrics: list[Any] = [Perplexity()]
        characters = self.text.characters()
        if characters is not None:
            metrics.append(BitsPerCharacter(characters.tolist()))
        loss = Crossentropy(from_logits=True, reduction="mean_with_sample_weight")
        return {"loss": loss, "weighted_metrics": metrics}

    def model_inputs(self, encoded: Mapping[str, Any]) -> Any:
        """Return all tokens of the windows but the last."""
        return encoded[self.inputs[0]][:, :-1]

    def model_targets(self, encoded: Mapping[str, Any]) -> Any:
        """Return all tokens of the windows but the first."""
        return encoded[self.inputs[0]][:, 1:]

    def feed(self, encoded: Mapping[str, Any]) -> tuple[Any, Any, Any]:
        """Return inputs, targets and weights: those of the examples, and 0 for padding."""
        inputs, targets, weights = super().feed(encoded)
        mask = self.text.mask(targets)
        return inputs, targets, mask if weights is None else mask * weights[:, None]

    # Writing.

    def sample(self, model: Any, request: SampleRequest) -> Samples:
        """Return texts that begin with the request's prompt.

        A model reads at most `context_length` tokens. A longer text goes on from the second half
        of them.
        """
        length = request.length
        require(1 <= length <= LONGEST, f"length must be 1 to {LONGEST:,}, got {length}")
        require(1 <= request.count <= MOST_TEXTS, f"count must be 1 to {MOST_TEXTS:,}")
        require_sampling(request)
        context = model.context_length
        prompt = self._prompt(np.array([request.prompt or LINE_BREAK])).numpy()
        tokens = np.repeat(prompt, request.count, axis=0)  # (B, T), of the whole text
        total = tokens.shape[1] + length
        window = 0
        waiting = prompt[0, :0]  # what was written of a character of several tokens
        while tokens.shape[1] < total:
            start = 0 if tokens.shape[1] < context else tokens.shape[1] - max(context // 2, 1)
            state, at = model.new_state(request.count), 0
            while at < context and tokens.shape[1] < total:
                write = self._writer(model, request, min(SEGMENT, context - at))
                known = tokens[:, start:]
                padded = np.pad(known, [(0, 0), (0, context + SEGMENT - known.shape[1])])
                seed = request.seed + WINDOW_SEEDS * window
                written, state = write(padded, np.int32(known.shape[1]), np.int32(at), state, seed)
                # What was written first stands at start + at + 1; the prompt may go on beyond it.
                new = written.numpy()[:, max(tokens.shape[1] - (start + at + 1), 0) :]
                new = new[:, : total - tokens.shape[1]]
                tokens = np.concatenate([tokens, new], axis=1)
                waiting = self._tell(
                    request, np.append(waiting, new[:1]), last=tokens.shape[1] == total
                )
                at += SEGMENT
            window += 1
        begun = 0 if request.prompt else prompt.shape[1]
        return Samples(self.text, self.text.decode(tokens[:, begun:]))

    def _tell(self, request: SampleRequest, tokens: np.ndarray, *, last: bool) -> np.ndarray:
        """Tell a request the text of tokens (T,); return them if a character may lack its end."""
        text = self.text.decode(tokens[None])[0] if tokens.size else ""
        if text.endswith("\ufffd") and not last and tokens.size < 2 * SEGMENT:
            return tokens
        if text:
            request.written(text)
        return tokens[:0]

    def _prompt(self, texts: Any) -> Any:
        """Return the tokens (B, T) of prompts (B,), padded; T is at least 1."""
        import tensorflow as tf

        tokens = self.text.numbers(texts).to_tensor()
        # Without a token, from the unknown one.
        return tokens if tokens.shape[1] else tf.ones((tf.shape(tokens)[0], 1), tf.int32)

    def _writer(self, model: Any, request: SampleRequest, length: int) -> Any:
        """Return a compiled function that writes `length` tokens, see `_write`."""
        import tensorflow as tf

        key = (id(model), length, request.temperature, request.top_k, request.top_p)
        if key not in self._writers:

            def write(known: Any, count: Any, at: Any, state: Any, seed: Any) -> Any:
                lengths = tf.fill((tf.shape(known)[0],), count)
                decoded = _write(
                    model, known, lengths, at, state, length, request, seed, self.text.unwritten
                )
                return decoded.tokens, decoded.state

            signature = (
                tf.TensorSpec((None, model.context_length + SEGMENT), tf.int32),
                tf.TensorSpec((), tf.int32),
                tf.TensorSpec((), tf.int32),
                tf.nest.map_structure(
                    lambda values: tf.TensorSpec((None, *values.shape[1:]), values.dtype),
                    model.new_state(1),
                ),
                tf.TensorSpec((), tf.int64),
            )
            # A step is many small operations: 256 tokens of a gpt of width 128 took 0.04 s of
            # processor time by XLA and 0.29 without; gpt2-small's took the same either way.
            by_xla = all(layer.supports_jit for layer in model._flatten_layers())
            self._writers[key] = tf.function(write, input_signature=signature, jit_compile=by_xla)
        return self._writers[key]

    # Serving.

    def endpoints(self, network: Any) -> dict[str, Endpoint]:
        """Return one signature: from prompts to the most probable texts, as long as is read.

        Where the graph cannot take texts apart, prompts and texts are tokens (B, T), padded.
        """
        import tensorflow as tf

        context = network.context_length
        text = self.text

        def written(known: Any, lengths: Any) -> Any:
            lengths = tf.maximum(lengths, 1)
            # Without a token, from the unknown one.
            real = tf.range(context) < lengths[:, None]
            known = tf.where(real & (known == text.padding), tf.constant(UNKNOWN), known)
            state = network.new_state(tf.shape(known)[0])
            greedy = SampleRequest(temperature=0.0)
            decoded = _write(
                network, known, lengths, 0, state, context - 1, greedy, 0, text.unwritten
            )
            return tf.where(real, known, tf.concat([known[:, :1], decoded.tokens], axis=1))

        def generate(prompt: Any) -> dict[str, Any]:
            ragged = text.numbers(prompt)[:, :context]
            lengths = tf.cast(ragged.row_lengths(), tf.int32)
            return {"text": text.joined(written(ragged.to_tensor(shape=(None, context)), lengths))}

        def continued(prompt: Any) -> dict[str, Any]:
            known = dataclasses.replace(text, windows=False, length=context).prepare(prompt)
            lengths = tf.reduce_sum(tf.cast(known != text.padding, tf.int32), axis=1)
            return {"tokens": written(known, lengths)}

        def examples(raw: Mapping[str, np.ndarray]) -> tuple[Any, ...]:
            column = raw[self.inputs[0]]
            if column.ndim > 1:  # they are tokens
                return (column[:, :PROMPT],)
            starts = np.array([one[:PROMPT] for one in text.titles(column)])
            return tuple(text.to_serving("prompt", starts).values())

        def sample(count: int) -> tuple[Any, ...]:
            return examples({self.inputs[0]: text.sample(count)})

        function = generate if text.in_graph else continued
        signature = {"prompt": text.signature("prompt")}
        return {"generate": Endpoint(function, signature, sample, examples)}

    def portable(self, network: Any) -> Endpoint:
        """Return the logits of each next token: the loop that writes stays outside."""
        import tensorflow as tf

        from zoo.tasks.signatures import LOOP, TOKENS

        def examples(raw: Mapping[str, np.ndarray]) -> tuple[Any, ...]:
            windows = self.text.encode(raw[self.inputs[0]])
            return (np.asarray(self.model_inputs({self.inputs[0]: windows})),)

        def sample(count: int) -> tuple[Any, ...]:
            return examples({self.inputs[0]: self.text.sample(count)})

        return Endpoint(
            lambda tokens: {"logits": network(tokens, training=False)},
            {"tokens": tf.TensorSpec((None, network.context_length), tf.int32, name="tokens")},
            sample,
            examples,
            left_out=f"{TOKENS}; {LOOP}",
        )


def require_sampling(request: SampleRequest) -> None:
    """Raise a `UsageError` unless temperature, top_k and top_p are such numbers."""
    temperature, top_k, top_p = request.temperature, request.top_k, request.top_p
    require(temperature >= 0, f"temperature must be 0 or more, got {temperature}")
    require(top_k is None or top_k >= 1, f"top_k must be at least 1, got {top_k}")
    require(top_p is None or 0 < top_p <= 1, f"top_p must be above 0 and at most 1, got {top_p}")


def _write(
    model: Any,
    known: Any,
    lengths: Any,
    at: Any,
    state: Any,
    length: int,
    request: SampleRequest,
    seed: Any,
    unwritten: Sequence[int],
) -> Any:
    """Read the known tokens of texts from a position on, and write those that follow.

    Args:
        model: See `LanguageModelling`.
        known: (B, T) int32, the texts from their first token on.
        lengths: (B,) int32, how many of these tokens are known.
        at: How many tokens were read before.
        state: After them.
        length: How many tokens are read and written.
        request: Says how tokens are drawn; at a temperature of 0 the most probable is taken.
        seed: Of the draws.
        unwritten: Tokens that are never drawn.
    """
    import tensorflow as tf

    from zoo.layers import decoding

    def step(tokens: Any, at: Any, state: Any, context: Any) -> Any:
        known, lengths = context
        here = tf.gather(known, tf.minimum(at, tf.shape(known)[1] - 1), axis=1)
        logits, state = model.step(tf.where(at < lengths, here, tokens), at, state, ())
        never = tf.reduce_any(tf.range(tf.shape(logits)[-1])[:, None] == unwritten, axis=-1)
        return tf.where(never, tf.constant(-1e9, logits.dtype), logits), state

    arguments: dict[str, Any] = {
        "length": length,
        "end": None,
        "context": (known, lengths),
        "at": at,
    }
    if not request.temperature:
        return decoding.greedy(step, known[:, 0], state, **arguments)
    return decoding.sample(
        step,
        known[:, 0],
        state,
        seed=seed,
        temperature=request.temperature,
        top_k=request.top_k,
        top_p=request.top_p,
        **arguments,
    )

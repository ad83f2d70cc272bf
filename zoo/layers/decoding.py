"""Writing a sequence token by token: greedy, by beam search, or by sampling.

A model gives a function `Step`, which computes the next token's logits from the last token and a
state. The state holds whatever was computed of earlier tokens (recurrent states, or the keys and
values of attention), so that no step computes it again. Each loop is one `tf.while_loop`: called in
a `tf.function`, the whole decoding is one graph. A loop ends when every row has ended.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import tensorflow as tf

from zoo.layers.generators import seed_pair

PADDING = 0
"""Stands after the end token."""


class Step(Protocol):
    """One step of a model that writes."""

    def __call__(self, tokens: Any, at: Any, state: Any, context: Any) -> tuple[Any, Any]:
        """Return the logits (N, V) of the next token, and the new state.

        Args:
            tokens: The last token of each row, (N,) int32.
            at: How many tokens were written before this one, a scalar int32.
            state: A nest of tensors (N, …), whose shapes stay the same from step to step.
            context: A nest of tensors (N, …) that no step changes.
        """


class Decoded(NamedTuple):
    """What was written, and what is needed to write more."""

    tokens: Any
    """(B, length) int32: up to the end token and with it, then padding."""
    scores: Any
    """(B,): the sum of the tokens' log-probabilities; in beam search, divided by the penalty."""
    state: Any
    """After the last step; None after a beam search."""


def greedy(
    step: Step,
    first: Any,
    state: Any,
    *,
    length: int,
    end: int | None,
    context: Any = (),
    at: Any = 0,
) -> Decoded:
    """Write the most probable token at each step.

    Args:
        step: Of the model.
        first: The token before those that are written, (B,) int32: the start token, or the last one
            of a prompt.
        state: Before the first step.
        length: The most tokens that are written.
        end: The token that ends a row; None writes `length` tokens in every row.
        context: Handed to every step.
        at: How many tokens were written before, where an earlier loop is continued.
    """

    def choose(logits: Any, at: Any) -> Any:
        del at
        return tf.argmax(logits, axis=-1, output_type=tf.int32)

    return _write(step, choose, first, state, context, length, end, at)


def sample(
    step: Step,
    first: Any,
    state: Any,
    *,
    length: int,
    end: int | None,
    seed: Any,
    temperature: Any = 1.0,
    top_k: int | None = None,
    top_p: Any = None,
    context: Any = (),
    at: Any = 0,
) -> Decoded:
    """Draw each token from the model's distribution; the scores are those of this distribution.

    Args:
        step: Of the model.
        first: As for `greedy`.
        state: As for `greedy`.
        length: As for `greedy`.
        end: As for `greedy`.
        seed: A number or an integer tensor. The same seed gives the same tokens, also where the
            loop is interrupted and continued.
        temperature: Divides the logits; below 1 favours probable tokens.
        top_k: Draw among so many most probable tokens only.
        top_p: Draw among the most probable tokens that together have this probability (nucleus
            sampling, Holtzman et al. 2019). The most probable one is always among them.
        context: As for `greedy`.
        at: As for `greedy`.
    """
    if isinstance(temperature, int | float) and temperature <= 0:
        raise ValueError(f"temperature must be above 0, got {temperature}")
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k must be at least 1, got {top_k}")
    if isinstance(top_p, int | float) and not 0 < top_p <= 1:
        raise ValueError(f"top_p must be above 0 and at most 1, got {top_p}")
    pair = seed_pair(tf.convert_to_tensor(seed))

    def choose(logits: Any, at: Any) -> Any:
        logits = logits / tf.cast(temperature, tf.float32)
        places = None
        if top_k is not None or top_p is not None:
            kept = logits.shape[-1] if top_k is None else min(top_k, logits.shape[-1])
            logits, places = tf.math.top_k(logits, kept)  # (N, kept), the most probable first
        if top_p is not None:
            shares = tf.nn.softmax(logits)
            before = tf.cumsum(shares, axis=-1, exclusive=True)
            outside = (before >= tf.cast(top_p, tf.float32)) & (tf.range(kept) > 0)
            logits = tf.where(outside, logits.dtype.min, logits)
        # Adding Gumbel noise makes the argmax a draw from the softmax.
        uniform = tf.random.stateless_uniform(
            tf.shape(logits),
            tf.random.experimental.stateless_fold_in(pair, at),
            minval=1e-20,
        )
        drawn = tf.argmax(logits - tf.math.log(-tf.math.log(uniform)), -1, output_type=tf.int32)
        return drawn if places is None else tf.gather(places, drawn, axis=1, batch_dims=1)

    return _write(step, choose, first, state, context, length, end, at)


def _write(
    step: Step,
    choose: Any,
    first: Any,
    state: Any,
    context: Any,
    length: int,
    end: int | None,
    begin: Any,
) -> Decoded:
    """Write a token at a time, chosen by ``choose(logits, at) -> (B,)``."""
    rows = tf.shape(first)[0]
    begin = tf.cast(begin, tf.int32)

    def body(at: Any, last: Any, ended: Any, written: Any, scores: Any, state: Any) -> Any:
        logits, state = step(last, begin + at, state, context)
        logits = tf.cast(logits, tf.float32)
        chosen = tf.where(ended, PADDING, choose(logits, begin + at))
        gained = tf.gather(tf.nn.log_softmax(logits), chosen, axis=1, batch_dims=1)
        scores += tf.where(ended, 0.0, gained)
        written = tf.where(tf.range(length) == at, chosen[:, None], written)
        if end is not None:
            ended |= chosen == end
        return at + 1, chosen, ended, written, scores, state

    start = (
        tf.constant(0),
        tf.cast(first, tf.int32),
        tf.zeros((rows,), tf.bool),
        tf.fill((rows, length), PADDING),
        tf.zeros((rows,)),
        state,
    )
    _, _, _, written, scores, state = tf.while_loop(
        lambda at, last, ended, *rest: (at < length) & ~tf.reduce_all(ended),
        body,
        start,
        shape_invariants=tf.nest.map_structure(_any_rows, start),
    )
    return Decoded(written, scores, state)


def beam_search(
    step: Step,
    first: Any,
    state: Any,
    *,
    length: int,
    end: int,
    beams: int,
    length_penalty: float = 0.0,
    context: Any = (),
) -> Decoded:
    """Write the best sequence that keeping the `beams` best beginnings at each step finds.

    A beginning that ends leaves the beam, as in Sutskever et al. 2014, and the others go on until
    none of them can become better than the best that ended. A sequence Y is scored by
    log P(Y) / ((5 + |Y|) / 6)^length_penalty (Wu et al. 2016, equation 14, without its coverage);
    with a penalty of 0 by log P(Y) alone. One beam writes what `greedy` writes.

    Args:
        step: Of the model.
        first: As for `greedy`.
        state: As for `greedy`.
        length: The most tokens that are written, with the end token.
        end: The token that ends a row.
        beams: How many beginnings are kept.
        length_penalty: 0 or more; Wu et al. use 0.6 to 0.7. Higher favours longer sequences.
        context: As for `greedy`.
    """
    if beams < 1:
        raise ValueError(f"beams must be at least 1, got {beams}")
    if length_penalty < 0:
        raise ValueError(f"length_penalty must be at least 0, got {length_penalty}")
    rows = tf.shape(first)[0]
    state, context = tf.nest.map_structure(
        lambda values: tf.repeat(values, beams, axis=0), (state, context)
    )
    lost = -float("inf")

    def penalised(scores: Any, size: Any) -> Any:
        return scores / ((5.0 + tf.cast(size, tf.float32)) / 6.0) ** length_penalty

    def body(
        at: Any, last: Any, live: Any, written: Any, best: Any, best_score: Any, state: Any
    ) -> Any:
        logits, state = step(tf.reshape(last, (-1,)), at, state, context)
        tokens = logits.shape[-1]
        gained = tf.nn.log_softmax(tf.cast(logits, tf.float32))
        scores = live[:, :, None] + tf.reshape(gained, (rows, beams, tokens))
        # All have the same length, so that the penalty does not change their order.
        live, places = tf.math.top_k(tf.reshape(scores, (rows, beams * tokens)), beams)
        parents, chosen = places // tokens, places % tokens  # (B, K)
        written = tf.gather(written, parents, axis=1, batch_dims=1)
        written = tf.where(tf.range(length) == at, chosen[:, :, None], written)
        flat = tf.reshape(parents + beams * tf.range(rows)[:, None], (-1,))
        state = tf.nest.map_structure(lambda values: tf.gather(values, flat), state)

        ended = chosen == end
        finished = penalised(tf.where(ended, live, lost), at + 1)
        first_best = tf.argmax(finished, axis=1)  # the highest of those that ended now
        score = tf.reduce_max(finished, axis=1)
        better = score > best_score
        candidate = tf.gather(written, first_best, axis=1, batch_dims=1)
        best = tf.where(better[:, None], candidate, best)
        best_score = tf.where(better, score, best_score)
        return at + 1, chosen, tf.where(ended, lost, live), written, best, best_score, state

    def unfinished(
        at: Any, last: Any, live: Any, written: Any, best: Any, best_score: Any, state: Any
    ) -> Any:
        del last, written, best, state
        # A log-probability only falls, and no penalty divides it by more than that of `length`.
        hope = penalised(tf.reduce_max(live, axis=1), length)
        return (at < length) & tf.reduce_any(hope > best_score)

    start = (
        tf.constant(0),
        tf.repeat(tf.cast(first, tf.int32)[:, None], beams, axis=1),
        # At first all beams are the same: one of them counts.
        tf.repeat(tf.where(tf.range(beams) == 0, 0.0, lost)[None], rows, axis=0),
        tf.fill((rows, beams, length), PADDING),
        tf.fill((rows, length), PADDING),
        tf.fill((rows,), lost),
        state,
    )
    _, _, live, written, best, best_score, _ = tf.while_loop(
        unfinished, body, start, shape_invariants=tf.nest.map_structure(_any_rows, start)
    )
    # Where nothing ended, the best beginning is the answer.
    none = tf.math.is_inf(best_score)
    best = tf.where(none[:, None], written[:, 0], best)
    return Decoded(best, tf.where(none, penalised(live[:, 0], length), best_score), None)


def _any_rows(values: Any) -> Any:
    """Return the shape of a loop's variable, with a first axis of any size."""
    shape = tf.convert_to_tensor(values).shape
    return tf.TensorShape([None, *shape[1:]]) if shape.rank else shape

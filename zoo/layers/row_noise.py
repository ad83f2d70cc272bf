"""Random numbers for each row of a batch, drawn from that row alone.

A Markov chain for each of many samples needs new numbers at every step. Drawn for the whole batch
at once, they would depend on how many samples are made together; drawn row by row, they take a
loop. Here a hash of (row, step, column) gives them in a few operations over the whole batch.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

# Odd constants of MurmurHash3's finaliser and of Weyl sequences (Appleby 2011).
_FIRST, _SECOND = 0x85EBCA6B, 0xC2B2AE35
_STEP, _COLUMN = 0x9E3779B9, 0x7FEB352D


def row_seeds(values: Any) -> Any:
    """Return a seed (B,), uint32, for each row of float32 values (B, F)."""
    bits = tf.bitcast(tf.cast(values, tf.float32), tf.uint32)
    places = tf.cast(tf.range(tf.shape(bits)[-1]), tf.uint32)
    # A sum of whole numbers is the same in any order, so that a row's seed is too.
    return _mixed(tf.reduce_sum(_mixed(bits + places * _COLUMN), axis=-1))


def uniform(seeds: Any, step: Any, columns: int) -> Any:
    """Return numbers (B, columns) in [0, 1), float32.

    Args:
        seeds: (B,) uint32, see `row_seeds`.
        step: A whole number, also as a tensor; others give other numbers.
        columns: Numbers for each row.
    """
    rows = _mixed(seeds + tf.cast(step, tf.uint32) * _STEP)
    places = tf.cast(tf.range(columns), tf.uint32) * _COLUMN
    hashed = _mixed(rows[:, None] + places[None, :])
    # 24 bits, as many as a float32 holds exactly.
    return tf.cast(tf.bitwise.right_shift(hashed, 8), tf.float32) * 2.0**-24


def _mixed(x: Any) -> Any:
    """Return uint32 hashed, each by itself: every bit of the input changes half of the output's."""
    x = tf.bitwise.bitwise_xor(x, tf.bitwise.right_shift(x, 16)) * _FIRST
    x = tf.bitwise.bitwise_xor(x, tf.bitwise.right_shift(x, 13)) * _SECOND
    return tf.bitwise.bitwise_xor(x, tf.bitwise.right_shift(x, 16))

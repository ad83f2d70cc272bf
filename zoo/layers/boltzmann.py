"""The restricted Boltzmann machine as a layer, and the Markov chain that samples from it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Self

import keras
import tensorflow as tf
from keras import layers, ops

from zoo.layers import row_noise
from zoo.layers.losses import batch_mean

VISIBLE = ("bernoulli", "gaussian")
MOST_ENUMERATED = 20
"""Hidden units up to which all their states are enumerated: a million."""
_STATES = 2**12
"""States that are enumerated at a time."""


@keras.saving.register_keras_serializable("dlzoo")
class Particles(layers.Layer):
    """The states of persistent Markov chains (Tieleman 2008): (count, size), not trained.

    Args:
        count: Chains.
        size: Visible units of each.
    """

    def __init__(self, count: int, size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.count = count
        self.size = size
        self.states = self.add_weight(
            shape=(count, size),
            initializer="zeros",
            trainable=False,
            name="states",
            # All replicas draw the same numbers, and so their chains are the same.
            aggregation="only_first_replica",
        )
        self.built = True

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "count": self.count, "size": self.size}


@keras.saving.register_keras_serializable("dlzoo")
class BoltzmannMachine(layers.Layer):
    """Visible units v and binary hidden units h, each connected with all of the other kind.

    Their energy is, for the two kinds of visible units::

        E(v, h) = -b·v - c·h - v·W·h                                     (bernoulli)
        E(v, h) = Σ (v - b)² / 2s² - c·h - v·W·h / s                     (gaussian)

    Called as a layer it returns the hidden units' probabilities, so it stands in a network as a
    dense layer with a sigmoid does. Its weights are that layer's kernel, W (V, H) or W / s, its
    bias c (H,), the visible bias b (V,), and of Gaussian units s, which is not trained.

    Source: Smolensky 1986; Hinton, "A practical guide to training restricted Boltzmann machines",
    2012, sections 2 and 13.2.

    Args:
        units: Hidden units, H.
        visible: ``"bernoulli"`` for values in [0, 1], which stand for probabilities; ``"gaussian"``
            for real values.
        deviation: s, the noise of a Gaussian visible unit, the same for all.
    """

    def __init__(
        self, units: int, visible: str = "bernoulli", deviation: float = 1.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if units < 1:
            raise ValueError(f"hidden units must be at least 1, got {units}")
        if visible not in VISIBLE:
            raise ValueError(f"visible must be one of {', '.join(VISIBLE)}, got '{visible}'")
        if not deviation > 0.0:
            raise ValueError(f"deviation must be above 0, got {deviation}")
        self.units = units
        self.visible = visible
        self.deviation = deviation

    def build(self, input_shape: Any) -> None:
        """Create the weights for visible units (B, V)."""
        size = input_shape[-1]
        # Section 8: small random weights of deviation 0.01.
        small = keras.initializers.RandomNormal(stddev=0.01)
        self.kernel = self.add_weight(shape=(size, self.units), initializer=small, name="kernel")
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")
        self.visible_bias = self.add_weight(shape=(size,), initializer="zeros", name="visible_bias")
        if self.visible == "gaussian":  # for those who read the file, see `as_dense`
            constant = keras.initializers.Constant(self.deviation)
            self.add_weight(shape=(), initializer=constant, trainable=False, name="deviation")

    @property
    def scale(self) -> float:
        """What visible values are divided by before they meet the kernel."""
        return self.deviation if self.visible == "gaussian" else 1.0

    def call(self, inputs: Any) -> Any:
        """Return p(h = 1 | v), shape (B, H), for visible values (B, V)."""
        return ops.sigmoid(self.hidden_logits(inputs))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return (B, H)."""
        return (*input_shape[:-1], self.units)

    def hidden_logits(self, v: Any) -> Any:
        """Return c + v·W / s, shape (B, H), float32."""
        return self._product(v / self.scale, self.kernel) + self._full(self.bias)

    def visible_logits(self, h: Any) -> Any:
        """Return b + W·h, shape (B, V), float32; of Gaussian units b + s·W·h, their mean."""
        product = self._product(h, ops.transpose(self.kernel))
        return self._full(self.visible_bias) + self.scale * product

    def visible_mean(self, h: Any) -> Any:
        """Return the mean of p(v | h), shape (B, V), float32."""
        logits = self.visible_logits(h)
        return logits if self.visible == "gaussian" else ops.sigmoid(logits)

    def reconstruct(self, v: Any) -> Any:
        """Return the mean of p(v | h) at the hidden units' probabilities given v."""
        return self.visible_mean(self(v))

    def free_energy(self, v: Any) -> Any:
        """Return F(v) = -log Σ_h exp(-E(v, h)), shape (B,), float32."""
        hidden = ops.sum(ops.softplus(self.hidden_logits(v)), axis=-1)
        v, bias = ops.cast(v, "float32"), self._full(self.visible_bias)
        if self.visible == "gaussian":
            return ops.sum((v - bias) ** 2, axis=-1) / (2.0 * self.deviation**2) - hidden
        return -ops.sum(v * bias, axis=-1) - hidden

    def gibbs(self, v: Any, steps: int, seed: Any) -> tuple[Any, Any]:
        """Draw hidden and visible units in turn.

        Args:
            v: Visible values (B, V), float32.
            steps: Times that both are drawn.
            seed: A pair of whole numbers, as `keras.random.SeedGenerator.next` returns them.

        Returns:
            The visible units as drawn last, and the means that they were drawn from, each (B, V).
        """
        first, second = tf.unstack(tf.cast(seed, tf.int64))

        def pair(number: Any) -> Any:
            return tf.stack([first, 2 * steps * second + tf.cast(number, tf.int64)])

        def step(number: Any, v: Any) -> tuple[Any, Any, Any]:
            odds = self(v)
            h = tf.cast(
                tf.random.stateless_uniform(tf.shape(odds), pair(2 * number)) < odds, tf.float32
            )
            mean = self.visible_mean(h)
            if self.visible == "gaussian":
                noise = tf.random.stateless_normal(tf.shape(mean), pair(2 * number + 1))
                return number + 1, mean + self.deviation * noise, mean
            drawn = tf.random.stateless_uniform(tf.shape(mean), pair(2 * number + 1))
            return number + 1, tf.cast(drawn < mean, tf.float32), mean

        _, drawn, mean = tf.while_loop(
            lambda number, v, mean: number < steps,
            lambda number, v, mean: step(number, v),
            (tf.constant(0), v, v),
        )
        return drawn, mean

    def contrastive_loss(
        self,
        v: Any,
        steps: int,
        noise: Any,
        *,
        binary: bool = False,
        particles: Particles | None = None,
        sample_weight: Any = None,
    ) -> Any:
        """Return F(data) - F(ends of Markov chains), each the mean of a batch.

        Its gradient is contrastive divergence, CD-k (Hinton 2002), with chains that start at the
        data, or persistent CD (Tieleman 2008). Its value says nothing.

        Args:
            v: Visible values (B, V), float32.
            steps: k.
            noise: A `keras.random.SeedGenerator`.
            binary: Whether the data are drawn as 0 or 1 and chains end in drawn units. Otherwise
                their means stand for them, which is less noisy (Hinton 2012, section 3).
            particles: Chains that go on from step to step.
            sample_weight: Weights of the examples, (B,) or None.
        """
        if binary:
            v = ops.cast(keras.random.uniform(ops.shape(v), seed=noise) < v, "float32")
        start = v if particles is None else ops.convert_to_tensor(particles.states)
        drawn, means = self.gibbs(start, steps, noise.next())
        negative = self.free_energy(ops.stop_gradient(drawn if binary else means))
        if particles is None:
            return batch_mean(self.free_energy(v) - negative, sample_weight)
        particles.states.assign(drawn)
        share = 1.0 if sample_weight is None else ops.mean(ops.cast(sample_weight, "float32"))
        return batch_mean(self.free_energy(v), sample_weight) - share * batch_mean(negative)

    def pseudo_log_likelihood(self, v: Any, pixels: Any) -> Any:
        """Return Σ log p(v_i | all others), shape (B,), in nats: Besag 1975.

        Args:
            v: Binary visible values (B, V).
            pixels: (P,) int32, the units i to sum over; the sum is scaled up by V / P.
        """
        v = ops.cast(v, "float32")
        logits = self.hidden_logits(v)
        rows = ops.take(self._full(self.kernel), pixels, axis=0)  # (P, H)
        bias = ops.take(self._full(self.visible_bias), pixels)
        at = ops.take(v, pixels, axis=1)  # (B, P)
        without = logits[:, None, :] - at[:, :, None] * rows  # v_i = 0, (B, P, H)
        gain = ops.sum(ops.softplus(without + rows) - ops.softplus(without), axis=-1)
        odds = bias + gain  # F(v with v_i = 0) - F(v with v_i = 1)
        total = ops.sum(at * odds - ops.softplus(odds), axis=-1)
        return total * (v.shape[-1] / pixels.shape[0])

    def log_partition(self) -> Any:
        """Return log Z, a scalar in nats, by summing over all states of the hidden units.

        Raises:
            ValueError: There are too many of them.
        """
        if self.units > MOST_ENUMERATED:
            raise ValueError(
                f"2^{self.units} states are too many: at most {MOST_ENUMERATED} hidden units"
            )
        each = min(_STATES, 2**self.units)

        def add(number: Any, total: Any) -> Any:
            states = number * each + tf.range(each)
            h = tf.cast(states[:, None] // 2 ** tf.range(self.units) % 2, tf.float32)
            return tf.reduce_logsumexp(tf.stack([total, tf.reduce_logsumexp(self._summed(h))]))

        number = tf.constant(0)
        rounds = 2**self.units // each
        _, total = tf.while_loop(
            lambda number, total: number < rounds,
            lambda number, total: (number + 1, add(number, total)),
            (number, tf.constant(-math.inf)),
        )
        return total

    def _summed(self, h: Any) -> Any:
        """Return log Σ_v exp(-E(v, h)), shape (B,); an integral for Gaussian units."""
        logits, bias = self.visible_logits(h), self._full(self.visible_bias)
        hidden = ops.sum(h * self._full(self.bias), axis=-1)
        if self.visible == "bernoulli":
            return hidden + ops.sum(ops.softplus(logits), axis=-1)
        variance = self.deviation**2
        moved = ops.sum(logits**2 - bias**2, axis=-1) / (2.0 * variance)
        return hidden + moved + 0.5 * bias.shape[0] * math.log(2.0 * math.pi * variance)

    def log_likelihood(self, v: Any) -> Any:
        """Return log p(v), shape (B,), in nats; of few hidden units, see `log_partition`."""
        return -self.free_energy(v) - self.log_partition()

    def multiply_adds(self) -> int:
        """Return those of one call."""
        return int(math.prod(self.kernel.shape))

    def _product(self, values: Any, kernel: Any) -> Any:
        """Return a product in the policy's precision, as float32."""
        dtype = self.compute_dtype
        return ops.cast(ops.matmul(ops.cast(values, dtype), ops.cast(kernel, dtype)), "float32")

    def _full(self, weight: Any) -> Any:
        return ops.cast(weight, "float32")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {"units": self.units, "visible": self.visible, "deviation": self.deviation}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable("dlzoo")
class GibbsChain(layers.Layer):
    """Samples from the topmost of a stack of machines, by a Markov chain for each row of noise.

    Hidden and visible units of the top machine are drawn in turn. Then it goes down through the
    machines once (Hinton et al. 2006, section 6). The noise's signs are where a chain of binary
    units starts, and its bits decide every draw, see `zoo.layers.row_noise`. So a sample depends
    on its own noise alone.

    Args:
        machines: From the bottom to the top.
        steps: Times that hidden and visible units are drawn.
    """

    def __init__(self, machines: Sequence[BoltzmannMachine], steps: int, **kwargs: Any) -> None:
        # float32 whatever the policy is: half precision would lose most of the noise's bits.
        super().__init__(dtype="float32", **kwargs)
        if steps < 1:
            raise ValueError(f"gibbs_steps must be at least 1, got {steps}")
        self.machines = list(machines)
        self.steps = steps

    def build(self, input_shape: Any) -> None:
        """Do nothing: the machines are built."""
        self.built = True

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        machines = [keras.saving.serialize_keras_object(one) for one in self.machines]
        config = {**super().get_config(), "machines": machines, "steps": self.steps}
        return {key: value for key, value in config.items() if key != "dtype"}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Return a layer with machines of its own, which are built."""
        machines = [keras.saving.deserialize_keras_object(one) for one in config["machines"]]
        return cls(**{**config, "machines": machines})

    def call(self, inputs: Any) -> Any:
        """Return the means of the bottom machine's visible units, float32, for noise (B, V)."""
        _, values = self.ends(inputs)
        # From the chain's end on, means stand for draws: pictures of draws are grainy.
        values = self.machines[-1](values)
        for machine in reversed(self.machines):
            values = machine.visible_mean(values)
        return values

    def ends(self, noise: Any) -> tuple[Any, Any]:
        """Return the top machine's visible units as they were drawn last, and the draw's means."""
        top = self.machines[-1]
        seeds = row_noise.row_seeds(noise)
        start = noise if top.visible == "gaussian" else tf.cast(noise > 0.0, tf.float32)

        def step(number: Any, v: Any, _: Any) -> tuple[Any, Any, Any]:
            odds = top(v)
            drawn = row_noise.uniform(seeds, 2 * number, top.units)
            mean = top.visible_mean(tf.cast(drawn < odds, tf.float32))
            return number + 1, _drawn(top, mean, seeds, 2 * number + 1), mean

        _, drawn, mean = tf.while_loop(
            lambda number, v, mean: number < self.steps, step, (tf.constant(0), start, start)
        )
        return drawn, mean

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the bottom machine's visible units."""
        return (*input_shape[:-1], self.machines[0].kernel.shape[0])


@keras.saving.register_keras_serializable("dlzoo")
class ChainNetwork(keras.Model):
    """A network from noise to images through a `GibbsChain` of one machine."""

    @property
    def chain(self) -> GibbsChain:
        """The layer that draws."""
        (found,) = (layer for layer in self.layers if isinstance(layer, GibbsChain))
        return found

    def half_steps(self, visible: Any, hidden: Any) -> tuple[Any, Any]:
        """Return what both halves of a step draw from: each looks at one of the inputs alone.

        Args:
            visible: Visible units (B, V).
            hidden: Hidden units (B, H).

        Returns:
            The hidden units' probabilities (B, H), and the visible units' means (B, V).
        """
        (machine,) = self.chain.machines
        return machine(visible), machine.visible_mean(hidden)


def _drawn(machine: BoltzmannMachine, mean: Any, seeds: Any, step: Any) -> Any:
    """Return visible units (B, V) drawn around their means."""
    size = mean.shape[-1]
    if machine.visible == "bernoulli":
        return tf.cast(row_noise.uniform(seeds, step, size) < mean, tf.float32)
    # Box and Muller's transform of pairs of uniform numbers.
    first, second = tf.split(row_noise.uniform(seeds, step, 2 * size), 2, axis=-1)
    normal = tf.sqrt(-2.0 * tf.math.log(1.0 - first)) * tf.cos(2.0 * math.pi * second)
    return mean + machine.deviation * normal


def as_dense(saved: Mapping[str, Any]) -> dict[str, Any]:
    """Return machines' weights, as a file has them by layer, as those of dense layers.

    A dense layer has the kernel and the hidden bias; the visible bias is only for the way back.
    Of Gaussian units the kernel is divided by their deviation, as their values are.
    """
    found = {}
    for name, parts in saved.items():
        kernel, bias, _, *deviation = (parts[""][at] for at in sorted(parts[""]))
        if deviation:
            kernel = kernel[...] / deviation[0][...]
        found[name] = {"": {"0": kernel, "1": bias}}
    return found

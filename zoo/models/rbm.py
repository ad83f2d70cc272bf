"""The restricted Boltzmann machine, trained by contrastive divergence (Hinton 2002)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import layers, ops

from zoo.layers.boltzmann import (
    BoltzmannMachine,
    ChainNetwork,
    GibbsChain,
    Particles,
    as_dense,
)
from zoo.layers.generators import Generator, random_normal
from zoo.layers.losses import penalties
from zoo.layers.metrics import Average

SCORED_PIXELS = 64
"""Visible units whose conditionals make up the pseudo-likelihood; of more, so many are drawn."""
EXACT = 16
"""Hidden units up to which evaluation also computes the exact likelihood."""


@keras.saving.register_keras_serializable("dlzoo")
class RBM(Generator):
    """Visible and hidden units, each connected with all of the other kind.

    The loss is the difference of the mean free energies of the data and of the chains' ends, whose
    gradient is contrastive divergence: section 2 of Hinton 2012, eq. 9. Its value says nothing; the
    scores do.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        hidden_units: int,
        visible: str,
        deviation: float,
        steps: int,
        chains: int,
        binary: bool,
        gibbs_steps: int,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.example_shape = tuple(input_shape)
        self.arguments = {
            "hidden_units": hidden_units,
            "visible": visible,
            "deviation": deviation,
            "steps": steps,
            "chains": chains,
            "binary": binary,
            "gibbs_steps": gibbs_steps,
        }
        self.latent_dim = math.prod(self.example_shape)
        self.steps = steps
        self.binary = binary
        self.gibbs_steps = gibbs_steps
        self.network = keras.Sequential(
            [
                keras.Input(self.example_shape),
                layers.Flatten(),
                BoltzmannMachine(hidden_units, visible, deviation, name="hidden1"),
            ],
            name="machine",
        )
        self.particles = Particles(chains, self.latent_dim) if chains else None
        self.noise = keras.random.SeedGenerator()
        self.trackers = [
            Average("reconstruction_error", higher_is_better=False),
            # Neither direction is better: compare it between the training and other splits.
            Average("free_energy"),
        ]
        # A pixel's place is drawn here, so that every evaluation sums over the same ones.
        few = min(self.latent_dim, SCORED_PIXELS)
        places = keras.random.shuffle(ops.arange(self.latent_dim), seed=0)
        self.scored_pixels = ops.sort(places[:few])
        self.evaluated = []
        if visible == "bernoulli":
            self.evaluated.append(Average("pseudo_log_likelihood", higher_is_better=True))
        if hidden_units <= EXACT:
            self.evaluated.append(Average("log_likelihood", higher_is_better=True))

    @property
    def machine(self) -> BoltzmannMachine:
        """The layer that holds the weights."""
        found: BoltzmannMachine = self.network.layers[-1]
        return found

    def build(self, input_shape: Any) -> None:
        """Do nothing: the constructor has built the network."""
        self.built = True

    @property
    def metrics(self) -> list[Any]:
        """The scores and the compiled metrics."""
        # Keras's own average loss is left out: the loss has no minimum.
        own = [*self.trackers, *self.evaluated]
        others = (m for m in super().metrics if m not in own and m.name != "loss")
        return [*own, *others]

    def call(self, inputs: Any) -> Any:
        """Return reconstructions of examples (B, *input_shape)."""
        return self._shaped(self.machine.reconstruct(self._flat(inputs)))

    def reconstruct(self, images: Any) -> Any:
        """Return reconstructions of examples (B, *input_shape), float32."""
        return self(images)

    def prior(self, count: Any, seed: Any) -> Any:
        """Return noise (count, latent_dim), which decides a chain's start and all its draws."""
        return random_normal((count, self.latent_dim), seed)

    def decode(self, latent: Any) -> Any:
        """Return the visible means (B, *input_shape) at the ends of the chains of noise (B, V)."""
        ends = GibbsChain([self.machine], self.gibbs_steps)(latent)
        return self._shaped(ops.clip(ends, 0.0, 1.0))

    def decoder_network(self) -> keras.Model:
        """Return the `keras.Model` from noise to images: all steps of the chain."""
        latent = keras.Input(self.latent_shape, name="latent")
        return ChainNetwork(latent, self.decode(latent), name=self.name)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the difference of free energies of a batch, plus regularization losses.

        Args:
            x: Examples (B, *input_shape).
            y: Not used.
            y_pred: Reconstructions.
            sample_weight: Weights of the examples, (B,) or (B, 1).
            training: Whether to run the chains.
        """
        machine, v = self.machine, self._flat(x)
        error = ops.mean((self._flat(y_pred) - v) ** 2, axis=-1)
        for tracker, value in zip(self.trackers, (error, machine.free_energy(v)), strict=True):
            tracker.update_state(value, sample_weight)
        if not training:
            self._evaluate(v, sample_weight)
            return ops.zeros(())
        loss = machine.contrastive_loss(
            v,
            self.steps,
            self.noise,
            binary=self.binary,
            particles=self.particles,
            sample_weight=sample_weight,
        )
        return loss + penalties(self)

    def _evaluate(self, v: Any, sample_weight: Any) -> None:
        """Score binary images: intensities are probabilities, drawn in the same way every time."""
        machine = self.machine
        if machine.visible == "bernoulli":
            v = ops.cast(keras.random.uniform(ops.shape(v), seed=0) < v, "float32")
        for tracker in self.evaluated:
            if tracker.name == "log_likelihood":
                tracker.update_state(machine.log_likelihood(v), sample_weight)
            else:
                value = machine.pseudo_log_likelihood(v, self.scored_pixels)
                tracker.update_state(value, sample_weight)

    def train_step(self, data: Any) -> dict[str, Any]:
        """Take one step, and return the scores that training computes."""
        scores: Mapping[str, Any] = super().train_step(data)
        only = {tracker.name for tracker in self.evaluated}
        return {name: value for name, value in scores.items() if name not in only}

    def _flat(self, images: Any) -> Any:
        return ops.reshape(ops.cast(images, "float32"), (-1, self.latent_dim))

    def _shaped(self, values: Any) -> Any:
        return ops.reshape(values, (-1, *self.example_shape))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "input_shape": self.example_shape, **self.arguments}


def rbm(
    *,
    input_shape: tuple[int, ...] = (28, 28, 1),
    hidden_units: int = 500,
    visible: str = "bernoulli",
    deviation: float = 1.0,
    steps: int = 1,
    chains: int = 0,
    binary: bool = False,
    gibbs_steps: int = 1000,
) -> keras.Model:
    """Return a restricted Boltzmann machine.

    Source: Hinton, "Training products of experts by minimizing contrastive divergence", 2002, and
    "A practical guide to training restricted Boltzmann machines", 2012. Momentum and weight decay
    are the optimizer's and the recipe's regularization.

    Args:
        input_shape: Of one example with values in [0, 1], without the batch axis.
        hidden_units: How many, all of them binary.
        visible: ``"bernoulli"``, or ``"gaussian"`` for real values.
        deviation: The noise of a Gaussian visible unit, in units of the data.
        steps: k of CD-k: times that the units are drawn for one step of training.
        chains: Persistent chains (Tieleman 2008), which go on from step to step. 0 starts a chain
            at each example instead.
        binary: Whether intensities are drawn as 0 or 1 in every step, and chains end in drawn
            units. Otherwise probabilities stand for binary visible units, which is less noisy.
        gibbs_steps: Steps of the chain that makes a sample.

    Returns:
        A model from (B, *input_shape) to reconstructions of the same shape. It generates by
        ``sample(count, seed)``.
    """
    for name, value in (("steps", steps), ("gibbs_steps", gibbs_steps)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    if chains < 0:
        raise ValueError(f"chains must be 0 or more, got {chains}")
    if binary and visible == "gaussian":
        raise ValueError("binary draws are for visible = 'bernoulli'")
    model = RBM(
        input_shape,
        hidden_units,
        visible,
        deviation,
        steps,
        chains,
        binary,
        gibbs_steps,
        name="rbm",
    )
    model.build((None, *input_shape))
    return model


def hidden_layers(saved: Mapping[str, Any]) -> dict[str, Any]:
    """Return the hidden layer, from a file's weights, as an mlp names it and its weights."""
    return as_dense({"hidden1": saved["machine/hidden1"]})

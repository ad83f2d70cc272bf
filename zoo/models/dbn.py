"""The deep belief network: machines trained one on another, then a classifier (Hinton 2006)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import layers, ops

from zoo.layers.boltzmann import BoltzmannMachine, GibbsChain, Particles, as_dense
from zoo.layers.generators import Generator, random_normal
from zoo.layers.gradients import gradients
from zoo.layers.heads import head
from zoo.layers.losses import penalties
from zoo.layers.metrics import Average
from zoo.layers.phases import Phased


@keras.saving.register_keras_serializable("dlzoo")
class DBN(Phased, Generator):
    """A stack of restricted Boltzmann machines, and a classifier that is unrolled from it.

    In phase k machine k learns, by contrastive divergence, the hidden probabilities of the machines
    below, which stay as they are. The last phase starts the classifier's hidden layers from the
    machines' weights and fine-tunes it on labels. Its weights are its own: as in section 5 of the
    paper recognition is untied from generation, so that the machines still generate afterwards.
    Without labels the top machine is trained in the last phase too.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        classes: int,
        hidden_units: Sequence[int],
        layer_epochs: int,
        steps: int,
        chains: int,
        binary: bool,
        gibbs_steps: int,
        dropout: float,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.example_shape = tuple(input_shape)
        self.arguments = {
            "classes": classes,
            "hidden_units": tuple(hidden_units),
            "layer_epochs": layer_epochs,
            "steps": steps,
            "chains": chains,
            "binary": binary,
            "gibbs_steps": gibbs_steps,
            "dropout": dropout,
        }
        self.steps = steps
        self.binary = binary
        self.gibbs_steps = gibbs_steps
        self.phase_epochs = layer_epochs
        self.phases = len(hidden_units) + 1
        pixels = math.prod(self.example_shape)
        self.latent_dim = [pixels, *hidden_units][-2]  # the top machine's visible units
        names = [(f"hidden{at}", units) for at, units in enumerate(hidden_units, start=1)]
        self.machines = keras.Sequential(
            [
                keras.Input(self.example_shape),
                layers.Flatten(),
                *(BoltzmannMachine(units, name=name) for name, units in names),
            ],
            name="machines",
        )
        inputs = keras.Input(self.example_shape)
        x = layers.Flatten()(inputs)
        for name, units in names:
            x = layers.Dense(units, activation="sigmoid", name=name)(x)
            if dropout:
                x = layers.Dropout(dropout, name=f"{name}_dropout")(x)
        self.classifier = keras.Model(inputs, head(x, classes), name="classifier")
        below = [pixels, *hidden_units[:-1]]
        self.particles = [
            Particles(chains, size, name=f"particles{number}")
            for number, size in enumerate(below, start=1)
            if chains
        ]
        self.noise = keras.random.SeedGenerator()
        self.reconstruction_error = Average("reconstruction_error", higher_is_better=False)

    def build(self, input_shape: Any) -> None:
        """Do nothing: the constructor has built both networks."""
        self.built = True

    def compile(
        self,
        *,
        machines_optimizer: Any,
        classifier_optimizer: Any,
        auto_scale_loss: bool = True,
        **kwargs: Any,
    ) -> None:
        """Compile with an optimizer for each network where Keras takes one.

        Args:
            machines_optimizer: Of contrastive divergence.
            classifier_optimizer: Of the fine-tuning.
            auto_scale_loss: Whether both scale their losses under ``mixed_float16``, as in Keras.
            kwargs: As in Keras; the loss and the metrics are the classifier's.
        """
        super().compile(optimizer=classifier_optimizer, auto_scale_loss=auto_scale_loss, **kwargs)
        scaled = keras.optimizers.LossScaleOptimizer
        optimizer = keras.optimizers.get(machines_optimizer)
        half = self.dtype_policy.name == "mixed_float16"
        if auto_scale_loss and half and not isinstance(optimizer, scaled):
            optimizer = scaled(optimizer, name="machines_loss_scale_optimizer")
        self.machines_optimizer = optimizer
        self.optimizer.build(self.classifier.trainable_variables)
        self.machines_optimizer.build(self.machines.trainable_variables)

    @property
    def optimizers(self) -> list[Any]:
        """Both optimizers, for checkpoints."""
        return [self.optimizer, self.machines_optimizer]

    @property
    def stack(self) -> list[BoltzmannMachine]:
        """The machines, from the bottom to the top."""
        return [layer for layer in self.machines.layers if isinstance(layer, BoltzmannMachine)]

    def begin_phase(self, phase: int) -> None:
        """Begin a phase; the last one starts the classifier from the machines."""
        super().begin_phase(phase)
        if phase == self.phases - 1:
            for machine in self.stack:
                dense = self.classifier.get_layer(machine.name)
                dense.kernel.assign(machine.kernel)
                dense.bias.assign(machine.bias)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return the classifier's probabilities of examples (B, *input_shape)."""
        return self.classifier(inputs, training=training)

    def reconstruct(self, images: Any) -> Any:
        """Return what the machines make of examples (B, *input_shape), up and down again."""
        values = self.machines(images)
        for machine in reversed(self.stack):
            values = machine.visible_mean(values)
        return ops.reshape(values, (-1, *self.example_shape))

    def prior(self, count: Any, seed: Any) -> Any:
        """Return noise (count, latent_dim), which decides a chain's start and all its draws."""
        return random_normal((count, self.latent_dim), seed)

    def decode(self, latent: Any) -> Any:
        """Return examples (B, *input_shape) from chains of the top machine, one for each noise."""
        ends = GibbsChain(self.stack, self.gibbs_steps)(latent)
        return ops.reshape(ends, (-1, *self.example_shape))

    def train_step(self, data: Any) -> dict[str, Any]:
        """Train the present machine on examples and, in the last phase, the classifier."""
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        if self.phase_now == self.phases - 1 and y is not None:
            return self._fine_tune(x, y, sample_weight)
        number = min(self.phase_now, len(self.stack) - 1)
        machine = self.stack[number]
        v = ops.reshape(ops.cast(x, "float32"), (-1, math.prod(self.example_shape)))
        for below in self.stack[:number]:
            v = below(v)

        def loss() -> Any:
            contrast = machine.contrastive_loss(
                v,
                self.steps,
                self.noise,
                binary=self.binary,
                particles=self.particles[number] if self.particles else None,
                sample_weight=sample_weight,
            )
            return contrast + penalties(self.machines)

        variables, optimizer = machine.trainable_variables, self.machines_optimizer
        if variables:  # it may be frozen
            optimizer.apply(gradients(loss, optimizer, variables), variables)
        error = ops.mean((machine.reconstruct(v) - v) ** 2, axis=-1)
        self.reconstruction_error.update_state(error, sample_weight)
        return {"reconstruction_error": self.reconstruction_error.result()}

    def _fine_tune(self, x: Any, y: Any, sample_weight: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}

        def loss() -> Any:
            found["answers"] = self.classifier(x, training=True)
            found["loss"] = self.compute_loss(x, y, found["answers"], sample_weight, training=True)
            return found["loss"]

        variables = self.classifier.trainable_variables
        self.optimizer.apply(gradients(loss, self.optimizer, variables), variables)
        self._loss_tracker.update_state(found["loss"])
        scores: Mapping[str, Any] = self.compute_metrics(x, y, found["answers"], sample_weight)
        return {key: value for key, value in scores.items() if key != "reconstruction_error"}

    def test_step(self, data: Any) -> dict[str, Any]:
        """Score reconstructions and, of examples with labels, the classifier."""
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        difference = self.reconstruct(x) - ops.cast(x, "float32")
        error = ops.mean(ops.square(difference), axis=tuple(range(1, len(x.shape))))
        self.reconstruction_error.update_state(error, sample_weight)
        if y is None:
            return {"reconstruction_error": self.reconstruction_error.result()}
        scores: Mapping[str, Any] = super().test_step(data)
        return dict(scores)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "input_shape": self.example_shape, **self.arguments}


def dbn(
    *,
    input_shape: tuple[int, ...] = (28, 28, 1),
    classes: int = 10,
    hidden_units: Sequence[int] = (500, 500, 2000),
    layer_epochs: int = 30,
    steps: int = 1,
    chains: int = 0,
    binary: bool = False,
    gibbs_steps: int = 1000,
    dropout: float = 0.0,
) -> keras.Model:
    """Return a deep belief network, which classifies and generates.

    Source: Hinton, Osindero and Teh, "A fast learning algorithm for deep belief nets", 2006,
    figure 1: 784-500-500-2000-10, 30 epochs for each layer. Two things differ. Its labels stand
    beside the top machine's visible units, and all weights are fine-tuned by the up-down algorithm;
    here a classifier is unrolled from the machines and fine-tuned by back-propagation, as in Hinton
    and Salakhutdinov 2006.

    Args:
        input_shape: Of one example with values in [0, 1], without the batch axis.
        classes: 2 or more.
        hidden_units: Of the machines from the bottom to the top, and of the classifier's layers.
        layer_epochs: Epochs for each machine. The classifier is fine-tuned in those that are left.
        steps: k of CD-k.
        chains: Persistent chains of each machine; 0 starts a chain at each example, see `rbm`.
        binary: Whether units are drawn as 0 or 1 where probabilities would stand for them.
        gibbs_steps: Steps of the top machine's chain that makes a sample.
        dropout: The share of each hidden layer's outputs dropped in fine-tuning, 0 to below 1.

    Returns:
        A model from (B, *input_shape) to (B, classes), or (B, 1) for two. It generates by
        ``sample(count, seed)``, and reconstructs by ``reconstruct(images)``.
    """
    if not hidden_units or any(units < 1 for units in hidden_units):
        raise ValueError(f"hidden_units must all be positive, got {tuple(hidden_units)}")
    for name, value in (
        ("layer_epochs", layer_epochs),
        ("steps", steps),
        ("gibbs_steps", gibbs_steps),
    ):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    if chains < 0:
        raise ValueError(f"chains must be 0 or more, got {chains}")
    model = DBN(
        input_shape,
        classes,
        hidden_units,
        layer_epochs,
        steps,
        chains,
        binary,
        gibbs_steps,
        dropout,
        name="dbn",
    )
    model.build((None, *input_shape))
    return model


def hidden_layers(saved: Mapping[str, Any]) -> dict[str, Any]:
    """Return the machines' layers, from a file's weights, as an mlp names them and their weights.

    They are those that learnt without labels; the classifier's own are not taken.
    """
    return as_dense(
        {
            name.removeprefix("machines/"): parts
            for name, parts in saved.items()
            if name.startswith("machines/")
        }
    )

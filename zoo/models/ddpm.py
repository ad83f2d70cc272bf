"""Denoising diffusion probabilistic models (Ho, Jain and Abbeel 2020), with guidance by classes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from zoo.layers.averages import WeightAverages
from zoo.layers.diffusion import Diffusion, variational_bound
from zoo.layers.diffusion_generators import DiffusionGenerator
from zoo.layers.losses import batch_mean, penalties
from zoo.layers.metrics import Average
from zoo.layers.samplers import in_unit
from zoo.layers.unet import unet

BOUND_TERMS = 50
"""Of the T terms of the variational bound, how many are computed for each image."""


@keras.saving.register_keras_serializable("dlzoo")
class DDPM(DiffusionGenerator):
    """A U-Net that predicts the noise in an image, and the sampler that takes it away.

    Training adds noise of a random time to each image, and minimises the squared error of its
    prediction (algorithm 1). Everything else, scores among it, is computed with the averages of
    the weights. ``bits_estimate`` is the variational bound in bits per dimension, as far as one of
    its terms for each image tells.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        classes: int | None,
        unet_arguments: dict[str, Any],
        timesteps: int,
        schedule: str,
        levels: int,
        momentum: float,
        label_dropout: float,
        guidance: float,
        steps: int | None,
        eta: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.example_shape = tuple(input_shape)
        self.classes = classes
        self.arguments = {
            "unet_arguments": unet_arguments,
            "timesteps": timesteps,
            "schedule": schedule,
            "levels": levels,
            "momentum": momentum,
            "label_dropout": label_dropout,
            "guidance": guidance,
            "steps": steps,
            "eta": eta,
        }
        self.diffusion = Diffusion(schedule, timesteps)
        self.timesteps = self.most_steps = timesteps
        self.levels = levels
        self.label_dropout = label_dropout
        self.guidance = guidance
        self.steps = steps or timesteps
        self.eta = eta
        self.network = unet(self.example_shape, classes, **unet_arguments)
        self.averages = WeightAverages(momentum, name="averages")
        self.averages.follow(self.network)
        self.noise = keras.random.SeedGenerator()
        self.trackers = [Average("bits_estimate", higher_is_better=False)]

    def build(self, input_shape: Any) -> None:
        """Do nothing: the constructor has built the network."""
        self.built = True

    def predict_noise(self, x: Any, times: Any, label: Any = None, training: bool = False) -> Any:
        """Return the noise in images, by the averages, or in training by the weights themselves."""
        inputs = {"image": x, "time": ops.cast(times, "float32")}
        if self.classes is not None:
            nothing = ops.full(ops.shape(times), self.classes, "int32")
            inputs["label"] = nothing if label is None else label
        if training:
            return self.network(inputs, training=True)
        with self.averages.instead_of(self.network.weights):
            return self.network(inputs, training=False)

    def noised(self, inputs: Any, training: bool) -> tuple[Any, Any, Any, Any]:
        """Return images (B, H, W, C) in [-1, 1], noise, times (B,), and labels (B,) or None."""
        image = 2.0 * ops.cast(inputs["image"], "float32") - 1.0
        count, label = ops.shape(image)[0], None
        # Evaluation always draws the same noise, so that scores repeat.
        noise = keras.random.normal(ops.shape(image), seed=self.noise if training else 0)
        share = keras.random.uniform((count,), seed=self.noise if training else 1)
        if not training:  # every part of the time equally often
            # In no order: padding at a batch's end would take the latest times out.
            part = keras.random.shuffle(ops.arange(count, dtype="float32"), seed=2)
            share = (part + share) / ops.cast(count, "float32")
        times = 1 + ops.cast(share * self.timesteps, "int32")
        times = ops.minimum(times, self.timesteps)
        if self.classes is not None:
            label = ops.cast(inputs["label"], "int32")
            if training:
                dropped = keras.random.uniform((count,), seed=self.noise) < self.label_dropout
                label = ops.where(dropped, self.classes, label)
        return image, noise, times, label

    def call(self, inputs: Any, training: bool = False) -> dict[str, Any]:
        """Return what the loss compares: noised images, and the network's guesses.

        Args:
            inputs: ``{"image": (B, H, W, C), "label": (B,)}``, images in [0, 1].
            training: Whether to draw new noise, and to use the weights themselves.

        Returns:
            ``image`` (B, H, W, C) in [-1, 1]; the ``noise`` that is added to it at ``times`` (B,),
            and ``predicted``; ``guess``, the image behind it, in [0, 1].
        """
        image, noise, times, label = self.noised(inputs, training)
        x = self.diffusion.add_noise(image, noise, times)
        predicted = self.predict_noise(x, times, label, training)
        guess = in_unit(self.diffusion.without_noise(x, predicted, times))
        found = {"image": image, "noise": noise, "times": times}
        return {**found, "predicted": predicted, "guess": guess}

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the mean squared error of the noise (eq. 14), plus regularization losses.

        Args:
            x: Not used.
            y: Not used.
            y_pred: What `call` returns.
            sample_weight: Weights of the examples, (B,) or (B, 1).
            training: Not used.
        """
        noise, predicted = y_pred["noise"], y_pred["predicted"]
        bound = self.diffusion.bound(
            y_pred["image"], noise, predicted, y_pred["times"], self.levels
        )
        bits = bound / (math.prod(self.example_shape) * math.log(2.0))
        self.trackers[0].update_state(bits, sample_weight)
        errors = ops.mean(ops.square(noise - predicted), axis=(1, 2, 3))
        return batch_mean(errors, sample_weight) + penalties(self)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Update a recipe's metrics, which compare the network's guesses with the images."""
        guess = y_pred["guess"]
        return super().compute_metrics(x, x["image"] if y is None else y, guess, sample_weight)

    def likelihood_bounds(self, inputs: Any) -> dict[str, Any]:
        """Return the variational bound on log p(x) of each image, (B,), in nats.

        It is estimated from `BOUND_TERMS` of its T terms, other ones for each image.
        """
        image, _, _, label = self.noised(inputs, training=False)
        found = variational_bound(
            self.diffusion,
            lambda x, times: self.predict_noise(x, times, label),
            image,
            self.levels,
            min(BOUND_TERMS, self.timesteps),
        )
        return {"variational_bound": -found}

    def train_step(self, data: Any) -> dict[str, Any]:
        """Train the network by one batch, then move the averages."""
        logs = super().train_step(data)
        self.averages.update(self.network.weights, self.optimizer.iterations)
        return dict(logs)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {"input_shape": self.example_shape, "classes": self.classes}
        return {**super().get_config(), **own, **self.arguments}


def ddpm(
    *,
    input_shape: tuple[int, ...] = (32, 32, 3),
    classes: int | None = None,
    width: int = 128,
    multipliers: Sequence[int] = (1, 2, 2, 2),
    blocks: int = 2,
    attention: Sequence[int] = (16,),
    dropout: float = 0.1,
    groups: int = 32,
    patch: int = 1,
    timesteps: int = 1000,
    schedule: str = "linear",
    levels: int = 256,
    momentum: float = 0.9999,
    label_dropout: float = 0.1,
    guidance: float = 0.0,
    steps: int | None = None,
    eta: float = 0.0,
) -> keras.Model:
    """Return a denoising diffusion model with a U-Net.

    Source: Ho, Jain and Abbeel, "Denoising diffusion probabilistic models", 2020, section 4 and
    appendix B, for CIFAR-10. With classes, Ho and Salimans, "Classifier-free diffusion guidance",
    2022. Samplers of few steps: Song, Meng and Ermon, "Denoising diffusion implicit models", 2021.

    Args:
        input_shape: Of one image with values in [0, 1], without the batch axis.
        classes: How many there are; None makes images without being told a class, as in the paper.
        width: Channels of the first level.
        multipliers: Times the width, for each level; each halves height and width of the last one.
        blocks: Residual blocks of a level.
        attention: Heights of a level on which every block is followed by self-attention.
        dropout: Share of a block's units dropped while training.
        groups: Of group normalisation.
        patch: Height and width of the patches that the first level sees as one place each; 1 is the
            paper's. 2 makes every level a quarter as large (Luhman and Luhman, "Improving diffusion
            model efficiency through patching", 2022).
        timesteps: T.
        schedule: How the noise grows: ``"linear"`` or ``"cosine"`` (Nichol and Dhariwal 2021).
        levels: Values that a pixel of the data can have, for the bits per dimension.
        momentum: Of the averages of the weights.
        label_dropout: Share of the labels that are hidden while training. With 1 the network is
            never told a class.
        guidance: How much stronger than the class asks, w of Ho and Salimans; 0 is no guidance.
        steps: Of the sampler, 1 to T. None takes T: the paper's random steps. Fewer are DDIM's.
        eta: How random fewer steps are (Song et al. 2021, eq. 16): 0 follows the noise alone, so
            that images between two noises change smoothly; 1 adds noise as the paper's steps do.

    Returns:
        A model of ``{"image": (B, *input_shape), "label": (B,)}``, see `DDPM.call`. It generates by
        ``sample(count, seed, label)``, which takes the noise of its ``prior`` away step by step.
    """
    channels = [width, *(width * multiplier for multiplier in multipliers)]
    if any(count % groups for count in channels):
        raise ValueError(f"groups must divide the channels {channels}, got {groups}")
    if patch < 1:
        raise ValueError(f"patch must be at least 1, got {patch}")
    least = patch * 2 ** (len(multipliers) - 1)
    if any(side % least for side in input_shape[:2]):
        of = f" of patches of {patch}×{patch}" if patch > 1 else ""
        raise ValueError(
            f"height and width must be multiples of {least} for {len(multipliers)} levels{of}, "
            f"got {input_shape[0]}×{input_shape[1]}"
        )
    if not 0.0 <= label_dropout <= 1.0:
        raise ValueError(f"label_dropout must be in [0, 1], got {label_dropout}")
    if steps is not None and not 1 <= steps <= timesteps:
        raise ValueError(f"steps must be 1 to {timesteps:,}, got {steps:,}")
    if not 0.0 <= eta <= 1.0:
        raise ValueError(f"eta must be in [0, 1], got {eta}")
    arguments = {
        "width": width,
        "multipliers": tuple(multipliers),
        "blocks": blocks,
        "attention": tuple(attention),
        "dropout": dropout,
        "groups": groups,
        "patch": patch,
    }
    model = DDPM(
        input_shape,
        None if label_dropout == 1.0 else classes,
        arguments,
        timesteps,
        schedule,
        levels,
        momentum,
        label_dropout,
        guidance,
        steps,
        eta,
        name="ddpm",
    )
    model.build((None, *input_shape))
    return model

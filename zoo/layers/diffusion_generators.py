"""Generators that take noise away step by step."""

from __future__ import annotations

from typing import Any, Self

import keras
from keras import ops

from zoo.layers.diffusion import Diffusion
from zoo.layers.generators import ConditionalGenerator, random_normal
from zoo.layers.samplers import PredictNoise, denoise_step, guided, restore, sample, visited


class DiffusionGenerator(ConditionalGenerator):
    """A model that predicts the noise in images, and makes images by it.

    A subclass sets the attributes below, `classes` and `most_steps`, which is T, and implements
    `predict_noise`.
    """

    example_shape: tuple[int, ...]
    """Of one image: (H, W, C)."""
    diffusion: Diffusion
    """How the noise is added."""
    guidance: float
    """How much stronger than the class asks; 0 is no guidance."""
    steps: int
    """Of the sampler, 1 to T."""
    eta: float = 0.0
    """How random fewer steps than T are, 0 to 1; see `zoo.layers.samplers.denoise_steps`."""

    def predict_noise(self, x: Any, times: Any, label: Any = None, training: bool = False) -> Any:
        """Return the noise in images.

        Args:
            x: (B, H, W, C) of these times.
            times: (B,), 1 to T.
            label: (B,); `classes` is no class. None is no class for all.
            training: Whether it is asked in order to be trained.
        """
        raise NotImplementedError

    def guided(self, label: Any) -> PredictNoise:
        """Return the function from images and times to noise that samples classes (B,)."""
        if label is None or self.classes is None or not self.guidance:
            return lambda x, times: self.predict_noise(x, times, label)
        return guided(self.predict_noise, label, self.classes, self.guidance)

    @property
    def passes(self) -> int:
        """How often an example goes through the network when it is sampled."""
        return self.steps * (2 if self.classes is not None and self.guidance else 1)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """Shape of one latent: noise like an image."""
        return self.example_shape

    def prior(self, count: Any, seed: Any) -> Any:
        """Return x_T (count, H, W, C), standard normal."""
        return random_normal((count, *self.example_shape), seed)

    def decode(
        self, latent: Any, label: Any = None, steps: int | None = None, eta: float | None = None
    ) -> Any:
        """Return images (B, H, W, C) in [0, 1] for noise of the same shape.

        Args:
            latent: x_T.
            label: (B,); None takes the classes in turn.
            steps: 1 to T; None takes the model's own.
            eta: How random they are, 0 to 1. None: T of them are random (algorithm 2), and fewer
                are as random as the model's own `eta` says, 0 being DDIM.
        """
        return self.path(latent, label, steps, pictures=1, eta=eta)[-1]

    def path(
        self,
        latent: Any,
        label: Any = None,
        steps: int | None = None,
        pictures: int = 50,
        eta: float | None = None,
    ) -> Any:
        """Return the way from noise to images, (pictures, B, H, W, C) in [0, 1].

        Args:
            latent: As in `decode`, as are `label`, `steps` and `eta`.
            label: As in `decode`.
            steps: As in `decode`.
            pictures: Of evenly spread steps; the last is of the finished images.
            eta: As in `decode`.
        """
        if self.classes is not None and label is None:
            label = self.labels(ops.shape(latent)[0])
        steps = self.steps if steps is None else steps
        return sample(self, latent, label, steps, pictures, eta)

    def decoder_network(self) -> keras.Model:
        """Return the `keras.Model` from noise and labels to images: all steps of the sampler."""
        latent = keras.Input(self.latent_shape, name="latent")
        label = keras.Input((), dtype="int32", name="label")
        images = Sampler(self, name="sampler")(latent, label)
        return SampledNetwork([latent, label], images, name=self.name)

    def denoise(self, images: Any) -> Any:
        """Return images (B, H, W, C) in [0, 1] without the noise that is in them.

        How strong the noise is need not be known: see `zoo.layers.samplers.restore`.
        """
        return restore(self, images)


@keras.saving.register_keras_serializable("dlzoo")
class SampledNetwork(keras.Model):
    """A network from noise and labels to images that goes through a `Sampler`."""

    @property
    def visited(self) -> list[int]:
        """The times that its sampler visits, the last of them 0."""
        generator = self.get_layer("sampler").model
        return [int(time) for time in visited(generator.steps, generator.most_steps)]

    def one_step(self, image: Any, time: Any, next_time: Any, label: Any) -> Any:
        """Return what one of DDIM's steps makes of images (B, H, W, C), for times (B,)."""
        generator = self.get_layer("sampler").model
        predict = generator.guided(label)
        return denoise_step(generator.diffusion, predict, image, time, next_time)


@keras.saving.register_keras_serializable("dlzoo")
class Sampler(keras.layers.Layer):
    """A generator's `decode` as a layer, so that networks of its inputs can be made and served.

    Args:
        model: The generator, with `decode` of latents and labels, and `passes`: how often an
            example goes through its networks.
        arguments: Passed to `keras.layers.Layer`.
    """

    def __init__(self, model: Any, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.model = model
        self.passes = model.passes

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "model": keras.saving.serialize_keras_object(self.model)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Return a layer with a generator of its own."""
        return cls(**{**config, "model": keras.saving.deserialize_keras_object(config["model"])})

    def call(self, latent: Any, label: Any) -> Any:
        """Return examples (B, ...) in [0, 1]."""
        return self.model.decode(latent, label)

    def compute_output_spec(self, latent: Any, label: Any) -> Any:
        """Return the shape of the examples, which is that of the latents."""
        return keras.KerasTensor(latent.shape, dtype="float32")

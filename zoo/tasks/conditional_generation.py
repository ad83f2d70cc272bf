"""Generation by models that are told which class to make."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from zoo.base.errors import UsageError
from zoo.runs.pictures import grid_columns
from zoo.tasks.endpoint import Endpoint
from zoo.tasks.generation import Generation
from zoo.tasks.samples import SampleRequest

SAMPLER_TOLERANCE = 1e-3
"""A sampler's first step divides by the little signal that is left, 5e-5 for 100 times."""


class ConditionalGeneration(Generation):
    """Models that are trained on images and their labels, and make images of a class.

    A model is one of them where its card's inputs name a ``label``. It is fed with
    ``{"image": …, "label": …}``, whatever the columns are called. Its builder takes ``classes``,
    its ``decode`` labels beside latents, and it has ``labels(count, label)``, see
    `zoo.layers.generators.ConditionalGenerator`.
    """

    answers = "class"  # a column that the model is given, not asked for

    def builder_arguments(self) -> dict[str, Any]:
        """Return the shape of an image and the number of classes."""
        return {**super().builder_arguments(), "classes": self.spec.features[self._label].classes}

    @property
    def _label(self) -> str:
        """The column that says of which class an example is."""
        return self.targets[0]

    def model_inputs(self, encoded: Mapping[str, Any]) -> Any:
        """Return an image and its label."""
        return {"image": encoded[self.inputs[0]], "label": encoded[self._label]}

    def model_targets(self, encoded: Mapping[str, Any]) -> Any:
        """Return None: the label is given to the model."""
        return None

    def class_number(self, text: str) -> int:
        """Return the number of the class that a user asks samples of, by its name or number."""
        return self.spec.features[self._label].class_number(text)

    def drawn(self, model: Any, request: SampleRequest) -> tuple[Any, ...]:
        """Return latents (count, *latent_shape) and labels (count,)."""
        classes = self.spec.features[self._label].classes
        if request.label is not None and not 0 <= request.label < classes:
            raise UsageError(f"label must be 0 to {classes - 1}, got {request.label}")
        latent = self.latents(model, request)
        if request.interpolate and request.label is None:  # all of a row are of one class
            rows = model.labels(-(-request.count // grid_columns(request.count)))
            return latent, np.repeat(rows, grid_columns(request.count))[: request.count]
        return latent, model.labels(request.count, request.label)

    def asked_classes(self, request: SampleRequest) -> np.ndarray:
        """Return the class that each sample of a request is to be of: all in turn."""
        return np.arange(request.count) % self.spec.features[self._label].classes

    def endpoints(self, network: Any) -> dict[str, Endpoint]:
        """Return one signature, from latents and labels to images."""
        import tensorflow as tf

        plain = super().endpoints(network)["generate"]
        label = self.spec.features[self._label]

        def generate(latent: Any, label: Any) -> dict[str, Any]:
            made = network([latent, label], training=False)
            return {"image": tf.cast(made, tf.float32)}

        signature = {**plain.signature, "label": label.signature("label")}
        return {
            "generate": Endpoint(
                generate, signature, lambda count: (*plain.sample(count), label.sample(count))
            )
        }

    def encoded(self, network: Any) -> Endpoint:
        """Return the network's own signature."""
        steps = hasattr(network, "one_step")
        return dataclasses.replace(
            super().encoded(network), tolerance=SAMPLER_TOLERANCE if steps else 0.0
        )

    def portable(self, network: Any) -> Endpoint:
        """Return the same signature or, of a sampler that goes step by step, one of its steps."""
        whole = self.endpoints(network)["generate"]
        if not hasattr(network, "one_step"):
            return whole
        import tensorflow as tf

        def step(latent: Any, time: Any, next_time: Any, label: Any) -> dict[str, Any]:
            return {"image": network.one_step(latent, time, next_time, label)}

        def sample(count: int) -> tuple[Any, ...]:
            latent, label = whole.sample(count)
            places = np.arange(count) % (len(network.visited) - 1)
            times = np.array(network.visited, np.int32)
            return latent, times[places], times[places + 1], label

        latent, label = whole.signature.values()
        signature = {
            "latent": latent,
            "time": tf.TensorSpec((None,), tf.int32, name="time"),
            "next_time": tf.TensorSpec((None,), tf.int32, name="next_time"),
            "label": label,
        }
        return Endpoint(
            step,
            signature,
            sample,
            left_out="the loop over the sampler's steps is outside of it",
            constants={"times": network.visited},
        )

"""Classification of images by models that also generate them."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.tasks.classification import ImageClassification
from zoo.tasks.columns import Columns
from zoo.tasks.endpoint import Endpoint
from zoo.tasks.generation import Generation
from zoo.tasks.samples import SampleRequest, Samples

if TYPE_CHECKING:
    from zoo.datasets.loading import Dataset


class GenerativeClassification(ImageClassification):
    """A classifier that has `sample` and `decode` besides, as `Generation` asks for them."""

    commands = ("evaluate", "generate", "export")

    @classmethod
    def check(cls, model: str, task: str, data: Columns) -> None:
        """Raise a `UsageError` unless the data are images in [0, 1] with classes."""
        super().check(model, task, data)
        Generation.check(model, task, data)

    @cached_property
    def generation(self) -> Generation:
        """The other half of the work."""
        return Generation("generation", self.spec)

    def sample(self, model: Any, request: SampleRequest) -> Samples:
        """Return images, see `Generation`."""
        return self.generation.sample(model, request)

    def endpoints(self, network: Any) -> dict[str, Endpoint]:
        """Return the classifier's signature, then the generator's."""
        generate = self.generation.endpoints(self.generation.served(network))
        return {**super().endpoints(network), **generate}

    def draw(self, values: dict[str, Any], model: Any, dataset: Dataset, folder: Path) -> None:
        """Draw the classifier's figures and 64 samples."""
        super().draw(values, model, dataset, folder)
        self.generation.draw({}, model, dataset, folder)

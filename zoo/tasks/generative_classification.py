"""Classification of images by models that also generate them."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.tasks.classification import ImageClassification
from zoo.tasks.columns import Columns
from zoo.tasks.endpoint import Endpoint
from zoo.tasks.generation import SAMPLE_SCORES, Generation
from zoo.tasks.samples import SampleRequest, Samples

if TYPE_CHECKING:
    from zoo.datasets.loading import Dataset
    from zoo.tasks.predictor import Predictor


class GenerativeClassification(ImageClassification):
    """A classifier that has `sample` and `decode` besides, as `Generation` asks for them."""

    scores = (*ImageClassification.scores, *SAMPLE_SCORES)
    final_scores = tuple(score.name for score in SAMPLE_SCORES)
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

    def evaluate(self, model: Any, dataset: Dataset, split: str) -> dict[str, float]:
        """Return the classifier's scores and those of samples, see `Generation.sample_scores`."""
        scores = super().evaluate(model, dataset, split)
        return {**scores, **self.generation.sample_scores(model, dataset, split)}

    def data_for_figures(
        self, predictor: Predictor, dataset: Dataset, split: str
    ) -> dict[str, Any]:
        """Return the classifier's data, and what noise and real images score."""
        values = super().data_for_figures(predictor, dataset, split)
        return {**values, **self.generation.data_for_figures(predictor, dataset, split)}

    def training_callbacks(self, folder: Path, epochs: int) -> list[Any]:
        """Return those of both halves: samples are drawn in the course of a training."""
        both = super().training_callbacks(folder, epochs)
        return [*both, *self.generation.training_callbacks(folder, epochs)]

    def sample(self, model: Any, request: SampleRequest) -> Samples:
        """Return images, see `Generation`."""
        return self.generation.sample(model, request)

    def animate(self, model: Any, request: SampleRequest, pictures: int) -> list[Samples]:
        """Return the way from noise to images, see `Generation`."""
        return self.generation.animate(model, request, pictures)

    def endpoints(self, network: Any) -> dict[str, Endpoint]:
        """Return the classifier's signature, then the generator's."""
        generate = self.generation.endpoints(self.generation.served(network))
        return {**super().endpoints(network), **generate}

    def draw(self, values: dict[str, Any], model: Any, dataset: Dataset, folder: Path) -> None:
        """Draw the classifier's figures and 64 samples."""
        super().draw(values, model, dataset, folder)
        self.generation.draw({}, model, dataset, folder)

"""Draws samples of several runs side by side: `python -m tools.samples RUN... --output PICTURE`.

The README's pictures are of runs of the recipes as they stand, beside examples of their test split:

    for model in rbm vae gan dcgan wgan-gp conditional-gan ddpm; do
        dlzoo train $model --name $model
    done
    python -m tools.samples runs/{rbm,vae,gan,dcgan,wgan-gp,conditional-gan,ddpm} \\
        --output docs/images/samples.png

    for model in vae dcgan ddpm; do
        dlzoo train --recipe $model-glyphs --name $model-glyphs
    done
    python -m tools.samples runs/{vae,dcgan,ddpm}-glyphs --output docs/images/glyphs.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from zoo.base.files import written_whole
from zoo.run import Run
from zoo.runs.pictures import grid_pixels, require_picture_suffix

SIDE = 8
"""Rows and columns of samples of each run."""
ACROSS = 4
"""Runs beside each other."""


def real_images(run: Run, count: int) -> np.ndarray:
    """Return examples (count, height, width, channels) in [0, 1], from all over the test split."""
    column = run.task.inputs[0]
    image = run.spec.features[column]
    split = run.dataset.split("test")
    raw = np.concatenate([np.asarray(chunk[column]) for chunk in split.chunks(1024)])
    places = np.linspace(0, len(raw) - 1, count).astype(int)  # some are in the order of classes
    return np.asarray(image.decode(np.asarray(image.encode(raw[places]))))


def draw(panels: dict[str, np.ndarray], path: Path) -> None:
    """Draw grids of images (N, height, width, 1 or 3), each under its name."""
    from matplotlib.figure import Figure

    rows = -(-len(panels) // ACROSS)
    figure = Figure(figsize=(2.2 * ACROSS, 2.45 * rows), layout="constrained")
    axes = np.ravel(figure.subplots(rows, ACROSS))
    for panel in axes:
        panel.axis("off")
    for panel, (name, images) in zip(axes, panels.items(), strict=False):
        pixels = grid_pixels(images, SIDE)
        panel.imshow(
            pixels[..., 0] if pixels.shape[-1] == 1 else pixels,
            cmap="gray",
            interpolation="nearest",
        )
        panel.set_title(name, fontsize="medium")
    with written_whole(path) as beside:
        figure.savefig(beside, format=path.suffix[1:], dpi=110)


def main() -> None:
    """Draw the runs that are named, and real examples before them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("runs", type=Path, nargs="+", help="Folders of generators' runs.")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    require_picture_suffix(asked.output)
    runs = [Run(path) for path in asked.runs]
    panels = {"test examples": real_images(runs[0], SIDE * SIDE)}
    for run in runs:
        panels[run.recipe.model] = run.generate(SIDE * SIDE, seed=asked.seed)
    draw(panels, asked.output)


if __name__ == "__main__":
    main()

"""What fewer steps of a diffusion model's sampler cost in quality and save in time.

    python -m benchmarks.samplers RUN [--steps 50 1000] [--eta 1] [--seeds 4] [--count 250]

With all T steps the sampler is the random one of Ho et al. 2020, algorithm 2. With fewer it is
DDIM, which `--eta 1` makes random too (Song et al. 2021, eq. 16). Each seed gives one group of
samples, from the same noise for every number of steps.
"""

from __future__ import annotations

import argparse
import functools
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.run import Run


@dataclass(frozen=True)
class Sampling:
    """Groups of samples (count, H, W, C) in [0, 1], and what they cost."""

    groups: list[np.ndarray]
    seconds: float
    """Of the clock, without compiling."""
    processor: float
    """Seconds of all processors, without compiling."""


def draw(model: Any, steps: int, seeds: int, count: int) -> Sampling:
    """Return samples of a model's classes in turn, by a sampler of so many steps."""
    import tensorflow as tf

    labels = model.labels(count)
    decode = tf.function(functools.partial(model.decode, steps=steps))
    decode = decode.get_concrete_function(
        tf.TensorSpec((None, *model.latent_shape)), tf.TensorSpec((None,), labels.dtype)
    )
    decode(model.prior(1, 0), labels[:1])  # the first call prepares the graph
    groups = []
    began, used = time.perf_counter(), time.process_time()
    for seed in range(seeds):
        groups.append(np.asarray(decode(model.prior(count, seed), labels)))
    return Sampling(groups, time.perf_counter() - began, time.process_time() - used)


def row(run: Run, steps: int, sampling: Sampling) -> str:
    """Return a Markdown row of a sampling's scores: the mean of its groups and its spread."""
    from zoo.tasks.quality import MOST_REAL, Data, reference
    from zoo.tasks.sample_scores import frechet_distance

    data = Data(run.dataset, run.task.inputs[0], run.task.targets[0])
    judge = reference(data).judge
    real = judge.features(data.images("test", MOST_REAL))
    asked = np.arange(len(sampling.groups[0])) % data.classes
    all_of_them = frechet_distance(real, judge.features(np.concatenate(sampling.groups)))
    distances = [frechet_distance(real, judge.features(one)) for one in sampling.groups]
    found = [judge.classes(one) for one in sampling.groups]
    accepted = [float((one >= 0).mean()) for one in found]
    right = [float((one == asked).mean()) for one in found]
    spread = f"{np.mean(distances):.4f} ± {np.std(distances, ddof=1):.4f}"
    return (
        f"| {steps} | {all_of_them:.4f} | {spread} | {np.mean(accepted):.4f} | "
        f"{np.mean(right):.4f} | {sampling.processor:.1f} | {sampling.seconds:.1f} |"
    )


def main() -> None:
    """Sample with each number of steps, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("run", type=Path, help="The folder of a ddpm's run.")
    parser.add_argument("--steps", type=int, nargs="+", default=[50, 1000])
    parser.add_argument("--eta", type=float, help="0 to 1; by default the model's.")
    parser.add_argument("--seeds", type=int, default=4, help="At least 2.")
    parser.add_argument("--count", type=int, default=250, help="Samples of each seed.")
    asked = parser.parse_args()
    if asked.seeds < 2:
        parser.error(f"--seeds must be at least 2, got {asked.seeds}")
    run = Run(asked.run)
    if asked.eta is not None:
        run.model.eta = asked.eta
    print("| steps | Fréchet, all | by seed | accepted | right class | processor s | s |")
    print("|---|---|---|---|---|---|---|")
    for steps in asked.steps:
        sampling = draw(run.model, steps, asked.seeds, asked.count)
        print(row(run, steps, sampling), flush=True)


if __name__ == "__main__":
    main()

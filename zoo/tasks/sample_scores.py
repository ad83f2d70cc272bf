"""How good samples are: by likelihood, by features of a judge, by nearest training images."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

NEIGHBOURS = 3
"""Of each point, to say how far a set reaches around it (Kynkäänniemi et al. 2019, section 3)."""
NEAREST = 50
"""Training images that a sample's nearest one is compared with (Carlini et al. 2023)."""
COPY = 0.33
"""A near-copy is at most so far from its nearest image, as a share of its mean distance to the
nearest `NEAREST`: the rule of Carlini et al. 2023, with a share of our own."""


def parzen(samples: np.ndarray, examples: np.ndarray, width: float) -> float:
    """Return the mean log-density of examples under Gaussians of a width around the samples.

    Args:
        samples: (N, ...).
        examples: (M, ...) of the same shape each.
        width: The Gaussians' standard deviation.
    """
    centres = samples.reshape(len(samples), -1).astype(np.float64)
    points = examples.reshape(len(examples), -1).astype(np.float64)
    exponent = -squared_distances(points, centres) / (2.0 * width**2)
    peak = exponent.max(axis=1, keepdims=True)
    log_sum = peak[:, 0] + np.log(np.exp(exponent - peak).sum(axis=1))
    dimensions = points.shape[1]
    normaliser = np.log(len(centres)) + dimensions * np.log(width * np.sqrt(2.0 * np.pi))
    return float((log_sum - normaliser).mean())


def squared_distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the squared Euclidean distances (N, M) between rows (N, D) and (M, D)."""
    products = first @ second.T
    found = (first**2).sum(axis=1)[:, None] - 2.0 * products + (second**2).sum(axis=1)
    return np.asarray(np.maximum(found, 0.0))


def frechet_distance(real: np.ndarray, samples: np.ndarray) -> float:
    """Return the Fréchet distance between Gaussians fitted to two sets of features.

    It is |m - m'|² + tr(C + C' - 2 (C C')^½) (Heusel et al. 2017, equation 6), divided by tr(C),
    the total variance of the real features, so that it does not depend on their scale. Two sets
    from one source are at about 0; the smaller the sets, the more above it.

    Args:
        real: Features (N, F) of real examples.
        samples: Features (M, F) of samples.
    """
    means = [features.mean(axis=0) for features in (real, samples)]
    spreads = [np.atleast_2d(np.cov(one, rowvar=False, bias=True)) for one in (real, samples)]
    root = _root(spreads[0])
    # tr (C C')^½ is the sum of the roots of the eigenvalues of C^½ C' C^½, which is symmetric.
    common = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ spreads[1] @ root), 0.0)).sum()
    apart = ((means[0] - means[1]) ** 2).sum()
    total = np.trace(spreads[0])
    found = apart + total + np.trace(spreads[1]) - 2.0 * common
    return float(max(found, 0.0) / max(total, 1e-12))


def _root(matrix: np.ndarray) -> np.ndarray:
    """Return the square root of a symmetric matrix without negative eigenvalues."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)


def precision_and_recall(real: np.ndarray, samples: np.ndarray) -> tuple[float, float]:
    """Return the share of samples among the real examples, and of real ones among the samples.

    A point is among a set if it is no farther from one of the set's points than that point's
    third-nearest neighbour in the set (Kynkäänniemi et al. 2019, equations 1 to 3).

    Args:
        real: Features (N, F). As many of both sets are used as the smaller one has.
        samples: Features (M, F).
    """
    count = min(len(real), len(samples))
    real, samples = real[:count], samples[:count]
    between = squared_distances(real, samples)
    return (
        float((between <= _reach(real)[:, None]).any(axis=0).mean()),
        float((between <= _reach(samples)).any(axis=1).mean()),
    )


def _reach(points: np.ndarray) -> np.ndarray:
    """Return the squared distance (N,) of each point to its third-nearest neighbour."""
    neighbour = min(NEIGHBOURS, len(points) - 1)  # a point's own place is 0
    return np.asarray(np.partition(squared_distances(points, points), neighbour)[:, neighbour])


def near_copies(samples: np.ndarray, training: Iterable[np.ndarray]) -> float:
    """Return the share of samples that are nearly a training image.

    Args:
        samples: (N, ...).
        training: The training images (B, ...), a part at a time.
    """
    points = samples.reshape(len(samples), -1).astype(np.float64)
    nearest = np.empty((len(points), 0))
    for part in training:
        found = squared_distances(points, part.reshape(len(part), -1).astype(np.float64))
        nearest = np.concatenate([nearest, found], axis=1)
        if nearest.shape[1] > NEAREST:
            nearest = np.partition(nearest, NEAREST - 1)[:, :NEAREST]
    distances = np.sqrt(nearest)
    return float((distances.min(axis=1) <= COPY * distances.mean(axis=1)).mean())


def rarest_class(found: np.ndarray, shares: np.ndarray) -> float:
    """Return the smallest ratio of a class's share among samples to its share among the data.

    1 is as even as the data; 0 means that a class never comes.

    Args:
        found: Classes (N,) of the samples; negative ones are left out.
        shares: Of each class among the data, (classes,).
    """
    counts = np.bincount(found[found >= 0], minlength=len(shares))
    present = shares > 0
    return float((counts[present] / max(counts.sum(), 1) / shares[present]).min())

"""The picture of several runs' samples."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests import tiny
from tools import samples


def test_runs_stand_side_by_side(
    shared_run_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [str(tiny.run(kind, shared_run_dir).path) for kind in ("vae", "gan")]
    picture = tmp_path / "samples.png"
    monkeypatch.setattr(sys, "argv", ["samples", *runs, "--output", str(picture)])
    samples.main()
    with Image.open(picture) as drawn:
        pixels = np.asarray(drawn.convert("L"), np.float64)
    # Three panels of four are drawn; the last one is white.
    parts = np.array_split(pixels, 4, axis=1)
    assert all(part.std() > 10.0 for part in parts[:3])
    assert parts[3].std() < 10.0


def test_real_images_are_from_all_over_the_test_split(shared_run_dir: Path) -> None:
    run = tiny.run("vae", shared_run_dir)
    images = samples.real_images(run, 5)
    raw = np.asarray(next(run.dataset.split("test").chunks(360))["image"]).reshape(360, 8, 8)
    np.testing.assert_allclose(images[..., 0], raw[[0, 89, 179, 269, 359]], atol=1e-3)

"""A folder of images: images a second beside PyTorch's DataLoader, and memory by its size.

    python -m benchmarks.own_folder speed
    python -m benchmarks.own_folder memory

Both sides read the same generated photographs (JPEG) and bring them to one size as floats, in
batches of 64, in a drawn order. PyTorch has two workers, Pillow and its own interpolation. Memory
is the peak of the process that trains LeNet-5 for one epoch.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

SIDE = 96
BATCH = 64
DISTINCT = 500
"""Pictures that are drawn; more files repeat them."""


def photographs(folder: Path, count: int, height: int, width: int) -> None:
    """Write JPEG files of smooth colours with some noise, in two classes."""
    from PIL import Image

    draw = np.random.default_rng(0)
    made: list[bytes] = []
    for _ in range(min(count, DISTINCT)):
        small = draw.integers(0, 255, (6, 8, 3), np.uint8)
        picture = Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)
        noisy = np.asarray(picture, np.int16) + draw.integers(-8, 8, (height, width, 3))
        file = io.BytesIO()
        Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=90)
        made.append(file.getvalue())
    for number in range(count):
        path = folder / ("odd" if number % 2 else "even") / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        # The number behind the picture's end makes every file another one.
        path.write_bytes(made[number % len(made)] + number.to_bytes(4))


def dlzoo_rate(folder: Path, passes: int) -> float:
    """Return the images a second of dlzoo's training batches."""
    from recipes.recipe import Data
    from zoo.datasets import split
    from zoo.datasets.batches import Batches, prepared
    from zoo.datasets.loading import load

    split.CACHE = 0  # what fits into memory is decoded once: not what is measured here
    dataset = load(
        Data(name=f"folder:{folder}"), {"image": {"size": [SIDE, SIDE], "resize": "stretch"}}
    )
    features = {name: dataset.spec.features[name] for name in ("image", "label")}

    def feed(columns: Any) -> tuple[Any, Any, None]:
        return columns["image"], columns["label"], None

    batches = Batches(
        split=prepared(dataset.split("train"), features),
        features=features,
        feed=feed,
        batch_size=BATCH,
        seed=0,
    )
    return _rate(iter(batches.start()), batches.steps, passes)


def torch_rate(folder: Path, passes: int) -> float:
    """Return the images a second of PyTorch's DataLoader with two workers."""
    import torch
    from PIL import Image

    files = sorted(folder.glob("*/*.jpg"))

    class Photographs(torch.utils.data.Dataset):
        def __len__(self) -> int:
            return len(files)

        def __getitem__(self, at: int) -> Any:
            with Image.open(files[at]) as opened:
                picture = opened.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
            pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255.0
            return pixels, int(files[at].parent.name == "odd")

    loader = torch.utils.data.DataLoader(
        Photographs(), batch_size=BATCH, shuffle=True, num_workers=2, persistent_workers=True
    )

    def forever() -> Any:
        while True:
            yield from loader

    return _rate(forever(), len(loader), passes)


def _rate(batches: Any, steps: int, passes: int) -> float:
    for _ in range(steps):  # starts workers, fills buffers
        next(batches)
    began = time.perf_counter()
    for _ in range(steps * passes):
        next(batches)
    return steps * passes * BATCH / (time.perf_counter() - began)


def speed(count: int, height: int, width: int, rounds: int) -> None:
    """Print the rates of both, in turns."""
    with tempfile.TemporaryDirectory() as name:
        photographs(Path(name), count, height, width)
        for _ in range(rounds):
            for side in ("dlzoo", "torch"):
                command = [sys.executable, "-m", "benchmarks.own_folder", "_rate", side, name]
                done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
                print(f"{side:6s} {float(done.stdout):8.0f} images a second", flush=True)


def memory(counts: list[int]) -> None:
    """Print the peak memory of a training for each number of images, and how much it grows."""
    peaks: list[float] = []
    for count in counts:
        with tempfile.TemporaryDirectory() as name:
            photographs(Path(name) / "photos", count, 64, 80)
            command = [sys.executable, "-m", "benchmarks.own_folder", "_train", name]
            done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
            peaks.append(int(done.stdout.split()[-1]) / 1e6)
            print(f"{count:7,d} images  {peaks[-1]:7.0f} MB", flush=True)
    print(f"         growth  {peaks[-1] - peaks[0]:7.0f} MB")


def _train(folder: str) -> None:
    import zoo
    from zoo.base.memory import peak_memory
    from zoo.training.progress import Silent

    zoo.train(
        "lenet5",
        dataset=f"folder:{folder}/photos",
        epochs=1,
        run_dir=f"{folder}/runs",
        reporter=Silent(),
    )
    print(peak_memory())


def main() -> None:
    """Measure what the first word names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["speed", "memory", "_rate", "_train"])
    parser.add_argument("rest", nargs="*")
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--size", type=int, nargs=2, default=[375, 500])
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    if given.what == "speed":
        height, width = given.size
        speed(given.images, height, width, given.rounds)
    elif given.what == "memory":
        memory([2_000, 20_000])
    elif given.what == "_train":
        _train(given.rest[0])
    else:
        from zoo.base.runtime import start_tensorflow

        side, folder = given.rest
        if side == "dlzoo":
            start_tensorflow()
        print((dlzoo_rate if side == "dlzoo" else torch_rate)(Path(folder), 3))


if __name__ == "__main__":
    main()

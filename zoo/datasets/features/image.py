"""An image: brought to one size, scaled, and cropped."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Self

import numpy as np

from zoo.base.errors import UsageError, require
from zoo.datasets.features.base import Feature, PixelRange, Reading

CAFFE_MEANS = (103.939, 116.779, 123.68)
"""Of blue, green and red over ImageNet's training images, as VGG's and ResNet's authors published
them with their weights."""
CHANNELS = ((int, 1), (int, 3))
"""Grey and colour; in Python, True and 1.0 equal 1."""
CROP_SEED = 1 << 62
"""Added to an example's second seed, so that a crop does not share augmentation's numbers."""
EXAMPLES_FOR_STATISTICS = 5000
"""Training images from which `border` and `brightness` are taken."""
MARGIN = 0.25
"""How far outside the training images' range a mean is unusual, as a share of black to white."""
RESIZES = ("stretch", "shorter-side", "pad")
SCALINGS = ("unit", "centred", "caffe")


@dataclass(frozen=True, kw_only=True)
class Image(Feature):
    """Raw it is (height, width, channels) of bytes, or of floats from 0 (black) to 1 (white).

    Where an image is ink on paper, 0 is no ink and 1 is full ink.
    """

    type: ClassVar[str] = "image"
    uses: ClassVar[tuple[str, ...]] = ("pixels",)
    form: ClassVar[tuple[str, ...]] = ("size", "channels", "resize", "crop", "scaling")
    suffix: ClassVar[str] = ".png"

    raw_shape: tuple[int | None, int | None, int]
    """(height, width, channels) as it comes; None, or 0 in a file, is any size."""
    size: tuple[int, int] | None = None
    """Height and width to resize to; None leaves images as they are. One number is a square."""
    channels: int | None = None
    """1 makes images grey, 3 repeats or keeps colours; None leaves them as they are."""
    resize: str = "stretch"
    """``"stretch"`` ignores the aspect ratio; ``"shorter-side"`` keeps it, scales until the image
    covers `size` and cuts out the middle; ``"pad"`` lays the image on the middle of zeros, scaled
    down only if it is larger."""
    crop: tuple[int, int] | None = None
    """Height and width of the window that the model gets: anywhere in training, in the middle
    elsewhere; None is the whole image."""
    scaling: str = "unit"
    """``"unit"`` is [0, 1]; ``"centred"`` is that minus the training split's mean of each channel;
    ``"caffe"`` is 0 to 255 in the order blue, green, red, minus 103.939, 116.779 and 123.68, as
    networks with weights from Caffe expect it."""
    mean: tuple[float, ...] = ()
    """Of each channel over the training split, for ``scaling = "centred"``."""
    border: tuple[float, float] | None = None
    """Lowest and highest mean of the outermost pixels of a training image, in [0, 1]."""
    brightness: tuple[float, float] | None = None
    """Lowest and highest mean of a training image, in [0, 1]."""

    def __post_init__(self) -> None:
        any_size = tuple(side or None for side in self.raw_shape)
        object.__setattr__(self, "raw_shape", any_size)
        for key in ("size", "crop"):
            object.__setattr__(self, key, _pair(key, getattr(self, key)))
        if self.channels is not None and (type(self.channels), self.channels) not in CHANNELS:
            raise ValueError(f"channels: must be 1 or 3, got {self.channels!r}")
        for key, words in (("resize", RESIZES), ("scaling", SCALINGS)):
            if getattr(self, key) not in words:
                choices = ", ".join(map(repr, words))
                raise ValueError(f"{key}: must be one of {choices}, got {getattr(self, key)!r}")

    def check(self, column: str) -> None:
        """Raise a `UsageError` unless it has a size, and the crop and the scaling fit it."""
        height, width, channels = self._any_shape()
        require(
            height is not None and width is not None,
            f"images are of any size; choose one: --set 'data.{column}.size=[224,224]'",
        )
        crop = self.crop
        require(
            crop is None or (crop[0] <= (height or 0) and crop[1] <= (width or 0)),
            f"a crop of {_times(crop or ())} does not fit into images of {height}×{width}",
        )
        require(
            self.scaling != "caffe" or channels == 3,
            f"scaling caffe needs images of 3 channels, got {channels}; "
            f"try --set data.{column}.channels=3",
        )

    def summary(self) -> str:
        """Return height, width and channels as they come."""
        return " × ".join(str(side or "any") for side in self.raw_shape)

    def _any_shape(self) -> tuple[int | None, int | None, int]:
        height, width = self.size or self.raw_shape[:2]
        return height, width, self.channels or self.raw_shape[2]

    def default_shape(self) -> tuple[int | None, ...]:
        """Return (height, width, channels), where a side may be None."""
        return self._any_shape()

    def shape_as_it_comes(self) -> tuple[int | None, ...]:
        """Return (height, width, channels); None is any size."""
        return self.raw_shape

    @property
    def whole_shape(self) -> tuple[int, int, int]:
        """Shape of one image of the model's size, before a window is cut out."""
        height, width, channels = self._any_shape()
        assert height is not None
        assert width is not None
        return height, width, channels

    @property
    def shape(self) -> tuple[int | None, ...]:
        """(height, width, channels) of the model's input."""
        return (*(self.crop or self.whole_shape[:2]), self.whole_shape[2])

    @property
    def pixels(self) -> PixelRange | None:
        """How far white is from black, and whether values stay in [0, 1]."""
        span = 255.0 if self.scaling == "caffe" else 1.0
        return PixelRange(span=span, clipped=self.scaling == "unit")

    def fit(self, chunks: Iterable[np.ndarray]) -> Self:
        """Return the feature with what it needs of the training images' brightness."""
        fitted = self
        if self.scaling == "centred":
            total, count = np.zeros(self.whole_shape[2]), 0
            for chunk in chunks:
                means = self.bring_to_size(chunk).numpy().mean(axis=(1, 2), dtype=np.float64)
                total += means.sum(axis=0)
                count += len(chunk)
            fitted = dataclasses.replace(fitted, mean=tuple(float(v) for v in total / count))
        borders, means = _brightness(_first(chunks, EXAMPLES_FOR_STATISTICS))
        return dataclasses.replace(
            fitted,
            border=(float(borders.min()), float(borders.max())),
            brightness=(float(means.min()), float(means.max())),
        )

    def prepare(self, raw: Any) -> Any:
        """Return images (B, *whole_shape), resized and scaled but not cropped.

        Args:
            raw: (B, height, width, 1 or 3) of any size, bytes or floats in [0, 1].
        """
        import tensorflow as tf

        images = self.bring_to_size(raw)
        if self.scaling == "centred":
            return images - tf.constant(self.mean, tf.float32)
        if self.scaling == "caffe":
            return 255.0 * images[..., ::-1] - tf.constant(CAFFE_MEANS)
        return images

    def bring_to_size(self, raw: Any) -> Any:
        """Return images (B, *whole_shape) in [0, 1]."""
        import tensorflow as tf

        images = tf.cast(raw, tf.float32)
        if raw.dtype == np.uint8:
            images = images / 255.0
        height, width, channels = self.whole_shape
        if images.shape[-1] == 3 and channels == 1:
            images = tf.image.rgb_to_grayscale(images)
        elif images.shape[-1] == 1 and channels == 3:
            images = tf.image.grayscale_to_rgb(images)
        if tuple(images.shape[1:3]) == (height, width):
            return images
        if self.resize == "shorter-side":
            return _cut(_cover(images, height, width), height, width)
        if self.resize == "pad":
            images = tf.image.resize_with_crop_or_pad(_fit(images, height, width), height, width)
            return tf.ensure_shape(images, (None, height, width, channels))
        return tf.image.resize(images, (height, width), method="bilinear", antialias=True)

    def finish(self, prepared: Any, seeds: Any = None) -> Any:
        """Return the model's window of each image, drawn by `seeds` or from the middle."""
        if self.crop is None or self.crop == self.whole_shape[:2]:
            return prepared
        import tensorflow as tf

        from zoo.datasets.augmentation import random_numbers

        height, width = self.crop
        if seeds is None:
            return _cut(prepared, height, width)
        drawn = random_numbers.uniform(seeds + tf.constant([0, CROP_SEED], tf.int64), 2)
        room = tf.constant([prepared.shape[1] - height + 1, prepared.shape[2] - width + 1])
        top, left = tf.unstack(tf.cast(drawn * tf.cast(room, tf.float32), tf.int32), axis=1)
        prepared = tf.gather(prepared, top[:, None] + tf.range(height), axis=1, batch_dims=1)
        return tf.gather(prepared, left[:, None] + tf.range(width), axis=2, batch_dims=1)

    def signature(self, name: str) -> Any:
        """Return pixels from 0 to 255 of the size that the model resizes to."""
        import tensorflow as tf

        return tf.TensorSpec((None, *self.whole_shape), tf.float32, name=name)

    def from_serving(self, inputs: Mapping[str, Any]) -> Any:
        """Return images in [0, 1] from pixels 0 to 255."""
        import tensorflow as tf

        # Of four axes: to divide grey images by a scalar takes ONNX Runtime 1.31 50 times as long.
        return super().from_serving(inputs) / tf.constant(255.0, shape=(1, 1, 1, 1))

    def to_serving(self, name: str, raw: np.ndarray) -> dict[str, np.ndarray]:
        """Return pixels from 0 to 255 of the model's size."""
        return {name: self.bring_to_size(raw).numpy() * np.float32(255.0)}

    def file_inputs(self, name: str) -> dict[str, Any]:
        """Return the contents of JPEG, PNG, GIF, BMP or WebP files, of any size."""
        import tensorflow as tf

        # TensorFlow Serving takes names that end with _bytes for bytes.
        key = f"{name}_bytes"
        return {key: tf.TensorSpec((None,), tf.string, name=key)}

    def from_files(self, contents: Any) -> Any:
        """Return images in [0, 1] of the model's size, without rotating them as EXIF says."""
        import tensorflow as tf

        def decoded(content: Any) -> Any:
            image = tf.cond(
                tf.io.is_jpeg(content),
                # As in training, see `zoo.datasets.features.decoding`.
                lambda: tf.io.decode_jpeg(content, channels=3, dct_method="INTEGER_ACCURATE"),
                lambda: tf.io.decode_image(content, channels=3, expand_animations=False),
            )
            return self.bring_to_size(tf.ensure_shape(image, (None, None, 3))[None])[0]

        return tf.map_fn(decoded, contents, fn_output_signature=tf.float32)

    def to_files(self, raw: np.ndarray) -> np.ndarray:
        """Return PNG files."""
        import tensorflow as tf

        whole = np.rint(np.asarray(self.bring_to_size(raw)) * 255.0).astype(np.uint8)
        return np.array([tf.io.encode_png(image).numpy() for image in whole])

    def sample(self, count: int, seed: int = 0) -> np.ndarray:
        """Return uniform noise (count, *whole_shape)."""
        draw = np.random.default_rng(seed)
        return draw.random((count, *self.whole_shape), dtype=np.float32)

    def like(self, shape: tuple[int, ...], defaults: Mapping[str, Any]) -> Self:
        """Return images of a shape, as they are."""
        height, width, channels = shape
        return type(self)(raw_shape=(height, width, channels))

    def parse(self, cells: Sequence[Sequence[str]]) -> np.ndarray:
        """Return images from a cell for each value, row by row, channels last."""
        height, width, channels = self.raw_shape
        return np.array(cells).astype(np.float32).reshape(-1, height or 0, width or 0, channels)

    def decode(self, encoded: Any) -> list[Any]:
        """Return images (height, width, channels) in [0, 1]."""
        return list(self.shown(np.asarray(encoded, np.float32)))

    def shown(self, encoded: np.ndarray) -> np.ndarray:
        """Return encoded images (B, height, width, channels) in [0, 1], whatever the scaling."""
        if self.scaling == "unit":
            return np.clip(encoded, 0.0, 1.0)
        shape = (1, *self.whole_shape)
        black, white = (self.encode(value).numpy() for value in (np.zeros(shape), np.ones(shape)))
        shown = np.clip((encoded - black) / (white - black), 0.0, 1.0)
        return np.asarray(shown[..., ::-1] if self.scaling == "caffe" else shown)

    def as_raw(self, values: Any) -> np.ndarray:
        """Return images (B, height, width, channels) as floats in [0, 1].

        Args:
            values: (N, H, W), (N, H, W, 1 or 3) or one image, uint8 or floats in [0, 1].
        """
        given = np.asarray(values)
        if given.dtype.kind not in "buif":
            raise UsageError(f"expected numbers, got an array of {given.dtype}")
        scaled = given.astype(np.float32) / (255.0 if given.dtype == np.uint8 else 1.0)
        if scaled.ndim == 2 or (scaled.ndim == 3 and scaled.shape[-1] in (1, 3)):
            scaled = scaled[None]
        if scaled.ndim == 3:
            scaled = scaled[..., None]
        if scaled.ndim != 4 or scaled.shape[-1] not in (1, 3):
            raise UsageError(f"expected images (N, height, width, 1 or 3), got shape {given.shape}")
        if scaled.size and not (scaled.min() >= 0.0 and scaled.max() <= 1.0):  # nor if it is NaN
            raise UsageError(
                f"floats in images must lie in [0, 1], got {scaled.min():g} to {scaled.max():g}; "
                "bytes (uint8) may go up to 255"
            )
        return scaled

    def read(self, text: str, stdin: BinaryIO) -> Iterator[Reading]:
        """Yield the images of a file, of a folder, or of standard input."""
        from zoo.datasets.features.pictures import read

        return read(text, stdin, grey=self.whole_shape[2] == 1)

    def unusual(self, raw: np.ndarray) -> str | None:
        """Say whether an image is much lighter or darker than those trained on."""
        if self.border is None or self.brightness is None:
            return None
        where = (("its edge", self.border), ("the image", self.brightness))
        means = [float(values[0]) for values in _brightness([raw])]
        for (what, bounds), mean in zip(where, means, strict=True):
            low, high = bounds
            if low - MARGIN <= mean <= high + MARGIN:
                continue
            word = "lighter" if mean > high else "darker"
            swapped = [float(values[0]) for values in _brightness([self.inverted(raw)])]
            fits = all(
                one[0] - MARGIN <= value <= one[1] + MARGIN
                for value, (_, one) in zip(swapped, where, strict=True)
            )
            hint = "; light and dark may be swapped, try --invert" if fits else ""
            return (
                f"{what} is {word} ({mean:.2f} of 1) than any training image's "
                f"({low:.2f} to {high:.2f}){hint}"
            )
        return None

    def inverted(self, raw: np.ndarray) -> np.ndarray:
        """Return images with light and dark swapped."""
        return 255 - raw if raw.dtype == np.uint8 else np.float32(1.0) - raw

    @classmethod
    def require_suffix(cls, path: Path) -> None:
        """Raise a `UsageError` unless it is a picture's name."""
        from zoo.runs.pictures import require_picture_suffix

        require_picture_suffix(path)

    def write(self, values: Sequence[Any], path: Path) -> None:
        """Draw images into one picture."""
        from zoo.runs.pictures import image_grid

        image_grid(np.stack(values), path)

    def preview(self, raw: np.ndarray, titles: Sequence[str], path: Path) -> None:
        """Draw images with their titles."""
        from zoo.runs.pictures import image_grid

        image_grid(_unit(raw), path, titles=titles)


def _pair(key: str, value: Any) -> tuple[int, int] | None:
    if value is None:
        return None
    pair = tuple(value) if isinstance(value, list | tuple) else (value, value)
    if len(pair) != 2 or any(type(side) is not int or side < 1 for side in pair):
        raise ValueError(f"{key}: must be two positive numbers, height and width, got {value!r}")
    return pair[0], pair[1]


def _times(size: Sequence[int]) -> str:
    return "×".join(map(str, size))


def _unit(images: np.ndarray) -> np.ndarray:
    return images / np.float32(255.0) if images.dtype == np.uint8 else images


def _first(chunks: Iterable[np.ndarray], count: int) -> Iterator[np.ndarray]:
    for chunk in chunks:
        yield chunk[:count]
        count -= len(chunk)
        if count <= 0:
            return


def _brightness(chunks: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the means of the outermost pixels, and of all, of each image in [0, 1]."""
    borders: list[np.ndarray] = []
    means: list[np.ndarray] = []
    for chunk in chunks:
        grey = _unit(chunk).mean(axis=-1, dtype=np.float64)  # (B, height, width)
        edge = np.ones(grey.shape[1:], bool)
        edge[1:-1, 1:-1] = False
        borders.append(grey[:, edge].mean(axis=-1))
        means.append(grey.mean(axis=(1, 2)))
    return np.concatenate(borders), np.concatenate(means)


def _cover(images: Any, height: int, width: int) -> Any:
    """Scale images, keeping their aspect ratio, until they just cover a height and width."""
    import tensorflow as tf

    sides = tf.cast(tf.shape(images)[1:3], tf.float64)
    wanted = tf.constant([height, width], tf.float64)
    scaled = sides * tf.reduce_max(wanted / sides)
    size = tf.cast(tf.maximum(tf.round(scaled), wanted), tf.int32)
    return tf.image.resize(images, size, method="bilinear", antialias=True)


def _fit(images: Any, height: int, width: int) -> Any:
    """Scale images down, keeping their aspect ratio, until they fit into a height and width."""
    import tensorflow as tf

    sides = tf.cast(tf.shape(images)[1:3], tf.float64)
    scale = tf.reduce_min(tf.constant([height, width], tf.float64) / sides)
    size = tf.cast(tf.maximum(tf.round(sides * tf.minimum(scale, 1.0)), 1.0), tf.int32)
    return tf.image.resize(images, size, method="bilinear", antialias=True)


def _cut(images: Any, height: int, width: int) -> Any:
    """Return the middle of images, whose sides may not be known in advance."""
    import tensorflow as tf

    top, left = tf.unstack((tf.shape(images)[1:3] - [height, width]) // 2)
    cut = images[:, top : top + height, left : left + width]
    cut.set_shape((None, height, width, None))
    return cut

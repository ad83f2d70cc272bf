"""vae, gan and dcgan beside their peers: the same images, and the same training step."""

from typing import Any

import keras
import numpy as np
import pytest

from benchmarks import keras_peers
from zoo import registry

ARGUMENTS: dict[str, dict[str, Any]] = {
    "vae": {"input_shape": (8, 8, 1), "hidden_units": (6, 5)},
    "gan": {
        "input_shape": (8, 8, 1),
        "generator_units": (6, 5),
        "discriminator_units": (4, 3),
        # No two frameworks drop the same units.
        "pieces": 2,
        "dropout": 0.0,
        "input_dropout": 0.0,
    },
    "dcgan": {"input_shape": (8, 8, 3), "filters": 4, "smallest": 2},
}
PARTS = {"vae": ("encoder", "decoder"), "gan": ("generator", "discriminator")}
PARTS["dcgan"] = PARTS["gan"]
RATE = 0.1
DRAW = np.random.default_rng(0)
NOISE = DRAW.uniform(-1.0, 1.0, (4, 3)).astype("float32")


def images_for(name: str) -> np.ndarray:
    return DRAW.random((4, *ARGUMENTS[name]["input_shape"]), np.float32)


def zoo_model(name: str) -> Any:
    """Return a compiled model whose weights are no longer zeros and ones."""
    model = registry.build(name, latent_dim=3, **ARGUMENTS[name])
    for part in PARTS[name]:
        for weight in getattr(model, part).trainable_weights:
            weight.assign(DRAW.normal(0.0, 0.3, weight.shape))
    model.compile(**optimizers(name))
    return model


def optimizers(name: str) -> dict[str, Any]:
    if name == "vae":
        return {"optimizer": keras.optimizers.SGD(RATE)}
    return {f"{part}_optimizer": keras.optimizers.SGD(RATE) for part in PARTS[name]}


def still_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Keras always draw the same noise."""
    for kind in ("normal", "uniform"):
        monkeypatch.setattr(
            keras.random, kind, lambda *args, **kwargs: keras.ops.convert_to_tensor(NOISE)
        )


def weights_of(model: Any, name: str) -> list[np.ndarray]:
    """Return the trainable weights of both networks."""
    parts = (getattr(model, part) for part in PARTS[name])
    return [weight.numpy() for part in parts for weight in part.trainable_weights]


def require_same(found: list[np.ndarray], expected: list[np.ndarray]) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_plain_keras_decodes_and_trains_as_the_zoo(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, images = zoo_model(name), images_for(name)
    monkeypatch.setattr(registry, "build", lambda *args, **kwargs: ours)
    plain = keras_peers.generator(name, images)
    networks = [getattr(plain.model, part) for part in PARTS[name]]
    layers = [layer for network in networks for layer in network.layers if layer.weights]
    assert all(
        type(layer).__module__.startswith("keras.") or type(layer).__name__ == "Maxout"
        for layer in layers
    )
    np.testing.assert_allclose(plain.answering(NOISE), ours.decode(NOISE), rtol=1e-4, atol=1e-5)
    before = weights_of(ours, name)
    plain.model.compile(**optimizers(name))
    still_noise(monkeypatch)
    ours.train_step((images,))
    history = plain.model.fit(images, batch_size=len(images), shuffle=False, verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values())
    require_same(weights_of(plain.model, name), weights_of(ours, name))
    moved = zip(before, weights_of(ours, name), strict=True)
    assert all(np.abs(old - new).max() > 1e-4 for old, new in moved)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_pytorch_decodes_and_trains_as_the_zoo(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    from benchmarks.torch_generators import NETWORKS
    from benchmarks.torch_side import sgd

    ours, images = zoo_model(name), images_for(name)
    theirs = NETWORKS[name](latent_dim=3, **ARGUMENTS[name])
    for part in PARTS[name]:
        stored = theirs.get_submodule(part).state_dict()
        kept = [one for key, one in stored.items() if not key.endswith("num_batches_tracked")]
        for mine, other in zip(kept, getattr(ours, part).weights, strict=True):
            mine.copy_(torch.from_numpy(turned(other.numpy())))
    theirs.eval()
    noise = torch.from_numpy(NOISE)
    with torch.no_grad():
        decoded = theirs(noise).permute(0, 2, 3, 1)
    np.testing.assert_allclose(decoded, ours.decode(NOISE), rtol=1e-4, atol=1e-5)

    still_noise(monkeypatch)
    monkeypatch.setattr(torch, "randn_like", lambda like: noise)
    if name != "vae":
        monkeypatch.setattr(theirs, "questions", lambda images: noise)
    keys = ("optimizer",) if name == "vae" else PARTS[name]
    theirs.train()
    steps = {key: sgd(theirs.part(key).parameters(), RATE) for key in keys}
    loss, _ = theirs.learn(torch.from_numpy(images).permute(0, 3, 1, 2), None, steps)
    logs = ours.train_step((images,))
    if name == "vae":
        np.testing.assert_allclose(loss, -logs["elbo"], rtol=1e-4)
    found = [
        weight.detach().numpy()
        for part in PARTS[name]
        for weight in theirs.get_submodule(part).parameters()
    ]
    require_same(found, [turned(weight) for weight in weights_of(ours, name)])


def turned(weight: np.ndarray) -> np.ndarray:
    """Return a weight of Keras with its axes in PyTorch's order."""
    return np.transpose(weight, {2: (1, 0), 4: (3, 2, 0, 1)}.get(weight.ndim, (0,)))

"""vae, gan and dcgan in PyTorch: the networks of zoo/models, layer for layer, and their training.

Images are (B, C, H, W) in [0, 1]. When they answer, the networks decode latents.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from benchmarks.torch_peers import Network


class Generator(Network):
    """A model that makes images of latents."""

    latent_dim: int

    def right(self, outputs: Any, classes: Any) -> Any:
        """Return 0: nothing is classified."""
        return torch.zeros((), dtype=torch.long)

    def questions(self, images: Any) -> Any:
        """Return as many latents (B, latent_dim)."""
        return torch.randn(len(images), self.latent_dim)


class VAE(Generator):
    """Encoder and decoder of fully connected layers, see zoo/models/vae.py."""

    def __init__(
        self,
        input_shape: tuple[int, int, int],
        latent_dim: int = 20,
        hidden_units: Sequence[int] = (500,),
    ) -> None:
        super().__init__()
        height, width, channels = input_shape
        self.latent_dim = latent_dim
        pixels, turned = math.prod(input_shape), tuple(reversed(hidden_units))
        self.encoder = nn.Sequential(
            nn.Flatten(),
            *_dense((pixels, *hidden_units), nn.Tanh),
            nn.Linear(hidden_units[-1], 2 * latent_dim),
        )
        self.decoder = nn.Sequential(
            *_dense((latent_dim, *turned), nn.Tanh),
            nn.Linear(turned[-1], pixels),
            nn.Unflatten(1, (channels, height, width)),
        )

    def forward(self, inputs: Any) -> Any:
        """Return images of codes (B, latent_dim); training, logits, means and log variances."""
        if not self.training:
            return self.decoder(inputs).sigmoid()
        mean, log_variance = self.encoder(inputs).chunk(2, dim=1)
        code = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        return self.decoder(code), mean, log_variance

    def loss(self, outputs: Any, images: Any, classes: Any) -> Any:
        """Return the mean of -ELBO, in nats."""
        logits, mean, log_variance = outputs
        error = functional.binary_cross_entropy_with_logits(logits, images, reduction="sum")
        kl = -0.5 * torch.sum(1.0 + log_variance - mean.square() - log_variance.exp())
        return (error + kl) / len(images)


class Adversarial(Generator):
    """Algorithm 1 of Goodfellow et al. 2014 with k = 1; the generator maximises log D(G(z))."""

    generator: Any
    discriminator: Any

    def part(self, optimizer: str) -> Any:
        """Return the network of an optimizer."""
        return getattr(self, optimizer)

    def questions(self, images: Any) -> Any:
        """Return as much noise (B, latent_dim), uniform in [-1, 1)."""
        return 2.0 * torch.rand(len(images), self.latent_dim) - 1.0

    def forward(self, noise: Any) -> Any:
        """Return images of noise (B, latent_dim)."""
        return self.generator(noise)

    def discriminator_loss(self, real: Any, fake: Any) -> Any:
        """Return the mean of -log D(x) - log(1 - D(G(z)))."""
        entropy = functional.binary_cross_entropy_with_logits
        on_real, on_fake = self.discriminator(real), self.discriminator(fake)
        return entropy(on_real, torch.ones_like(on_real)) + entropy(
            on_fake, torch.zeros_like(on_fake)
        )

    def generator_loss(self, noise: Any) -> Any:
        """Return the mean of -log D(G(z))."""
        logits = self.discriminator(self.generator(noise))
        return functional.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))

    def learn(self, images: Any, classes: Any, optimizers: Mapping[str, Any]) -> tuple[Any, Any]:
        """Train the discriminator, then the generator; return the sum of their losses."""
        with torch.no_grad():
            fake = self.generator(self.questions(images))
        optimizers["discriminator"].zero_grad()
        judging = self.discriminator_loss(images, fake)
        judging.backward()
        optimizers["discriminator"].step()

        self.discriminator.requires_grad_(False)  # spares the gradients that nothing uses
        optimizers["generator"].zero_grad()
        deceiving = self.generator_loss(self.questions(images))
        deceiving.backward()
        optimizers["generator"].step()
        self.discriminator.requires_grad_(True)
        return judging.detach() + deceiving.detach(), self.right(None, classes)


class Maxout(nn.Module):
    """The largest of several affine maps for each unit."""

    def __init__(self, inputs: int, units: int, pieces: int) -> None:
        super().__init__()
        self.maps = nn.Linear(inputs, units * pieces)
        self.shape = (units, pieces)

    def forward(self, x: Any) -> Any:
        """Return (B, units)."""
        return self.maps(x).unflatten(1, self.shape).amax(2)


class GAN(Adversarial):
    """Rectified layers against maxout, see zoo/models/gan.py."""

    def __init__(
        self,
        input_shape: tuple[int, int, int],
        latent_dim: int = 100,
        generator_units: Sequence[int] = (1200, 1200),
        discriminator_units: Sequence[int] = (240, 240),
        pieces: int = 5,
        dropout: float = 0.5,
        input_dropout: float = 0.2,
    ) -> None:
        super().__init__()
        height, width, channels = input_shape
        pixels = math.prod(input_shape)
        self.latent_dim = latent_dim
        self.generator = nn.Sequential(
            *_dense((latent_dim, *generator_units), nn.ReLU),
            *(nn.Linear(generator_units[-1], pixels), nn.Sigmoid()),
            nn.Unflatten(1, (channels, height, width)),
        )
        hidden: list[Any] = []
        inputs = pixels
        for units in discriminator_units:
            hidden += [Maxout(inputs, units, pieces), nn.Dropout(dropout)]
            inputs = units
        self.discriminator = nn.Sequential(
            *(nn.Flatten(), nn.Dropout(input_dropout)), *hidden, nn.Linear(inputs, 1)
        )


class Scaled(nn.Module):
    """Pixels in another range."""

    def __init__(self, scale: float, offset: float) -> None:
        super().__init__()
        self.scale = scale
        self.offset = offset

    def forward(self, x: Any) -> Any:
        """Return images of the same shape."""
        return self.scale * x + self.offset


class DCGAN(Adversarial):
    """Convolutions of 4×4 against each other, see zoo/models/dcgan.py; images are square."""

    def __init__(
        self,
        input_shape: tuple[int, int, int],
        latent_dim: int = 100,
        filters: int = 64,
        smallest: int = 4,
    ) -> None:
        super().__init__()
        side, _, channels = input_shape
        halvings = int(math.log2(side // smallest))
        assert input_shape[:2] == (smallest * 2**halvings,) * 2
        self.latent_dim = latent_dim
        widths = [filters * 2**number for number in range(halvings)]
        up: list[Any] = [nn.Unflatten(1, (latent_dim, 1, 1))]
        up += [nn.ConvTranspose2d(latent_dim, widths[-1], smallest, bias=False)]
        for above, below in zip(widths[:0:-1], widths[-2::-1], strict=True):
            up += [nn.BatchNorm2d(above), nn.ReLU(inplace=True)]
            up += [nn.ConvTranspose2d(above, below, 4, 2, 1, bias=False)]
        up += [nn.BatchNorm2d(filters), nn.ReLU(inplace=True)]
        up += [nn.ConvTranspose2d(filters, channels, 4, 2, 1, bias=False), nn.Tanh()]
        self.generator = nn.Sequential(*up, Scaled(0.5, 0.5))
        down: list[Any] = [Scaled(2.0, -1.0), nn.Conv2d(channels, filters, 4, 2, 1, bias=False)]
        down += [nn.LeakyReLU(0.2, inplace=True)]
        for above, below in pairwise(widths):
            down += [nn.Conv2d(above, below, 4, 2, 1, bias=False), nn.BatchNorm2d(below)]
            down += [nn.LeakyReLU(0.2, inplace=True)]
        down += [nn.Conv2d(widths[-1], 1, smallest, bias=False), nn.Flatten()]
        self.discriminator = nn.Sequential(*down)


def _dense(widths: Sequence[int], activation: Callable[[], Any]) -> list[Any]:
    """Return fully connected layers from each width to the next."""
    layers: list[Any] = []
    for inputs, units in pairwise(widths):
        layers += [nn.Linear(inputs, units), activation()]
    return layers


NETWORKS: dict[str, Callable[..., Generator]] = {"vae": VAE, "gan": GAN, "dcgan": DCGAN}

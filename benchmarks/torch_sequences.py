"""The zoo's models of sequences in PyTorch: what `benchmarks/peers.py` measures beside dlzoo.

`learn` returns a batch's loss and how many answers are right, `answer` what is told or written.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn
from torch.nn import functional

START = 2


class Classifier(nn.Module):
    """An embedding, a recurrent layer, and one output on its last state."""

    def __init__(
        self, kind: str, vocabulary_size: int, embedding_dim: int = 128, units: int = 128
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, embedding_dim)
        self.recurrent = getattr(nn, kind)(embedding_dim, units, batch_first=True)
        # PyTorch has a second bias. An LSTM adds both up; of its GRU, whose reset gate comes after
        # the product, the zoo's has no such bias.
        self.recurrent.bias_hh_l0.data.zero_()
        self.recurrent.bias_hh_l0.requires_grad = False
        self.probability = nn.Linear(units, 1)

    def forward(self, tokens: Any) -> Any:
        """Return logits (B,)."""
        states, _ = self.recurrent(self.embedding(tokens))
        return self.probability(states[:, -1])[:, 0]

    def learn(self, tokens: Any, classes: Any) -> tuple[Any, Any]:
        """Return the loss and how many classes are right."""
        logits = self(tokens)
        loss = functional.binary_cross_entropy_with_logits(logits, classes.float())
        return loss, ((logits > 0) == (classes > 0)).sum()

    def answer(self, tokens: Any) -> Any:
        """Return probabilities (B,)."""
        return self(tokens).sigmoid()


class Writer(nn.Module):
    """A model that writes: `forward(source, before)` gives the logits (B, T, V)."""

    def learn(self, source: Any, target: Any) -> tuple[Any, Any]:
        """Return the loss and how many tokens are right."""
        logits, truth = self(source, target[:, :-1]).flatten(0, 1), target[:, 1:].flatten()
        return functional.cross_entropy(logits, truth), (logits.argmax(1) == truth).sum()


class GRU(nn.Module):
    """The gated unit of Cho et al. 2014, whose reset gate comes before the product.

    PyTorch's own has it after the product.
    """

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.x, self.h = nn.Linear(inputs, 3 * units), nn.Linear(units, 2 * units, bias=False)
        self.candidate = nn.Linear(units, units, bias=False)

    def forward(self, x: Any, h: Any) -> Any:
        """Return the next state (B, units)."""
        return self.step(self.x(x), h)

    def step(self, projected: Any, h: Any) -> Any:
        """Return the next state for an input that was multiplied already."""
        z, r, new = projected.chunk(3, dim=-1)
        of_z, of_r = self.h(h).chunk(2, dim=-1)
        z, r = (z + of_z).sigmoid(), (r + of_r).sigmoid()
        return z * h + (1.0 - z) * (new + self.candidate(r * h)).tanh()


class Attention(Writer):
    """Bahdanau et al. 2014, see zoo/models/seq2seq_attention.py."""

    def __init__(
        self,
        input_shape: tuple[int],
        vocabulary_size: int,
        target_shape: tuple[int],
        target_vocabulary_size: int,
        embedding_dim: int,
        units: int,
        alignment_units: int,
        output_units: int,
    ) -> None:
        super().__init__()
        self.written, self.units = target_shape[0] - 1, units
        self.source_embedding = nn.Embedding(vocabulary_size, embedding_dim)
        self.target_embedding = nn.Embedding(target_vocabulary_size, embedding_dim)
        self.directions = nn.ModuleList([GRU(embedding_dim, units) for _ in range(2)])
        self.keys = nn.Linear(2 * units, alignment_units, bias=False)
        self.first_state = nn.Linear(units, units, bias=False)
        self.cell = GRU(embedding_dim + 2 * units, units)
        self.query = nn.Linear(units, alignment_units, bias=False)
        self.score = nn.Linear(alignment_units, 1, bias=False)
        self.hidden = nn.Linear(units + embedding_dim + 2 * units, 2 * output_units)
        self.logits = nn.Linear(output_units, target_vocabulary_size)

    def encode(self, source: Any) -> tuple[Any, Any, Any]:
        """Return the annotations, their keys and the first state."""
        x = self.source_embedding(source)
        found = []
        for at, cell in enumerate(self.directions):
            projected = cell.x(x if at == 0 else x.flip(1)).unbind(1)
            h, states = x.new_zeros(len(x), self.units), []
            for one in projected:
                h = cell.step(one, h)
                states.append(h)
            found.append(torch.stack(states, 1))
        annotations = torch.cat([found[0], found[1].flip(1)], dim=-1)
        return annotations, self.keys(annotations), self.first_state(found[1][:, -1]).tanh()

    def step(self, y: Any, annotations: Any, keys: Any, s: Any) -> tuple[Any, Any]:
        """Return what the logits are made of, and the next state."""
        scores = self.score((self.query(s)[:, None] + keys).tanh())[..., 0]
        context = (scores.softmax(-1)[:, None] @ annotations)[:, 0]
        return torch.cat([s, y, context], -1), self.cell(torch.cat([y, context], -1), s)

    def output(self, features: Any) -> Any:
        """Return the logits of a maxout layer."""
        first, second = self.hidden(features).chunk(2, dim=-1)
        return self.logits(torch.maximum(first, second))

    def forward(self, source: Any, before: Any) -> Any:
        """Return logits (B, T, V)."""
        annotations, keys, s = self.encode(source)
        features = []
        for y in self.target_embedding(before).unbind(1):
            found, s = self.step(y, annotations, keys, s)
            features.append(found)
        return self.output(torch.stack(features, 1))

    def answer(self, source: Any) -> Any:
        """Write all places greedily, (B, T)."""
        annotations, keys, s = self.encode(source)
        last, written = source.new_full((len(source),), START), []
        for _ in range(self.written):
            found, s = self.step(self.target_embedding(last), annotations, keys, s)
            last = self.output(found).argmax(-1)
            written.append(last)
        return torch.stack(written, 1)


class Transformer(Writer):
    """PyTorch's own layers, with the zoo's embeddings; see zoo/models/transformer.py."""

    def __init__(
        self,
        input_shape: tuple[int],
        vocabulary_size: int,
        target_shape: tuple[int],
        target_vocabulary_size: int,
        width: int = 64,
        num_layers: int = 2,
        num_heads: int = 4,
        dropout: float = 0.1,
        attention_bias: bool = True,
    ) -> None:
        super().__init__()
        assert attention_bias
        self.written = target_shape[0] - 1
        size = (width, num_heads, 4 * width, dropout)
        self.encoder = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(*size, batch_first=True), num_layers
        )
        self.decoder = nn.TransformerDecoder(
            nn.TransformerDecoderLayer(*size, batch_first=True), num_layers
        )
        self.embedding = nn.Embedding(vocabulary_size, width)
        self.target_embedding = nn.Embedding(target_vocabulary_size, width)
        for table in (self.embedding, self.target_embedding):
            nn.init.normal_(table.weight, std=width**-0.5)
        self.dropout = nn.Dropout(dropout)
        longest = max(input_shape[0], self.written)
        angles = torch.arange(longest)[:, None] / 10_000 ** (torch.arange(0, width, 2) / width)
        positions = torch.stack([angles.sin(), angles.cos()], -1).flatten(1)
        self.register_buffer("positions", positions)
        later = torch.ones(self.written, self.written, dtype=torch.bool).triu(1)
        self.register_buffer("later", later)

    def _embed(self, table: Any, tokens: Any) -> Any:
        scaled = table(tokens) * math.sqrt(table.embedding_dim)
        return self.dropout(scaled + self.positions[: tokens.shape[1]])

    def _read(self, before: Any, memory: Any) -> Any:
        length = before.shape[1]
        y = self._embed(self.target_embedding, before)
        return self.decoder(y, memory, tgt_mask=self.later[:length, :length], tgt_is_causal=True)

    def forward(self, source: Any, before: Any) -> Any:
        """Return logits (B, T, V)."""
        memory = self.encoder(self._embed(self.embedding, source))
        return self._read(before, memory) @ self.target_embedding.weight.T

    def answer(self, source: Any) -> Any:
        """Write all places greedily, (B, T)."""
        memory = self.encoder(self._embed(self.embedding, source))
        written = source.new_full((len(source), 1), START)
        for _ in range(self.written):
            last = self._read(written, memory)[:, -1] @ self.target_embedding.weight.T
            written = torch.cat([written, last.argmax(-1, keepdim=True)], 1)
        return written[:, 1:]


def build(model: str, **arguments: Any) -> Any:
    """Return the network of a zoo's model."""
    if model in ("lstm", "gru"):
        return Classifier(model.upper(), arguments["vocabulary_size"])
    return {"seq2seq-attention": Attention, "transformer": Transformer}[model](**arguments)


def trainable(network: Any) -> int:
    """Return the number of trainable parameters."""
    return sum(weights.numel() for weights in network.parameters() if weights.requires_grad)

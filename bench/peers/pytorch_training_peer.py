"""A training step of the model of docs/model.md and docs/training.md in plain PyTorch, for full memories.

Forward, backward, clipping and Adam, by the language-modelling loss and attention reconstruction; letters as in docs/model.md.
"""

import math

import torch
import torch.nn.functional as F
from pytorch_peer import random_weights, sinusoids
from serve import serve

CLIP = 0.1


class PytorchTrainer:
    """Trains with the convolution compressor; n, n_m and n_cm are whole windows, and n_m is at least n."""

    def __init__(self, sizes, weights, batch, learning_rate=1e-4):
        self.n, self.n_m, self.n_cm = (sizes[s] for s in ("segmentLength", "memoryLength", "compressedMemoryLength"))
        self.c, self.H, self.d, self.l = (sizes[s] for s in ("compressionRate", "heads", "modelWidth", "layers"))
        self.B, self.k, self.K = batch, self.d // self.H, self.n_cm + self.n_m + self.n
        self.weights = {name: weight.clone().requires_grad_() for name, weight in weights.items()}
        compressors = {name for name in self.weights if ".compressor." in name}
        self.main = [w for name, w in self.weights.items() if name not in compressors]
        self.auxiliary = [self.weights[name] for name in compressors]
        self.optimiser = torch.optim.Adam(self.main + self.auxiliary, lr=learning_rate, fused=True)
        self.future = torch.ones(self.n, self.n, dtype=torch.bool).triu(1)
        # Largest distance first, so that the relative shift is a view; [distances, d]
        self.table = sinusoids(self.n_m + self.n - 1, 0, self.d)
        self.compressed_table = sinusoids(self.n_cm + self.n - 1, 1, self.d)
        self.rows = [torch.zeros(batch, self.n_m, self.d) for _ in range(self.l)]
        self.compressed = [torch.zeros(batch, self.n_cm, self.d) for _ in range(self.l)]

    def fill(self, rows, compressed):
        """Sets the memories, [l, B, n_m, d] and [l, B, n_cm, d]."""
        self.rows, self.compressed = list(rows), list(compressed)

    def heads(self, projected):
        """[B, S, parts · d] to parts of [B · H, S, k]."""
        batch, length, width = projected.shape
        parts = projected.view(batch, length, width // self.d, self.H, self.k).permute(2, 0, 3, 1, 4)
        return parts.reshape(width // self.d, batch * self.H, length, self.k).unbind(0)

    def position_scores(self, query, bias, table, projection, columns):
        """Position terms, shifted: [B, H, n, columns], with junk in the future."""
        B, H, n, k = self.B, self.H, self.n, self.k
        keys = (table @ projection).view(-1, H, k).permute(1, 2, 0)  # [H, k, distances]
        width = keys.shape[2]
        biased = (query.view(B, H, n, k) + bias.view(1, H, 1, k)).transpose(0, 1).reshape(H, B * n, k)
        scores = torch.bmm(biased, keys)
        # Query i starts n − 1 − i columns in, so rows lie width − 1 apart.
        strides = (n * width, B * n * width, width - 1, 1)
        return scores.as_strided((B, H, n, columns), strides, n - 1)

    def attention(self, w, query, keys, values):
        B, H, n, k = self.B, self.H, self.n, self.k
        content = (query.view(B, H, n, k) + w("attention.content_bias").view(1, H, 1, k)).view(B * H, n, k)
        scores = torch.bmm(content, keys.transpose(1, 2)).view(B, H, n, self.K)
        compressed = self.position_scores(
            query, w("attention.compressed_position_bias"), self.compressed_table, w("attention.compressed_position.weight"), self.n_cm
        )
        recent = self.position_scores(query, w("attention.position_bias"), self.table, w("attention.position.weight"), self.n_m + n)
        scores = scores + torch.cat([compressed, recent], 3)
        scores[..., self.n_cm + self.n_m :].masked_fill_(self.future, -math.inf)
        mixed = torch.bmm(torch.softmax(scores, -1).view(B * H, n, self.K), values)
        return mixed.view(B, H, n, k).transpose(1, 2).reshape(B, n, self.d)

    def reconstruction(self, query, old, compressed, key_value):
        """Mean squared difference between attention over evicted rows and over compressed ones."""

        def attend(rows):
            keys, values = self.heads(F.linear(rows, key_value))
            return torch.bmm(torch.softmax(torch.bmm(query, keys.transpose(1, 2)), -1), values)

        with torch.no_grad():
            expected = attend(old)
        return F.mse_loss(attend(compressed), expected)

    def step(self, tokens, targets):
        """Reads one segment, int64 [B, n], and updates all weights; gives loss, auxiliary loss and the two gradient norms."""
        B, n, d = self.B, self.n, self.d
        embedding = self.weights["embedding.weight"]
        x = F.embedding(tokens, embedding) * math.sqrt(d)
        auxiliary, rows, compressed = 0.0, [], []
        for i in range(self.l):
            w = lambda name, i=i: self.weights[f"layers.{i}.{name}"]
            norm = lambda part: (w(part + ".normalisation.gain"), w(part + ".normalisation.bias"))
            a = F.layer_norm(x, (d,), *norm("attention"))
            key_value = torch.cat([w("attention.key.weight"), w("attention.value.weight")], 1).T
            query = self.heads(a @ (w("attention.query.weight") * self.k**-0.5))[0]
            keys, values = self.heads(F.linear(torch.cat([self.compressed[i], self.rows[i], a], 1), key_value))
            x = x + self.attention(w, query, keys, values) @ w("attention.output.weight")
            inner = F.relu(F.layer_norm(x, (d,), *norm("feed_forward")) @ w("feed_forward.inner.weight") + w("feed_forward.inner.bias"))
            x = x + inner @ w("feed_forward.outer.weight") + w("feed_forward.outer.bias")
            available = torch.cat([self.rows[i], a.detach()], 1)
            old = available[:, :n]
            made = old.reshape(B, n // self.c, self.c * d) @ w("compressor.weight").view(self.c * d, d)
            auxiliary = auxiliary + self.reconstruction(query.detach(), old, made, key_value.detach())
            rows.append(available[:, n:])
            compressed.append(torch.cat([self.compressed[i], made.detach()], 1)[:, -self.n_cm :])
        hidden = F.layer_norm(x, (d,), self.weights["final_normalisation.gain"], self.weights["final_normalisation.bias"])
        loss = F.cross_entropy(F.linear(hidden, embedding).view(B * n, -1), targets.view(-1))
        auxiliary = auxiliary / self.l
        self.optimiser.zero_grad()
        (loss + auxiliary).backward()
        norms = [torch.nn.utils.clip_grad_norm_(group, CLIP) for group in (self.main, self.auxiliary)]
        self.optimiser.step()
        self.rows, self.compressed = rows, compressed
        return loss.detach(), auxiliary.detach(), *norms


def open_stepper(sizes, batch, dtype):
    trainer = PytorchTrainer(sizes, random_weights(sizes), batch)
    layers, d = sizes["layers"], sizes["modelWidth"]
    rows = torch.randn(layers, batch, sizes["memoryLength"], d)
    trainer.fill(rows, torch.randn(layers, batch, sizes["compressedMemoryLength"], d))

    def step(tokens):
        # Weights, moments, normalisation, softmax and losses stay in float32.
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):
            trainer.step(tokens, tokens.roll(-1, 1))

    return step


if __name__ == "__main__":
    serve(open_stepper, inference=False)

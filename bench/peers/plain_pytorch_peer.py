"""The model of docs/model.md in PyTorch as one writes it first, for full memories: every expression where the equations have it.

Memories keep their keys and values, and attention is PyTorch's own. Against pytorch_peer.py, which computes the same,
results of all documents at once take fresh memory, and keys, values and scores are joined by copying them.
Letters as in docs/model.md.
"""

import math

import torch
import torch.nn.functional as F
from pytorch_peer import open_stepper, sinusoids
from serve import serve


class PlainPytorchPeer:
    """Inference with the convolution compressor; n, n_m and n_cm are whole windows, and n_m is at least n."""

    def __init__(self, sizes, weights, batch, dtype):
        self.n, self.n_m, self.n_cm = (sizes[s] for s in ("segmentLength", "memoryLength", "compressedMemoryLength"))
        self.c, self.H, self.d = (sizes[s] for s in ("compressionRate", "heads", "modelWidth"))
        self.B, self.k, self.dtype = batch, self.d // self.H, dtype
        self.embedding = weights["embedding.weight"].to(dtype)
        self.final = [weights[f"final_normalisation.{x}"].to(dtype) for x in ("gain", "bias")]
        self.layers = [self.prepare_layer(weights, f"layers.{i}.") for i in range(sizes["layers"])]
        slots = self.n_cm + self.n_m + self.n
        self.future = torch.ones(self.n, slots, dtype=torch.bool).triu(1 + self.n_cm + self.n_m)
        self.last_hidden = torch.zeros(batch, 1, self.d, dtype=dtype)

    def prepare_layer(self, weights, prefix):
        t = lambda name: weights[prefix + name].to(self.dtype)
        linear = lambda *names: torch.cat([t(f"{name}.weight") for name in names], 1).T.contiguous()
        bias = lambda name: t(f"attention.{name}").view(self.H, 1, self.k)
        query, key, value = (f"attention.{x}" for x in ("query", "key", "value"))
        layer = {
            "attention_norm": [t(f"attention.normalisation.{x}") for x in ("gain", "bias")],
            "norm": [t(f"feed_forward.normalisation.{x}") for x in ("gain", "bias")],
            "query_key_value": linear(query, key, value),
            "key_value": linear(key, value),
            "output": linear("attention.output"),
            "u": bias("content_bias"),
            "v": bias("position_bias"),
            "v_cm": bias("compressed_position_bias"),
            "inner": (linear("feed_forward.inner"), t("feed_forward.inner.bias")),
            "outer": (linear("feed_forward.outer"), t("feed_forward.outer.bias")),
            "compressor": t("compressor.weight").reshape(self.c * self.d, self.d).T.contiguous(),
        }
        # Largest distance first, as the shift expects; [H, k, distances]
        for name, farthest, nearest, matrix in (
            ("positions", self.n_m + self.n - 1, 0, "position"),
            ("compressed_positions", self.n_cm + self.n - 1, 1, "compressed_position"),
        ):
            projected = sinusoids(farthest, nearest, self.d).to(self.dtype) @ t(f"attention.{matrix}.weight")
            layer[name] = projected.view(-1, self.H, self.k).permute(1, 2, 0).contiguous()
        return layer

    def fill(self, rows, compressed):
        """Sets the memories, [l, B, n_m, d] and [l, B, n_cm, d]."""
        for layer, m, cm in zip(self.layers, rows, compressed, strict=True):
            layer["rows"], layer["compressed"] = m.to(self.dtype), cm.to(self.dtype)
            remembered = torch.cat([layer["compressed"], layer["rows"]], 1)
            layer["keys"], layer["values"] = self.heads(F.linear(remembered, layer["key_value"]))

    def heads(self, projected):
        """[B, S, parts · d] to parts of [B, H, S, k], as views."""
        batch, length, width = projected.shape
        return projected.view(batch, length, width // self.d, self.H, self.k).permute(2, 0, 3, 1, 4)

    def shift(self, scores):
        """Row i moves n − 1 − i columns to the left: the relative shift of Transformer-XL, appendix B."""
        batch, heads, n, width = scores.shape
        return F.pad(scores, (1, 0)).view(batch, heads, width + 1, n)[:, :, 1:].view(batch, heads, n, width)

    def attention(self, layer, query, keys, values):
        recent = self.shift((query + layer["v"]) @ layer["positions"])
        compressed = self.shift((query + layer["v_cm"]) @ layer["compressed_positions"])[..., : self.n_cm]
        mask = torch.cat([compressed, recent], -1).masked_fill(self.future, -math.inf)
        return F.scaled_dot_product_attention(query + layer["u"], keys, values, attn_mask=mask, scale=1.0)

    def step(self, tokens):
        """Reads one segment, int64 [B, n]: surprisal in bits [B, n] and the sum of the final hidden vectors [B, d]."""
        B, n, d = self.B, self.n, self.d
        x = F.embedding(tokens, self.embedding) * math.sqrt(d)
        for layer in self.layers:
            a = F.layer_norm(x, (d,), *layer["attention_norm"])
            query, key, value = self.heads(F.linear(a, layer["query_key_value"]))
            keys = torch.cat([layer["keys"], key], 2)
            values = torch.cat([layer["values"], value], 2)
            attended = self.attention(layer, query * self.k**-0.5, keys, values).transpose(1, 2).reshape(B, n, d)
            x = x + F.linear(attended, layer["output"])
            inner = F.relu(F.linear(F.layer_norm(x, (d,), *layer["norm"]), *layer["inner"]))
            x = x + F.linear(inner, *layer["outer"])
            self.remember(layer, a, keys, values)
        hidden = F.layer_norm(x, (d,), *self.final)
        before = torch.cat([self.last_hidden, hidden[:, :-1]], 1)
        self.last_hidden = hidden[:, -1:]
        logits = F.linear(before, self.embedding).float()
        nats = F.cross_entropy(logits.view(B * n, -1), tokens.reshape(-1), reduction="none")
        return nats.view(B, n) / math.log(2), hidden.sum(1)

    def remember(self, layer, a, keys, values):
        """With full memories each step evicts n rows, which become n / c compressed ones."""
        n, n_cm = self.n, self.n_cm
        available = torch.cat([layer["rows"], a], 1)
        windows = available[:, :n].reshape(self.B, n // self.c, self.c * self.d)
        compressed = F.linear(windows, layer["compressor"])
        layer["rows"] = available[:, n:]
        layer["compressed"] = torch.cat([layer["compressed"], compressed], 1)[:, -n_cm:]
        made = self.heads(F.linear(compressed, layer["key_value"]))
        for name, old, new in zip(("keys", "values"), (keys, values), made, strict=True):
            tier = torch.cat([old[:, :, :n_cm], new], 2)[:, :, -n_cm:]
            layer[name] = torch.cat([tier, old[:, :, n_cm + n :]], 2)


if __name__ == "__main__":
    serve(open_stepper(PlainPytorchPeer))

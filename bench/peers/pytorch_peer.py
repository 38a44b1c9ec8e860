"""The model of docs/model.md in plain PyTorch, for full memories, as fast as we could make it on a CPU.

Letters as in docs/model.md; weights and sizes have the names used there and in model/model-config.ts.
"""

import math
import time

import torch
import torch.nn.functional as F
from serve import serve


class PytorchPeer:
    """Inference with the convolution compressor; n, n_m and n_cm are whole windows, and n_m is at least n."""

    def __init__(self, sizes, weights, batch, dtype):
        self.n, self.n_m, self.n_cm = (sizes[s] for s in ("segmentLength", "memoryLength", "compressedMemoryLength"))
        self.c, self.H, self.d = (sizes[s] for s in ("compressionRate", "heads", "modelWidth"))
        self.B, self.k, self.K = batch, self.d // self.H, self.n_cm + self.n_m + self.n
        self.dtype = dtype
        tensor = lambda name: weights[name].to(dtype).contiguous()
        self.embedding = tensor("embedding.weight")
        self.final = tensor("final_normalisation.gain"), tensor("final_normalisation.bias")
        self.layers = [self.prepare_layer(weights, f"layers.{i}.") for i in range(sizes["layers"])]
        self.future = torch.ones(self.n, self.n, dtype=torch.bool).triu(1)
        self.last_hidden = torch.zeros(batch, 1, self.d, dtype=dtype)
        # What the attention of one layer needs, reused by all: fresh memory of this size is slow to touch.
        self.scratch = torch.empty(3 * self.H * batch * self.n * self.K, dtype=dtype)
        self.attend, self.rows = self.explicit, batch

    def prepare_layer(self, weights, prefix):
        t = lambda name: weights[prefix + name]
        linear = lambda matrix: matrix.T.to(self.dtype).contiguous()  # F.linear takes [out, in]
        bias = lambda name: t(name).to(self.dtype).view(self.H, 1, 1, self.k)
        key_value = torch.cat([t("attention.key.weight"), t("attention.value.weight")], 1)
        layer = {
            "attention_norm": tuple(t(f"attention.normalisation.{x}").to(self.dtype) for x in ("gain", "bias")),
            "norm": tuple(t(f"feed_forward.normalisation.{x}").to(self.dtype) for x in ("gain", "bias")),
            "query_key_value": linear(torch.cat([t("attention.query.weight") * self.k**-0.5, key_value], 1)),
            "key_value": linear(key_value),
            "output": t("attention.output.weight").to(self.dtype).contiguous(),
            "u": bias("attention.content_bias"),
            "v": bias("attention.position_bias"),
            "v_cm": bias("attention.compressed_position_bias"),
            "inner": linear(t("feed_forward.inner.weight")),
            "inner_bias": t("feed_forward.inner.bias").to(self.dtype),
            "outer": t("feed_forward.outer.weight").to(self.dtype).contiguous(),
            "outer_bias": t("feed_forward.outer.bias").to(self.dtype),
            "compressor": linear(t("compressor.weight").reshape(self.c * self.d, self.d)),
            "rows": torch.zeros(self.B, self.n_m, self.d, dtype=self.dtype),
            "compressed": torch.zeros(self.B, self.n_cm, self.d, dtype=self.dtype),
        }
        # Largest distance first, so that the relative shift is a view; [H, k, distances]
        for name, farthest, nearest, matrix in (
            ("positions", self.n_m + self.n - 1, 0, "attention.position.weight"),
            ("compressed_positions", self.n_cm + self.n - 1, 1, "attention.compressed_position.weight"),
        ):
            projected = sinusoids(farthest, nearest, self.d) @ t(matrix)
            layer[name] = projected.to(self.dtype).view(-1, self.H, self.k).permute(1, 2, 0).contiguous()
        # Two of each: a step reads one and writes the other, shifted.
        for name in ("keys", "values"):
            layer[name] = [torch.zeros(self.H, self.B, self.K, self.k, dtype=self.dtype) for _ in range(2)]
        return layer

    def fill(self, rows, compressed):
        """Sets the memories, [l, B, n_m, d] and [l, B, n_cm, d]."""
        for layer, m, cm in zip(self.layers, rows, compressed, strict=True):
            layer["rows"], layer["compressed"] = m.to(self.dtype), cm.to(self.dtype)
            projected = F.linear(torch.cat([layer["compressed"], layer["rows"]], 1), layer["key_value"])
            keys, values = self.heads(projected)
            layer["keys"][0][:, :, : self.n_cm + self.n_m] = keys
            layer["values"][0][:, :, : self.n_cm + self.n_m] = values
        self.choose_attention()

    def heads(self, projected):
        """[B, S, parts · d] to parts of [H, B, S, k], as views."""
        batch, length, width = projected.shape
        return projected.view(batch, length, width // self.d, self.H, self.k).permute(2, 3, 0, 1, 4)

    def choose_attention(self):
        """Takes the faster attention and the faster number of batch rows at a time, as they are on this machine."""
        layer = self.layers[0]
        query = torch.randn(self.H, self.B, self.n, self.k).to(self.dtype)
        timings = []
        for attend in (self.explicit, self.fused):
            for rows in {1, min(4, self.B), self.B}:
                self.attend, self.rows = attend, rows
                for _ in range(4):
                    start = time.perf_counter()
                    self.attention(layer, query, layer["keys"][0], layer["values"][0])
                    timings.append((time.perf_counter() - start, attend, rows))
        _, self.attend, self.rows = min(timings, key=lambda timing: timing[0])

    def take(self, offset, shape):
        return self.scratch[offset : offset + math.prod(shape)].view(shape)

    def position_scores(self, layer, query):
        """Both tiers' position terms, shifted, as views: [H, b, n, n_cm] and [H, b, n, n_m + n] with junk in the future."""
        _, b, n, k = query.shape
        room, scores = self.H * b * n * self.K, []
        for offset, bias, table, columns in (
            (room, "v_cm", "compressed_positions", self.n_cm),
            (2 * room, "v", "positions", self.n_m + n),
        ):
            width = layer[table].shape[2]
            flat = self.take(offset, (self.H, b * n, width))
            torch.bmm((query + layer[bias]).view(self.H, b * n, k), layer[table], out=flat)
            # Query i starts n − 1 − i columns in, so rows lie width − 1 apart.
            strides = (b * n * width, n * width, width - 1, 1)
            scores.append(flat.as_strided((self.H, b, n, columns), strides, flat.storage_offset() + n - 1))
        return scores

    def explicit(self, layer, query, keys, values):
        _, b, n, k = query.shape
        scores = self.take(0, (self.H * b, n, self.K))
        content = (query + layer["u"]).view(self.H * b, n, k)
        torch.bmm(content, keys.reshape(self.H * b, self.K, k).transpose(1, 2), out=scores)
        by_head = scores.view(self.H, b, n, self.K)
        compressed, recent = self.position_scores(layer, query)
        by_head[..., : self.n_cm] += compressed
        by_head[..., self.n_cm :] += recent
        by_head[..., self.n_cm + self.n_m :].masked_fill_(self.future, -math.inf)
        torch.softmax(scores, -1, out=scores)
        return torch.bmm(scores, values.reshape(self.H * b, self.K, k)).view(self.H, b, n, k)

    def fused(self, layer, query, keys, values):
        bias = self.take(0, (self.H, query.shape[1], self.n, self.K))
        compressed, recent = self.position_scores(layer, query)
        bias[..., : self.n_cm] = compressed
        bias[..., self.n_cm :] = recent
        bias[..., self.n_cm + self.n_m :].masked_fill_(self.future, -math.inf)
        return F.scaled_dot_product_attention(query + layer["u"], keys, values, attn_mask=bias, scale=1.0)

    def attention(self, layer, query, keys, values):
        mixed = torch.empty(self.B, self.n, self.H, self.k, dtype=self.dtype)
        for first in range(0, self.B, self.rows):
            part = slice(first, first + self.rows)
            result = self.attend(layer, query[:, part], keys[:, part], values[:, part])
            mixed[part] = result.permute(1, 2, 0, 3)
        return mixed

    def step(self, tokens):
        """Reads one segment, int64 [B, n]: surprisal in bits [B, n] and the sum of the final hidden vectors [B, d]."""
        B, n, d = self.B, self.n, self.d
        x = F.embedding(tokens, self.embedding).mul_(math.sqrt(d))
        flat = x.view(B * n, d)
        for layer in self.layers:
            a = F.layer_norm(x, (d,), *layer["attention_norm"])
            query, key, value = self.heads(F.linear(a, layer["query_key_value"]))
            keys, values = layer["keys"][0], layer["values"][0]
            keys[:, :, -n:] = key
            values[:, :, -n:] = value
            flat.addmm_(self.attention(layer, query.contiguous(), keys, values).view(B * n, d), layer["output"])
            inner = F.linear(F.layer_norm(x, (d,), *layer["norm"]), layer["inner"], layer["inner_bias"]).relu_()
            flat.add_(layer["outer_bias"]).addmm_(inner.view(B * n, -1), layer["outer"])
            self.remember(layer, a)
        hidden = F.layer_norm(x, (d,), *self.final)
        before = torch.cat([self.last_hidden, hidden[:, :-1]], 1)
        self.last_hidden = hidden[:, -1:].clone()
        return self.surprisal(before, tokens), hidden.sum(1)

    def remember(self, layer, a):
        """With full memories each step evicts n rows, which become n / c compressed ones."""
        n, n_m, n_cm, made = self.n, self.n_m, self.n_cm, self.n // self.c
        available = torch.cat([layer["rows"], a], 1)
        windows = available[:, :n].reshape(self.B, made, self.c * self.d)
        compressed = F.linear(windows, layer["compressor"])
        layer["rows"] = available[:, n:]
        layer["compressed"] = torch.cat([layer["compressed"], compressed], 1)[:, -n_cm:]
        kept = max(0, n_cm - made)
        for name, new in zip(("keys", "values"), self.heads(F.linear(compressed, layer["key_value"])), strict=True):
            old, shifted = layer[name]
            shifted[:, :, :kept] = old[:, :, n_cm - kept : n_cm]
            shifted[:, :, kept:n_cm] = new[:, :, kept - n_cm :]
            shifted[:, :, n_cm : n_cm + n_m] = old[:, :, n_cm + n :]
            layer[name] = [shifted, old]

    def surprisal(self, before, tokens):
        bits = torch.empty(tokens.shape, dtype=torch.float32)
        for row in range(self.B):  # a row's logits fit into the processor's cache
            logits = F.linear(before[row], self.embedding).float()
            bits[row] = F.cross_entropy(logits, tokens[row], reduction="none")
        return bits.div_(math.log(2))


def sinusoids(farthest, nearest, d):
    """R[δ] for δ from farthest to nearest, [farthest − nearest + 1, d]."""
    distances = torch.arange(farthest, nearest - 1, -1, dtype=torch.float64)
    angles = distances[:, None] * 10000.0 ** (-2 * torch.arange(d // 2, dtype=torch.float64) / d)
    return torch.cat([angles.sin(), angles.cos()], 1).float()


def random_weights(sizes):
    d, f, H, c = (sizes[s] for s in ("modelWidth", "feedForwardWidth", "heads", "compressionRate"))
    shapes = {"embedding.weight": (sizes["vocabularySize"], d)}
    shapes |= {f"final_normalisation.{x}": (d,) for x in ("gain", "bias")}
    for i in range(sizes["layers"]):
        layer = {f"{part}.normalisation.{x}": (d,) for part in ("attention", "feed_forward") for x in ("gain", "bias")}
        matrices = ("query", "key", "value", "output", "position", "compressed_position")
        layer |= {f"attention.{name}.weight": (d, d) for name in matrices}
        biases = ("content", "position", "compressed_position")
        layer |= {f"attention.{name}_bias": (H, d // H) for name in biases}
        layer |= {"feed_forward.inner.weight": (d, f), "feed_forward.inner.bias": (f,)}
        layer |= {"feed_forward.outer.weight": (f, d), "feed_forward.outer.bias": (d,)}
        layer["compressor.weight"] = (c, d, d)
        shapes |= {f"layers.{i}.{name}": shape for name, shape in layer.items()}
    weights = {name: torch.randn(shape) * 0.05 for name, shape in shapes.items()}
    return {name: weight + 1 if name.endswith(".gain") else weight for name, weight in weights.items()}


def open_stepper(peer_class):
    """What serve() opens: a step of the class with full memories and random weights."""

    def open_step(sizes, batch, dtype):
        peer = peer_class(sizes, random_weights(sizes), batch, dtype)
        layers, d = sizes["layers"], sizes["modelWidth"]
        rows = torch.randn(layers, batch, sizes["memoryLength"], d)
        peer.fill(rows, torch.randn(layers, batch, sizes["compressedMemoryLength"], d))
        return peer.step

    return open_step


if __name__ == "__main__":
    serve(open_stepper(PytorchPeer))

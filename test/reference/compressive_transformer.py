"""The model of docs/model.md for one document, in float64, one query and one head at a time.

A memory is lists of rows of their true length, so nothing here is padded, aligned or masked.
"""

import math
from dataclasses import dataclass

import numpy as np

COMPRESSORS = ("mean-pool", "max-pool", "convolution", "dilated-convolution", "most-used")
DILATIONS = (1, 2, 4)
EPSILON = 1e-5


@dataclass(frozen=True)
class Config:
    """Sizes, with the letters of docs/model.md."""

    n: int
    n_m: int
    n_cm: int
    c: int
    compressor: str
    l: int = 2
    H: int = 2
    d: int = 16
    f: int = 24
    V: int = 29

    def __post_init__(self):
        if self.compressor not in COMPRESSORS:
            raise ValueError(f"Cannot use the configuration as the compressor is unknown: {self.compressor}")
        if min(self.n, self.c, self.l, self.H, self.d, self.f, self.V) < 1 or min(self.n_m, self.n_cm) < 0:
            raise ValueError(f"Cannot use the configuration as a size is out of range: {self}")
        if self.d % self.H != 0 or self.d % 2 != 0:
            raise ValueError(f"Cannot use the configuration as d must be even and divisible by H: {self}")
        if self.n_cm == 0:
            return
        whole_windows = self.n % self.c == 0 and self.n_m % self.c == 0
        ahead = sum(DILATIONS) if self.compressor == "dilated-convolution" else 0
        if self.n_m < ahead + (0 if whole_windows else self.c - 1):
            raise ValueError(f"Cannot use the configuration as n_m is too small: {self}")


@dataclass(frozen=True)
class Memory:
    """What is kept of a document. The first three hold one list per layer, oldest row first."""

    rows: list
    compressed: list
    attention_mass: list
    last_hidden: np.ndarray

    @property
    def count(self):
        return len(self.rows[0])

    @property
    def compressed_count(self):
        return len(self.compressed[0])


@dataclass(frozen=True)
class Step:
    """What reading one segment gave."""

    hidden: list
    surprisal: list
    memory: Memory
    attention: list
    """Per layer, query and head: the weights of the visible keys, in the order cm, m, segment."""
    margins: list
    """most-used: how far, relatively, the least used row chosen stands above the most used row not chosen."""


def empty_memory(config):
    return Memory(
        rows=[[] for _ in range(config.l)],
        compressed=[[] for _ in range(config.l)],
        attention_mass=[[] for _ in range(config.l)],
        last_hidden=np.zeros(config.d),
    )


def weight_shapes(config):
    """The name and shape of every weight, in the order of docs/model.md."""
    d, f, c, k = config.d, config.f, config.c, config.d // config.H
    shapes = {"embedding.weight": (config.V, d)}
    for i in range(config.l):
        layer = f"layers.{i}."
        shapes[layer + "attention.normalisation.gain"] = (d,)
        shapes[layer + "attention.normalisation.bias"] = (d,)
        for name in ("query", "key", "value", "output"):
            shapes[layer + f"attention.{name}.weight"] = (d, d)
        shapes[layer + "attention.content_bias"] = (config.H, k)
        shapes[layer + "attention.position_bias"] = (config.H, k)
        shapes[layer + "attention.position.weight"] = (d, d)
        if config.n_cm > 0:
            shapes[layer + "attention.compressed_position_bias"] = (config.H, k)
            shapes[layer + "attention.compressed_position.weight"] = (d, d)
        shapes[layer + "feed_forward.normalisation.gain"] = (d,)
        shapes[layer + "feed_forward.normalisation.bias"] = (d,)
        shapes[layer + "feed_forward.inner.weight"] = (d, f)
        shapes[layer + "feed_forward.inner.bias"] = (f,)
        shapes[layer + "feed_forward.outer.weight"] = (f, d)
        shapes[layer + "feed_forward.outer.bias"] = (d,)
        if config.compressor == "convolution":
            shapes[layer + "compressor.weight"] = (c, d, d)
        if config.compressor == "dilated-convolution":
            for j in range(len(DILATIONS)):
                shapes[layer + f"compressor.dilated.{j}.weight"] = (2, d, d)
            shapes[layer + "compressor.strided.weight"] = (c, d, d)
    shapes["final_normalisation.gain"] = (d,)
    shapes["final_normalisation.bias"] = (d,)
    return shapes


def normalise(x, gain, bias):
    centred = x - sum(x) / len(x)
    variance = sum(centred * centred) / len(x)
    return centred / math.sqrt(variance + EPSILON) * gain + bias


def softmax(scores):
    exponentials = [math.exp(score - max(scores)) for score in scores]
    return [e / sum(exponentials) for e in exponentials]


def position_vector(distance, d):
    """R[δ]: the sines of all frequencies, then the cosines."""
    angles = [distance * 10000 ** (-2 * t / d) for t in range(d // 2)]
    return np.array([math.sin(a) for a in angles] + [math.cos(a) for a in angles])


def distances(i, compressed_count, count):
    """δ from query i to every filled compressed slot, every filled memory slot and every visible segment position."""
    to_compressed = [i + compressed_count - s for s in range(compressed_count)]
    to_memory = [i + count - j for j in range(count)]
    to_segment = [i - p for p in range(i + 1)]
    return to_compressed, to_memory, to_segment


def attend(config, weights, layer, normalised, memory):
    """The output of attention for each query, and its weights for each query and head."""
    name = f"layers.{layer}.attention."
    k = config.d // config.H
    query_weight, key_weight, value_weight, position_weight = (
        weights[name + part + ".weight"] for part in ("query", "key", "value", "position")
    )
    compressed, rows = memory.compressed[layer], memory.rows[layer]
    outputs, attention = [], []
    for i, query_row in enumerate(normalised):
        visible = compressed + rows + normalised[: i + 1]
        to_compressed, to_memory, to_segment = distances(i, len(compressed), len(rows))
        heads, mixed = [], []
        for h in range(config.H):
            columns = slice(h * k, (h + 1) * k)
            query = query_row @ query_weight[:, columns] / math.sqrt(k)
            content_query = query + weights[name + "content_bias"][h]
            position_query = query + weights[name + "position_bias"][h]
            position_scores = []
            for delta in to_compressed:
                compressed_query = query + weights[name + "compressed_position_bias"][h]
                projection = weights[name + "compressed_position.weight"][:, columns]
                position_scores.append(compressed_query @ (position_vector(delta, config.d) @ projection))
            for delta in to_memory + to_segment:
                projection = position_weight[:, columns]
                position_scores.append(position_query @ (position_vector(delta, config.d) @ projection))
            scores = [
                content_query @ (row @ key_weight[:, columns]) + position_score
                for row, position_score in zip(visible, position_scores, strict=True)
            ]
            p = softmax(scores)
            heads.append(p)
            mixed.append(sum(p_j * (row @ value_weight[:, columns]) for p_j, row in zip(p, visible, strict=True)))
        outputs.append(np.concatenate(mixed) @ weights[name + "output.weight"])
        attention.append(heads)
    return outputs, attention


def feed_forward(weights, layer, x):
    name = f"layers.{layer}.feed_forward."
    normalised = normalise(x, weights[name + "normalisation.gain"], weights[name + "normalisation.bias"])
    inner = normalised @ weights[name + "inner.weight"] + weights[name + "inner.bias"]
    return np.maximum(inner, 0) @ weights[name + "outer.weight"] + weights[name + "outer.bias"]


def attention_masses(memory, layer, attention):
    """Attention received so far by each available row: what memory rows had, and what this segment's queries gave."""
    compressed_count, count = len(memory.compressed[layer]), len(memory.rows[layer])
    masses = list(memory.attention_mass[layer]) + [0.0] * len(attention)
    for i, heads in enumerate(attention):
        for row in range(count + i + 1):
            masses[row] += sum(p[compressed_count + row] for p in heads) / len(heads)
    return masses


def evicted_count(config, count):
    """How many of the count + n available rows leave the memory."""
    overflow = max(0, count + config.n - config.n_m)
    if config.n_cm == 0:
        return overflow
    return math.ceil(overflow / config.c) * config.c


def most_used(masses, evicted, kept):
    """Indices of the rows to keep, oldest first, and the margin of the choice."""
    means = [masses[row] / (len(masses) - row) for row in range(evicted)]
    ranking = sorted(range(evicted), key=lambda row: (-means[row], row))
    if 0 < kept < evicted:
        margin = (means[ranking[kept - 1]] - means[ranking[kept]]) / means[ranking[kept - 1]]
    else:
        margin = math.inf
    return sorted(ranking[:kept]), margin


def strided_convolution(rows, weight):
    c = len(weight)
    return [sum(rows[w * c + r] @ weight[r] for r in range(c)) for w in range(len(rows) // c)]


def compress(config, weights, layer, available, evicted):
    """The compressed rows of the first `evicted` available rows; every compressor but most-used."""
    name = f"layers.{layer}.compressor."
    windows = [available[start : start + config.c] for start in range(0, evicted, config.c)]
    if config.compressor == "mean-pool":
        return [sum(window) / config.c for window in windows]
    if config.compressor == "max-pool":
        return [np.array([max(row[column] for row in window) for column in range(config.d)]) for window in windows]
    if config.compressor == "convolution":
        return strided_convolution(available[:evicted], weights[name + "weight"])
    rows = available[: evicted + sum(DILATIONS)]
    if evicted > 0 and len(rows) < evicted + sum(DILATIONS):
        raise ValueError("Cannot compress as rows to look ahead to are missing")
    for j, dilation in enumerate(DILATIONS):
        near, far = weights[name + f"dilated.{j}.weight"]
        rows = [np.maximum(rows[t] @ near + rows[t + dilation] @ far, 0) for t in range(len(rows) - dilation)]
    return strided_convolution(rows, weights[name + "strided.weight"])


def remember(config, weights, memory, normalised, attention, hidden):
    """The memory after a full segment, and the margins of most-used."""
    evicted = evicted_count(config, memory.count)
    rows, compressed, attention_mass, margins = [], [], [], []
    for layer in range(config.l):
        available = memory.rows[layer] + normalised[layer]
        if evicted > len(available):
            raise ValueError("Cannot evict more rows than there are")
        masses = attention_masses(memory, layer, attention[layer])
        added = []
        if config.n_cm > 0 and config.compressor == "most-used":
            chosen, margin = most_used(masses, evicted, evicted // config.c)
            added = [available[row] for row in chosen]
            margins.append(margin)
        elif config.n_cm > 0:
            added = compress(config, weights, layer, available, evicted)
        everything = memory.compressed[layer] + added
        compressed.append(everything[max(0, len(everything) - config.n_cm) :])
        rows.append(available[evicted:])
        attention_mass.append(masses[evicted:])
    return Memory(rows, compressed, attention_mass, hidden[-1]), margins


def surprisal_bits(weights, hidden, token):
    probabilities = softmax([hidden @ embedding for embedding in weights["embedding.weight"]])
    return -math.log2(probabilities[token])


def step(config, weights, memory, tokens):
    """Reads 1 to n tokens; exactly n of them advance the memory."""
    if not 1 <= len(tokens) <= config.n:
        raise ValueError(f"Cannot read the segment as it must have 1 to {config.n} tokens: it has {len(tokens)}")
    stream = [math.sqrt(config.d) * weights["embedding.weight"][token] for token in tokens]
    normalised, attention = [], []
    for layer in range(config.l):
        name = f"layers.{layer}.attention.normalisation."
        inputs = [normalise(x, weights[name + "gain"], weights[name + "bias"]) for x in stream]
        outputs, layer_attention = attend(config, weights, layer, inputs, memory)
        stream = [x + output for x, output in zip(stream, outputs, strict=True)]
        stream = [x + feed_forward(weights, layer, x) for x in stream]
        normalised.append(inputs)
        attention.append(layer_attention)
    gain, bias = weights["final_normalisation.gain"], weights["final_normalisation.bias"]
    hidden = [normalise(x, gain, bias) for x in stream]
    before = [memory.last_hidden] + hidden[:-1]
    surprisal = [surprisal_bits(weights, y, token) for y, token in zip(before, tokens, strict=True)]
    margins = []
    if len(tokens) == config.n:
        memory, margins = remember(config, weights, memory, normalised, attention, hidden)
    return Step(hidden, surprisal, memory, attention, margins)

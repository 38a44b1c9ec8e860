"""The losses of docs/training.md for one document, in float64, and gradients by central differences."""

import math

import numpy as np

from compressive_transformer import compress, evicted_count, softmax

NUDGE = 1e-5


def next_token_loss(weights, result, targets):
    """Mean over positions of -log p(target | everything up to the position), in nats."""
    embedding = weights["embedding.weight"]
    losses = []
    for hidden, target in zip(result.hidden, targets, strict=True):
        scores = embedding @ hidden
        losses.append(math.log(sum(np.exp(scores - max(scores)))) + max(scores) - scores[target])
    return sum(losses) / len(losses)


def evicted_rows(config, memory, result, layer):
    """The rows that reading a full segment evicts, and all that were available, oldest first."""
    evicted = evicted_count(config, memory.count)
    if config.n_m < config.n:
        raise ValueError("Cannot tell the segment's rows as n_m must be at least n")
    available = memory.rows[layer] + result.memory.rows[layer][-config.n :]
    return available[:evicted], available


def attention_by_content(config, weights, layer, queries, rows):
    """softmax(Q (x W_k)ᵀ) x W_v, per query and head."""
    name = f"layers.{layer}.attention."
    k = config.d // config.H
    outputs = []
    for query_row in queries:
        for h in range(config.H):
            columns = slice(h * k, (h + 1) * k)
            query = query_row @ weights[name + "query.weight"][:, columns] / math.sqrt(k)
            p = softmax([query @ (row @ weights[name + "key.weight"][:, columns]) for row in rows])
            outputs.append(sum(p_j * (row @ weights[name + "value.weight"][:, columns]) for p_j, row in zip(p, rows, strict=True)))
    return np.array(outputs)


def attention_reconstruction_loss(config, weights, compressors, memory, result):
    """Mean over layers of the mean squared difference; `compressors` are the weights that compress, all else is constant."""
    losses = []
    for layer in range(config.l):
        old, available = evicted_rows(config, memory, result, layer)
        queries = available[-config.n :]
        made = compress(config, compressors, layer, available, len(old))
        expected = attention_by_content(config, weights, layer, queries, old)
        given = attention_by_content(config, weights, layer, queries, made)
        losses.append(np.mean((expected - given) ** 2))
    return sum(losses) / len(losses)


def auto_encoding_loss(config, compressors, memory, result):
    """Mean over layers of the mean squared difference of evicted rows and what the decoder makes of their compressed rows."""
    losses = []
    for layer in range(config.l):
        old, available = evicted_rows(config, memory, result, layer)
        decoder = compressors[f"layers.{layer}.decoder.weight"]
        made = compress(config, compressors, layer, available, len(old))
        decoded = [row @ decoder[r] for row in made for r in range(config.c)]
        losses.append(np.mean((np.array(old) - np.array(decoded)) ** 2))
    return sum(losses) / len(losses)


def gradient(loss, weights, names):
    """Central differences of loss(weights) in every element of the named weights."""
    gradients = {}
    for name in names:
        tensor = weights[name]
        result = np.zeros_like(tensor)
        for index in np.ndindex(tensor.shape):
            value = tensor[index]
            tensor[index] = value + NUDGE
            above = loss(weights)
            tensor[index] = value - NUDGE
            below = loss(weights)
            tensor[index] = value
            result[index] = (above - below) / (2 * NUDGE)
        gradients[name] = result
    return gradients

"""Writes test/fixtures/training: tiny models, two documents, and the gradients of every loss by central differences.

python3 test/reference/make_gradient_fixtures.py           writes every fixture
python3 test/reference/make_gradient_fixtures.py --check   recomputes every fixture and compares; exits 1 on a difference
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from compressive_transformer import COMPRESSORS, Config, empty_memory, evicted_count, step
from make_fixtures import describe_config, random_weight, random_weights
from tensor_file import decode_tensors, encode_tensors
from training_losses import attention_reconstruction_loss, auto_encoding_loss, gradient, next_token_loss

FOLDER = Path(__file__).resolve().parent.parent / "fixtures" / "training"

# Segments that the first and the second document have read before: one evicts, the other has an empty memory.
AGES = (3, 0)

# Where float32 cannot give the gradients of a fixture: by seed 90004, weights that differ by a ten-millionth move one by 0.02 %.
SEEDS = {"most-used": 90104}

# Differences of float64 values, divided by a small number.
TOLERANCE = 1e-7


def configurations():
    tiny = dict(l=2, H=2, d=4, f=5, V=7)
    for compressor in COMPRESSORS:
        n_m = 8 if compressor == "dilated-convolution" else 4
        yield compressor, Config(n=4, n_m=n_m, n_cm=4, c=2, compressor=compressor, **tiny)
    yield "convolution-round-up", Config(n=3, n_m=4, n_cm=3, c=2, compressor="convolution", **tiny)
    yield "transformer-xl", Config(n=4, n_m=4, n_cm=0, c=2, compressor="mean-pool", **tiny)


def memories(config, weights, documents):
    """Each document's memory after the segments of its age, and the tokens from there on."""
    for age, tokens in zip(AGES, documents, strict=True):
        memory = empty_memory(config)
        for segment in range(age):
            memory = step(config, weights, memory, tokens[segment * config.n : (segment + 1) * config.n]).memory
        yield memory, tokens[age * config.n :]


def language_modelling(config, starts, segments):
    """The mean loss of the segments that follow, of both documents, as a function of the weights."""

    def loss(weights):
        total = 0.0
        for memory, tokens in starts:
            for segment in range(segments):
                first = segment * config.n
                result = step(config, weights, memory, tokens[first : first + config.n])
                total += next_token_loss(weights, result, tokens[first + 1 : first + config.n + 1])
                memory = result.memory
        return total / (len(starts) * segments)

    return loss


def compute(config, seed):
    random = np.random.RandomState(seed)
    rounded = random_weights(config, random)
    for layer in range(config.l):
        name = f"layers.{layer}.decoder.weight"
        rounded[name] = random_weight("decoder", (config.c, config.d, config.d), random).astype("<f4")
    weights = {name: tensor.astype("<f8") for name, tensor in rounded.items()}
    # Two segments after those of its age, and the token that follows them.
    documents = [random.randint(0, config.V, size=(age + 2) * config.n + 1).astype("<i4") for age in AGES]
    tensors = {f"weights.{name}": tensor for name, tensor in rounded.items()}
    tensors |= {f"documents.{k}.tokens": tokens for k, tokens in enumerate(documents)}
    starts = list(memories(config, weights, documents))

    trained = [name for name in weights if ".decoder." not in name and (config.n_cm > 0 or ".compressor." not in name)]
    losses = {
        "main": (language_modelling(config, starts, 1), trained),
        "backpropagation": (language_modelling(config, starts, 2), trained),
    }
    results = [step(config, weights, memory, tokens[: config.n]) for memory, tokens in starts]
    evicting = [
        (memory, result)
        for (memory, _), result in zip(starts, results, strict=True)
        if evicted_count(config, memory.count) > 0
    ]
    compressors = [name for name in trained if ".compressor." in name]
    if compressors:
        base = {name: tensor.copy() for name, tensor in weights.items()}
        mean = lambda loss: lambda given: sum(loss(given, *document) for document in evicting) / len(evicting)
        losses["attention-reconstruction"] = (
            mean(lambda given, *document: attention_reconstruction_loss(config, base, given, *document)),
            compressors,
        )
        losses["auto-encoding"] = (
            mean(lambda given, *document: auto_encoding_loss(config, given, *document)),
            compressors + [name for name in weights if ".decoder." in name],
        )
    for loss_name, (loss, names) in losses.items():
        tensors[f"losses.{loss_name}"] = np.array(loss(weights), dtype="<f8")
        for name, tensor in gradient(loss, weights, names).items():
            tensors[f"gradients.{loss_name}.{name}"] = tensor
    return tensors


def describe(config, seed):
    return {
        "description": "Gradients of the losses of docs/training.md by central differences; see test/reference/README.md",
        "seed": seed,
        "ages": list(AGES),
        "config": describe_config(config),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with what is stored, write nothing")
    check = parser.parse_args().check
    FOLDER.mkdir(parents=True, exist_ok=True)
    wrong = []
    for number, (name, config) in enumerate(configurations()):
        seed = SEEDS.get(name, 90000 + number)
        tensors = compute(config, seed)
        path = FOLDER / f"{name}.safetensors"
        if not check:
            path.write_bytes(encode_tensors(tensors))
            path.with_suffix(".json").write_text(json.dumps(describe(config, seed), indent=2) + "\n")
            continue
        stored = decode_tensors(path.read_bytes()) if path.exists() else {}
        if set(stored) != set(tensors):
            wrong.append(f"{name} holds other tensors")
        wrong += [
            f"{name}: {key} differs"
            for key in set(stored) & set(tensors)
            if not np.allclose(stored[key], tensors[key], rtol=TOLERANCE, atol=TOLERANCE)
        ]
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

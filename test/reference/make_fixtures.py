"""Writes test/fixtures: weights, tokens, and what the reference makes of them.

python3 test/reference/make_fixtures.py           writes every fixture
python3 test/reference/make_fixtures.py --check   recomputes every fixture and compares; exits 1 on a difference
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compressive_transformer import Config, empty_memory, step, weight_shapes
from tensor_file import decode_tensors, encode_tensors

FOLDER = Path(__file__).resolve().parent.parent / "fixtures"

# A float32 implementation has to choose the same rows as the reference.
LEAST_MARGIN = 1e-3

# Room for another order of summation, far below float32's precision.
TOLERANCE = 1e-10

LAYOUT = {
    "weights.{name}": "F32; names and shapes as in docs/model.md",
    "documents.{k}.steps.{t}.tokens": "I32 [m]; document k starts cold and reads its steps in order; 1 <= m <= n",
    "documents.{k}.steps.{t}.hidden": "F64 [m, d]; final hidden vectors",
    "documents.{k}.steps.{t}.surprisal": "F64 [m]; bits",
    "documents.{k}.steps.{t}.memory": "F64 [l, v_m, d]; after the step, filled slots only, oldest first",
    "documents.{k}.steps.{t}.compressedMemory": "F64 [l, v_cm, d]; after the step, filled slots only, oldest first",
    "documents.{k}.steps.{t}.lastHidden": "F64 [d]; after the step",
    "documents.{k}.steps.{t}.attentionMass": "F64 [l, v_m]; after the step; most-used only",
}


@dataclass(frozen=True)
class Fixture:
    name: str
    description: str
    config: Config
    documents: tuple
    """For each document, the number of tokens of each of its steps."""


def cold_start(config, segments=8):
    return ((config.n,) * segments,)


def fixtures():
    for compressor in ("mean-pool", "max-pool", "convolution", "dilated-convolution", "most-used"):
        config = Config(n=4, n_m=8, n_cm=6, c=2, compressor=compressor)
        yield Fixture(
            f"{compressor}-cold-start",
            "Eight segments from a cold start: both memories fill, then the compressed memory drops its oldest rows",
            config,
            cold_start(config),
        )
    for compressor in ("mean-pool", "max-pool", "convolution", "most-used"):
        config = Config(n=3, n_m=4, n_cm=3, c=2, compressor=compressor)
        yield Fixture(
            f"{compressor}-round-up",
            "Neither n nor n_m is divisible by c: eviction rounds up and the memory goes below n_m",
            config,
            cold_start(config),
        )
    config = Config(n=5, n_m=10, n_cm=4, c=3, compressor="dilated-convolution")
    yield Fixture(
        "dilated-convolution-round-up",
        "Neither n nor n_m is divisible by c: eviction rounds up and the memory goes below n_m",
        config,
        cold_start(config),
    )
    for compressor in ("convolution", "most-used"):
        config = Config(n=7, n_m=5, n_cm=7, c=3, compressor=compressor)
        yield Fixture(
            f"{compressor}-round-up-short-memory",
            "n_m < n and neither is divisible by c",
            config,
            cold_start(config),
        )
        config = Config(n=4, n_m=2, n_cm=5, c=3, compressor=compressor)
        yield Fixture(
            f"{compressor}-round-up-least-memory",
            "n_m = c - 1, the least that rounding up allows: every third segment leaves the memory empty",
            config,
            cold_start(config),
        )
    for compressor in ("mean-pool", "convolution", "most-used"):
        config = Config(n=8, n_m=4, n_cm=10, c=2, compressor=compressor)
        yield Fixture(
            f"{compressor}-short-memory",
            "n_m < n: rows of the segment just read are compressed with it",
            config,
            cold_start(config, 5),
        )
    config = Config(n=12, n_m=8, n_cm=7, c=4, compressor="dilated-convolution")
    yield Fixture(
        "dilated-convolution-short-memory",
        "n_m < n: rows of the segment just read are compressed with it",
        config,
        cold_start(config, 5),
    )
    for compressor in ("mean-pool", "convolution", "most-used"):
        config = Config(n=6, n_m=0, n_cm=5, c=3, compressor=compressor)
        yield Fixture(
            f"{compressor}-no-memory",
            "n_m = 0: a segment is compressed as soon as it is read",
            config,
            cold_start(config, 5),
        )
    for compressor in ("convolution", "most-used", "dilated-convolution"):
        config = Config(n=4, n_m=8, n_cm=6, c=1, compressor=compressor)
        yield Fixture(f"{compressor}-rate-1", "c = 1: every row is its own window", config, cold_start(config, 6))
    for compressor in ("mean-pool", "convolution", "most-used"):
        config = Config(n=8, n_m=8, n_cm=3, c=2, compressor=compressor)
        yield Fixture(
            f"{compressor}-short-compressed-memory",
            "n_cm is smaller than what one segment adds: only the newest compressed rows stay",
            config,
            cold_start(config, 4),
        )
    for name, description, n, n_m in (
        ("transformer-xl", "n_cm = 0: no compressed memory", 4, 8),
        ("transformer-xl-uneven", "n_cm = 0 and n_m is no multiple of n or c", 4, 7),
        ("transformer-xl-short-memory", "n_cm = 0 and n_m < n", 6, 2),
        ("memoryless", "n_m = n_cm = 0: only the last hidden vector passes from one segment to the next", 5, 0),
    ):
        config = Config(n=n, n_m=n_m, n_cm=0, c=2, compressor="mean-pool")
        yield Fixture(name, description, config, cold_start(config, 5))
    for compressor in ("convolution", "most-used"):
        config = Config(n=4, n_m=8, n_cm=6, c=2, compressor=compressor)
        yield Fixture(
            f"{compressor}-ages",
            "Documents that have read 0, 1, 3 and 8 segments before the step they have in common, which is their last",
            config,
            tuple((config.n,) * (before + 1) for before in (0, 1, 3, 8)),
        )
    for compressor, n, n_m, n_cm, c in (
        ("convolution", 3, 4, 3, 2),
        ("most-used", 3, 4, 3, 2),
        ("dilated-convolution", 5, 10, 5, 3),
    ):
        config = Config(n=n, n_m=n_m, n_cm=n_cm, c=c, compressor=compressor)
        yield Fixture(
            f"{compressor}-ages-round-up",
            "Documents that have read 0, 1, 2, 3 and 6 segments before their last step, in which they evict unequally",
            config,
            tuple((config.n,) * (before + 1) for before in (0, 1, 2, 3, 6)),
        )
    for compressor in ("mean-pool", "most-used"):
        config = Config(n=5, n_m=5, n_cm=4, c=2, compressor=compressor)
        yield Fixture(
            f"{compressor}-unfilled",
            "Unfilled segments at different ages, each followed by a full segment that must not know of it",
            config,
            ((1, 5), (5, 4, 5), (5, 5, 5, 2, 5), (5, 5, 5, 5, 5, 3, 1, 5)),
        )
    config = Config(n=4, n_m=6, n_cm=5, c=3, compressor="convolution", l=3, H=2, d=6, f=5, V=7)
    yield Fixture("odd-head-width", "Heads of odd width and three layers", config, cold_start(config))
    config = Config(n=4, n_m=4, n_cm=4, c=2, compressor="max-pool", l=1, H=1, d=2, f=3, V=5)
    yield Fixture("least", "The narrowest model: one layer, one head, d = 2", config, cold_start(config, 6))
    config = Config(n=16, n_m=32, n_cm=16, c=4, compressor="convolution", H=4, d=32, f=64, V=61)
    yield Fixture("aligned", "Sizes that are multiples of 16", config, cold_start(config, 7))


def random_weight(name, shape, random):
    """Scales that make attention far from uniform and no gain or bias trivial."""
    values = random.standard_normal(shape)
    part = name.split(".")[-1]
    if part == "gain":
        return 1 + 0.25 * values
    if part == "bias":
        return 0.2 * values
    if part.endswith("_bias"):
        return 0.4 * values
    if name == "embedding.weight":
        return 0.5 * values
    inputs = int(np.prod(shape[:-1]))
    if "query" in name or "key" in name or "position" in name:
        return 1.5 * inputs**-0.5 * values
    if "compressor" in name:
        return 1.4 * inputs**-0.5 * values
    return inputs**-0.5 * values


def random_weights(config, random):
    return {
        name: random_weight(name, shape, random).astype("<f4") for name, shape in sorted(weight_shapes(config).items())
    }


def stack(rows, shape):
    """Rows as one tensor, also where there are none."""
    return np.array(rows, dtype="<f8").reshape(shape)


def compute(fixture, seed):
    """The fixture's tensors and description, and the least margin of its choices."""
    config = fixture.config
    # Of NumPy's generators only RandomState promises the same numbers in every version.
    random = np.random.RandomState(seed)
    rounded = random_weights(config, random)
    weights = {name: tensor.astype("<f8") for name, tensor in rounded.items()}
    tensors = {f"weights.{name}": tensor for name, tensor in rounded.items()}
    documents, margins = [], []
    for k, lengths in enumerate(fixture.documents):
        memory, steps = empty_memory(config), []
        for t, length in enumerate(lengths):
            tokens = random.randint(0, config.V, size=length).astype("<i4")
            result = step(config, weights, memory, tokens)
            memory = result.memory
            margins += result.margins
            name = f"documents.{k}.steps.{t}."
            tensors[name + "tokens"] = tokens
            tensors[name + "hidden"] = stack(result.hidden, (length, config.d))
            tensors[name + "surprisal"] = stack(result.surprisal, (length,))
            tensors[name + "memory"] = stack(memory.rows, (config.l, memory.count, config.d))
            tensors[name + "compressedMemory"] = stack(
                memory.compressed, (config.l, memory.compressed_count, config.d)
            )
            tensors[name + "lastHidden"] = stack(memory.last_hidden, (config.d,))
            if config.compressor == "most-used":
                tensors[name + "attentionMass"] = stack(memory.attention_mass, (config.l, memory.count))
            steps.append(
                {
                    "tokens": length,
                    "memoryCount": memory.count,
                    "compressedMemoryCount": memory.compressed_count,
                }
            )
        documents.append({"steps": steps})
    return tensors, describe(fixture, seed, documents), min(margins, default=np.inf)


def describe_config(config):
    """Sizes with the names of model/model-config.ts."""
    return {
        "segmentLength": config.n,
        "memoryLength": config.n_m,
        "compressedMemoryLength": config.n_cm,
        "compressionRate": config.c,
        "compressor": config.compressor,
        "layers": config.l,
        "heads": config.H,
        "modelWidth": config.d,
        "feedForwardWidth": config.f,
        "vocabularySize": config.V,
    }


def describe(fixture, seed, documents):
    config = fixture.config
    return {
        "description": fixture.description,
        "seed": seed,
        "config": describe_config(config),
        "documents": documents,
        "tensors": LAYOUT,
    }


def build(fixture, first_seed):
    """Tries seeds until every choice of most-used is clear."""
    for seed in range(first_seed, first_seed + 1000):
        tensors, description, margin = compute(fixture, seed)
        if margin >= LEAST_MARGIN:
            return tensors, description
    raise RuntimeError(f"Cannot build {fixture.name} as no seed gives clear choices")


def differences(name, tensors, description):
    """What differs between a fixture as computed and as stored, in words."""
    stored_description = json.loads((FOLDER / f"{name}.json").read_text())
    stored = decode_tensors((FOLDER / f"{name}.safetensors").read_bytes())
    if stored_description != description:
        yield f"{name}.json"
    for tensor_name in sorted(set(stored) ^ set(tensors)):
        yield f"{name}: {tensor_name} is only in one of the two"
    for tensor_name in sorted(set(stored) & set(tensors)):
        old, new = stored[tensor_name], tensors[tensor_name]
        tolerance = TOLERANCE if new.dtype == np.dtype("<f8") else 0
        if old.dtype != new.dtype or old.shape != new.shape:
            yield f"{name}: {tensor_name} has another type or shape"
        elif not np.allclose(old, new, rtol=tolerance, atol=tolerance):
            yield f"{name}: {tensor_name} differs by {np.max(np.abs(old - new))}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with what is stored, write nothing")
    check = parser.parse_args().check
    found, expected = [], set()
    FOLDER.mkdir(exist_ok=True)
    for number, fixture in enumerate(fixtures()):
        expected.add(f"{fixture.name}.safetensors")
        tensors, description = build(fixture, 1000 * (number + 1))
        if not check:
            (FOLDER / f"{fixture.name}.json").write_text(json.dumps(description, indent=2) + "\n")
            (FOLDER / f"{fixture.name}.safetensors").write_bytes(encode_tensors(tensors))
        elif all((FOLDER / file).exists() for file in (f"{fixture.name}.json", f"{fixture.name}.safetensors")):
            found += differences(fixture.name, tensors, description)
        else:
            found.append(f"{fixture.name} is missing")
    strays = {path.name for path in FOLDER.glob("*.safetensors")} - expected
    found += [f"{name} belongs to no fixture" for name in sorted(strays)]
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

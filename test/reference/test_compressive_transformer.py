"""Checks of the reference against numbers got by another route. Run it with python3."""

import math
import sys
import tempfile
from pathlib import Path

import numpy as np

import make_fixtures
from compressive_transformer import (
    Config,
    attend,
    compress,
    distances,
    empty_memory,
    most_used,
    position_vector,
    remember,
    step,
)
from make_fixtures import cold_start, compute, random_weights
from tensor_file import decode_tensors, encode_tensors


def seeded_weights(config, seed=0):
    random = np.random.RandomState(seed)
    return {name: tensor.astype("<f8") for name, tensor in random_weights(config, random).items()}


def read(config, weights, tokens):
    """All steps of a document whose tokens fill whole segments."""
    memory, steps = empty_memory(config), []
    for start in range(0, len(tokens), config.n):
        steps.append(step(config, weights, memory, tokens[start : start + config.n]))
        memory = steps[-1].memory
    return steps


def assert_close(actual, expected, tolerance=1e-12):
    np.testing.assert_allclose(np.array(actual), np.array(expected), rtol=tolerance, atol=tolerance)


def test_distances_of_two_tiers():
    assert distances(0, 2, 3) == ([2, 1], [3, 2, 1], [0])
    assert distances(1, 2, 3) == ([3, 2], [4, 3, 2], [1, 0])


def test_distances_of_partly_filled_tiers_are_those_of_right_aligned_slots():
    n_m, n_cm, i = 8, 6, 2
    for count in range(n_m + 1):
        for compressed_count in range(n_cm + 1):
            memory_slots = range(n_m - count, n_m)
            compressed_slots = range(n_cm - compressed_count, n_cm)
            to_compressed, to_memory, _ = distances(i, compressed_count, count)
            assert to_memory == [i + n_m - j for j in memory_slots]
            assert to_compressed == [i + n_cm - s for s in compressed_slots]


def test_position_vector_puts_sines_first():
    assert_close(position_vector(0, 4), [0, 0, 1, 1])
    assert_close(position_vector(1, 4), [math.sin(1), math.sin(0.01), math.cos(1), math.cos(0.01)])
    # The frequencies of d = 8 are 1, 1/10, 1/100 and 1/1000.
    angles = [7, 0.7, 0.07, 0.007]
    assert_close(position_vector(7, 8), [math.sin(a) for a in angles] + [math.cos(a) for a in angles])


def counts(config, segments):
    weights = seeded_weights(config)
    tokens = [t % config.V for t in range(config.n * segments)]
    return [(s.memory.count, s.memory.compressed_count) for s in read(config, weights, tokens)]


def test_counts():
    for compressor in ("mean-pool", "convolution", "most-used"):
        whole = Config(n=4, n_m=8, n_cm=4, c=2, compressor=compressor, l=1, d=4, f=3)
        assert counts(whole, 6) == [(4, 0), (8, 0), (8, 2), (8, 4), (8, 4), (8, 4)]
        round_up = Config(n=3, n_m=4, n_cm=3, c=2, compressor=compressor, l=1, d=4, f=3)
        assert counts(round_up, 6) == [(3, 0), (4, 1), (3, 3), (4, 3), (3, 3), (4, 3)]
    least = Config(n=4, n_m=2, n_cm=5, c=3, compressor="convolution", l=1, d=4, f=3)
    assert counts(least, 4) == [(1, 1), (2, 2), (0, 4), (1, 5)]
    without = Config(n=4, n_m=7, n_cm=0, c=2, compressor="mean-pool", l=1, d=4, f=3)
    assert counts(without, 3) == [(4, 0), (7, 0), (7, 0)]


def test_permitted_sizes_never_evict_more_than_there_is():
    for n in range(1, 9):
        for n_m in range(0, 17):
            for c in range(1, 6):
                for compressor, ahead in (("convolution", 0), ("dilated-convolution", 7)):
                    try:
                        config = Config(n=n, n_m=n_m, n_cm=2, c=c, compressor=compressor)
                    except ValueError:
                        continue
                    count = 0
                    for _ in range(20):
                        overflow = max(0, count + n - n_m)
                        evicted = -(-overflow // c) * c
                        count += n - evicted
                        assert count >= (ahead if evicted > 0 else 0), config


def layer_norm(x, gain, bias):
    return (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5) * gain + bias


def test_hand_sized_model():
    """n = 2, n_m = 3, n_cm = 2 with one layer, one head, d = 2 and windows of one row.

    With one layer, what is remembered of a token depends on the token only, so the fourth segment can be worked out
    from the stream: its compressed memory holds tokens 1 and 2, its memory tokens 3, 4 and 5, itself 6 and 7.
    """
    config = Config(n=2, n_m=3, n_cm=2, c=1, compressor="mean-pool", l=1, H=1, d=2, f=3, V=5)
    w = seeded_weights(config, 3)
    tokens = [0, 3, 1, 4, 2, 2, 0, 1]
    last = read(config, w, tokens)[3]

    a = "layers.0.attention."
    embedded = math.sqrt(2) * w["embedding.weight"][tokens]
    remembered = layer_norm(embedded, w[a + "normalisation.gain"], w[a + "normalisation.bias"])
    keys = remembered[1:] @ w[a + "key.weight"]
    values = remembered[1:] @ w[a + "value.weight"]
    queries = remembered[6:] @ w[a + "query.weight"] / math.sqrt(2)
    # Toeplitz blocks: one for each tier. The last entry of the first row is hidden, whatever stands there.
    delta = np.array([[2, 1, 3, 2, 1, 0, -1], [3, 2, 4, 3, 2, 1, 0]])
    # With d = 2 the only frequency is 1.
    sinusoid = np.stack([np.sin(delta), np.cos(delta)], axis=-1)
    position = np.einsum(
        "id,ijd->ij", queries + w[a + "position_bias"], sinusoid[:, 2:] @ w[a + "position.weight"]
    )
    compressed_position = np.einsum(
        "id,ijd->ij",
        queries + w[a + "compressed_position_bias"],
        sinusoid[:, :2] @ w[a + "compressed_position.weight"],
    )
    scores = (queries + w[a + "content_bias"]) @ keys.T + np.hstack([compressed_position, position])
    scores[0, 6] = -np.inf
    p = np.exp(scores)
    p /= p.sum(axis=1, keepdims=True)
    x = embedded[6:] + p @ values @ w[a + "output.weight"]
    b = "layers.0.feed_forward."
    inner = layer_norm(x, w[b + "normalisation.gain"], w[b + "normalisation.bias"]) @ w[b + "inner.weight"]
    x = x + np.maximum(inner + w[b + "inner.bias"], 0) @ w[b + "outer.weight"] + w[b + "outer.bias"]
    y = layer_norm(x, w["final_normalisation.gain"], w["final_normalisation.bias"])
    assert_close(last.hidden, y)
    assert_close(last.attention[0][0][0], p[0, :6])
    assert_close(last.attention[0][1][0], p[1])
    logits = y[0] @ w["embedding.weight"].T
    assert_close(last.surprisal[1], np.log2(np.exp(logits).sum()) - logits[1] / math.log(2))
    # The compressed memory passes on token 3, the oldest that leaves the memory.
    assert_close(last.memory.compressed[0], remembered[3:5])
    assert_close(last.memory.rows[0], remembered[5:])
    assert_close(last.memory.last_hidden, y[1])


def test_numbers_worked_out_by_hand():
    """Weights that leave only positions: with q = 0, u = 0, v = [1, 0] and W_r = 1 the score is sin δ."""
    config = Config(n=2, n_m=2, n_cm=0, c=1, compressor="mean-pool", l=1, H=1, d=2, f=1, V=2)
    zero, one = np.zeros((2, 2)), np.eye(2)
    name = "layers.0.attention."
    weights = {
        name + "query.weight": zero,
        name + "key.weight": one,
        name + "value.weight": one,
        name + "output.weight": one,
        name + "position.weight": one,
        name + "content_bias": np.zeros((1, 2)),
        name + "position_bias": np.array([[1.0, 0.0]]),
    }
    first, second = np.array([1.0, -1.0]), np.array([0.0, 2.0])
    outputs, attention = attend(config, weights, 0, [first, second], empty_memory(config))
    assert_close(outputs[0], first)
    # sin 1 = 0.84147, e^0.84147 = 2.31978: 2.31978 / 3.31978 = 0.69878
    assert_close(attention[1][0], [0.6987752, 0.3012248], 1e-6)
    assert_close(outputs[1], [0.6987752, -0.0963256], 1e-6)


def test_heads_own_columns():
    """Weights of one and no positions: head 0 compares the first half of two rows and head 1 the second."""
    config = Config(n=2, n_m=2, n_cm=0, c=1, compressor="mean-pool", l=1, H=2, d=4, f=1, V=2)
    name = "layers.0.attention."
    weights = {name + part + ".weight": np.eye(4) for part in ("query", "key", "value", "output")}
    weights |= {name + "position.weight": np.zeros((4, 4))}
    weights |= {name + part: np.zeros((2, 2)) for part in ("content_bias", "position_bias")}
    rows = [np.array([1.0, 2.0, 0.5, -1.0]), np.array([3.0, 0.0, 2.0, 1.0])]
    outputs, attention = attend(config, weights, 0, rows, empty_memory(config))
    # Head 0: 3 and 9, head 1: 0 and 5, all over the root of 2; the softmax of two scores is a logistic function.
    own = [1 / (1 + math.exp((3 - 9) / math.sqrt(2))), 1 / (1 + math.exp((0 - 5) / math.sqrt(2)))]
    assert_close(attention[1], [[1 - p, p] for p in own])
    assert_close(outputs[1], [3 * own[0] + 1 - own[0], 2 - 2 * own[0], 0.5 + 1.5 * own[1], 2 * own[1] - 1])


def test_first_token_is_predicted_uniformly():
    config = Config(n=4, n_m=4, n_cm=0, c=1, compressor="mean-pool", V=32)
    assert_close(step(config, seeded_weights(config), empty_memory(config), [9, 1]).surprisal[0], 5)


def test_each_query_gives_one_unit_of_attention():
    config = Config(n=4, n_m=0, n_cm=0, c=1, compressor="mean-pool")
    weights = seeded_weights(config)
    result = step(config, weights, empty_memory(config), [1, 2, 3, 4])
    kept = Config(n=4, n_m=4, n_cm=0, c=1, compressor="mean-pool")
    rows = [[np.zeros(config.d)] * 4] * config.l
    memory, _ = remember(kept, weights, empty_memory(kept), rows, result.attention, result.hidden)
    for layer in range(config.l):
        assert_close(sum(memory.attention_mass[layer]), 4)
        by_hand = sum(head[3] for head in result.attention[layer][3]) / config.H
        assert_close(memory.attention_mass[layer][3], by_hand)


def test_attention_mass_adds_up_over_segments():
    config = Config(n=3, n_m=6, n_cm=2, c=1, compressor="most-used")
    steps = read(config, seeded_weights(config), list(range(6)))
    for layer in range(config.l):
        first = np.zeros(6)
        for i, heads in enumerate(steps[0].attention[layer]):
            first[: i + 1] += np.mean(heads, axis=0)
        for i, heads in enumerate(steps[1].attention[layer]):
            first[: 4 + i] += np.mean(heads, axis=0)
        assert_close(steps[1].memory.attention_mass[layer], first)


def test_most_used_ranks_by_mean_and_keeps_order():
    # The means are 6/6, 10/5, 4/4 and 9/3; the last two rows are not evicted.
    assert most_used([6, 10, 4, 9, 8, 8], 4, 2) == ([1, 3], 0.5)
    # Of equal ones, the older.
    assert most_used([6, 10, 4, 9, 8, 8], 4, 3) == ([0, 1, 3], 0)


def test_pools_and_convolution():
    rows = [np.array([1.0, 8.0]), np.array([3.0, -2.0]), np.array([-5.0, 0.0]), np.array([7.0, 4.0])]
    config = Config(n=4, n_m=4, n_cm=2, c=2, compressor="mean-pool", d=2, H=1)
    assert_close(compress(config, {}, 0, rows + rows, 4), [[2, 3], [1, 2]])
    config = Config(n=4, n_m=4, n_cm=2, c=2, compressor="max-pool", d=2, H=1)
    assert_close(compress(config, {}, 0, rows + rows, 4), [[3, 8], [7, 4]])
    config = Config(n=4, n_m=4, n_cm=2, c=2, compressor="convolution", d=2, H=1)
    weight = np.array([[[1.0, 2.0], [3.0, 4.0]], [[0.0, 1.0], [-1.0, 0.0]]])
    # [1, 8] W0 = [25, 34], [3, -2] W1 = [2, 3]; [-5, 0] W0 = [-5, -10], [7, 4] W1 = [-4, 7]
    compressed = compress(config, {"layers.0.compressor.weight": weight}, 0, rows + rows, 4)
    assert_close(compressed, [[27, 37], [-9, -3]])


def test_dilated_convolution_looks_seven_rows_ahead():
    config = Config(n=4, n_m=8, n_cm=2, c=2, compressor="dilated-convolution", d=2, H=1)
    one = np.eye(2)
    weights = {f"layers.0.compressor.dilated.{j}.weight": np.array([one, 10 ** (j + 1) * one]) for j in range(3)}
    weights["layers.0.compressor.strided.weight"] = np.array([one, -one])
    rows = [np.array([float(2**t), -1.0]) for t in range(11)]
    # (1 + 10 z)(1 + 100 z^2)(1 + 1000 z^4), with z the step to the next row
    factors = [1, 10, 100, 1000, 1000, 10**4, 10**5, 10**6]
    mixed = [sum(factor * 2 ** (t + k) for k, factor in enumerate(factors)) for t in range(4)]
    expected = [[mixed[0] - mixed[1], 0], [mixed[2] - mixed[3], 0]]
    assert_close(compress(config, weights, 0, rows, 4), expected)
    try:
        compress(config, weights, 0, rows[:-1], 4)
    except ValueError:
        return
    raise AssertionError("A missing row went unnoticed")


def test_windows_do_not_depend_on_segments():
    random = np.random.RandomState(1)
    tokens = random.randint(0, 29, size=24)
    for compressor in ("mean-pool", "max-pool", "convolution", "dilated-convolution"):
        memories = []
        for n in (2, 4, 8):
            config = Config(n=n, n_m=8, n_cm=20, c=2, compressor=compressor, l=1)
            memories.append(read(config, seeded_weights(config), tokens)[-1].memory)
        for memory in memories[1:]:
            assert memory.compressed_count == 8
            assert_close(memory.compressed[0], memories[0].compressed[0])


def test_unfilled_segment_is_the_start_of_a_full_one_and_leaves_no_trace():
    config = Config(n=4, n_m=4, n_cm=4, c=2, compressor="most-used")
    weights = seeded_weights(config)
    before = read(config, weights, list(range(12)))[-1].memory
    full = step(config, weights, before, [5, 6, 7, 8])
    for length in range(1, 4):
        unfilled = step(config, weights, before, [5, 6, 7, 8][:length])
        assert unfilled.memory is before
        assert_close(unfilled.hidden, full.hidden[:length])
        assert_close(unfilled.surprisal, full.surprisal[:length])


def test_tensor_file():
    tensors = {
        "b": np.array([[1, 2, 3]], "<i4"),
        "a": np.array([0.5, -1.0], "<f4"),
        "z": np.array([[math.pi]], "<f8"),
        "none": np.zeros((2, 0, 3), "<f8"),
    }
    content = encode_tensors(tensors)
    length = int.from_bytes(content[:8], "little")
    assert length % 8 == 0
    assert len(content) == 8 + length + 3 * 4 + 2 * 4 + 8
    assert content[8 + length :][:8] == np.float64(math.pi).tobytes()
    decoded = decode_tensors(content)
    assert decoded.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert decoded[name].dtype == tensor.dtype and decoded[name].shape == tensor.shape
        assert np.array_equal(decoded[name], tensor)


def test_check_notices_a_difference():
    config = Config(n=2, n_m=2, n_cm=2, c=1, compressor="mean-pool", l=1, d=4, f=3)
    fixture = make_fixtures.Fixture("sample", "A sample", config, cold_start(config, 2))
    tensors, description, _ = compute(fixture, 1)
    folder = make_fixtures.FOLDER
    with tempfile.TemporaryDirectory() as temporary:
        make_fixtures.FOLDER = Path(temporary)
        try:
            (make_fixtures.FOLDER / "sample.json").write_text(make_fixtures.json.dumps(description))
            (make_fixtures.FOLDER / "sample.safetensors").write_bytes(encode_tensors(tensors))
            assert not list(make_fixtures.differences("sample", tensors, description))
            name = "documents.0.steps.1.hidden"
            changed = {**tensors, name: tensors[name] + 1e-8}
            assert len(list(make_fixtures.differences("sample", changed, description))) == 1
        finally:
            make_fixtures.FOLDER = folder


def main():
    tests = [value for name, value in globals().items() if name.startswith("test_")]
    for test in tests:
        test()
    print(f"{len(tests)} checks passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())

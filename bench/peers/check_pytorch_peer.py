"""Compares the PyTorch peers with the float64 reference of test/reference on small models; exits 1 if they differ.

    python bench/peers/check_pytorch_peer.py
"""

import sys
from pathlib import Path

import numpy as np
import torch
from plain_pytorch_peer import PlainPytorchPeer
from pytorch_peer import PytorchPeer, random_weights

sys.path.append(str(Path(__file__).resolve().parents[2] / "test" / "reference"))
import compressive_transformer as reference  # noqa: E402

TOLERANCE = 1e-5


def relative_difference(result, exact):
    return np.abs(result - exact).max() / np.abs(exact).max()


def compare(n, n_m, n_cm, c):
    """The largest relative difference of surprisals and remembered rows over three steps of two documents."""
    batch, config = 2, reference.Config(n=n, n_m=n_m, n_cm=n_cm, c=c, compressor="convolution")
    sizes = {"segmentLength": n, "memoryLength": n_m, "compressedMemoryLength": n_cm, "compressionRate": c}
    sizes |= {"layers": config.l, "heads": config.H, "modelWidth": config.d}
    sizes |= {"feedForwardWidth": config.f, "vocabularySize": config.V}
    # Larger than in the benchmark, so that every term tells.
    weights = {name: weight * 4 for name, weight in random_weights(sizes).items()}
    exact = {name: weight.double().numpy() for name, weight in weights.items()}
    rows, compressed = torch.randn(config.l, batch, n_m, config.d), torch.randn(config.l, batch, n_cm, config.d)
    documents = [
        reference.Memory(
            rows=[list(layer[b].double().numpy()) for layer in rows],
            compressed=[list(layer[b].double().numpy()) for layer in compressed],
            attention_mass=[[0.0] * n_m for _ in rows],
            last_hidden=np.zeros(config.d),
        )
        for b in range(batch)
    ]
    peers = [PlainPytorchPeer(sizes, weights, batch, torch.float32)]
    peers[0].fill(rows, compressed)
    for name in ("explicit", "fused"):
        for parts in (1, batch):
            peer = PytorchPeer(sizes, weights, batch, torch.float32)
            peer.fill(rows, compressed)
            peer.attend, peer.rows = getattr(peer, name), batch // parts
            peers.append(peer)
    differences = []
    for peer in peers:
        memories = list(documents)
        generator = torch.Generator().manual_seed(n)
        for _ in range(3):
            tokens = torch.randint(0, config.V, (batch, n), generator=generator)
            bits, hidden_sum = peer.step(tokens)
            for b in range(batch):
                step = reference.step(config, exact, memories[b], tokens[b].tolist())
                memories[b] = step.memory
                pairs = [(bits[b], step.surprisal), (hidden_sum[b], sum(step.hidden))]
                for i, layer in enumerate(peer.layers):
                    pairs += [(layer["rows"][b], step.memory.rows[i])]
                    pairs += [(layer["compressed"][b], step.memory.compressed[i])]
                differences += [relative_difference(ours.numpy(), np.array(expected)) for ours, expected in pairs]
    return max(differences)


if __name__ == "__main__":
    torch.manual_seed(1)
    with torch.inference_mode():
        worst = max(compare(*lengths) for lengths in ((8, 8, 2, 4), (4, 8, 6, 2), (8, 12, 3, 4), (4, 4, 8, 2)))
    print(f"Largest relative difference from the reference: {worst:.1e} (allowed: {TOLERANCE:.0e})")
    sys.exit(1 if worst > TOLERANCE else 0)

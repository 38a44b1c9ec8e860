"""Compares the losses of the PyTorch training peer with the float64 reference of test/reference; exits 1 if they differ.

    python bench/peers/check_pytorch_training_peer.py
"""

import sys
from pathlib import Path

import numpy as np
import torch
from pytorch_peer import random_weights
from pytorch_training_peer import PytorchTrainer

sys.path.append(str(Path(__file__).resolve().parents[2] / "test" / "reference"))
import compressive_transformer as reference  # noqa: E402
from training_losses import attention_reconstruction_loss, next_token_loss  # noqa: E402

TOLERANCE = 1e-4


def main():
    torch.manual_seed(1)
    batch, config = 2, reference.Config(n=8, n_m=16, n_cm=8, c=4, compressor="convolution")
    sizes = {"segmentLength": 8, "memoryLength": 16, "compressedMemoryLength": 8, "compressionRate": 4}
    sizes |= {"layers": config.l, "heads": config.H, "modelWidth": config.d}
    sizes |= {"feedForwardWidth": config.f, "vocabularySize": config.V}
    # Larger than in the benchmark, so that every term tells.
    weights = {name: weight * 4 for name, weight in random_weights(sizes).items()}
    exact = {name: weight.double().numpy() for name, weight in weights.items()}
    rows, compressed = torch.randn(config.l, batch, 16, config.d), torch.randn(config.l, batch, 8, config.d)
    documents = [
        reference.Memory(
            rows=[list(layer[b].double().numpy()) for layer in rows],
            compressed=[list(layer[b].double().numpy()) for layer in compressed],
            attention_mass=[[0.0] * 16 for _ in rows],
            last_hidden=np.zeros(config.d),
        )
        for b in range(batch)
    ]
    # Without learning, the weights of the second step are those of the first.
    trainer = PytorchTrainer(sizes, weights, batch, learning_rate=0.0)
    trainer.fill(rows, compressed)
    worst = 0.0
    for _ in range(2):
        tokens, targets = torch.randint(0, config.V, (2, batch, config.n))
        loss, auxiliary, *_ = trainer.step(tokens, targets)
        steps = [reference.step(config, exact, memory, row.tolist()) for memory, row in zip(documents, tokens, strict=True)]
        expected = np.mean([next_token_loss(exact, step, row.tolist()) for step, row in zip(steps, targets, strict=True)])
        kept = [attention_reconstruction_loss(config, exact, exact, *pair) for pair in zip(documents, steps, strict=True)]
        for given, wanted in ((loss, expected), (auxiliary, np.mean(kept))):
            worst = max(worst, abs(float(given) - wanted) / wanted)
        documents = [step.memory for step in steps]
    print(f"losses differ from the float64 reference by {worst:.1e} at most")
    return 0 if worst < TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main())

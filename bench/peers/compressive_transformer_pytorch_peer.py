"""The package compressive-transformer-pytorch at inference, with its options nearest to docs/model.md."""

import math

import torch
import torch.nn.functional as F
from compressive_transformer_pytorch import CompressiveTransformer
from compressive_transformer_pytorch.compressive_transformer_pytorch import Memory
from serve import serve


def open_stepper(sizes, batch, dtype):
    layers, d, vocabulary = sizes["layers"], sizes["modelWidth"], sizes["vocabularySize"]
    model = CompressiveTransformer(
        num_tokens=vocabulary,
        dim=d,
        depth=layers,
        heads=sizes["heads"],
        seq_len=sizes["segmentLength"],
        mem_len=sizes["memoryLength"],
        cmem_len=sizes["compressedMemoryLength"],
        cmem_ratio=sizes["compressionRate"],
        gru_gated_residual=False,
        enhanced_recurrence=False,
    )
    # In evaluation mode the package skips its reconstruction loss.
    model = model.to(dtype).eval()
    memory = Memory(
        mem=torch.randn(layers, batch, sizes["memoryLength"], d).to(dtype),
        compressed_mem=torch.randn(layers, batch, sizes["compressedMemoryLength"], d).to(dtype),
    )
    last_logits = torch.zeros(batch, 1, vocabulary, dtype=dtype)

    def step(tokens):
        nonlocal memory, last_logits
        logits, memory, _ = model(tokens, memories=memory)
        first = F.cross_entropy(last_logits[:, 0], tokens[:, 0], reduction="none")
        rest = F.cross_entropy(logits[:, :-1].reshape(-1, vocabulary), tokens[:, 1:].reshape(-1), reduction="none")
        last_logits = logits[:, -1:].clone()
        return torch.cat([first[:, None], rest.view(batch, -1)], 1) / math.log(2)

    return step


if __name__ == "__main__":
    serve(open_stepper)

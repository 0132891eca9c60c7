"""The PyTorch side of `npm run perf -- train`: prints the milliseconds of each training step as JSON."""
import json
import sys
import time

import torch
from transformers import BertConfig, BertModel

job = json.loads(sys.argv[1])
torch.set_num_threads(job["threads"])
torch.manual_seed(1)
dimensions, batch = job["dimensions"], job["batch"]
model = BertModel(
    BertConfig(
        vocab_size=job["vocabularySize"], hidden_size=dimensions, num_hidden_layers=job["layers"],
        num_attention_heads=max(2, dimensions // 64), intermediate_size=4 * dimensions,
        hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1,
    ),
    add_pooling_layer=False,
).train()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, weight_decay=0.0)
queries = torch.randint(5, job["vocabularySize"], (batch, job["queryTokens"]))
passages = torch.randint(5, job["vocabularySize"], (batch, job["passageTokens"]))
target = torch.arange(batch)


if job["way"] == "compiled":
    model.compile()
precision = torch.autocast("cpu", torch.bfloat16, enabled=job["way"] == "bfloat16")


def cls(ids):
    return model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state[:, 0]


times = []
for step in range(job["warmup"] + job["steps"]):
    started = time.perf_counter()
    optimizer.zero_grad(set_to_none=True)
    with precision:
        loss = torch.nn.functional.cross_entropy(cls(queries) @ cls(passages).T, target)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 2.0)
    optimizer.step()
    float(loss.detach())
    if step >= job["warmup"]:
        times.append(1000 * (time.perf_counter() - started))
print(json.dumps({"milliseconds": times}))

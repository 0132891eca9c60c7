"""The sentence-transformers side of `npm run perf -- encode`: prints the seconds of each pass over the texts as JSON."""
import json
import sys
import time

import torch
from sentence_transformers import SentenceTransformer

job = json.loads(sys.argv[1])
torch.set_num_threads(job["threads"])
with open(job["passages"], encoding="utf-8") as file:
    texts = [f"{passage['title']} {passage['text']}".strip() for passage in json.load(file)]
model = SentenceTransformer(
    job["model"], device="cpu", model_kwargs={"dtype": getattr(torch, job["precision"])}, local_files_only=True,
)
seconds = []
# The first pass opens and allocates all there is, and is not counted.
for number in range(1 + job["repetitions"]):
    started = time.perf_counter()
    vectors = model.encode(texts, batch_size=32, convert_to_tensor=True, show_progress_bar=False)
    if number > 0:
        seconds.append(time.perf_counter() - started)
print(json.dumps({"seconds": seconds, "vectors": vectors[: job["compared"]].float().flatten().tolist()}))

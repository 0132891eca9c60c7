"""The Python side of `npm run perf -- search`: FAISS and torch over the same vectors, one answer a line."""
import json
import sys
import time

import numpy as np

job = json.loads(sys.argv[1])
dimensions, depth, threads = job["dimensions"], job["depth"], job["threads"]
rows = np.concatenate([np.fromfile(file, dtype="<f4", offset=job["headerBytes"]) for file in job["files"]])
rows = rows.reshape(-1, dimensions)
peers, missing = {}, {}

try:
    import faiss

    faiss.omp_set_num_threads(threads)
    index = faiss.IndexFlatIP(dimensions)
    index.add(rows)
    peers["faiss"] = (faiss.__version__, lambda queries: index.search(queries, depth)[1])
except Exception as error:
    missing["faiss"] = str(error)

try:
    import torch

    torch.set_num_threads(threads)
    held = torch.from_numpy(rows)

    def with_torch(queries):
        with torch.inference_mode():
            return torch.topk(torch.from_numpy(queries) @ held.T, depth).indices.numpy()

    peers["torch"] = (torch.__version__, with_torch)
except Exception as error:
    missing["torch"] = str(error)

print(json.dumps({"versions": {name: version for name, (version, _) in peers.items()}, "missing": missing}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    queries = np.fromfile(asked["queries"], dtype="<f4").reshape(-1, dimensions)
    search = peers[asked["peer"]][1]
    started = time.perf_counter()
    found = search(queries)
    milliseconds = 1000 * (time.perf_counter() - started)
    print(json.dumps({"milliseconds": milliseconds, "rows": np.asarray(found).tolist()}), flush=True)

"""nearest.py PEER QUERIES CANDIDATES WIDTH MOST: seconds for the exact nearest candidates of many queries, two threads, best of three.

PEER is faiss or torch; rows are noise of length 1, as nearest.c makes them."""
import os
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "2")
import numpy as np


def rows(count, width, seed):
    values = np.random.default_rng(seed).random((count, width), dtype=np.float32) - 0.5
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def of_faiss(query, gallery, most):
    import faiss

    faiss.omp_set_num_threads(2)
    index = faiss.IndexFlatIP(gallery.shape[1])
    index.add(gallery)
    return lambda: index.search(query, most)


def of_torch(query, gallery, most):
    import torch

    torch.set_num_threads(2)
    query, gallery = torch.from_numpy(query), torch.from_numpy(gallery)
    return lambda: [(part @ gallery.T).topk(most) for part in query.split(1000)]


def main():
    queries, candidates, width, most = map(int, sys.argv[2:6])
    search = {"faiss": of_faiss, "torch": of_torch}[sys.argv[1]](rows(queries, width, 0), rows(candidates, width, 1), most)
    best = float("inf")
    for _ in range(3):
        started = time.perf_counter()
        search()
        best = min(best, time.perf_counter() - started)
    print(f"{best:.3f}")


main()

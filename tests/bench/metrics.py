"""metrics.py PEER ROWS WIDTH KIND: seconds and peak memory of exact identity-balanced mAP, every row asking all others.

PEER is numpy, torch or pml; KIND is noise or individuals, made as ranking.c makes them. Best of several rounds on two threads.
Up to 10,000 rows the whole matrix of scores is made, as one would write it; above, a thousand queries at a time."""
import os
import resource
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "2")
import numpy as np

INDIVIDUALS, WHOLE, BLOCK = 31, 10000, 1000


def make(rows, width, kind):
    random = np.random.default_rng(0)
    center = random.random((INDIVIDUALS, width), dtype=np.float32) - 0.5
    label = random.integers(0, INDIVIDUALS, rows)
    values = random.random((rows, width), dtype=np.float32) - 0.5 + (0.4 * center[label] if kind == "individuals" else 0)
    return values / np.linalg.norm(values, axis=1, keepdims=True), label


def of_numpy(values, label, block):
    precision = np.empty(len(label))
    for first in range(0, len(label), block):
        mine = np.arange(first, min(first + block, len(label)))
        scores = values[mine] @ values.T
        scores[np.arange(len(mine)), mine] = -np.inf
        right = label[np.argsort(-scores, axis=1, kind="stable")[:, :-1]] == label[mine, None]
        hits = np.cumsum(right, axis=1, dtype=np.int32)
        precision[mine] = np.where(right, hits / np.arange(1, right.shape[1] + 1, dtype=np.float32), 0).sum(1) / hits[:, -1]
    return np.mean([precision[label == k].mean() for k in range(INDIVIDUALS)])


def of_torch(values, label, block):
    import torch

    torch.set_num_threads(2)
    values, label = torch.from_numpy(values), torch.from_numpy(label)
    precision = torch.empty(len(label), dtype=torch.float64)
    for first in range(0, len(label), block):
        mine = torch.arange(first, min(first + block, len(label)))
        scores = values[mine] @ values.T
        scores[torch.arange(len(mine)), mine] = -torch.inf
        right = label[scores.argsort(1, descending=True)[:, :-1]] == label[mine, None]
        hits = right.cumsum(1, dtype=torch.int32)
        precision[mine] = ((hits / torch.arange(1, right.shape[1] + 1)) * right).sum(1).double() / hits[:, -1]
    return np.mean([precision[label == k].mean().item() for k in range(INDIVIDUALS)])


def of_pml(values, label, block):
    """pytorch-metric-learning, with its own search: no faiss."""
    import torch
    from pytorch_metric_learning.distances import CosineSimilarity
    from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
    from pytorch_metric_learning.utils.inference import CustomKNN

    torch.set_num_threads(2)
    calculator = AccuracyCalculator(include=("mean_average_precision",), avg_of_avgs=True, k=len(label) - 1,
                                    knn_func=CustomKNN(CosineSimilarity(), batch_size=block))
    return calculator.get_accuracy(torch.from_numpy(values), torch.from_numpy(label))["mean_average_precision"]


def main():
    peer, rows, width, kind = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    values, label = make(rows, width, kind)
    score, best = {"numpy": of_numpy, "torch": of_torch, "pml": of_pml}[peer], float("inf")
    score(values[:500], label[:500], 500)
    for _ in range(3 if rows <= WHOLE else 1):
        started = time.perf_counter()
        found = score(values, label, rows if rows <= WHOLE else BLOCK)
        best = min(best, time.perf_counter() - started)
    print(f"{best:.3f} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} {found:.6f}")


main()

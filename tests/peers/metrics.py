"""Metrics of random rows beside scikit-learn, wildlife-datasets, pytorch-metric-learning, and numpy by the words of the definitions."""
import os
import subprocess

import numpy as np
from sklearn import metrics as sk

from common import BUILD, done, folder, skipped, told

ROWS, WIDTH, INDIVIDUALS = 400, 24, 17


def judged(rows, label, view):
    """What jre says, by name."""
    with folder() as place:
        path = os.path.join(place, "rows")
        with open(path, "wb") as file:
            for part in (label.astype("<i4"), view.astype("<i4"), rows.astype("<f4")):
                file.write(part.tobytes())
        program = os.path.join(BUILD, "tests", "peers", "judge")
        said = subprocess.run([program, path, str(len(rows)), str(rows.shape[1]), str(INDIVIDUALS)], capture_output=True, text=True, check=True)
    return {name: float(value) for name, value in (line.split("\t") for line in said.stdout.splitlines())}


def random_rows(seed):
    """Individuals around centers, the last one alone; unit rows of 32 bits."""
    draw = np.random.default_rng(seed)
    label = draw.integers(0, INDIVIDUALS - 1, ROWS)
    label[-1] = INDIVIDUALS - 1
    rows = draw.normal(size=(INDIVIDUALS, WIDTH))[label] * .45 + draw.normal(size=(ROWS, WIDTH))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return rows, label, draw.integers(0, 3, ROWS)


def by_definition(scores, label, allowed):
    """DEFINITIONS 5.1 to 5.3, one query after the other: means over queries and over individuals."""
    got = {}
    for query in range(len(label)):
        asked = np.flatnonzero(allowed[query])
        order = asked[np.argsort(-scores[query, asked], kind="stable")]
        right = label[order] == label[query]
        if not right.any():
            continue
        ranks, count = np.flatnonzero(right) + 1, right.sum()
        precision = np.arange(1, count + 1) / ranks
        values = {
            "map": precision.mean(), "rank1": ranks[0] == 1, "rank5": ranks[0] <= 5, "rank10": ranks[0] <= 10, "map_at_r": precision[ranks <= count].sum() / count,
            "r_precision": (ranks <= count).sum() / count, "minp": count / ranks[-1], "mrr": 1 / ranks[0],
        }
        assert abs(values["map"] - sk.average_precision_score(right, -np.arange(len(right)))) < 1e-12
        for name, value in values.items():
            got.setdefault(name, {}).setdefault(label[query], []).append(float(value))
    told_names = {}
    for name, each in got.items():
        told_names[f"{name} of queries"] = np.mean(sum(each.values(), []))
        told_names[f"{name} of individuals"] = np.mean([np.mean(values) for values in each.values()])
    return told_names


def of_pairs(scores, label, counted):
    """scikit-learn on the pairs that count."""
    same, score = (label[:, None] == label[None])[counted], scores[counted]
    accepted, found, _ = sk.roc_curve(same, score, drop_intermediate=False)
    nearest = np.argmin(np.abs(accepted - (1 - found)))
    numbers = {"auc": sk.roc_auc_score(same, score), "average precision": sk.average_precision_score(same, score), "equal error": (accepted[nearest] + 1 - found[nearest]) / 2}
    for rate in (1e-4, 1e-3, 1e-2, 1e-1):
        numbers[f"found at {rate:g}"] = found[accepted <= rate].max()
    return numbers


def of_fast_reid(scores, label, counted):
    """ROC with pairs of two individuals as what is sought, by distance; the nearest false positive rate, every threshold kept."""
    other, distance = (label[:, None] != label[None])[counted], -scores[counted]
    mistaken, found, _ = sk.roc_curve(other, distance, drop_intermediate=False)
    words = "pairs of two individuals found, by false alarms of one"
    return {f"fast-reid TPR@FPR={rate:.0e}, {words}": found[np.argmin(np.abs(mistaken - rate))] for rate in (1e-4, 1e-3, 1e-2)}


def of_wildlife(scores, label, allowed):
    """The nearest neighbor's name, judged by wildlife-datasets."""
    from wildlife_datasets import metrics as theirs
    named = label[np.where(allowed, scores, -np.inf).argmax(axis=1)]
    classes, yes_or_no = "over names, of the nearest neighbor", "over names, each as yes or no"
    words = {"accuracy": "over queries, lonely ones 0", "balanced_accuracy": classes, "class_average_accuracy": yes_or_no, "precision": classes, "recall": classes, "f1": classes}
    return {f"wildlife-datasets {name}, {counts}": getattr(theirs, name)(label, named) for name, counts in words.items()}


def of_metric_learning(rows, label):
    """pytorch-metric-learning's calculator, asked both ways."""
    import torch
    from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
    from pytorch_metric_learning.utils.inference import CustomKNN
    from pytorch_metric_learning.distances import LpDistance
    numbers = {}
    for individuals in (False, True):
        calculator = AccuracyCalculator(avg_of_avgs=individuals, k=None, knn_func=CustomKNN(LpDistance(normalize_embeddings=False, power=2)))
        calculator.curr_include = ()
        said = calculator.get_accuracy(torch.tensor(rows), torch.tensor(label), include=(
            "precision_at_1", "r_precision", "mean_average_precision_at_r", "mean_average_precision", "mean_reciprocal_rank"))
        words = "over individuals, lonely queries left out" if individuals else "over queries, lonely ones left out"
        numbers.update({f"pytorch-metric-learning {name}, {words}": value for name, value in said.items()})
    return numbers


def compare(name, own, wanted, within, before=""):
    apart = [abs(own[before + key] - value) for key, value in wanted.items()]
    told(name, len(apart), max(apart), within)


def main():
    for seed in range(3):
        rows, label, view = random_rows(seed)
        own = judged(rows, label, view)
        scores = rows.astype(np.float64) @ rows.astype(np.float64).T
        everybody = ~np.eye(ROWS, dtype=bool)
        ruled = everybody & ~((label[:, None] == label[None]) & (view[:, None] == view[None]))
        once = np.triu(np.ones((ROWS, ROWS), dtype=bool), 1)
        compare("ranking metrics beside numpy and scikit-learn", own, by_definition(scores, label, everybody), 1e-6)
        compare("ranking metrics under a rule", own, by_definition(scores, label, ruled), 1e-6, "rule ")
        compare("pairs beside scikit-learn", own, of_pairs(scores, label, once), 2e-6)
        compare("pairs under a rule", own, of_pairs(scores, label, ruled), 2e-6, "rule ")
        compare("fast-reid's ROC beside scikit-learn", own, of_fast_reid(scores, label, everybody & ruled), 1e-6, "rule ")
        try:
            compare("names beside wildlife-datasets", own, of_wildlife(scores, label, everybody), 1e-6)
        except ImportError as why:
            skipped("names beside wildlife-datasets", why)
        try:
            compare("pytorch-metric-learning", own, of_metric_learning(rows, label), 1e-6)
        except ImportError as why:
            skipped("pytorch-metric-learning", why)


main()
done()

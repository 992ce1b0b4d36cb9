"""The entry of a contest, scored as its organizers would: v01 on the cutouts of 31 nyalas, and numpy on its CSV.

Three numbers meet for each network: numpy's from the entry, what jre says when it is told the solution, and the
reference, which torch computed from the pictures."""
import csv
import json
import os

import numpy as np

from common import data, done, folder, jre, skipped, told

SOLUTION = """
# The solution, told

```jre
dataset solved {{
  root     "{root}"
  table    "solution.csv"
  image    "test/test/{{filename}}"
  identity "{{ground_truth}}"
}}

evaluate contest {{
  similarity likeness
  on         solved
  metrics    [map]
  record     "contest.csv"
}}
```
"""


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def matrix(pairs, entry, place):
    """The entry as queries by gallery; a pair that is not asked about is not a number."""
    scores = np.full((len(place), len(place)), np.nan)
    answers = {row["row_id"]: float(row["similarity"]) for row in entry}
    for pair in pairs:
        scores[place[pair["query_image"]], place[pair["gallery_image"]]] = answers[pair["row_id"]]
    return scores


def balanced(scores, who):
    """Identity-balanced mean average precision; equal scores keep the order of the rows."""
    mean = {}
    for query, line in enumerate(scores):
        asked = np.flatnonzero(~np.isnan(line))
        right = who[asked[np.argsort(-line[asked], kind="stable")]] == who[query]
        if right.any():
            precision = np.cumsum(right) / np.arange(1, len(right) + 1)
            mean.setdefault(who[query], []).append(precision[right].mean())
    return np.mean([np.mean(each) for each in mean.values()])


def main():
    root = data("data/nyala/jaguar_like")
    if not root:
        skipped("submission", "the shared photographs are not here")
        return
    solution, pairs = rows(f"{root}/solution.csv"), rows(f"{root}/test.csv")
    place = {row["filename"]: i for i, row in enumerate(solution)}
    who = np.array([row["ground_truth"] for row in solution])
    with open(data("data/nyala/reference.json")) as file:
        reference = json.load(file)["networks"]
    with folder() as into:
        overlay = os.path.join(into, "solution.jre")
        with open(overlay, "w") as file:
            file.write(SOLUTION.format(root=root))
        jre("run", "pipelines/v01.jre", "--with", "tests/pipelines/jaguar_like.jre", "--with", overlay, "--into", into,
            "--set", f'jaguars.root="{root}"', "--set", f'unseen.root="{root}"')
        own = {row["backbone"]: float(row["cv_map"]) for row in rows(f"{into}/contest.csv")}
        theirs, count, apart = 0.0, 0, 0.0
        for network, said in own.items():
            entry = rows(f"{into}/submissions/v01-{network}.csv")
            score = balanced(matrix(pairs, entry, place), who)
            expected = reference[network]["jaguar_like_test_cutouts"]["black"]["all"]["identity_balanced_map"]
            theirs, apart, count = max(theirs, abs(score - expected)), max(apart, abs(score - said)), count + len(entry)
    told("submission beside jre's own score", count, apart, 2e-6)
    told("submission beside the reference", count, theirs, 1e-5)


main()
done()

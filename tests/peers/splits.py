"""Splits by published rules, picture by picture beside the library that published them (wildlife-datasets).

Random tables: few and many individuals, names and numbers, some called `unknown`, times with and without gaps."""
import datetime
import os
import random
import subprocess
import sys
import warnings

import pandas

from common import BUILD, done, told
from wildlife_datasets import splits

CASES = 600
RULES = ["closed_set", "open_set", "disjoint_set", "time_proportion", "time_proportion_open_set", "time_cutoff", "random_proportion"]
EPOCH = datetime.datetime(1970, 1, 1)


def table(draw, dated):
    """A table of pictures. Times only where a rule needs them, or the library would read text as such."""
    individuals, pictures = draw.choice([1, 2, 5, 30]), draw.choice([1, 3, 20, 150])
    names = [str(k + 1) for k in range(individuals)] if draw.random() < 0.3 else [draw.choice("abXYé") + str(k) for k in range(individuals)]
    numbers = names[0] == "1"
    if not numbers and draw.random() < 0.3:
        names.append("unknown")
    rows = []
    for _ in range(pictures):
        when = datetime.datetime(2015, 12, 1) + datetime.timedelta(days=draw.randrange(draw.choice([3, 60, 2000])), seconds=draw.randrange(86400))
        gap = dated and draw.random() < 0.05
        name = names[min(int(draw.expovariate(4) * len(names)), len(names) - 1)]
        rows.append({"identity": int(name) if numbers else name, "date": None if gap else str(when)})
    return pandas.DataFrame(rows)


def case(draw):
    rule = draw.choice(RULES)
    frame = table(draw, rule.startswith(("time", "random")))
    seed = draw.choice([666, 0, draw.randrange(2**31)])
    train = draw.choice([0.5, 0.8, 0.7, 0.25, 0.0, 1.0, draw.randrange(101) / 100])
    unseen, individuals = draw.choice([(draw.randrange(1, 100) / 100, None), (None, draw.randrange(1, 6))])
    in_test, year, one_year = draw.random() < 0.7, draw.randrange(2015, 2022), draw.random() < 0.5
    opened = {"ratio_class_test": unseen, "n_class_test": individuals, "seed": seed}
    peer = {
        "closed_set": lambda: splits.ClosedSetSplit(train, seed=seed),
        "open_set": lambda: splits.OpenSetSplit(train, open_in_test=in_test, **opened),
        "disjoint_set": lambda: splits.DisjointSetSplit(**opened),
        "time_proportion": lambda: splits.TimeProportionSplit(train),
        "time_proportion_open_set": lambda: splits.TimeProportionOpenSetSplit(train, **opened),
        "time_cutoff": lambda: splits.TimeCutoffSplit(year, test_one_year_only=one_year),
        "random_proportion": lambda: splits.RandomProportion(ratio=train, seed=seed),
    }[rule]()
    words = [RULES.index(rule) + 1, train, int(unseen is not None), unseen or 0, -1 if individuals is None else individuals, int(in_test), year, int(one_year), seed, len(frame)]
    lines = [" ".join(repr(word) for word in words)]
    for name, date in zip(frame["identity"], frame["date"]):
        known = isinstance(date, str)
        lines.append(f"{name} {(datetime.datetime.fromisoformat(date) - EPOCH).total_seconds() if known else 'nan'}")
    return rule, frame, peer, "\n".join(lines)


def published(frame, peer):
    """A character for each picture, as splits.c prints it; None where the library itself fails."""
    try:
        train, test = peer.split(frame)[0]
    except (IndexError, ValueError, TypeError):
        return None
    parts = ["-"] * len(frame)
    for part, rows in (("0", train), ("1", test)):
        for row in rows:
            parts[int(row)] = part
    return "".join(parts)


def main():
    warnings.simplefilter("ignore")
    draw = random.Random(5)
    cases = [case(draw) for _ in range(CASES)]
    run = subprocess.run([os.path.join(BUILD, "tests/peers/splits")], input="\n".join(text for *_, text in cases) + "\n", capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"splits ended with status {run.returncode}\n{run.stderr}")
    answers = run.stdout.split("\n")
    compared, differ, failed = dict.fromkeys(RULES, 0), dict.fromkeys(RULES, 0), 0
    for (rule, frame, peer, text), answer in zip(cases, answers):
        wanted = published(frame, peer)
        if wanted is None:
            failed += 1
            continue
        compared[rule] += 1
        differ[rule] += wanted != answer
        if wanted != answer and not any(list(differ.values())[: RULES.index(rule)]):
            print(f"{text.splitlines()[0]}\n  {wanted}\n  {answer}")
    for rule in RULES:
        told(f"splits by {rule}", compared[rule], differ[rule], 0)
    print(f"{failed} tables the library has no split of")
    done()


main()

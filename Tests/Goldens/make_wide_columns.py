"""Scores of scikit-learn's trees and forests on columns that spread over many orders of magnitude; run from the
repository's root.

The rows come from a generator of 64-bit integers and from arithmetic that IEEE 754 rounds the same way everywhere, so
the test makes them again to the bit. A column has thousands of distinct values, and what matters of it lies in its
tail, where bins of equal weight are few.
"""

import json

import numpy as np
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

TRAIN, TEST, COLUMNS = 12_000, 4_000, 5


def uniform(count):
    numbers, state = np.empty(count), 42
    for index in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        numbers[index] = (state >> 11) / 2**53
    return numbers


def rows():
    draws = uniform((TRAIN + TEST) * (COLUMNS + 1)).reshape(-1, COLUMNS + 1)
    shares = draws[:, :COLUMNS]
    x = shares / ((1 - shares) * (1 - shares))
    tail = np.minimum(np.sqrt(x[:, 0]), 200)
    y = tail + np.where(x[:, 1] > 400, 20, 0) + np.where(x[:, 2] > x[:, 3], 1, 0) + draws[:, COLUMNS]
    return x, y


x, y = rows()
label = (y > 3).astype(int) + (y > 9) + (y > 30) + (y > 90)
scores = {}
for name, make, target, seeds in [
    ("decision-tree-regressor", lambda seed: DecisionTreeRegressor(random_state=seed), y, 10),
    ("random-forest-regressor", lambda seed: RandomForestRegressor(30, random_state=seed, n_jobs=2), y, 10),
    ("decision-tree-classifier", lambda seed: DecisionTreeClassifier(random_state=seed), label, 10),
    ("random-forest-classifier", lambda seed: RandomForestClassifier(30, random_state=seed, n_jobs=2), label, 10),
]:
    found = [make(seed).fit(x[:TRAIN], target[:TRAIN]).score(x[TRAIN:], target[TRAIN:]) for seed in range(seeds)]
    scores[name] = {"mean": float(np.mean(found)), "deviation": float(np.std(found))}
with open("Tests/Goldens/wide_columns.json", "w") as file:
    json.dump({"firstRow": x[0].tolist(), "lastTarget": float(y[-1]), "scores": scores}, file, indent=1)
    file.write("\n")

"""The cases of BackendComparison with Dask alone, by `Client.map`: prints the seconds of each as JSON.

Usage: dask_map.py WORKERS SCHEDULER. The case `grid` is the fits in lists of 100, as somebody who knows that they are
short would share them out.
"""

import json
import sys
import time

import numpy as np
from distributed import Client
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold

JOBS = 10_000
ALPHAS = [0.01 * number for number in range(1, 401)]


def nothing(number):
    return number


def fit_all(fits, features, target):
    """The scores of fits, each a strength and the rows of a fold."""
    scores = []
    for alpha, train, test in fits:
        model = clone(Ridge(alpha=alpha)).fit(features[train], target[train])
        scores.append(model.score(features[test], target[test]))
    return scores


def main(workers, scheduler):
    features = load_iris().data
    target = features[:, 0].copy()
    folds = list(KFold(5).split(features))
    fits = [(alpha, train, test) for alpha in ALPHAS for train, test in folds]
    seconds = {}

    def timed(name, body, repeats=3):
        for _ in range(repeats):
            start = time.perf_counter()
            body()
            seconds[name] = min(seconds.get(name, np.inf), time.perf_counter() - start)

    with Client(scheduler) as client:

        def run(count):
            return client.gather(client.map(nothing, range(count), pure=False))

        # Once: what is scattered again has the same name, and goes when the one before does.
        data = client.scatter(features, broadcast=True), client.scatter(target, broadcast=True)

        def run_fits(size):
            lists = [fits[start : start + size] for start in range(0, len(fits), size)]
            return client.gather([client.submit(fit_all, part, *data, pure=False) for part in lists])

        timed("start", lambda: run(workers), repeats=1)
        timed("reuse", lambda: run(workers))
        timed("jobs", lambda: run(JOBS), repeats=1)
        timed("fits", lambda: run_fits(1), repeats=1)
        timed("grid", lambda: run_fits(100))
    print(json.dumps(seconds))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])

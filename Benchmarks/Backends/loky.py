"""The cases of BackendComparison on joblib's loky, or on its Dask backend: prints the seconds of each as JSON.

Usage: loky.py WORKERS [SCHEDULER].
"""

import json
import sys
import time
import warnings

import numpy as np
from joblib import Parallel, delayed, parallel_config
from sklearn.datasets import load_iris
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, KFold

warnings.filterwarnings("ignore")
JOBS = 10_000
ALPHAS = [0.01 * number for number in range(1, 401)]


def nothing(number):
    return number


def main(workers, scheduler=None):
    features = load_iris().data
    target = features[:, 0].copy()
    grid = GridSearchCV(Ridge(), {"alpha": ALPHAS}, cv=KFold(5), refit=False, scoring="r2", n_jobs=workers)
    seconds = {}

    def run(count):
        return Parallel(n_jobs=workers)(delayed(nothing)(number) for number in range(count))

    def timed(name, body, repeats=3):
        for _ in range(repeats):
            start = time.perf_counter()
            body()
            seconds[name] = min(seconds.get(name, np.inf), time.perf_counter() - start)

    if scheduler:
        from distributed import Client

        client = Client(scheduler)
        config = parallel_config(backend="dask", scheduler_host=scheduler)
    else:
        client = None
        config = parallel_config(backend="loky", inner_max_num_threads=1)
    repeats = 1 if scheduler else 3
    with config:
        timed("start", lambda: run(workers), repeats=1)
        timed("reuse", lambda: run(workers))
        timed("jobs", lambda: run(JOBS), repeats)
        timed("fits", lambda: grid.fit(features, target), repeats)
    if client:
        client.close()
    # joblib shares no work between the candidates of a grid: the same case serves both.
    seconds["grid"] = seconds["fits"]
    print(json.dumps(seconds))


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])

"""Whole searches: Apus on one CPU and on every CPU, and scikit-learn doing the same fits one after the other.

With `--joblib`, also what its users write: GridSearchCV with a process of joblib's loky on each CPU, by the clock.

CPU seconds are compared between runs on one CPU: two that share caches and units slow each other down, which would
count against whoever uses both; a peer that spreads its fits over processes spends more, not fewer. The clock is
compared with Apus on every CPU. scikit-learn's seconds are of the search alone, those of Apus of the whole process,
its start and the reading of the file included; then whole processes are compared on both sides, and searches alone.
"""

import json
import os
import pathlib
import resource
import subprocess
import sys
import time
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Sweep:
    name: str
    data: str
    estimator: str
    parameters: list[str]
    peer: object
    grid: dict
    folds: int = 5
    options: list[str] = field(default_factory=list)
    standardize: bool = False
    classifies: bool = True


def _logspace(low, high, count):
    return list(np.logspace(low, high, count))


def _sweeps():
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import Lasso, LogisticRegression, Ridge
    from sklearn.svm import SVC

    logistic = LogisticRegression(max_iter=1000)
    forest = RandomForestClassifier(random_state=0)
    forest_grid = {
        "n_estimators": [25, 50, 100, 200], "max_depth": [4, 8, 16, None], "max_features": ["sqrt", 0.5],
    }  # fmt: skip
    return [
        Sweep("logistic-digits", "digits", "logistic-regression", ["c=log(1e-3,1e2,20)"], logistic,
              {"C": _logspace(-3, 2, 20)}, standardize=True),
        Sweep("ridge-diamonds", "diamonds", "ridge", ["alpha=log(1e-3,1e3,100)"], Ridge(),
              {"alpha": _logspace(-3, 3, 100)}, classifies=False),
        Sweep("lasso-diamonds", "diamonds", "lasso", ["alpha=log(1e-1,1e3,100)"], Lasso(precompute=True),
              {"alpha": _logspace(-1, 3, 100)}, classifies=False),
        Sweep("ridge-tiny", "tiny", "ridge", ["alpha=log(1e-3,1e3,400)"], Ridge(),
              {"alpha": _logspace(-3, 3, 400)}, classifies=False),
        Sweep("svc-digits", "digits", "svc",
              ["c=log(1e-6,1e6,13)", "gamma=log(1e-8,1e8,17)", "tolerance=log(1e-4,1e-1,4)",
               "classWeight=[uniform,balanced]"], SVC(), {}, folds=3,
              options=["--random", "30"]),
        Sweep("ridge-flights", "flights-regression", "ridge", ["alpha=log(1e-3,1e3,100)"], Ridge(),
              {"alpha": _logspace(-3, 3, 100)}, classifies=False),
        Sweep("logistic-letter", "letter", "logistic-regression", ["c=log(1e-3,1e2,20)"], logistic,
              {"C": _logspace(-3, 2, 20)}, standardize=True),
        Sweep("forest-letter", "letter", "random-forest-classifier",
              ["treeCount=[25,50,100,200]", "maxDepth=[4,8,16,null]", "maxFeatures=[sqrt,0.5]"], forest, forest_grid),
    ]  # fmt: skip


NAMES = {"c": "C", "gamma": "gamma", "tolerance": "tol", "classWeight": "class_weight"}


def _candidates(results):
    """The candidates that Apus drew at random, in scikit-learn's words."""
    for row in results:
        values = {NAMES[name]: row[f"param_{name}"] for name in NAMES}
        if values.get("class_weight") == "uniform":
            values["class_weight"] = None
        yield values


def run_apus(apus, sweep, split, *through):
    command = [*through, apus, "search", split.train_file, "--target", "target", "--estimator", sweep.estimator,
               "--cv", str(sweep.folds), "--seed", "0", "--json", *sweep.options]  # fmt: skip
    for parameter in sweep.parameters:
        command += ["--param", parameter]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    result = subprocess.run(command, capture_output=True, text=True)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if result.returncode != 0:
        sys.stderr.write(f"{' '.join(command)} failed:\n{result.stderr[-2000:]}\n")
        return None
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": wall, "cpu": cpu, "report": json.loads(result.stdout)}


def run_peer(sweep, split, candidates, folds, scaled=True):
    """The same candidates on the same number of folds; `folds` of them where all would take too long, times the rest."""
    from sklearn.base import clone
    from sklearn.model_selection import KFold, ParameterGrid, StratifiedKFold
    from threadpoolctl import threadpool_limits

    features, target = split.train_features, split.train_target
    kind = StratifiedKFold if sweep.classifies else KFold
    parts = list(kind(sweep.folds).split(features, target))[:folds]
    wall, cpu = time.perf_counter(), time.process_time()
    best = -np.inf
    # Threads inside products this small wait for each other more than they help.
    with threadpool_limits(1):
        for candidate in candidates or ParameterGrid(sweep.grid):
            scores = []
            for train, test in parts:
                model = clone(sweep.peer).set_params(**candidate).fit(features[train], target[train])
                scores.append(model.score(features[test], target[test]))
            best = max(best, float(np.mean(scores)))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    scale = sweep.folds / len(parts) if scaled else 1
    return {"wall": wall * scale, "cpu": cpu * scale, "best": best}


def run_whole_peer(sweep, split, candidates, folds):
    """What the whole of a program that does it takes: start, imports and reading, and the search of `run_peer`."""
    program = pathlib.Path(__file__).with_name("whole_search.py")
    command = [sys.executable, program, sweep.name, split.train_file, str(folds), json.dumps(candidates)]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    output = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    search = json.loads(output.stdout)
    rest = sweep.folds / folds - 1
    return {"wall": wall + rest * search["wall"], "cpu": cpu + rest * search["cpu"]}


def run_joblib(sweep, split, candidates):
    """GridSearchCV on all folds, a process a CPU, after the pool has started."""
    from joblib import Parallel, delayed
    from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold

    cpus = len(os.sched_getaffinity(0))
    Parallel(n_jobs=cpus)(delayed(np.sum)(np.zeros(4)) for _ in range(4 * cpus))
    kind = StratifiedKFold if sweep.classifies else KFold
    grid = [{name: [value] for name, value in candidate.items()} for candidate in candidates] if candidates else sweep.grid
    start = time.perf_counter()
    GridSearchCV(sweep.peer, grid, cv=kind(sweep.folds), refit=False, n_jobs=cpus).fit(
        split.train_features, split.train_target)  # fmt: skip
    return time.perf_counter() - start


def compare(apus, names, folder, make_split, repeats, peer_folds, joblib):
    collected = []
    for sweep in _sweeps():
        if names and sweep.name not in names:
            continue
        split = make_split(sweep.data, sweep.standardize, folder)
        alone = [run_apus(apus, sweep, split, "taskset", "--cpu-list", "0") for _ in range(repeats)]
        runs = [run_apus(apus, sweep, split) for _ in range(repeats)]
        if not all(alone) or not all(runs):
            continue
        report = runs[0]["report"]
        own = {"wall": min(run["wall"] for run in runs), "cpu": min(run["cpu"] for run in alone)}
        searching = {name: min(run["report"]["elapsedSeconds"] - run["report"]["readingSeconds"] for run in chosen)
                     for name, chosen in [("cpu", alone), ("wall", runs)]}  # fmt: skip
        candidates = None if sweep.grid else list(_candidates(report["results"]))
        folds = peer_folds if sweep.name in ("forest-letter", "logistic-letter", "ridge-flights") else sweep.folds
        peer = run_peer(sweep, split, candidates, min(folds, sweep.folds))
        fits = len(report["results"]) * sweep.folds
        print(f"\nsweep {sweep.name}: {fits} fits" + ("" if folds >= sweep.folds else
              f" (scikit-learn: {folds} of {sweep.folds} folds, times {sweep.folds / folds:g})"))  # fmt: skip
        metric = report["best"]["metric"]
        print(f"  apus          {own['cpu']:9.3f} CPU s {own['wall']:9.3f} s {1e6 * report['elapsedSeconds'] / fits:10.1f} "
              f"µs a fit  best {metric} {report['best']['score']:.5f}")  # fmt: skip
        print(f"  scikit-learn  {peer['cpu']:9.3f} CPU s {peer['wall']:9.3f} s {1e6 * peer['wall'] / fits:10.1f} "
              f"µs a fit  best {metric} {peer['best']:.5f}")  # fmt: skip
        print(f"  ratio {peer['cpu'] / own['cpu']:.1f} by CPU, {peer['wall'] / own['wall']:.1f} by the clock, "
              f"{peer['cpu'] / searching['cpu']:.1f} and {peer['wall'] / searching['wall']:.1f} "
              "without start and reading")  # fmt: skip
        whole = run_whole_peer(sweep, split, candidates, min(folds, sweep.folds))
        print(f"  scikit-learn's whole process {whole['cpu']:.3f} CPU s {whole['wall']:.3f} s: ratio "
              f"{whole['cpu'] / own['cpu']:.1f} by CPU, {whole['wall'] / own['wall']:.1f} by the clock")  # fmt: skip
        peer["whole"] = whole
        if joblib:
            peer["joblib"] = run_joblib(sweep, split, candidates)
            print(f"  GridSearchCV with joblib {peer['joblib']:.3f} s: ratio {peer['joblib'] / own['wall']:.1f} by the "
                  f"clock, {peer['joblib'] / searching['wall']:.1f} without start and reading")  # fmt: skip
        sys.stdout.flush()
        collected.append({"sweep": sweep.name, "fits": fits, "apus": own, "searching": searching, "peer": peer,
                          "microsecondsPerFit": 1e6 * report["elapsedSeconds"] / fits})  # fmt: skip
    return collected

"""How costs grow with rows and columns: 1, 4 and 16 times as many, Apus and scikit-learn on the same numbers.

A cost that grows by the power 1 with the rows takes 16 times as long for 16 times the rows; a power above what the
method needs shows a loop that should not be there. Of neighbours it is the predictions of 1,000 rows that are timed,
since their fits only keep the rows.
"""

import math
import sys
import textwrap

import numpy as np

# Estimator, settings, task, and scikit-learn's class with its settings.
METHODS = [
    ("ridge", [], "regression", "linear_model.Ridge()"),
    ("lasso", ["alpha=0.1"], "regression", "linear_model.Lasso(alpha=0.1)"),
    ("logistic-regression", [], "classes", "linear_model.LogisticRegression(max_iter=1000)"),
    ("k-means", ["clusterCount=8"], "clusters", "cluster.KMeans(8, n_init=1, random_state=0)"),
    ("random-forest-classifier", ["treeCount=20"], "classes", "ensemble.RandomForestClassifier(20, random_state=0)"),
    ("svc", [], "classes", "svm.SVC()"),
    ("k-neighbours-classifier", [], "classes", "neighbors.KNeighborsClassifier(algorithm='brute')"),
    ("pca", [], "transformation", "decomposition.PCA()"),
]
BASE = (1000, 10)
FACTORS = [1, 4, 16]
PEER = textwrap.dedent("""
    import json, sys, time
    import numpy as np
    from sklearn import cluster, decomposition, ensemble, linear_model, neighbors, svm
    table = np.loadtxt(sys.argv[1], delimiter=",", skiprows=1)
    x, y = np.ascontiguousarray(table[:, :-1]), table[:, -1]
    y = y if sys.argv[3] == "regression" else y.astype(int)
    def cost(rows):
        start = time.process_time()
        model = eval(sys.argv[2]).fit(x[:rows], y[:rows])
        fitted = time.process_time()
        if "KNeighbors" not in sys.argv[2]:
            return fitted - start
        model.predict(x[:1000])
        return time.process_time() - fitted
    cost(200)
    print(json.dumps({"cpu": cost(len(y))}))
""")


def _write(folder, rows, columns, task):
    path = folder / f"{task}-{rows}-{columns}.csv"
    if path.exists():
        return path
    random = np.random.default_rng(0)
    features = random.normal(size=(rows, columns))
    signal = features[:, : min(columns, 10)] @ random.normal(size=min(columns, 10)) + random.normal(size=rows)
    target = signal if task == "regression" else np.digitize(signal, [-2, 0, 2])
    names = ",".join([f"x{i}" for i in range(columns)] + ["target"])
    np.savetxt(path, np.column_stack([features, target]), delimiter=",", header=names, comments="", fmt="%.6g")
    return path


def _apus(apus, path, estimator, settings, task, run):
    command = [apus, "fit", str(path), "--estimator", estimator, "--threads", "1", "--json", "--warm-up"]
    command += ["--drop", "target"] if task in ("clusters", "transformation") else ["--target", "target"]
    for setting in settings:
        command += ["--set", setting]
    timed = "fit"
    if "neighbours" in estimator:
        timed, few = "predict", path.with_suffix(".few.csv")
        few.write_text("".join(path.read_text().splitlines(keepends=True)[:1001]))
        command += ["--test", str(few)]
    report = run(command, 1)
    return report["seconds"][timed]["cpu"] if report else math.nan


def compare(apus, folder, run, repeats):
    print("CPU seconds of a fit; the power is that of the last fourfold step")
    print(f"  {'':26}{'':14}" + "".join(f"{f'{factor}x':>10}" for factor in FACTORS) + f"{'power':>8}{'peer/apus':>11}")
    collected = []
    for estimator, settings, task, peer in METHODS:
        for what in ("rows", "columns"):
            costs = {"apus": [], "scikit-learn": []}
            for factor in FACTORS:
                rows = BASE[0] * (factor if what == "rows" else 1)
                columns = BASE[1] * (factor if what == "columns" else 1)
                path = _write(folder, rows, columns, task)
                pairs = [
                    (_apus(apus, path, estimator, settings, task, run),
                     (run([sys.executable, "-c", PEER, str(path), peer, task], 1) or {"cpu": math.nan})["cpu"])
                    for _ in range(repeats)
                ]  # fmt: skip
                for name, values in zip(costs, zip(*pairs)):
                    costs[name].append(min(values))
            for name, values in costs.items():
                power = math.log(values[-1] / values[-2]) / math.log(FACTORS[-1] / FACTORS[-2])
                ratio = costs["scikit-learn"][-1] / costs["apus"][-1] if name == "apus" else None
                print(
                    f"  {estimator if name == 'apus' else '':26}{what + ', ' if name == 'apus' else '':9}{name[:5]:5}"
                    + "".join(f"{value:10.5f}" for value in values) + f"{power:8.2f}"
                    + (f"{ratio:11.2f}" if ratio else "")
                )  # fmt: skip
            sys.stdout.flush()
            collected.append({"estimator": estimator, "grows": what, "cpu": costs})
    return collected

"""The lasso's path: 100 penalties from the weakest that sets all coefficients to zero down to a thousandth of it.

Every tool has its own stopping rule, so the largest duality gap of its path stands beside its time: a tool that stops
earlier than another is not faster.
"""

import json
import subprocess
import sys

import numpy as np

REPEATS = 5
COUNT, SMALLEST = 100, 1e-3

# One peer each: makes `fit`, which gives the coefficients (p × 100) and intercepts, and is timed in a process of its own.
PEERS = {
    "sklearn": """
from sklearn.linear_model import lasso_path
def fit(x, y, alphas):
    means, mean = x.mean(axis=0), y.mean()
    coefficients = lasso_path(x - means, y - mean, alphas=alphas, copy_X=False)[1]
    return coefficients, mean - means @ coefficients
""",
    "sklearn, Gram": """
from sklearn.linear_model import lasso_path
def fit(x, y, alphas):
    means, mean = x.mean(axis=0), y.mean()
    coefficients = lasso_path(x - means, y - mean, alphas=alphas, copy_X=False, precompute=True)[1]
    return coefficients, mean - means @ coefficients
""",
    "celer": """
from celer.homotopy import celer_path
def fit(x, y, alphas):
    means, mean = x.mean(axis=0), y.mean()
    coefficients = celer_path(np.asfortranarray(x - means), y - mean, pb="lasso", alphas=alphas)[1]
    return coefficients, mean - means @ coefficients
""",
    "skglm": """
from skglm import Lasso
def fit(x, y, alphas):
    means, mean = x.mean(axis=0), y.mean()
    model = Lasso(fit_intercept=False, warm_start=True)
    coefficients = model.path(np.asfortranarray(x - means), y - mean, alphas)[1]
    return coefficients, mean - means @ coefficients
""",
    "glmnet": """
from r_peers import LassoPath
def fit(x, y, alphas, prepared=None):
    return (prepared or LassoPath(x, y, alphas)).fit()
fit.prepare = LassoPath
""",
}
MEASUREMENT = """
import json, sys, time
import numpy as np
sys.path.insert(0, sys.argv[2])
{peer}
table = np.loadtxt(sys.argv[1], delimiter=",", skiprows=1)
x, y = np.ascontiguousarray(table[:, :-1]), table[:, -1].copy()
strongest = np.abs((x - x.mean(axis=0)).T @ (y - y.mean())).max() / len(y)
alphas = strongest * np.logspace(0, {lowest}, {count})
fit(x[:600], y[:600], alphas)
more = {{"prepared": fit.prepare(x, y, alphas)}} if hasattr(fit, "prepare") else {{}}
wall, cpu = time.perf_counter(), time.process_time()
coefficients, intercepts = fit(x, y, alphas, **more)
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
print(json.dumps({{"wall": wall, "cpu": cpu, "alphas": alphas.tolist(), "coefficients": coefficients.T.tolist(),
                   "intercepts": np.asarray(intercepts).tolist()}}))
"""


def largest_gap(split, report):
    """The largest duality gap of the path, as a share of the target's variance (over two)."""
    x, y = split.train_features, split.train_target
    worst = 0.0
    for alpha, coefficients, intercept in zip(report["alphas"], report["coefficients"], report["intercepts"]):
        coefficients = np.array(coefficients)
        residual = y - x @ coefficients - intercept
        primal = residual @ residual / (2 * len(y)) + alpha * np.abs(coefficients).sum()
        # The nearest point of the dual: residuals without their mean, scaled until no feature is beyond the penalty.
        dual = residual - residual.mean()
        dual *= min(1, alpha * len(y) / max(np.abs((x - x.mean(axis=0)).T @ dual).max(), 1e-300))
        centred = y - y.mean()
        value = (centred @ centred - (centred - dual) @ (centred - dual)) / (2 * len(y))
        worst = max(worst, (primal - value) / (centred @ centred / (2 * len(y))))
    return worst


def compare(program, folder, here, make_split, run):
    split = make_split("diamonds", False, folder)
    commands = {"apus": [program, str(split.train_file)]} | {
        name: [sys.executable, "-c", MEASUREMENT.format(peer=peer, lowest=np.log10(SMALLEST), count=COUNT),
               str(split.train_file), str(here)]
        for name, peer in PEERS.items()
    }  # fmt: skip
    runs = {name: [] for name in commands}
    for _ in range(REPEATS):
        for name, command in commands.items():
            runs[name].append(run(command, 1))
    print(f"\nlasso-path, {COUNT} penalties, 1 thread\n  {'':24}{'path s':>10}{'CPU s':>11}{'largest gap':>13}")
    results = {}
    for name, reports in runs.items():
        reports = [report for report in reports if report]
        if not reports:
            print(f"  {name:24}{'failed':>10}")
            continue
        results[name] = {cost: min(report[cost] for report in reports) for cost in ("wall", "cpu")}
        results[name]["gap"] = largest_gap(split, reports[0])
        print(f"  {name:24}{results[name]['wall']:10.5f}{results[name]['cpu']:11.5f}{results[name]['gap']:13.1e}")
    peers = {name: result["cpu"] for name, result in results.items() if name != "apus"}
    if "apus" in results and peers:
        fastest = min(peers, key=peers.get)
        print(f"  fastest peer ({fastest}) / apus = {peers[fastest] / results['apus']['cpu']:.2f}")
    sys.stdout.flush()
    return [{"paths": results}]

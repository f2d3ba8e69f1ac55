"""Golden values for searches that decide as they go, and for comparing candidates: adaptive_search.json.

    python Tests/Goldens/make_adaptive_search.py
"""

import json
import warnings
from pathlib import Path

import numpy as np
from scipy import stats
from sklearn.datasets import load_diabetes
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import Ridge
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    cross_val_score,
)

warnings.simplefilter("ignore")
random = np.random.default_rng(0)
features = random.normal(size=(1000, 3))
target = features @ [1.0, 2.0, 3.0] + random.normal(size=1000)


def schedules():
    cases = [
        dict(candidates=30),
        dict(candidates=100, factor=4),
        dict(candidates=7, factor=2),
        dict(candidates=20, min_resources=20),
        dict(candidates=20, aggressive_elimination=True, min_resources=200),
        dict(candidates=50, max_resources=300),
        dict(candidates=16, min_resources=20, max_resources=500),
        dict(candidates=30, min_resources=300),
        dict(candidates=81, factor=3),
        dict(candidates=243, factor=3, min_resources=10, max_resources=810),
        dict(candidates=1),
        dict(candidates=64, factor=2, aggressive_elimination=True, min_resources=150),
    ]
    rows = []
    for case in cases:
        settings = {key: value for key, value in case.items() if key != "candidates"}
        search = HalvingGridSearchCV(
            Ridge(), {"alpha": list(np.logspace(-3, 3, case["candidates"]))}, cv=KFold(5), random_state=0, **settings
        ).fit(features, target)
        rows.append(
            {
                "candidates": case["candidates"],
                "factor": case.get("factor", 3),
                "smallest": case.get("min_resources", 10),
                "exhausts": "min_resources" not in case,
                "largest": case.get("max_resources", 1000),
                "aggressive": case.get("aggressive_elimination", False),
                "n_candidates": search.n_candidates_,
                "n_resources": search.n_resources_,
            }
        )
    return rows


def corrected_t_tests():
    """Nadeau and Bengio (2003), equation 7 of their journal article, written with SciPy's distribution."""
    rows = []
    for folds, repeats in [(5, 1), (10, 1), (5, 10), (2, 5), (3, 1)]:
        count = folds * repeats
        left = random.normal(0.9, 0.02, size=count)
        right = left - random.normal(0.004, 0.01, size=count)
        ratio = (1 / folds) / (1 - 1 / folds)
        difference = left - right
        statistic = difference.mean() / np.sqrt((1 / count + ratio) * difference.var(ddof=1))
        rows.append(
            {
                "left": left.tolist(),
                "right": right.tolist(),
                "ratio": ratio,
                "statistic": statistic,
                "p": 2 * stats.t.sf(abs(statistic), count - 1),
                "low": difference.mean()
                - stats.t.ppf(0.975, count - 1) * np.sqrt((1 / count + ratio) * difference.var(ddof=1)),
                "high": difference.mean()
                + stats.t.ppf(0.975, count - 1) * np.sqrt((1 / count + ratio) * difference.var(ddof=1)),
            }
        )
    return rows


def student():
    return [
        {"t": t, "degrees": degrees, "p": 2 * stats.t.sf(abs(t), degrees), "quantile": stats.t.ppf(0.975, degrees)}
        for degrees in [1, 2, 4, 9, 49, 1000]
        for t in [0.0, 1e-3, 0.3, 1.0, 2.5, 7.0, 40.0]
    ]


def nested():
    data = load_diabetes(scaled=False)
    grid = {"alpha": [0.001, 0.01, 0.1, 1.0, 10.0]}
    scores = cross_val_score(
        GridSearchCV(Ridge(), grid, cv=KFold(4), scoring="r2"), data.data, data.target, cv=KFold(5), scoring="r2"
    )
    chosen = []
    for train, _ in KFold(5).split(data.data):
        search = GridSearchCV(Ridge(), grid, cv=KFold(4), scoring="r2").fit(data.data[train], data.target[train])
        chosen.append(search.best_params_["alpha"])
    return {"alphas": grid["alpha"], "scores": scores.tolist(), "chosen": chosen}


def one_standard_error():
    data = load_diabetes(scaled=False)
    alphas = np.logspace(-4, 2, 25)
    search = GridSearchCV(Ridge(), {"alpha": list(alphas)}, cv=KFold(5), scoring="r2").fit(data.data, data.target)
    results = search.cv_results_
    scores = np.array([results[f"split{fold}_test_score"] for fold in range(5)])
    error = scores.std(axis=0, ddof=1) / np.sqrt(5)
    best = np.argmax(scores.mean(axis=0))
    within = scores.mean(axis=0) >= scores.mean(axis=0)[best] - error[best]
    return {"alphas": alphas.tolist(), "best": alphas[best], "chosen": alphas[within].max()}


golden = {
    "schedules": schedules(),
    "corrected_t_tests": corrected_t_tests(),
    "student": student(),
    "nested": nested(),
    "one_standard_error": one_standard_error(),
}
(Path(__file__).parent / "adaptive_search.json").write_text(json.dumps(golden, indent=1) + "\n")

"""The cases of the comparison: what `apus` is told, and how each peer does the same.

A peer is a function of the number of threads that returns an unfitted model with scikit-learn's `fit` and
`predict`. Peers that have no such settings are left out of a case.
"""

from dataclasses import dataclass, field
from typing import Callable


@dataclass
class Case:
    name: str
    data: str
    estimator: str
    settings: list[str]
    peers: dict[str, Callable]
    quality: str
    standardize: bool = False
    unsupervised: bool = False
    repeats: int = 3
    notes: str = ""
    extra: list[str] = field(default_factory=list)


def _sklearn(module, name, **settings):
    def make(threads):
        import importlib

        model = getattr(importlib.import_module(f"sklearn.{module}"), name)(**settings)
        return model.set_params(n_jobs=threads) if "n_jobs" in model.get_params() else model

    return make


def _sklearnex(module, name, **settings):
    def make(threads):
        import importlib

        model = getattr(importlib.import_module(f"sklearnex.{module}"), name)(**settings)
        return model.set_params(n_jobs=threads) if "n_jobs" in model.get_params() else model

    return make


def _both(module, name, **settings):
    return {
        "sklearn": _sklearn(module, name, **settings),
        "sklearnex": _sklearnex(module, name, **settings),
    }


class NormalEquations:
    """Ridge regression in three lines of NumPy."""

    def fit(self, features, target):
        import numpy as np

        mean, target_mean = features.mean(axis=0), target.mean()
        gram = features.T @ features - len(target) * np.outer(mean, mean)
        moment = features.T @ target - len(target) * mean * target_mean
        self.coefficients = np.linalg.solve(gram + np.eye(len(gram)), moment)
        self.intercept = target_mean - mean @ self.coefficients
        return self

    def predict(self, features):
        return features @ self.coefficients + self.intercept


def _xgboost_forest(regression=False):
    def make(threads):
        import xgboost

        kind = xgboost.XGBRFRegressor if regression else xgboost.XGBRFClassifier
        return kind(n_estimators=100, max_depth=0, tree_method="hist", n_jobs=threads, random_state=0)

    return make


def _lightgbm_forest(threads):
    import lightgbm

    return lightgbm.LGBMRegressor(
        boosting_type="rf", n_estimators=100, num_leaves=32768, min_child_samples=1, bagging_freq=1,
        bagging_fraction=0.632, n_jobs=threads, verbose=-1, random_state=0,
    )  # fmt: skip


FOREST = {"n_estimators": 100, "random_state": 0}
LOGISTIC = {"C": 1.0, "max_iter": 1000}

CASES = [
    Case(
        "forest-digits", "digits", "random-forest-classifier", [],
        _both("ensemble", "RandomForestClassifier", **FOREST), "accuracy"),
    Case(
        "forest-letter", "letter", "random-forest-classifier", [],
        _both("ensemble", "RandomForestClassifier", **FOREST), "accuracy"),
    Case(
        "forest-diamonds", "diamonds", "random-forest-regressor", [],
        _both("ensemble", "RandomForestRegressor", **FOREST) | {"lightgbm": _lightgbm_forest}, "r2"),
    Case(
        "logistic-digits", "digits", "logistic-regression", ["c=1"],
        {
            "sklearn newton-cg": _sklearn("linear_model", "LogisticRegression", solver="newton-cg", **LOGISTIC),
            "sklearn lbfgs": _sklearn("linear_model", "LogisticRegression", **LOGISTIC),
            "sklearnex": _sklearnex("linear_model", "LogisticRegression", **LOGISTIC),
        }, "accuracy", standardize=True, repeats=5),
    Case(
        "logistic-letter", "letter", "logistic-regression", ["c=1"],
        {
            "sklearn newton-cg": _sklearn("linear_model", "LogisticRegression", solver="newton-cg", **LOGISTIC),
            "sklearn lbfgs": _sklearn("linear_model", "LogisticRegression", **LOGISTIC),
            "sklearnex": _sklearnex("linear_model", "LogisticRegression", **LOGISTIC),
        }, "accuracy", standardize=True),
    Case(
        "logistic-flights", "flights-binary", "logistic-regression", ["c=1"],
        {
            "sklearn lbfgs": _sklearn("linear_model", "LogisticRegression", **LOGISTIC),
            "sklearn newton-cholesky": _sklearn(
                "linear_model", "LogisticRegression", solver="newton-cholesky", **LOGISTIC),
            "sklearnex": _sklearnex("linear_model", "LogisticRegression", **LOGISTIC),
        }, "accuracy", standardize=True),
    Case(
        "ridge-diamonds", "diamonds", "ridge", ["alpha=1"],
        _both("linear_model", "Ridge", alpha=1.0) | {"numpy": lambda threads: NormalEquations()},
        "r2", repeats=7),
    Case(
        "ridge-flights", "flights-regression", "ridge", ["alpha=1"],
        _both("linear_model", "Ridge", alpha=1.0) | {"numpy": lambda threads: NormalEquations()},
        "r2", repeats=5),
    Case(
        "k-means-letter", "letter", "k-means", ["clusterCount=50", "tolerance=0", "maxIterations=1000"],
        {
            "sklearn": _sklearn(
                "cluster", "KMeans", n_clusters=50, n_init=1, tol=0, max_iter=1000, random_state=0),
            "sklearnex": _sklearnex(
                "cluster", "KMeans", n_clusters=50, n_init=1, tol=0, max_iter=1000, random_state=0),
        }, "inertia", unsupervised=True),
    Case(
        "svc-digits", "digits", "svc", ["c=10"],
        _both("svm", "SVC", C=10.0), "accuracy", repeats=5),
    Case(
        "svc-letter", "letter", "svc", ["c=10"],
        _both("svm", "SVC", C=10.0), "accuracy"),
]  # fmt: skip

"""The cases of the comparison: what `apus` is told, and how each peer does the same.

A peer is a function of the number of threads that returns an unfitted model with scikit-learn's `fit` and
`predict`. Peers that have no such settings are left out of a case.
"""

from dataclasses import dataclass
from typing import Callable

import objectives


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
    # What the method cannot do without, in the units of `floors.measure`: of rows, columns, classes and iterations, or,
    # where it depends on the data, counted in the model of the peer `sklearn`.
    work: Callable | None = None
    counted_work: Callable | None = None
    # What the coefficients minimise, where they are told.
    objective: Callable | None = None
    # Peers whose name ends so get their features in single precision.
    SINGLE = "float32"


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


def _library(name, *arguments, **settings):
    """A model of `library_peers`."""

    def make(threads):
        import library_peers

        return getattr(library_peers, name)(*arguments, **settings)

    return make


def _faiss(**settings):
    def make(threads):
        from library_peers import FaissKMeans

        return FaissKMeans(threads, 50, **settings)

    return make


def _ranger(classifies):
    def make(threads):
        from r_peers import Ranger

        return Ranger(threads, classifies)

    return make


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
MLPACK_FOREST = _library("Mlpack", "RandomForest", num_trees=100, minimum_leaf_size=1, seed=1)
LOGISTIC = {"C": 1.0, "max_iter": 1000}

# Fixed first centres: rows of the training data, the same for all tools.
FIXED_CENTRES = 50


class FixedCentres:
    """k-means from the first rows of the data, for a fixed number of iterations."""

    def __init__(self, make):
        self.make = make

    def fit(self, features, target=None):
        self.model = self.make().set_params(init=features[:FIXED_CENTRES].copy()).fit(features)
        self.inertia_ = self.model.inertia_
        return self

    def predict(self, features):
        return self.model.predict(features)


def _fixed(library):
    def make():
        from importlib import import_module

        return import_module(f"{library}.cluster").KMeans(
            n_clusters=FIXED_CENTRES, n_init=1, tol=0, max_iter=20, random_state=0)

    return lambda threads: FixedCentres(make)


def _logistic_work(rows, columns, classes, iterations):
    scores = 1 if classes == 2 else classes
    return {"products": 4 * rows * columns * scores * iterations, "reads": rows * columns}


def _gram_work(rows, columns, classes, iterations):
    return {"products": rows * columns * (columns + 1), "reads": rows * columns}


def _k_means_work(rows, columns, classes, iterations):
    # One pass over all centres; bounds may save the others.
    return {"products": 2 * rows * columns * 50, "reads": rows * columns}


def _forest_work(forest, features, target):
    """One count, or one sum, for each row of an inner node and each feature that the node looks at."""
    trees = [estimator.tree_ for estimator in forest.estimators_]
    visits = sum(int(tree.n_node_samples[tree.children_left >= 0].sum()) for tree in trees)
    return {"counts": visits * forest.estimators_[0].max_features_}


def _kernel_work(machine, features, target):
    """The kernel of each support vector and each row of its pairs of classes: without it nobody knows the optimum.

    Pairs of classes share values, and a value is that of both its rows.
    """
    import numpy as np

    rows, vectors = np.bincount(target), machine.n_support_
    ends = np.cumsum(vectors)
    # A row of coefficients for each other class; the other's place is one lower where it comes later.
    used = [machine.dual_coef_[:, end - count : end] != 0 for end, count in zip(ends, vectors)]
    values = sum(int(n) * int(s) - int(s) * (int(s) - 1) // 2 for n, s in zip(rows, vectors))
    for first in range(len(rows)):
        for second in range(first + 1, len(rows)):
            one, other = int(used[first][second - 1].sum()), int(used[second][first].sum())
            values += one * int(rows[second]) + other * int(rows[first]) - one * other
    return {"single products": 2 * features.shape[1] * values}


CASES = [
    Case(
        "forest-digits", "digits", "random-forest-classifier", [],
        _both("ensemble", "RandomForestClassifier", **FOREST)
        | {"xgboost": _xgboost_forest(), "ranger": _ranger(classifies=True), "mlpack": MLPACK_FOREST}, "accuracy",
        counted_work=_forest_work),
    Case(
        "forest-letter", "letter", "random-forest-classifier", [],
        _both("ensemble", "RandomForestClassifier", **FOREST)
        | {"ranger": _ranger(classifies=True), "mlpack": MLPACK_FOREST}, "accuracy", counted_work=_forest_work),
    Case(
        "forest-diamonds", "diamonds", "random-forest-regressor", [],
        _both("ensemble", "RandomForestRegressor", **FOREST)
        | {"lightgbm": _lightgbm_forest, "ranger": _ranger(classifies=False)}, "r2", counted_work=_forest_work),
    Case(
        "logistic-digits", "digits", "logistic-regression", ["c=1"],
        {
            "sklearn newton-cg": _sklearn("linear_model", "LogisticRegression", solver="newton-cg", **LOGISTIC),
            "sklearn lbfgs": _sklearn("linear_model", "LogisticRegression", **LOGISTIC),
            "sklearnex": _sklearnex("linear_model", "LogisticRegression", **LOGISTIC),
            "mlpack": _library("MlpackSoftmax"),
        }, "accuracy", standardize=True, repeats=5, work=_logistic_work,
        objective=objectives.logistic(c=1)),
    Case(
        "logistic-letter", "letter", "logistic-regression", ["c=1"],
        {
            "sklearn newton-cg": _sklearn("linear_model", "LogisticRegression", solver="newton-cg", **LOGISTIC),
            "sklearn lbfgs": _sklearn("linear_model", "LogisticRegression", **LOGISTIC),
            "sklearnex": _sklearnex("linear_model", "LogisticRegression", **LOGISTIC),
            "mlpack": _library("MlpackSoftmax"),
        }, "accuracy", standardize=True, work=_logistic_work, objective=objectives.logistic(c=1)),
    Case(
        "logistic-flights", "flights-binary", "logistic-regression", ["c=1"],
        {
            "sklearn lbfgs": _sklearn("linear_model", "LogisticRegression", **LOGISTIC),
            "sklearn newton-cholesky": _sklearn(
                "linear_model", "LogisticRegression", solver="newton-cholesky", **LOGISTIC),
            "sklearnex": _sklearnex("linear_model", "LogisticRegression", **LOGISTIC),
            "glum": _library("GlumLogistic"),
        }, "accuracy", standardize=True, work=_logistic_work, objective=objectives.logistic(c=1)),
    Case(
        "ridge-diamonds", "diamonds", "ridge", ["alpha=1"],
        _both("linear_model", "Ridge", alpha=1.0)
        | {"numpy": lambda threads: NormalEquations(), "mlpack": _library("Mlpack", "LinearRegression", lambda_=1.0)},
        "r2", repeats=7, work=_gram_work, objective=objectives.squares(l2_of_sum=1)),
    Case(
        "ridge-flights", "flights-regression", "ridge", ["alpha=1"],
        _both("linear_model", "Ridge", alpha=1.0)
        | {"numpy": lambda threads: NormalEquations(), "mlpack": _library("Mlpack", "LinearRegression", lambda_=1.0)},
        "r2", repeats=5, work=_gram_work, objective=objectives.squares(l2_of_sum=1)),
    Case(
        "lasso-diamonds", "diamonds", "lasso", ["alpha=1"],
        {
            "sklearn": _sklearn("linear_model", "Lasso", alpha=1.0, precompute=True),
            "sklearn, no Gram": _sklearn("linear_model", "Lasso", alpha=1.0),
        },
        "r2", repeats=5, work=_gram_work, objective=objectives.squares(l1=1)),
    Case(
        "k-means-letter", "letter", "k-means", ["clusterCount=50", "tolerance=0", "maxIterations=1000"],
        {
            "sklearn": _sklearn(
                "cluster", "KMeans", n_clusters=50, n_init=1, tol=0, max_iter=1000, random_state=0),
            "sklearnex": _sklearnex(
                "cluster", "KMeans", n_clusters=50, n_init=1, tol=0, max_iter=1000, random_state=0),
            "sklearn float32": _sklearn(
                "cluster", "KMeans", n_clusters=50, n_init=1, tol=0, max_iter=1000, random_state=0),
            "faiss": _faiss(iterations=1000),
        }, "inertia", unsupervised=True, work=_k_means_work),
    Case(
        "k-means-fixed", "letter", "k-means",
        ["clusterCount=50", "tolerance=0", "maxIterations=20", "initialization=@first-rows"],
        {
            "sklearn": _fixed("sklearn"), "sklearnex": _fixed("sklearnex"), "sklearn float32": _fixed("sklearn"),
            "faiss": _faiss(iterations=20, from_first_rows=True),
        },
        "inertia", unsupervised=True, work=_k_means_work),
    Case(
        "svc-digits", "digits", "svc", ["c=10"],
        _both("svm", "SVC", C=10.0) | {"libsvm": _library("Libsvm")}, "accuracy", repeats=5, counted_work=_kernel_work),
    Case(
        "svc-letter", "letter", "svc", ["c=10"],
        _both("svm", "SVC", C=10.0) | {"libsvm": _library("Libsvm")}, "accuracy", counted_work=_kernel_work),
    Case(
        "svr-diamonds", "diamonds-log", "svr", ["c=10"], _both("svm", "SVR", C=10.0), "r2", standardize=True,
        repeats=5),
    Case(
        "linear-svc-letter", "letter", "linear-svc", [],
        {"sklearn": _sklearn("svm", "LinearSVC", dual=False, max_iter=1000)}, "accuracy", standardize=True),
    Case(
        "tree-diamonds", "diamonds", "decision-tree-regressor", [],
        {"sklearn": _sklearn("tree", "DecisionTreeRegressor", random_state=0)}, "r2"),
    Case(
        "extra-trees-letter", "letter", "extra-trees-classifier", [],
        _both("ensemble", "ExtraTreesClassifier", **FOREST), "accuracy"),
    Case(
        "neighbours-letter", "letter", "k-neighbours-classifier", [],
        _both("neighbors", "KNeighborsClassifier")
        | {"sklearn brute": _sklearn("neighbors", "KNeighborsClassifier", algorithm="brute")}, "accuracy"),
    Case(
        "neighbours-diamonds", "diamonds", "k-neighbours-regressor", [],
        _both("neighbors", "KNeighborsRegressor"), "r2", standardize=True),
    Case(
        "bayes-letter", "letter", "gaussian-naive-bayes", [], {"sklearn": _sklearn("naive_bayes", "GaussianNB")},
        "accuracy", repeats=5),
    Case(
        "stochastic-flights", "flights-binary", "sgd-classifier",
        ["loss=logLoss", "maxIterations=10", "tolerance=null"],
        {
            "sklearn": _sklearn(
                "linear_model", "SGDClassifier", loss="log_loss", max_iter=10, tol=None, random_state=0)
        }, "accuracy", standardize=True),
    Case(
        "elastic-net-diamonds", "diamonds", "elastic-net", ["alpha=0.1"],
        {
            "sklearn": _sklearn("linear_model", "ElasticNet", alpha=0.1, precompute=True),
            "sklearn, no Gram": _sklearn("linear_model", "ElasticNet", alpha=0.1),
        }, "r2", repeats=5, work=_gram_work,
        objective=objectives.squares(l1=0.05, l2=0.05)),
    Case(
        "mini-batch-k-means-letter", "letter", "mini-batch-k-means", ["clusterCount=50"],
        {"sklearn": _sklearn("cluster", "MiniBatchKMeans", n_clusters=50, n_init=3, random_state=0)}, "inertia",
        unsupervised=True),
]  # fmt: skip

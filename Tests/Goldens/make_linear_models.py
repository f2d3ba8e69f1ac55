"""Golden values of linear models, made with scikit-learn: python make_linear_models.py [FILE ...]

Without names every file is written, which takes minutes; a name is that of a file without `.json`.

Data sets are those of the folder Datasets, read in file order; a case may take every n-th row and map the
features by (x - center) / scale, both stored with the case.
"""
import json
import pathlib
import sys
import warnings

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from sklearn.linear_model import (
    ElasticNet, Lasso, LinearRegression, LogisticRegression, Ridge, SGDClassifier, SGDRegressor)
from sklearn.svm import SVC, LinearSVC

folder = pathlib.Path(__file__).parent
datasets = folder.parent.parent / "Datasets"


def load(name, every=1, features=None):
    file = next(datasets.glob(name + ".csv*"))
    table = pd.read_csv(file)[::every]
    x, y = table.iloc[:, :-1].to_numpy(float), table.iloc[:, -1]
    return (x[:, :features] if features else x), y


def mapped(x, scaled):
    p = x.shape[1]
    if scaled is None:
        return x, np.zeros(p), np.ones(p)
    center, scale = x.mean(0).round(3), x.std(0).round(3)
    scale[scale == 0] = 1
    if scaled == "scale":
        center = np.zeros(p)
    return (x - center) / scale, center, scale


def row_weights(kind, n):
    i = np.arange(n)
    return {"none": None, "mod3": (i % 3).astype(float), "graded": 0.5 + (i % 7) / 4}[kind]


def case(name, dataset, every, features, scaled, weights, parameters, model, target=None):
    x, y = load(dataset, every, features)
    if target:
        y = target(y)
    x, center, scale = mapped(x, scaled)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(x, y, sample_weight=row_weights(weights, len(x)))
    return dict(
        name=name, dataset=dataset, every=every, features=x.shape[1], center=center.tolist(),
        scale=scale.tolist(), weights=weights, parameters=parameters,
        coefficients=np.atleast_2d(model.coef_).tolist(),
        intercepts=(np.zeros(len(np.atleast_2d(model.coef_))) + model.intercept_).tolist())


def ridge():
    cases = []
    for name, dataset, every, features, scaled, weights, alpha, intercept in [
        ("diabetes", "diabetes", 1, None, None, "none", 1.0, True),
        ("diabetes, small penalty", "diabetes", 1, None, None, "none", 1e-4, True),
        ("diabetes, strong penalty", "diabetes", 1, None, None, "none", 1e4, True),
        ("diabetes, no intercept", "diabetes", 1, None, None, "none", 0.5, False),
        ("diabetes, weights", "diabetes", 1, None, None, "graded", 1.0, True),
        ("diabetes, some weights zero", "diabetes", 1, None, None, "mod3", 1.0, True),
        ("more features than rows", "diabetes", 60, None, None, "none", 1.0, True),
        ("more features than rows, weights", "diabetes", 60, None, None, "graded", 0.1, True),
        ("more features than rows, no intercept", "diabetes", 60, None, "scale", "none", 2.0, False),
        ("one row", "diabetes", 1000, None, None, "none", 1.0, True),
    ]:
        cases.append(case(
            name, dataset, every, features, scaled, weights, dict(alpha=alpha, fitIntercept=intercept),
            Ridge(alpha=alpha, fit_intercept=intercept, solver="svd" if weights == "none" else "cholesky")))
    for name, every, scaled, weights, alpha, intercept in [
        ("diabetes, positive", 1, "both", "none", 1.0, True),
        ("diabetes, positive, weights", 1, "both", "mod3", 10.0, True),
        ("diabetes, positive, no intercept", 1, "both", "none", 1e3, False),
        ("more features than rows, positive", 60, "both", "graded", 0.5, True),
    ]:
        cases.append(case(
            name, "diabetes", every, None, scaled, weights,
            dict(alpha=alpha, fitIntercept=intercept, positive=True),
            Ridge(alpha=alpha, fit_intercept=intercept, positive=True, solver="lbfgs", tol=1e-14, max_iter=100_000)))
    return cases


def logistic():
    cases = []

    def add(name, dataset, every=1, features=None, scaled=None, weights="none", target=None,
            solver="newton-cholesky", **options):
        parameters = {key: value for key, value in options.items()}
        kwargs = dict(C=options.get("c", 1.0), fit_intercept=options.get("fitIntercept", True),
                      class_weight=options.get("classWeight"), solver=solver, tol=1e-10, max_iter=10_000)
        if options.get("penalty") == "none":
            kwargs["C"] = np.inf
        cases.append(case(name, dataset, every, features, scaled, weights, parameters,
                          LogisticRegression(**kwargs), target))

    add("iris", "iris", c=1.0)
    add("iris, strong penalty", "iris", c=1e-3)
    add("iris, weak penalty", "iris", c=100.0)
    add("iris, weights", "iris", weights="graded", c=1.0)
    add("iris, balanced", "iris", every=7, c=2.0, classWeight="balanced")
    add("iris, no intercept", "iris", c=1.0, fitIntercept=False)
    add("wine", "wine", c=1.0)
    add("breast cancer", "breast-cancer", c=1.0)
    add("breast cancer, scaled", "breast-cancer", scaled="both", c=100.0)
    add("breast cancer, balanced and weights", "breast-cancer", scaled="both", weights="mod3", c=0.01,
        classWeight="balanced")
    add("breast cancer, class weights", "breast-cancer", scaled="both", c=0.1,
        classWeight={"benign": 3.0, "malignant": 0.5})
    add("breast cancer, no intercept", "breast-cancer", scaled="both", c=0.5, fitIntercept=False)
    add("breast cancer, two features, no penalty", "breast-cancer", features=2, penalty="none")
    add("digits, scaled", "digits", scaled="both", c=1.0)
    add("digits, every fourth, strong penalty", "digits", every=4, c=1e-4)
    add("wine, two features, no penalty", "wine", scaled="both", features=2, penalty="none")
    add("wine, two features, class weights and weights, no penalty", "wine", scaled="both", features=2,
        weights="graded", classWeight={"class_0": 2.0, "class_2": 0.5}, penalty="none")
    add("wine, no intercept, balanced and weights", "wine", scaled="both", weights="mod3", c=0.3, fitIntercept=False,
        classWeight="balanced")
    add("letter", "letter", scaled="both", c=1.0)
    add("letter, weights", "letter", weights="mod3", c=0.01)
    return cases


def least_squares():
    cases = []
    for name, dataset, every, scaled, weights, options in [
        ("diabetes", "diabetes", 1, None, "none", dict()),
        ("diabetes, weights", "diabetes", 1, None, "graded", dict()),
        ("diabetes, no intercept", "diabetes", 1, None, "none", dict(fitIntercept=False)),
        ("more features than rows", "diabetes", 60, "both", "none", dict()),
        # As many answers as there are: those of the smallest norm are taken.
        ("more features than rows, weights", "diabetes", 60, "both", "graded", dict()),
        ("more features than rows, some weights zero", "diabetes", 60, "both", "mod3", dict()),
        ("more features than rows, no intercept", "diabetes", 60, "both", "none", dict(fitIntercept=False)),
        ("more features than rows, no intercept, weights", "diabetes", 60, "both", "graded", dict(fitIntercept=False)),
        ("diabetes, no intercept, weights", "diabetes", 1, None, "graded", dict(fitIntercept=False)),
        ("more features than rows, positive", "diabetes", 60, "both", "none", dict(positive=True)),
        ("more features than rows, positive, weights", "diabetes", 60, "both", "graded", dict(positive=True)),
        ("more features than rows, positive, no intercept", "diabetes", 60, "both", "graded",
         dict(positive=True, fitIntercept=False)),
        ("diabetes, positive", "diabetes", 1, None, "none", dict(positive=True)),
        ("diabetes, positive, weights", "diabetes", 1, None, "mod3", dict(positive=True)),
        ("diabetes, positive, no intercept", "diabetes", 1, None, "none",
         dict(positive=True, fitIntercept=False)),
    ]:
        cases.append(case(
            name, dataset, every, None, scaled, weights, options,
            LinearRegression(fit_intercept=options.get("fitIntercept", True),
                             positive=options.get("positive", False))))
    return cases


def elastic_net():
    cases = []
    for name, dataset, every, scaled, weights, options in [
        ("lasso", "diabetes", 1, None, "none", dict(alpha=0.1, l1Ratio=1.0)),
        ("lasso, strong", "diabetes", 1, None, "none", dict(alpha=20.0, l1Ratio=1.0)),
        ("lasso, everything zero", "diabetes", 1, None, "none", dict(alpha=1e4, l1Ratio=1.0)),
        ("lasso, weights", "diabetes", 1, "both", "graded", dict(alpha=1.0, l1Ratio=1.0)),
        ("lasso, no intercept", "diabetes", 1, "both", "none",
         dict(alpha=1.0, l1Ratio=1.0, fitIntercept=False)),
        ("lasso, positive", "diabetes", 1, "both", "none", dict(alpha=0.5, l1Ratio=1.0, positive=True)),
        ("elastic net", "diabetes", 1, "both", "none", dict(alpha=0.3, l1Ratio=0.5)),
        ("elastic net, little L1", "diabetes", 1, None, "mod3", dict(alpha=0.01, l1Ratio=0.1)),
        ("more features than rows", "diabetes", 60, "both", "none", dict(alpha=0.5, l1Ratio=0.9)),
        ("more features than rows, positive, weights", "diabetes", 60, "both", "graded",
         dict(alpha=0.2, l1Ratio=0.7, positive=True)),
    ]:
        kind = ElasticNet(
            alpha=options["alpha"], l1_ratio=options["l1Ratio"],
            fit_intercept=options.get("fitIntercept", True), positive=options.get("positive", False),
            tol=1e-14, max_iter=10_000_000)
        cases.append(case(name, dataset, every, None, scaled, weights, options, kind))
    return cases


def logistic_l1():
    cases = []
    for name, dataset, every, scaled, weights, options in [
        ("breast cancer", "breast-cancer", 1, "both", "none", dict(c=0.05, penalty="l1")),
        ("breast cancer, elastic net", "breast-cancer", 1, "both", "graded",
         dict(c=0.05, penalty="elasticnet", l1Ratio=0.3)),
        ("breast cancer, no intercept", "breast-cancer", 1, "both", "none",
         dict(c=0.02, penalty="l1", fitIntercept=False)),
        ("iris", "iris", 1, "both", "none", dict(c=0.3, penalty="l1")),
        ("wine", "wine", 1, "both", "none", dict(c=0.1, penalty="elasticnet", l1Ratio=0.8)),
        ("wine, weights and class weights", "wine", 1, "both", "graded",
         dict(c=0.1, penalty="elasticnet", l1Ratio=0.4, classWeight={"class_1": 2.0, "class_2": 0.5})),
        ("breast cancer, balanced", "breast-cancer", 1, "both", "none",
         dict(c=0.05, penalty="l1", classWeight="balanced")),
        ("breast cancer, balanced, weights", "breast-cancer", 1, "both", "mod3",
         dict(c=0.03, penalty="l1", classWeight="balanced")),
        ("wine, balanced, weights", "wine", 1, "both", "graded", dict(c=0.1, penalty="l1", classWeight="balanced")),
        ("wine, no intercept", "wine", 1, "both", "none", dict(c=0.1, penalty="l1", fitIntercept=False)),
        ("wine, no intercept, balanced, weights", "wine", 1, "both", "graded",
         dict(c=0.1, penalty="elasticnet", l1Ratio=0.6, classWeight="balanced", fitIntercept=False)),
    ]:
        share = options.get("l1Ratio", 1.0)
        model = LogisticRegression(
            C=options["c"], l1_ratio=share, solver="saga", tol=1e-11, max_iter=1_000_000, random_state=0,
            fit_intercept=options.get("fitIntercept", True), class_weight=options.get("classWeight"))
        cases.append(case(name, dataset, every, None, scaled, weights, options, model))
    return cases


def linear_svc():
    cases = []
    for name, dataset, every, scaled, weights, options in [
        ("iris", "iris", 1, None, "none", dict(c=1.0)),
        ("breast cancer", "breast-cancer", 1, "both", "none", dict(c=0.1)),
        ("breast cancer, weights, balanced", "breast-cancer", 1, "both", "graded",
         dict(c=1.0, classWeight="balanced")),
        ("breast cancer, no intercept", "breast-cancer", 1, "both", "none", dict(c=1.0, fitIntercept=False)),
        ("wine", "wine", 1, "both", "none", dict(c=10.0)),
        ("digits, every fourth", "digits", 4, "scale", "none", dict(c=0.01)),
        ("wine, weights", "wine", 1, "both", "graded", dict(c=1.0)),
        ("wine, weights, class weights", "wine", 1, "both", "mod3",
         dict(c=1.0, classWeight={"class_0": 0.2, "class_2": 3.0})),
        ("iris, weights, balanced", "iris", 1, "both", "mod3", dict(c=0.5, classWeight="balanced")),
        ("wine, weights, balanced, no intercept", "wine", 1, "both", "graded",
         dict(c=0.3, classWeight="balanced", fitIntercept=False)),
    ]:
        model = LinearSVC(
            C=options["c"], dual=False, tol=1e-12, max_iter=1_000_000,
            class_weight=options.get("classWeight"), fit_intercept=options.get("fitIntercept", True))
        cases.append(case(name, dataset, every, None, scaled, weights, options, model))
    return cases


class SmoothMinimum:
    """The minimum of the mean of a smooth loss and an L2 penalty, by SciPy; of each class against the rest."""

    def __init__(self, loss, alpha):
        self.loss, self.alpha = loss, alpha

    def value_and_slope(self, score, target):
        if self.loss == "huber":
            error = score - target
            inside = np.abs(error) <= 0.1
            return (
                np.where(inside, error ** 2 / 2, 0.1 * np.abs(error) - 0.005), np.clip(error, -0.1, 0.1))
        missing = np.maximum(0, 1 - target * score)
        if self.loss == "squaredHinge":
            return missing ** 2, -2 * target * missing
        return np.logaddexp(0, -target * score), -target / (1 + np.exp(target * score))

    def minimum(self, x, target, weights):
        def objective(point):
            values, slopes = self.value_and_slope(x @ point[:-1] + point[-1], target)
            slopes = weights * slopes / len(x)
            gradient = np.append(x.T @ slopes + self.alpha * point[:-1], slopes.sum())
            return weights @ values / len(x) + self.alpha / 2 * point[:-1] @ point[:-1], gradient

        start = np.zeros(x.shape[1] + 1)
        if self.loss == "huber":
            start[-1] = np.median(target)
        result = minimize(
            objective, start, jac=True, method="L-BFGS-B", options=dict(maxiter=100_000, maxfun=200_000, ftol=0, gtol=1e-9))
        assert np.abs(objective(result.x)[1]).max() < 1e-6, result
        return result.x

    def fit(self, x, y, sample_weight):
        weights = np.ones(len(x)) if sample_weight is None else sample_weight
        if self.loss == "huber":
            targets = [y.to_numpy(float)]
        else:
            labels = sorted(set(y))
            targets = [np.where(y == label, 1.0, -1.0) for label in (labels if len(labels) > 2 else labels[1:])]
        points = np.array([self.minimum(x, target, weights) for target in targets])
        self.coef_, self.intercept_ = points[:, :-1], points[:, -1]


def stochastic_gradient():
    cases = []
    words = dict(logLoss="log_loss", squaredError="squared_error")
    for name, dataset, weights, options in [
        ("log loss, whole weights, class weights", "breast-cancer", "mod3",
         dict(loss="logLoss", alpha=0.01, classWeight={"benign": 2.0, "malignant": 0.5})),
        ("hinge, weights, balanced", "breast-cancer", "graded", dict(loss="hinge", alpha=0.1, classWeight="balanced")),
        ("log loss, elastic net", "breast-cancer", "none",
         dict(loss="logLoss", alpha=0.02, penalty="elasticnet", l1Ratio=0.5)),
        ("log loss, constant steps", "breast-cancer", "none",
         dict(loss="logLoss", alpha=0.01, learningRate="constant", eta0=0.01)),
        ("regression, L1", "diabetes", "none",
         dict(loss="squaredError", alpha=5.0, penalty="l1", learningRate="constant", eta0=1e-3)),
        ("regression, elastic net, weights", "diabetes", "mod3",
         dict(loss="squaredError", alpha=1.0, penalty="elasticnet", l1Ratio=0.7, learningRate="invscaling")),
    ]:
        kind = SGDRegressor if dataset == "diabetes" else SGDClassifier
        kwargs = dict(
            loss=words.get(options["loss"], options["loss"]), alpha=options["alpha"], penalty=options.get("penalty", "l2"),
            l1_ratio=options.get("l1Ratio", 0.15), learning_rate=options.get("learningRate", "optimal"),
            eta0=options.get("eta0", 0.01), average=True, tol=None, max_iter=300, random_state=0)
        if kind is SGDClassifier:
            kwargs["class_weight"] = options.get("classWeight")
        model = kind(**kwargs)
        if "l1Ratio" in options or options.get("penalty") == "l1":
            # The mean of scikit-learn's own steps with an L1 penalty is far from the minimum: exact solvers instead.
            n, share = len(load(dataset)[1]), options.get("l1Ratio", 1.0)
            total = n if weights == "none" else row_weights(weights, n).sum()
            model = (
                ElasticNet(alpha=options["alpha"] * n / total, l1_ratio=share, tol=1e-12, max_iter=1_000_000)
                if kind is SGDRegressor else
                LogisticRegression(
                    C=1 / (options["alpha"] * n), l1_ratio=share, solver="saga", tol=1e-10, max_iter=1_000_000,
                    random_state=0))
        cases.append(case(
            name, dataset, 1, None, "both", weights, options | dict(averages=True, tolerance=None, maxIterations=300),
            model))
    for name, dataset, weights, options in [
        ("huber", "diabetes", "none", dict(loss="huber", alpha=1e-3, eta0=20.0)),
        ("huber, weights", "diabetes", "mod3", dict(loss="huber", alpha=1e-2, eta0=20.0)),
        ("squared hinge", "breast-cancer", "none", dict(loss="squaredHinge", alpha=0.1, learningRate="invscaling", eta0=0.01)),
        ("squared hinge, weights", "breast-cancer", "graded",
         dict(loss="squaredHinge", alpha=0.05, learningRate="constant", eta0=1e-3)),
        ("log loss, three classes", "wine", "none", dict(loss="logLoss", alpha=0.05)),
        ("log loss, three classes, weights, inverse scaling", "wine", "mod3",
         dict(loss="logLoss", alpha=0.05, learningRate="invscaling", eta0=0.1)),
        ("squared hinge, three classes", "wine", "graded", dict(loss="squaredHinge", alpha=0.2, learningRate="constant", eta0=4e-3)),
    ]:
        cases.append(case(
            name, dataset, 1, None, "both", weights, options | dict(averages=True, tolerance=None, maxIterations=300),
            SmoothMinimum(options["loss"], options["alpha"])))
    n = len(load("diabetes")[1])
    for name, dataset, weights, options, model in [
        ("regression, L2", "diabetes", "none",
         dict(loss="squaredError", alpha=0.5, learningRate="invscaling"), Ridge(alpha=0.5 * n)),
        ("regression, L2, weights", "diabetes", "mod3",
         dict(loss="squaredError", alpha=0.1, learningRate="invscaling"), Ridge(alpha=0.1 * n)),
        ("regression, L2, last step", "diabetes", "graded",
         dict(loss="squaredError", alpha=0.5, learningRate="invscaling", eta0=1e-3, averages=False),
         Ridge(alpha=0.5 * n)),
        ("regression, no penalty, no intercept", "diabetes", "graded",
         dict(loss="squaredError", alpha=0.5, penalty="none", learningRate="invscaling", fitIntercept=False),
         LinearRegression(fit_intercept=False)),
        ("log loss, no intercept, last step", "breast-cancer", "graded",
         dict(loss="logLoss", alpha=0.05, fitIntercept=False, averages=False),
         LogisticRegression(C=1 / (0.05 * 569), fit_intercept=False, solver="newton-cholesky", tol=1e-10)),
        # Support vector machines leave the intercept alone as the descent does, and LinearSVC does not.
        ("hinge, three classes", "wine", "none", dict(loss="hinge", alpha=0.05), EachAgainstTheRest(0.05)),
        ("hinge, three classes, weights", "wine", "graded", dict(loss="hinge", alpha=0.1), EachAgainstTheRest(0.1)),
        ("hinge, three classes, weights, class weights", "wine", "graded",
         dict(loss="hinge", alpha=0.2, classWeight={"class_0": 0.5, "class_2": 2.0}),
         EachAgainstTheRest(0.2, {"class_0": 0.5, "class_2": 2.0})),
        ("hinge, three classes, balanced", "wine", "none",
         dict(loss="hinge", alpha=0.1, classWeight="balanced"),
         EachAgainstTheRest(0.1, {f"class_{i}": 178 / (3 * count) for i, count in enumerate([59, 71, 48])})),
    ]:
        cases.append(case(
            name, dataset, 1, None, "both", weights,
            dict(averages=True) | options | dict(tolerance=None, maxIterations=300), model))
    return cases


class EachAgainstTheRest:
    """The minimum of the mean hinge loss and an L2 penalty, of each class against the rest."""

    def __init__(self, alpha, class_weight={}):
        self.alpha, self.class_weight = alpha, class_weight

    def fit(self, x, y, sample_weight):
        # SGDClassifier weighs the rest's rows as if its classes had no weights.
        models = [
            SVC(
                kernel="linear", C=1 / (self.alpha * len(x)), tol=1e-8,
                class_weight={True: self.class_weight.get(label, 1.0)}).fit(x, y == label, sample_weight=sample_weight)
            for label in sorted(set(y))]
        self.coef_ = np.concatenate([model.coef_ for model in models])
        self.intercept_ = np.concatenate([model.intercept_ for model in models])


makers = dict(
    ridge=ridge, logistic_regression=logistic, least_squares=least_squares, elastic_net=elastic_net,
    logistic_regression_l1=logistic_l1, linear_svc=linear_svc, stochastic_gradient=stochastic_gradient)
for name in sys.argv[1:] or makers:
    cases = makers[name]()
    (folder / (name + ".json")).write_text("[" + ",\n".join(json.dumps(c) for c in cases) + "]\n")

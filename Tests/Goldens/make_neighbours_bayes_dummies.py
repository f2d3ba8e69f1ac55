"""Golden values for k-nearest neighbours, naive Bayes and the baselines:
python make_neighbours_bayes_dummies.py > neighbours_bayes_dummies.json"""
import json

import numpy as np
from sklearn.datasets import load_diabetes, load_wine
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

random = np.random.RandomState(2)
wine, diabetes = load_wine(), load_diabetes()
order = random.permutation(178)
features, target = wine.data[order].round(3), wine.target[order]
weights = random.uniform(0, 3, 120).round(3)
train, test = slice(0, 120), slice(120, 178)
rows = random.permutation(442)[:120]
small, values = (diabetes.data[rows] * 10).round(2), diabetes.target[rows]


def neighbours(**options):
    classifier = KNeighborsClassifier(**options).fit(features[train], target[train])
    regressor = KNeighborsRegressor(**options).fit(small[:80], values[:80])
    return {
        "options": options, "probabilities": classifier.predict_proba(features[test]).tolist(),
        "predictions": regressor.predict(small[70:]).tolist(),
    }


def bayes(weights=None, **options):
    model = GaussianNB(**options).fit(features[train], target[train], sample_weight=weights)
    return {
        "weighted": weights is not None, "means": model.theta_.tolist(), "variances": model.var_.tolist(),
        "priors": model.class_prior_.tolist(),
        "logLikelihoods": model.predict_joint_log_proba(features[test]).tolist(),
        "probabilities": model.predict_proba(features[test]).tolist(),
    }


def bayes_options(weighted, **options):
    """Small: the variances of one class, and the probabilities of a few rows."""
    model = GaussianNB(**options).fit(features[train], target[train], sample_weight=weights if weighted else None)
    return {
        "weighted": weighted, "options": options, "priors": model.class_prior_.tolist(),
        "variances": model.var_[1].tolist(), "probabilities": model.predict_proba(features[test][:8]).tolist(),
        "logLikelihoods": model.predict_joint_log_proba(features[test][:8]).tolist(),
    }


def dummy(weights=None, **options):
    return DummyRegressor(**options).fit(small[:80], values[:80], sample_weight=weights).constant_.item()


def dummy_classifier(strategy, weighted):
    model = DummyClassifier(strategy=strategy, random_state=0, constant=2 if strategy == "constant" else None).fit(
        features[train], target[train], sample_weight=weights if weighted else None)
    return {
        "strategy": strategy, "weighted": weighted, "probabilities": model.predict_proba(features[test])[0].tolist(),
        "prediction": str(model.predict(features[test])[0]),
    }


print(json.dumps({
    "features": features.tolist(), "target": [str(v) for v in target], "weights": weights.tolist(),
    "small": small.tolist(), "values": values.tolist(),
    "neighbours": [
        neighbours(n_neighbors=5), neighbours(n_neighbors=1), neighbours(n_neighbors=7, weights="distance")],
    "bayes": [bayes(), bayes(weights)],
    "bayesPriors": bayes(priors=[0.2, 0.3, 0.5])["probabilities"],
    # Smoothing that is seen in every variance, that of weighted rows by the variance of the rows without weights.
    "bayesOptions": [
        bayes_options(weighted, **options) for weighted in [False, True] for options in [
            {"var_smoothing": 1e-2}, {"var_smoothing": 0.0}, {"priors": [0.2, 0.3, 0.5]},
            {"var_smoothing": 1e-4, "priors": [0.6, 0.1, 0.3]}]],
    "dummies": {
        "mean": dummy(), "median": dummy(strategy="median"), "quantile": dummy(strategy="quantile", quantile=0.3),
        "weightedMean": dummy(weights[:80]), "weightedMedian": dummy(weights[:80], strategy="median"),
        "weightedQuantile": dummy(weights[:80], strategy="quantile", quantile=0.8),
        "constant": dummy(strategy="constant", constant=42.5),
    },
    "dummyClassifiers": [
        dummy_classifier(strategy, weighted)
        for strategy in ["prior", "most_frequent", "uniform", "constant"] for weighted in [False, True]],
}))

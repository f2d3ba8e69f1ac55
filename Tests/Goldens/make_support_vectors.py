"""Golden values for support vector machines: python make_support_vectors.py > support_vectors.json"""
import json

import numpy as np
from sklearn.datasets import load_diabetes, load_iris, load_wine
from sklearn.metrics import log_loss
from sklearn.svm import SVC, SVR

random = np.random.RandomState(1)
iris, wine, diabetes = load_iris(), load_wine(), load_diabetes()
tolerance = 1e-6


def classification(features, target, weights=None, **options):
    model = SVC(tol=tolerance, decision_function_shape="ovo", **options).fit(
        features, target, sample_weight=weights)
    values = model.decision_function(features)
    if values.ndim == 1:
        values = -values[:, None]
    return {
        "features": features.tolist(), "target": [str(v) for v in target],
        "weights": None if weights is None else weights.tolist(),
        "options": options, "gamma": model._gamma, "values": values.round(8).tolist(),
        "predictions": [str(v) for v in model.predict(features)],
        "supportCount": int(model.n_support_.sum()), "dualSum": float(np.abs(model.dual_coef_).sum()),
    }


def regression(features, target, weights=None, **options):
    model = SVR(tol=tolerance, **options).fit(features, target, sample_weight=weights)
    return {
        "features": features.tolist(), "target": target.tolist(),
        "weights": None if weights is None else weights.tolist(),
        "options": options, "gamma": model._gamma, "predictions": model.predict(features).round(8).tolist(),
        "supportCount": int(model.n_support_.sum()), "dualSum": float(np.abs(model.dual_coef_).sum()),
    }


weights = random.uniform(0, 3, 150).round(3)
weights[::17] = 0
scaled = ((wine.data - wine.data.mean(0)) / wine.data.std(0)).round(3)
rows = random.permutation(442)[:150]
small = (diabetes.data[rows] * 10).round(3)
print(json.dumps({
    "classifiers": [
        classification(iris.data, iris.target),
        classification(iris.data, iris.target, weights, C=10.0, gamma=0.5),
        classification(iris.data[50:], iris.target[50:], C=5.0, class_weight="balanced"),
        classification(iris.data[20:120], iris.target[20:120], C=2.0, class_weight={1: 3.0}),
        classification(scaled, wine.target, kernel="linear", C=0.1),
        classification(scaled, wine.target, kernel="poly", degree=2, coef0=1.0, gamma="auto"),
        classification(scaled, wine.target, kernel="sigmoid", coef0=-0.5, gamma=0.02),
        classification(iris.data + 1e4, iris.target, C=100.0),
    ],
    "logLosses": [
        log_loss(wine.target, SVC(probability=True, random_state=seed).fit(scaled, wine.target).predict_proba(scaled))
        for seed in range(10)],
    # Weights that favour the first class, so that whoever took no notice of them would end elsewhere.
    "weightedLogLosses": [
        log_loss(wine.target, SVC(C=0.3, probability=True, random_state=seed).fit(
            scaled, wine.target, sample_weight=np.where(wine.target == 0, 5.0, 0.02)).predict_proba(scaled))
        for seed in range(10)],
    "regressors": [
        regression(small, diabetes.target[rows] / 100),
        regression(small, diabetes.target[rows] / 100, weights, C=10.0, epsilon=0.2, gamma=0.3),
        regression(small, diabetes.target[rows] / 100, kernel="linear", C=2.0),
        regression(small, diabetes.target[rows] / 100, kernel="poly", C=1.0, coef0=1.0, epsilon=0.0),
        regression(small, diabetes.target[rows] / 100, weights, kernel="sigmoid", C=0.5, coef0=-0.5, gamma=0.05),
    ],
}))

"""What linear models minimise, at the coefficients that a tool has found: one function for all tools.

A value is a mean over the rows; beside it stands the largest component of the gradient (of the least subgradient, where
there is an L1 penalty), which is 0 at the minimum.
"""

import base64
import json

import numpy as np


def logistic(c):
    """Mean logistic loss, and `|W|² / (2 n C)`."""

    def measure(weights, intercepts, features, target):
        n = len(features)
        scores = features @ weights.T + intercepts
        if scores.shape[1] == 1:
            scores = np.column_stack([np.zeros(n), scores])
        scores -= scores.max(axis=1, keepdims=True)
        exponentials = np.exp(scores)
        sums = exponentials.sum(axis=1)
        loss = (np.log(sums) - scores[np.arange(n), target]).mean()
        residuals = exponentials / sums[:, None]
        residuals[np.arange(n), target] -= 1
        residuals = residuals[:, -len(weights) :]
        slopes = residuals.T @ features / n + weights / (n * c)
        return loss + (weights**2).sum() / (2 * n * c), max(np.abs(slopes).max(), np.abs(residuals.mean(axis=0)).max())

    return measure


def squares(l1=0.0, l2=0.0, l2_of_sum=0.0):
    """`|y − Xw|² / 2n + l1 |w|₁ + l2 |w|² / 2 + l2_of_sum |w|² / 2n`."""

    def measure(weights, intercepts, features, target):
        n, weights = len(features), weights.ravel()
        l2_of_mean = l2 + l2_of_sum / n
        residuals = features @ weights + intercepts - target
        slopes = features.T @ residuals / n + l2_of_mean * weights
        at_zero = np.sign(slopes) * np.maximum(np.abs(slopes) - l1, 0)
        slopes = np.where(weights == 0, at_zero, slopes + l1 * np.sign(weights))
        value = (residuals**2).mean() / 2 + l1 * np.abs(weights).sum() + l2_of_mean * (weights**2).sum() / 2
        return value, max(np.abs(slopes).max(), abs(residuals.mean()))

    return measure


def of_peer(case, model, features, target):
    """The objective and its gradient at a peer's model; nothing where it does not tell its coefficients."""
    model = getattr(model, "model", model)
    weights = getattr(model, "coef_", getattr(model, "coefficients", None))
    intercepts = getattr(model, "intercept_", getattr(model, "intercept", None))
    if case.objective is None or weights is None or intercepts is None:
        return {}
    return _measured(case, weights, intercepts, features, target)


def of_apus(case, path, split):
    """The objective and its gradient at a model that `apus fit` has saved."""
    if case.objective is None:
        return {}
    with open(path, "rb") as file:
        file.readline()
        model = json.load(file)["model"]
    weights, target = model["coefficients"], split.train_target
    if isinstance(weights, dict):
        numbers = np.frombuffer(base64.b64decode(weights["elements"]), f"<{weights['scalar']}")
        weights = numbers.reshape(weights["rowCount"], weights["columnCount"])
    if "classLabels" in model:
        places = {label: place for place, label in enumerate(model["classLabels"])}
        target = np.array([places[str(label)] for label in target])
    return _measured(case, weights, model.get("intercepts", model.get("intercept")), split.train_features, target)


def _measured(case, weights, intercepts, features, target):
    weights = np.atleast_2d(np.asarray(weights, float))
    value, gradient = case.objective(weights, np.asarray(intercepts, float), np.asarray(features, float), target)
    return {"objective": float(value), "gradient": float(gradient)}

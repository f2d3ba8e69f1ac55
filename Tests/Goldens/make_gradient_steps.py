"""Golden values of stochastic gradient descent step by step: python make_gradient_steps.py > gradient_steps.json

The order of rows is scikit-learn's own affair, so these are data where it does not matter: one row, and two rows that
mirror each other, whose steps without an intercept are the same.
"""
import itertools
import json

import numpy as np
from sklearn.linear_model import SGDClassifier, SGDRegressor

row = np.array([[0.8, -1.3, 0.0, 0.05]])
target = 2.5
names = {"squared_error": "squaredError", "log_loss": "logLoss", "squared_hinge": "squaredHinge", None: "none"}
epochs = 40


def case(kind, weight, loss, penalty, schedule, intercept, eta0, alpha, average=False, tol=None, max_iter=epochs):
    def fit(max_iter):
        model = (SGDRegressor if kind == "regression" else SGDClassifier)(
            loss=loss, penalty=penalty, alpha=alpha, l1_ratio=0.4, fit_intercept=intercept, learning_rate=schedule,
            eta0=eta0, power_t=0.25, tol=tol, max_iter=max_iter, random_state=0)
        if kind == "regression":
            return model.fit(row, [target], sample_weight=[weight])
        return model.fit(np.vstack([row, -row]), ["b", "a"], sample_weight=[weight, weight])

    model = fit(max_iter)
    coefficients, intercepts = np.ravel(model.coef_), np.ravel(model.intercept_)
    if average:
        # The mean of the steps after the first epoch; scikit-learn's own takes that in too.
        later = [fit(count) for count in range(2, max_iter + 1)]
        coefficients = np.mean([np.ravel(m.coef_) for m in later], axis=0)
        intercepts = np.mean([np.ravel(m.intercept_) for m in later], axis=0)
    return {
        "kind": kind, "weight": weight, "epochs": int(model.n_iter_),
        "parameters": {
            "loss": names.get(loss, loss), "penalty": names.get(penalty, penalty), "alpha": alpha, "l1Ratio": 0.4,
            "fitIntercept": intercept, "learningRate": schedule, "eta0": eta0, "averages": average, "tolerance": tol,
            "maxIterations": max_iter,
        },
        "coefficients": coefficients.tolist(), "intercept": float(intercepts[0]),
    }


def cases():
    for loss, penalty, schedule in itertools.product(
            ["squared_error", "huber"], ["l2", "l1", "elasticnet", None], ["constant", "invscaling"]):
        yield case("regression", 1.0, loss, penalty, schedule, True, 0.03, 0.02)
    for penalty, average in [("l2", False), ("l1", False), (None, False), ("l2", True), (None, True)]:
        yield case("regression", 2.5, "squared_error", penalty, "invscaling", False, 0.02, 0.1, average)
        yield case("regression", 0.5, "huber", penalty, "constant", True, 0.1, 0.1, average)
    # The first step of the optimal schedule depends on the slope of the loss; scikit-learn bounds it for these two.
    for loss, penalty, weight in itertools.product(["hinge", "log_loss"], ["l2", "l1", "elasticnet", None], [1.0, 0.3]):
        yield case("classification", weight, loss, penalty, "optimal", False, 0.01, 0.05)
    for loss, schedule in itertools.product(["hinge", "log_loss", "squared_hinge"], ["constant", "invscaling"]):
        yield case("classification", 1.7, loss, "elasticnet", schedule, False, 0.05, 0.03)
    # Without a penalty and weights the objective, which decides when to end, is the mean loss.
    for loss, schedule, tol, eta0 in [
            ("squared_error", "constant", 1e-3, 0.05), ("squared_error", "invscaling", 1e-2, 0.05),
            ("squared_error", "constant", 0.0, 0.3), ("huber", "invscaling", 1e-3, 0.4)]:
        yield case("regression", 1.0, loss, None, schedule, True, eta0, 0.1, tol=tol, max_iter=1000)
    for loss, tol in [("hinge", 1e-3), ("log_loss", 1e-3), ("log_loss", 1e-2), ("squared_hinge", 1e-4)]:
        yield case("classification", 1.0, loss, None, "constant", False, 0.01, 0.1, tol=tol, max_iter=1000)


print("[" + ",\n".join(json.dumps(c) for c in cases()) + "]")

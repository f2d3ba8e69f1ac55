"""Peers from R, called in this process through rpy2; data is handed over before any clock starts."""

import numpy as np
import rpy2.robjects as robjects

R = robjects.r


def _matrix(values):
    matrix = R.matrix(robjects.FloatVector(np.asarray(values, float).ravel(order="F")), ncol=values.shape[1])
    matrix.colnames = robjects.StrVector([f"x{index}" for index in range(values.shape[1])])
    return matrix


class Ranger:
    """ranger with 100 trees and, of its other settings, those that scikit-learn's forests have by default."""

    def __init__(self, threads, classifies):
        R("suppressPackageStartupMessages(library(ranger))")
        self.threads, self.classifies = threads, classifies

    def prepare(self, features, target):
        numbers = robjects.FloatVector(np.asarray(target, float))
        return _matrix(features), R.factor(numbers) if self.classifies else numbers

    def fit(self, features, target):
        more = {} if self.classifies else {"mtry": features.ncol}
        self.model = R["ranger"](
            x=features, y=target, **{"num.trees": 100, "num.threads": self.threads, "seed": 1, "min.node.size": 1}, **more)
        return self

    def prepare_rows(self, features):
        return _matrix(features)

    def predict(self, features):
        predicted = R["predict"](self.model, data=features, **{"num.threads": self.threads}).rx2("predictions")
        if not self.classifies:
            return np.array(predicted)
        levels = np.array([int(level) for level in predicted.levels])
        return levels[np.array(predicted) - 1]


class LassoPath:
    """glmnet's path of given penalties."""

    def __init__(self, features, target, alphas):
        R("suppressPackageStartupMessages(library(glmnet))")
        self.features, self.target = _matrix(features), robjects.FloatVector(target)
        self.alphas = robjects.FloatVector(alphas)

    def fit(self):
        model = R["glmnet"](
            self.features, self.target, **{"lambda": self.alphas, "standardize": False, "family": "gaussian"})
        coefficients = R["as.matrix"](model.rx2("beta"))
        shape = (coefficients.nrow, coefficients.ncol)
        return np.array(coefficients).reshape(shape, order="F"), np.array(model.rx2("a0"))

"""Golden values of metrics, splitters and search tables, made by scikit-learn.

Usage: python Tests/Goldens/make_selection.py   (versions: Tests/Goldens/requirements.txt)
Writes metrics.json, splitters.json, search_tables.json and curves.json beside this script, or those that are
named, without `.json`.
"""

import json
import math
import pathlib
import sys
import warnings

import numpy as np
from sklearn import metrics as m
from sklearn import model_selection as ms
from sklearn.calibration import calibration_curve
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

warnings.filterwarnings("ignore")
folder = pathlib.Path(__file__).parent


def plain(value):
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(v) for v in value]
    if isinstance(value, (np.integer, int)) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, (np.floating, float)):
        value = float(value)
        if math.isnan(value):
            return "nan"
        if math.isinf(value):
            return "inf" if value > 0 else "-inf"
    return value


def write(name, value):
    text = json.dumps(plain(value), separators=(",", ":"))
    (folder / name).write_text(text + "\n")


# Metrics -------------------------------------------------------------------------------------------------


def classification_case(truth, predicted, proba, weights):
    k = proba.shape[1]
    labels = list(range(k))
    w = dict(sample_weight=weights)
    scores = {
        "accuracy": m.accuracy_score(truth, predicted, **w),
        "balanced_accuracy": m.balanced_accuracy_score(truth, predicted, **w),
        "matthews_corrcoef": m.matthews_corrcoef(truth, predicted, **w),
        "cohen_kappa": m.cohen_kappa_score(truth, predicted, **w),
        "neg_log_loss": -m.log_loss(truth, proba, labels=labels, **w),
        "neg_brier_score": -m.brier_score_loss(truth, proba, labels=labels, **w),
    }
    for name, f in [
        ("precision", m.precision_score),
        ("recall", m.recall_score),
        ("f1", m.f1_score),
        ("jaccard", m.jaccard_score),
    ]:
        for average in ["macro", "micro", "weighted"] + (["binary"] if k == 2 else []):
            key = name if average == "binary" else f"{name}_{average}"
            scores[key] = f(truth, predicted, average=average, zero_division=0, **w)
    scores["fbeta2_macro"] = m.fbeta_score(truth, predicted, beta=2, average="macro", zero_division=0, **w)
    if k == 2:
        scores["roc_auc"] = m.roc_auc_score(truth, proba[:, 1], **w)
        scores["average_precision"] = m.average_precision_score(truth, proba[:, 1], **w)
    elif len(np.unique(truth)) == k:
        for average in ["macro", "weighted"]:
            suffix = "" if average == "macro" else "_weighted"
            scores["roc_auc_ovr" + suffix] = m.roc_auc_score(
                truth, proba, multi_class="ovr", average=average, **w
            )
            if weights is None:
                scores["roc_auc_ovo" + suffix] = m.roc_auc_score(
                    truth, proba, multi_class="ovo", average=average
                )
    fpr, tpr, roc_thresholds = m.roc_curve(truth == k - 1, proba[:, k - 1], drop_intermediate=False, **w)
    precision, recall, thresholds = m.precision_recall_curve(truth == k - 1, proba[:, k - 1], **w)
    return {
        "truth": truth,
        "predicted": predicted,
        "probabilities": proba,
        "weights": weights,
        "scores": scores,
        "confusion": m.confusion_matrix(truth, predicted, labels=labels, **w),
        "roc": {"x": fpr, "y": tpr, "thresholds": roc_thresholds},
        "precisionRecall": {"x": recall, "y": precision, "thresholds": thresholds},
        "report": m.classification_report(
            truth, predicted, labels=labels, target_names=[f"c{i}" for i in labels], output_dict=True,
            zero_division=0, **w
        ) | {"accuracy": dict(zip(["precision", "recall", "f1-score", "support"], [0] * 4))},
        "reportText": m.classification_report(
            truth, predicted, labels=labels, target_names=[f"c{i}" for i in labels], zero_division=0, **w
        ).replace("micro avg", "accuracy"),
        "calibration": {
            strategy: dict(zip(
                ["observed", "predicted"],
                calibration_curve(truth == k - 1, proba[:, k - 1], n_bins=5, strategy=strategy, pos_label=True)))
            for strategy in ["uniform", "quantile"]
        } if (truth == k - 1).any() else {},
    }


def classification_cases():
    cases = {}
    for k in [2, 3, 5]:
        rng = np.random.default_rng(k)
        n = 60
        truth = rng.integers(0, k, n)
        sharp = rng.dirichlet(np.ones(k), n)
        sharp[np.arange(n), truth] += 0.3
        sharp /= sharp.sum(axis=1, keepdims=True)
        proba = np.array([rng.multinomial(20, row) / 20 for row in sharp])  # coarse, so that there are ties
        predicted = proba.argmax(axis=1)
        weights = np.round(rng.uniform(0, 2, n), 2)
        weights[:3] = 0
        cases[f"{k}classes"] = classification_case(truth, predicted, proba, None)
        cases[f"{k}classesWeighted"] = classification_case(truth, predicted, proba, weights)
    # A class that is never predicted, one that never occurs, and probabilities of exactly 0 and 1.
    truth = np.array([0, 0, 1, 1, 1, 0, 2])
    predicted = np.array([0, 1, 1, 1, 0, 0, 0])
    proba = np.array(
        [[1, 0, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0], [0.2, 0.6, 0.2, 0], [0.5, 0.25, 0.25, 0], [0.7, 0.3, 0, 0],
         [1, 0, 0, 0]], dtype=float)
    cases["absentClasses"] = classification_case(truth, predicted, proba, None)
    truth = np.array([0, 0, 1, 1])
    proba = np.array([[0.9, 0.1], [0.6, 0.4], [0.65, 0.35], [0.2, 0.8]])
    cases["perfect"] = classification_case(truth, truth, proba, None)
    cases["constant"] = classification_case(truth, np.zeros(4, int), proba, None)
    return cases


def regression_case(truth, predicted, weights):
    w = dict(sample_weight=weights)
    scores = {
        "r2": m.r2_score(truth, predicted, **w),
        "explained_variance": m.explained_variance_score(truth, predicted, **w),
        "neg_mean_squared_error": -m.mean_squared_error(truth, predicted, **w),
        "neg_root_mean_squared_error": -m.root_mean_squared_error(truth, predicted, **w),
        "neg_mean_absolute_error": -m.mean_absolute_error(truth, predicted, **w),
        "neg_mean_absolute_percentage_error": -m.mean_absolute_percentage_error(truth, predicted, **w),
        "neg_median_absolute_error": -m.median_absolute_error(truth, predicted, **w),
        "neg_max_error": -m.max_error(truth, predicted),
    }
    if min(truth.min(), predicted.min()) > -1:
        scores["neg_mean_squared_log_error"] = -m.mean_squared_log_error(truth, predicted, **w)
    return {"truth": truth, "predicted": predicted, "weights": weights, "scores": scores}


def regression_cases():
    rng = np.random.default_rng(7)
    cases = {}
    for n in [25, 30]:
        truth = np.round(rng.normal(3, 2, n), 3)
        predicted = np.round(truth + rng.normal(0, 1, n), 3)
        weights = rng.integers(0, 4, n) / 2
        cases[f"normal{n}"] = regression_case(truth, predicted, None)
        cases[f"normal{n}Weighted"] = regression_case(truth, predicted, weights)
        cases[f"positive{n}"] = regression_case(np.exp(truth), np.exp(predicted), weights + 0.5)
    constant = np.full(6, 2.5)
    cases["constantRight"] = regression_case(constant, constant, None)
    cases["constantWrong"] = regression_case(constant, constant + np.arange(6), None)
    cases["biased"] = regression_case(np.arange(6.0), np.arange(6.0) + 2, None)
    return cases


def clustering_case(truth, clusters, points=None):
    truth, clusters = np.array(truth), np.array(clusters)
    scores = {
        "adjusted_rand_score": m.adjusted_rand_score(truth, clusters),
        "rand_score": m.rand_score(truth, clusters),
        "normalized_mutual_info_score": m.normalized_mutual_info_score(truth, clusters),
        "adjusted_mutual_info_score": m.adjusted_mutual_info_score(truth, clusters),
        "mutual_info_score": m.mutual_info_score(truth, clusters),
        "homogeneity_score": m.homogeneity_score(truth, clusters),
        "completeness_score": m.completeness_score(truth, clusters),
        "v_measure_score": m.v_measure_score(truth, clusters),
        "fowlkes_mallows_score": m.fowlkes_mallows_score(truth, clusters),
    }
    case = {"truth": truth, "clusters": clusters, "scores": scores}
    if points is not None:
        case["points"] = points
        scores["silhouette_score"] = m.silhouette_score(points, clusters)
        case["silhouettes"] = m.silhouette_samples(points, clusters)
    return case


def clustering_cases():
    rng = np.random.default_rng(11)
    truth = rng.integers(0, 4, 90)
    clusters = np.where(rng.uniform(size=90) < 0.6, truth, rng.integers(3, 8, 90))
    points = np.round(rng.normal(size=(90, 3)) + truth[:, None], 3)
    lonely = clusters.copy()
    lonely[5] = 20
    return {
        "noisy": clustering_case(truth, clusters, points),
        "lonely": clustering_case(truth, lonely, points),
        "random": clustering_case(rng.integers(0, 3, 50), rng.integers(0, 4, 50)),
        "equal": clustering_case([0, 0, 1, 1, 2], [7, 7, 3, 3, 1]),
        "opposed": clustering_case([0, 0, 1, 1], [0, 1, 0, 1]),
        "oneCluster": clustering_case([0, 0, 1, 1], [0, 0, 0, 0]),
        "allOne": clustering_case([0, 0, 0], [0, 0, 0]),
        "allAlone": clustering_case([0, 0, 1, 1], [0, 1, 2, 3]),
    }


# Splitters -----------------------------------------------------------------------------------------------


def splits(splitter, n, y=None, groups=None):
    return [
        {"train": train, "test": test} for train, test in splitter.split(np.zeros((n, 1)), y, groups)
    ]


def splitter_cases():
    rng = np.random.default_rng(3)
    y = rng.choice(4, 53, p=[0.5, 0.25, 0.15, 0.1])
    for c in range(4):
        y[c * 5 : c * 5 + 5] = c  # at least five of each
    groups = rng.integers(0, 9, 53)
    uneven = np.repeat([5, 1, 4, 2, 3, 9], [1, 8, 3, 3, 20, 5])
    return {
        "classes": y,
        "groups": groups,
        "unevenGroups": uneven,
        "kFold": {str(k): splits(ms.KFold(k), 53) for k in [2, 5, 10]},
        "stratifiedKFold": {str(k): splits(ms.StratifiedKFold(k), 53, y) for k in [2, 3, 5]},
        "groupKFold": {str(k): splits(ms.GroupKFold(k), 53, y, groups) for k in [2, 3, 5, 9]},
        "unevenGroupKFold": {str(k): splits(ms.GroupKFold(k), 40, None, uneven) for k in [2, 3, 4]},
        "timeSeriesSplit": [
            {"splits": a, "gap": b, "maxTrainSize": c, "testSize": d,
             "expected": splits(ms.TimeSeriesSplit(a, gap=b, max_train_size=c, test_size=d), 53)}
            for a, b, c, d in [(5, 0, None, None), (3, 2, None, None), (4, 0, 10, None), (3, 1, 12, 7)]
        ],
        "shuffleSizes": [
            {"rows": n, "test": test, "train": train,
             "sizes": [len(part) for part in next(ms.ShuffleSplit(1, test_size=test, train_size=train).split(range(n)))]}
            for n, test, train in [(53, 0.1, None), (53, 0.25, 0.5), (10, 0.33, None), (7, 0.5, 0.5)]
        ],
        "stratifiedShuffle": {
            "test": 0.3,
            "trainCounts": np.bincount(y[next(ms.StratifiedShuffleSplit(1, test_size=0.3).split(y, y))[0]]),
            "testCounts": np.bincount(y[next(ms.StratifiedShuffleSplit(1, test_size=0.3).split(y, y))[1]]),
        },
    }


# Search tables -------------------------------------------------------------------------------------------


def table(search):
    results = search.cv_results_
    return {
        "columns": list(results.keys()),
        "params": [{k.split("__")[-1]: v for k, v in p.items()} for p in results["params"]],
        **{
            k: results[k]
            for k in results
            if k.startswith(("split", "mean_t", "std_t", "rank"))
        },
        "bestIndex": search.best_index_,
    }


def search_cases():
    iris = load_iris(return_X_y=True)
    wine = load_wine(return_X_y=True)
    diabetes = load_diabetes(return_X_y=True, scaled=False)  # as bundled
    cancer = load_breast_cancer(return_X_y=True)
    cancer = (cancer[0], 1 - cancer[1])  # malignant, the last label in the order of letters, is positive
    scorers = ["r2", "neg_mean_squared_error", "neg_mean_absolute_error"]
    ridge = ms.GridSearchCV(
        Ridge(), {"alpha": list(np.logspace(-3, 3, 7))}, cv=5, scoring=scorers, refit="r2",
        return_train_score=True)
    logistic = ms.GridSearchCV(
        LogisticRegression(solver="newton-cholesky", tol=1e-12), {"C": list(np.logspace(-3, 3, 7))}, cv=5,
        scoring=["accuracy", "neg_log_loss"], refit="accuracy")
    scaled = ms.GridSearchCV(
        make_pipeline(StandardScaler(), LogisticRegression(solver="newton-cholesky", tol=1e-12)),
        {"logisticregression__C": [0.01, 0.1, 1.0, 10.0]}, cv=5,
        scoring=["accuracy", "roc_auc", "f1", "neg_log_loss"], refit="accuracy")
    neighbours = ms.GridSearchCV(
        KNeighborsClassifier(), {"n_neighbors": [1, 3, 5, 7, 9, 11]}, cv=5, scoring="accuracy")
    bayes = ms.GridSearchCV(GaussianNB(), {"var_smoothing": [1e-12, 1e-9, 1e-6]}, cv=3, scoring="accuracy")
    return {
        "ridgeDiabetes": table(ridge.fit(*diabetes)),
        "logisticIris": table(logistic.fit(*iris)),
        "scaledLogisticCancer": table(scaled.fit(*cancer)),
        "neighboursIris": table(neighbours.fit(*iris)),
        "bayesWine": table(bayes.fit(*wine)),
    }


# Curves --------------------------------------------------------------------------------------------------


def learning(model, data, cv, scoring, fractions):
    sizes, train, test = ms.learning_curve(model, *data, train_sizes=fractions, cv=cv, scoring=scoring)
    return {"fractions": fractions, "metric": scoring, "sizes": sizes, "train": train, "test": test}


def validation(model, data, cv, scoring, name, values):
    train, test = ms.validation_curve(model, *data, param_name=name, param_range=values, cv=cv, scoring=scoring)
    return {"parameter": name, "values": values, "metric": scoring, "train": train, "test": test}


def importance(model, data, scoring, weights=None, repeats=100):
    """Of a model of the even rows for the odd ones, by many shuffles: a mean that seeds hardly move."""
    x, y = data
    model.fit(x[::2], y[::2])
    result = permutation_importance(
        model, x[1::2], y[1::2], scoring=scoring, n_repeats=repeats, random_state=0,
        sample_weight=None if weights is None else weights[1::2])
    return {
        "metric": scoring, "repeats": repeats, "weighted": weights is not None, "means": result.importances_mean,
        "deviations": result.importances_std,
    }


def curves():
    diabetes = load_diabetes(return_X_y=True, scaled=False)
    cancer = load_breast_cancer(return_X_y=True)
    cancer = (cancer[0], 1 - cancer[1])  # the first label in the order of letters wins a draw
    weights = 10.0 ** (np.arange(442) % 3 - 1)
    return {
        "learning": {
            "ridge": learning(Ridge(), diabetes, ms.KFold(4), "r2", [0.1, 0.35, 0.6, 1.0]),
            "ridge, uneven folds": learning(
                Ridge(), diabetes, ms.KFold(5), "neg_mean_absolute_error", [0.07, 0.5, 0.9]),
            "bayes": learning(GaussianNB(), cancer, ms.StratifiedKFold(5), "accuracy", [0.1, 0.5, 1.0]),
        },
        "validation": {
            "ridge": validation(Ridge(), diabetes, ms.KFold(4), "r2", "alpha", [100.0, 0.01, 1.0]),
            "neighbours": validation(
                KNeighborsClassifier(), cancer, ms.StratifiedKFold(3), "accuracy", "n_neighbors", [1, 9, 4]),
        },
        "importance": {
            "least squares": importance(LinearRegression(), diabetes, "r2"),
            "least squares, weights": importance(LinearRegression(), diabetes, "neg_mean_squared_error", weights),
            "bayes": importance(GaussianNB(), (cancer[0][:, :8], cancer[1]), "accuracy"),
        },
    }


makers = {
    "metrics": lambda: {
        "classification": classification_cases(),
        "regression": regression_cases(),
        "clustering": clustering_cases(),
    },
    "splitters": splitter_cases,
    "search_tables": search_cases,
    "curves": curves,
}
for name in sys.argv[1:] or makers:
    write(name + ".json", makers[name]())

"""Golden values of decision trees and forests, made by scikit-learn; run from the repository's root.

Without names every file is written, which takes minutes; a name is that of a file without `.json`.

Single trees: predictions for the training rows, of trees that come out the same for every seed, so that no
tie decides. Forests: mean and standard deviation of held-out and out-of-bag scores over scikit-learn's seeds.
"""

import json
import sys
from fractions import Fraction

import numpy as np
import pandas as pd
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

TYPES = {
    "decision-tree-classifier": DecisionTreeClassifier,
    "decision-tree-regressor": DecisionTreeRegressor,
    "random-forest-classifier": RandomForestClassifier,
    "random-forest-regressor": RandomForestRegressor,
    "extra-trees-classifier": ExtraTreesClassifier,
    "extra-trees-regressor": ExtraTreesRegressor,
}
FILES = {"digits": "digits.csv.gz"}


def load(name):
    frame = pd.read_csv(f"Datasets/{FILES.get(name, name + '.csv')}")
    return frame.iloc[:, :-1].to_numpy(float), frame.iloc[:, -1].to_numpy()


def has_exact_tie(tree, x, y, weights):
    """Whether some node of a Gini tree could be split in several ways that gain exactly the same.

    Gains are compared as fractions of whole numbers: floating-point gains of tied splits differ by rounding, which
    may fall the same way for every seed and another way in another program. Weights are multiples of a half.
    """
    counts = (2 * weights).astype(int)
    classes = np.unique(y, return_inverse=True)[1]
    least = Fraction(tree.min_weight_fraction_leaf) * int(counts.sum())
    rows_of_node = tree.decision_path(x).toarray().astype(bool)
    for node in np.flatnonzero(tree.tree_.children_left >= 0):
        rows = np.flatnonzero(rows_of_node[:, node])
        total = np.bincount(classes[rows], counts[rows], classes.max() + 1).astype(int)
        best, partitions = Fraction(-1), set()
        for feature in range(x.shape[1]):
            for threshold in np.unique(x[rows, feature])[:-1]:
                goes_left = x[rows, feature] <= threshold
                left = np.bincount(classes[rows][goes_left], counts[rows][goes_left], classes.max() + 1).astype(int)
                right = total - left
                if min(left.sum(), right.sum()) < least:
                    continue
                gain = Fraction(int(left @ left), int(left.sum())) + Fraction(int(right @ right), int(right.sum()))
                if gain > best:
                    best, partitions = gain, set()
                if gain == best:
                    partitions.add(goes_left.tobytes())
        if len(partitions) > 1:
            return True
    return False


def tree_case(
        name, dataset, estimator, parameters, weighted=False, missing=False, exact=False, bites=False, every=1):
    x, y = load(dataset)
    x, y = x[::every], y[::every]
    rows = np.arange(len(y))
    if missing:
        x[(rows[:, None] * 7 + np.arange(x.shape[1]) * 3) % 11 == 0] = np.nan
    weights = (rows % 3 + 0.5) if weighted else None
    outcomes = []
    is_tied = False
    for seed in range(8):
        tree = TYPES[estimator](**parameters, random_state=seed).fit(x, y, sample_weight=weights)
        is_tied = is_tied or (exact and seed == 0 and has_exact_tie(tree, x, y, weights))
        outcome = tree.predict_proba(x) if hasattr(tree, "predict_proba") else tree.predict(x)[:, None]
        outcomes.append((outcome, tree.feature_importances_, tree.get_n_leaves()))
    for outcome, importances, leaves in outcomes:
        # A tie that decides would make the case a test of chance: a shallower tree takes its place.
        same = np.allclose(outcome, outcomes[0][0]) and np.allclose(importances, outcomes[0][1])
        if is_tied or not same:
            assert parameters.get("max_depth", 1) > 1, f"{name}: a tie decides"
            shallower = parameters | {"max_depth": parameters["max_depth"] - 1}
            return tree_case(name, dataset, estimator, shallower, weighted, missing, exact, bites, every)
    if bites:
        # The option under test decides: without it the tree is another one.
        plain = {key: parameters[key] for key in ("criterion", "max_depth") if key in parameters}
        tree = TYPES[estimator](**plain, random_state=0).fit(x, y, sample_weight=weights)
        assert tree.get_n_leaves() != outcomes[0][2] or not np.allclose(tree.feature_importances_, outcomes[0][1]), name
    rows_left_out = {"every": every} if every > 1 else {}
    values, places = np.unique(np.round(outcomes[0][0], 12), axis=0, return_inverse=True)
    return {
        "name": name,
        "dataset": dataset,
        "estimator": estimator,
        "parameters": parameters,
        "weighted": weighted,
        "missing": missing,
        "leafValues": values.tolist(),
        "leafOfRow": places.ravel().tolist(),
        "importances": np.round(outcomes[0][1], 12).tolist(),
        "leafCount": int(outcomes[0][2]),
    } | rows_left_out


def forest_case(dataset, estimator, parameters, seeds=20, weighted=False, missing=False):
    x, y = load(dataset)
    rows = np.arange(len(y))
    test = rows % 4 == 3
    if missing:
        x[(rows[:, None] * 7 + np.arange(x.shape[1]) * 3) % 11 == 0] = np.nan
    # So uneven that a forest which took no notice of them would score otherwise.
    weights = 10.0 ** (rows % 3 - 1) * (1 + 5 * (rows % 2)) if weighted else None
    scores, out_of_bag = [], []
    for seed in range(seeds):
        forest = TYPES[estimator](**parameters, random_state=seed, n_jobs=2).fit(
            x[~test], y[~test], sample_weight=weights[~test] if weighted else None)
        scores.append(forest.score(x[test], y[test]))
        if parameters.get("oob_score"):
            out_of_bag.append(forest.oob_score_)
    case = {
        "dataset": dataset,
        "estimator": estimator,
        "parameters": parameters,
        "weighted": weighted,
        "missing": missing,
        "mean": float(np.mean(scores)),
        "deviation": float(np.std(scores)),
    }
    if out_of_bag:
        case["outOfBagMean"] = float(np.mean(out_of_bag))
        case["outOfBagDeviation"] = float(np.std(out_of_bag))
    return case


CLASSIFIER, REGRESSOR = "decision-tree-classifier", "decision-tree-regressor"


def trees():
    return [
        tree_case("gini", "breast-cancer", CLASSIFIER, {"max_depth": 3}),
        tree_case("entropy", "breast-cancer", CLASSIFIER, {"max_depth": 3, "criterion": "entropy"}),
        tree_case("weighted gini", "breast-cancer", CLASSIFIER, {"max_depth": 3}, weighted=True),
        tree_case("weighted entropy", "breast-cancer", CLASSIFIER, {"max_depth": 3, "criterion": "log_loss"}, weighted=True),
        tree_case("balanced", "breast-cancer", CLASSIFIER, {"max_depth": 3, "class_weight": "balanced"}),
        tree_case("digits", "digits", CLASSIFIER, {"max_depth": 6}),
        tree_case("digits entropy", "digits", CLASSIFIER, {"max_depth": 6, "criterion": "entropy"}),
        tree_case("digits weighted", "digits", CLASSIFIER, {"max_depth": 6}, weighted=True),
        tree_case("missing classes", "breast-cancer", CLASSIFIER, {"max_depth": 3}, missing=True),
        tree_case("leaf rows", "digits", CLASSIFIER, {"min_samples_leaf": 20, "max_depth": 6}),
        tree_case("leaf share", "digits", CLASSIFIER, {"min_samples_leaf": 0.02, "min_samples_split": 0.05, "max_depth": 6}),
        # At depth 6 a node of 89 rows has two splits of exactly the same gain, which the exact comparison finds.
        tree_case(
            "leaf weight", "digits", CLASSIFIER, {"min_weight_fraction_leaf": 0.02, "max_depth": 6}, weighted=True,
            exact=True),
        tree_case("split rows", "digits", CLASSIFIER, {"min_samples_split": 100, "max_depth": 6}),
        tree_case("best first", "digits", CLASSIFIER, {"max_leaf_nodes": 12, "max_depth": 6}),
        tree_case("least decrease", "digits", CLASSIFIER, {"min_impurity_decrease": 0.01, "max_depth": 6}),
        tree_case("squared error", "diabetes", REGRESSOR, {"max_depth": 4}),
        tree_case("weighted squared error", "diabetes", REGRESSOR, {"max_depth": 4}, weighted=True),
        tree_case("absolute error", "diabetes", REGRESSOR, {"max_depth": 3, "criterion": "absolute_error"}),
        tree_case(
            "weighted absolute error", "diabetes", REGRESSOR,
            {"max_depth": 3, "criterion": "absolute_error"}, weighted=True),
        tree_case("poisson", "diabetes", REGRESSOR, {"max_depth": 4, "criterion": "poisson"}),
        tree_case(
            "weighted poisson", "diabetes", REGRESSOR, {"max_depth": 3, "criterion": "poisson"}, weighted=True),
        tree_case("missing numbers", "diabetes", REGRESSOR, {"max_depth": 3}, missing=True),
        tree_case(
            "weighted missing numbers", "diabetes", REGRESSOR, {"max_depth": 3}, weighted=True, missing=True),
        tree_case(
            "missing and leaf rows", "diabetes", REGRESSOR, {"min_samples_leaf": 40, "max_depth": 6}, missing=True),
        tree_case("regression leaf rows", "diabetes", REGRESSOR, {"min_samples_leaf": 20, "max_depth": 6}),
        tree_case("regression best first", "diabetes", REGRESSOR, {"max_leaf_nodes": 10, "max_depth": 6}),
    ]


def forests():
    return [
        forest_case(dataset, estimator, parameters)
        for dataset in ["iris", "wine", "breast-cancer", "digits"]
        for estimator, parameters in [
            ("random-forest-classifier", {"oob_score": True}),
            ("random-forest-classifier", {"criterion": "entropy", "max_features": 0.5, "min_samples_leaf": 3}),
            ("extra-trees-classifier", {}),
        ]
    ] + [
        forest_case("digits", "random-forest-classifier", {"class_weight": "balanced_subsample", "max_depth": 8}),
        forest_case("diabetes", "random-forest-regressor", {"oob_score": True}),
        forest_case("diabetes", "random-forest-regressor", {"max_features": 0.3, "min_samples_leaf": 3, "max_samples": 0.7}),
        forest_case("diabetes", "random-forest-regressor", {"criterion": "poisson", "min_samples_leaf": 3}),
        forest_case("diabetes", "random-forest-regressor", {"criterion": "absolute_error", "min_samples_leaf": 3}, seeds=8),
        forest_case("diabetes", "extra-trees-regressor", {}),
    ] + [
        forest_case("digits", "extra-trees-classifier", {"criterion": "entropy", "max_depth": 6}),
        forest_case("diabetes", "extra-trees-regressor", {"criterion": "poisson", "min_samples_leaf": 3}),
        forest_case("diabetes", "extra-trees-regressor", {"criterion": "absolute_error", "min_samples_leaf": 3}, seeds=8),
    ] + [
        # So few leaves that the order in which nodes are split decides what there is of a tree.
        forest_case(dataset, f"{kind}-{task}", {"max_leaf_nodes": 12, "max_features": 0.3})
        for task, dataset in [("classifier", "digits"), ("regressor", "diabetes")]
        for kind in ["random-forest", "extra-trees"]
    ] + [
        forest_case(dataset, f"{kind}-{task}", {"min_samples_leaf": 3}, missing=True)
        for task, dataset in [("classifier", "breast-cancer"), ("regressor", "diabetes")]
        for kind in ["random-forest", "extra-trees"]
    ] + [
        # Without the bootstrap: scikit-learn draws rows by their weights since 1.9, and we by none.
        forest_case(
            dataset, f"{kind}-{task}", {"min_samples_leaf": 3, "bootstrap": False, "max_features": 0.3}, weighted=True)
        for task, dataset in [("classifier", "breast-cancer"), ("regressor", "diabetes")]
        for kind in ["random-forest", "extra-trees"]
    ] + [
        forest_case(
            "breast-cancer", f"{kind}-classifier",
            {"class_weight": {"benign": 0.02, "malignant": 3}, "max_depth": 3, "bootstrap": False})
        for kind in ["random-forest", "extra-trees"]
    ]


def tree_options():
    # Every sixth row of the digits: ten classes, so that hardly a tie decides.
    digits = {"dataset": "digits", "estimator": CLASSIFIER, "every": 6}
    diabetes = {"dataset": "diabetes", "estimator": REGRESSOR, "bites": True}
    return [
        # What lowers the impurity too little is a question of the whole weight, and of the criterion's units.
        tree_case("decrease", parameters={"min_impurity_decrease": 0.03, "max_depth": 5}, bites=True, **digits),
        tree_case(
            "decrease, weights", parameters={"min_impurity_decrease": 0.03, "max_depth": 5}, weighted=True, bites=True,
            **digits),
        tree_case(
            "decrease, entropy, weights",
            parameters={"min_impurity_decrease": 0.05, "criterion": "entropy", "max_depth": 5}, weighted=True,
            bites=True, **digits),
        tree_case(
            "decrease, missing values", parameters={"min_impurity_decrease": 0.03, "max_depth": 5}, missing=True,
            bites=True, **digits),
        tree_case(
            "decrease, best first, weights",
            parameters={"min_impurity_decrease": 0.03, "max_leaf_nodes": 7, "max_depth": 5}, weighted=True, bites=True,
            **digits),
        tree_case(
            "decrease, class weights", "wine", CLASSIFIER,
            {"class_weight": {"class_0": 0.3, "class_2": 4.0}, "min_impurity_decrease": 0.03, "max_depth": 4},
            weighted=True, bites=True),
        tree_case("regression decrease", parameters={"min_impurity_decrease": 90.0, "max_depth": 5}, **diabetes),
        tree_case(
            "regression decrease, weights", parameters={"min_impurity_decrease": 90.0, "max_depth": 5}, weighted=True,
            **diabetes),
        tree_case(
            "absolute decrease, weights",
            parameters={"min_impurity_decrease": 0.6, "criterion": "absolute_error", "max_depth": 4}, weighted=True,
            **diabetes),
        tree_case(
            "poisson decrease, weights",
            parameters={"min_impurity_decrease": 0.3, "criterion": "poisson", "max_depth": 5}, weighted=True,
            **diabetes),
        # Limits on rows take no notice of weights, those on weights do.
        tree_case(
            "split share, weights", parameters={"min_samples_split": 0.2, "max_depth": 6}, weighted=True, bites=True,
            **digits),
        tree_case("regression split rows", parameters={"min_samples_split": 60, "max_depth": 6}, **diabetes),
        tree_case(
            "regression split share, weights", parameters={"min_samples_split": 0.2, "max_depth": 6}, weighted=True,
            **diabetes),
        tree_case("regression leaf share", parameters={"min_samples_leaf": 0.07, "max_depth": 6}, **diabetes),
        tree_case(
            "regression leaf share, weights", parameters={"min_samples_leaf": 0.07, "max_depth": 6}, weighted=True,
            **diabetes),
        tree_case("regression leaf weight", parameters={"min_weight_fraction_leaf": 0.06, "max_depth": 6}, **diabetes),
        tree_case(
            "regression leaf weight, weights", parameters={"min_weight_fraction_leaf": 0.06, "max_depth": 6},
            weighted=True, **diabetes),
        tree_case(
            "poisson leaf weight, missing values",
            parameters={"min_weight_fraction_leaf": 0.06, "criterion": "poisson", "max_depth": 4}, missing=True,
            **diabetes),
        tree_case(
            "leaf weight, balanced, weights",
            parameters={"min_weight_fraction_leaf": 0.03, "class_weight": "balanced", "max_depth": 5}, weighted=True,
            bites=True, **digits),
        tree_case(
            "balanced", "breast-cancer", CLASSIFIER, {"class_weight": "balanced", "max_depth": 4}, bites=True),
        tree_case(
            "balanced, weights", "breast-cancer", CLASSIFIER, {"class_weight": "balanced", "max_depth": 4},
            weighted=True, bites=True),
        tree_case(
            "balanced, three classes, entropy", "wine", CLASSIFIER,
            {"class_weight": "balanced", "criterion": "entropy", "max_depth": 3}, bites=True),
        tree_case(
            "missing values, entropy", "breast-cancer", CLASSIFIER, {"criterion": "entropy", "max_depth": 3},
            missing=True),
        tree_case(
            "missing values, entropy, weights", parameters={"criterion": "log_loss", "max_depth": 4}, missing=True,
            weighted=True, **digits),
        tree_case(
            "missing values, poisson", "diabetes", REGRESSOR, {"criterion": "poisson", "max_depth": 3}, missing=True),
        tree_case(
            "missing values, poisson, weights", "diabetes", REGRESSOR, {"criterion": "poisson", "max_depth": 3},
            missing=True, weighted=True),
        tree_case(
            "missing values, absolute error", "diabetes", REGRESSOR, {"criterion": "absolute_error", "max_depth": 3},
            missing=True),
        tree_case(
            "missing values, absolute error, weights", "diabetes", REGRESSOR,
            {"criterion": "absolute_error", "max_depth": 3}, missing=True, weighted=True),
        tree_case(
            "absolute leaf weight, weights",
            parameters={"min_weight_fraction_leaf": 0.1, "criterion": "absolute_error", "max_depth": 4}, weighted=True,
            **diabetes),
        tree_case(
            "absolute best first, weights",
            parameters={"max_leaf_nodes": 6, "criterion": "absolute_error", "max_depth": 4}, weighted=True, **diabetes),
        tree_case(
            "poisson best first, weights",
            parameters={"max_leaf_nodes": 7, "criterion": "poisson", "max_depth": 4}, weighted=True, **diabetes),
        tree_case(
            "entropy best first", parameters={"max_leaf_nodes": 9, "criterion": "entropy", "max_depth": 5}, bites=True,
            **digits),
        tree_case("best first, weights", parameters={"max_leaf_nodes": 7, "max_depth": 5}, weighted=True, **diabetes),
        tree_case(
            "best first, missing values", parameters={"max_leaf_nodes": 8, "max_depth": 5}, missing=True, bites=True,
            **digits),
    ]


makers = {
    "forests": lambda: {"trees": trees(), "forests": forests()},
    "tree_options": lambda: {"trees": tree_options()},
}
for name in sys.argv[1:] or makers:
    with open(f"Tests/Goldens/{name}.json", "w") as file:
        json.dump(makers[name](), file, indent=None, separators=(",", ":"))
        file.write("\n")

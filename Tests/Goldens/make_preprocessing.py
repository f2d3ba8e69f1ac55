"""Encoders, imputers, products, bins and selections by scikit-learn; read by ApusMLTests."""

import json
import pathlib

import numpy as np
from scipy import stats
from sklearn import datasets
from sklearn.feature_selection import VarianceThreshold, chi2, f_classif, f_regression
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, OrdinalEncoder, PolynomialFeatures

random = np.random.default_rng(0)
words = np.array([["red", "s"], ["blue", "l"], ["green", "s"], ["blue", "m"], ["red", "l"], ["blue", "l"]])
# The second column has two categories in the first four rows only.
numbers = np.round(random.normal(size=(25, 4)) * [1, 10, 100, 1], 3)
numbers[:, 3] = np.round(numbers[:, 3] * 2)
holes = numbers.copy()
holes[random.random(holes.shape) < 0.2] = np.nan
holes[:, 0] = numbers[:, 0]
graded = np.round(np.random.default_rng(1).uniform(0.1, 5, 25), 2)
iris = datasets.load_iris()
diabetes = datasets.load_diabetes(scaled=False)


def listed(array):
    return [["nan" if np.isnan(value) else float(value) for value in row] for row in np.asarray(array)]


def test(result):
    scores, p_values = result
    return {"scores": scores.tolist(), "pValues": p_values.tolist()}


def bins(strategy, data, weights=None, count=4, encode="ordinal"):
    discretizer = KBinsDiscretizer(n_bins=count, encode=encode, strategy=strategy)
    return listed(discretizer.fit(data, sample_weight=weights).transform(data))


def imputed_words(column):
    """The words with gaps filled in by the most frequent one."""
    imputer = SimpleImputer(strategy="most_frequent", missing_values="")
    return imputer.fit_transform(np.array(column, dtype=object)[:, None])[:, 0].tolist()


# A column without any value, as it is left in place.
empty = holes[:8].copy()
empty[:, 1] = np.nan
# Two colours come as often as each other: the first in the order of letters is taken.
gaps = ["red", "", "blue", "red", "blue", "green", ""]


golden = {
    "words": words.tolist(),
    "oneHot": listed(OneHotEncoder(sparse_output=False).fit_transform(words)),
    "oneHotDropFirst": listed(OneHotEncoder(sparse_output=False, drop="first").fit_transform(words)),
    "oneHotDropBinary": listed(OneHotEncoder(sparse_output=False, drop="if_binary").fit_transform(words[:3])),
    "oneHotUnknown": listed(
        OneHotEncoder(sparse_output=False, handle_unknown="ignore").fit(words[:3]).transform(words)
    ),
    "ordinal": listed(OrdinalEncoder().fit_transform(words)),
    "numbers": listed(numbers),
    "holes": listed(holes),
    "imputed": {
        strategy: listed(SimpleImputer(strategy=strategy, fill_value=fill, add_indicator=True).fit_transform(holes))
        for strategy, fill in [("mean", None), ("median", None), ("most_frequent", None), ("constant", -1.5)]
    },
    "cubes": listed(PolynomialFeatures(3).fit_transform(numbers[:3, :3])),
    "cubeNames": PolynomialFeatures(3).fit(numbers[:3, :3]).get_feature_names_out(["x0", "x1", "x2"]).tolist(),
    "interactions": listed(
        PolynomialFeatures(3, interaction_only=True, include_bias=False).fit_transform(numbers[:3])
    ),
    "quantileBins": bins("quantile", numbers),
    "uniformBins": bins("uniform", numbers),
    # Whole weights, among them zeros, halves of which fall between two values; and weights of no pattern.
    "weights": (np.arange(25) % 4).tolist(),
    "weightedQuantileBins": bins("quantile", numbers, np.arange(25) % 4),
    "weightedUniformBins": bins("uniform", numbers, np.arange(25) % 4),
    "gradedWeights": graded.tolist(),
    "gradedQuantileBins": bins("quantile", numbers, graded, count=6),
    "oneHotBins": {
        strategy: listed(
            KBinsDiscretizer(n_bins=3, encode="onehot-dense", strategy=strategy).fit(numbers[:12]).transform(
                numbers[8:16]))
        for strategy in ["quantile", "uniform"]
    },
    "weightedOneHotBins": bins("quantile", numbers[:10], graded[:10], count=3, encode="onehot-dense"),
    "imputedEmpty": {
        strategy: listed(
            SimpleImputer(strategy=strategy, fill_value=fill, keep_empty_features=True).fit_transform(empty))
        for strategy, fill in [("mean", None), ("median", None), ("most_frequent", None), ("constant", -1.5)]
    },
    "gaps": gaps,
    "imputedGaps": imputed_words(gaps),
    "thresholds": {
        str(threshold): VarianceThreshold(threshold).fit(holes).get_support(indices=True).tolist()
        for threshold in [0.5, 2.0, 100.0, 5000.0]
    },
    "variances": VarianceThreshold().fit(holes).variances_.tolist(),
    "ordered": listed(
        OrdinalEncoder(categories=[["green", "red", "blue"], ["s", "m", "l", "xl"]]).fit_transform(words)),
    "fClassif": test(f_classif(iris.data, iris.target)),
    "fRegression": test(f_regression(diabetes.data, diabetes.target)),
    "chi2": test(chi2(iris.data, iris.target)),
    "fisher": [
        [x, a, b, float(stats.f.sf(x, a, b))]
        for x in (0.01, 0.5, 1.0, 3.0, 40.0) for a in (1, 4, 30) for b in (2, 17, 1000)
    ],
    "chiSquared": [
        [x, k, float(stats.chi2.sf(x, k))] for x in (0.01, 0.5, 2.0, 10.0, 90.0) for k in (1, 2, 7, 40)
    ],
}
path = pathlib.Path(__file__).parent / "preprocessing.json"
path.write_text(json.dumps(golden, ensure_ascii=False) + "\n")

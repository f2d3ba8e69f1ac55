"""Golden values for k-means: python make_kmeans.py > kmeans.json"""
import json

import numpy as np
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.datasets import load_digits, load_iris


def case(features, start, weights=None, **options):
    fitted = KMeans(len(start), init=start, n_init=1, **options).fit(features, sample_weight=weights)
    return {
        "features": features.tolist(), "start": start.tolist(),
        "weights": None if weights is None else weights.tolist(),
        "maxIterations": options.get("max_iter", 300), "tolerance": options.get("tol", 1e-4),
        "centres": fitted.cluster_centers_.tolist(), "labels": fitted.labels_.tolist(),
        "inertia": fitted.inertia_, "iterations": fitted.n_iter_,
    }


def spread(features, count, **options):
    return [KMeans(count, n_init=1, random_state=s, **options).fit(features).inertia_ for s in range(30)]


random = np.random.RandomState(0)
iris, digits = load_iris().data, load_digits().data[:300]
weights = random.uniform(0.1, 4, len(iris)).round(3)
far = np.vstack([iris[[0, 60]], [[100.0, 100, 100, 100]]])
print(json.dumps({
    "cases": [
        case(iris, iris[[0, 60, 120]], tol=0),
        case(iris + 1e5, iris[[3, 4, 5, 6, 140]] + 1e5, tol=0),
        case(iris, iris[[10, 70, 110, 130]], weights, tol=0),
        case(iris, far, tol=0),
        case(iris, iris[[0, 1, 2, 3, 4]], max_iter=3),
        case(digits, digits[:10], tol=1e-2),
    ],
    "digitsSpread": spread(digits, 10),
    "digitsRandomSpread": spread(digits, 10, init="random"),
    "miniBatchSpread": [
        MiniBatchKMeans(10, batch_size=100, n_init=1, random_state=s).fit(digits).inertia_ for s in range(30)],
    "weightedMiniBatchSpread": [
        MiniBatchKMeans(10, batch_size=100, n_init=1, random_state=s).fit(
            digits, sample_weight=10.0 ** (np.arange(300) % 3)).inertia_ for s in range(30)],
    "miniBatchOptions": {
        name: [
            MiniBatchKMeans(**{"n_clusters": 10, "batch_size": 100, "n_init": 1} | options, random_state=s).fit(
                digits).inertia_
            for s in range(20)]
        for name, options in {
            "centres": {"init": digits[:10]},
            "reassignment": {"reassignment_ratio": 0.6},
            "no reassignment": {"reassignment_ratio": 0.0},
            "little patience": {"max_no_improvement": 1},
            "no patience rule": {"max_no_improvement": None, "max_iter": 30},
            "small batches": {"batch_size": 20},
        }.items()},
    "irisSpread": spread(iris, 5),
}))

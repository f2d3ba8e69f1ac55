"""Golden values for the scalers: python make_scaling.py > scaling.json"""
import json

import numpy as np
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler


def listed(array):
    return [[encode(v) for v in row] for row in array] if array.ndim == 2 else [encode(v) for v in array]


def encode(value):
    value = float(value)
    return value if np.isfinite(value) else {True: "nan", False: "inf" if value > 0 else "-inf"}[np.isnan(value)]


random = np.random.RandomState(3)
features = load_wine().data[:40, :5].copy()
features[:, 1] = 7.1
features[[2, 5], 2] = np.nan
features[:, 4] += 1e6
weights = random.uniform(0, 3, 40)
weights[:4] = 0
plain = StandardScaler().fit(features)
weighted = StandardScaler().fit(features, sample_weight=weights)
print(json.dumps({
    "features": listed(features),
    "weights": listed(weights),
    "mean": listed(plain.mean_),
    "scale": listed(plain.scale_),
    "transformed": listed(plain.transform(features)),
    "weightedMean": listed(weighted.mean_),
    "weightedScale": listed(weighted.scale_),
}))

"""Golden values for the scalers: python make_scaling.py > scaling.json"""
import json

import numpy as np
from sklearn.datasets import load_wine
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, Normalizer, RobustScaler, StandardScaler


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
present = load_wine().data[:60].round(2)


def analysis(model):
    coordinates = model.fit_transform(present)
    return {
        "components": listed(model.components_), "variances": listed(model.explained_variance_),
        "ratios": listed(model.explained_variance_ratio_), "singularValues": listed(model.singular_values_),
        "coordinates": listed(coordinates),
    }


def options(scaler, by=None):
    """A scaler fitted on the even rows, with weights if any, and its values for the odd ones: some lie beyond."""
    fitted = scaler.fit(features[::2], **({} if by is None else {"sample_weight": by[::2]}))
    return listed(fitted.transform(features[1::2]))


print(json.dumps({
    "options": {
        "standard, no mean": options(StandardScaler(with_mean=False)),
        "standard, no std": options(StandardScaler(with_std=False)),
        "standard, neither": options(StandardScaler(with_mean=False, with_std=False)),
        "standard, no mean, weights": options(StandardScaler(with_mean=False), weights),
        "standard, no std, weights": options(StandardScaler(with_std=False), weights),
        "robust, no centering": options(RobustScaler(with_centering=False)),
        "robust, no scaling": options(RobustScaler(with_scaling=False, quantile_range=(10, 80))),
        "robust, neither": options(RobustScaler(with_centering=False, with_scaling=False)),
        "minmax, no clip": options(MinMaxScaler((-1, 2))),
        "minmax, clip": options(MinMaxScaler((-1, 2), clip=True)),
        "maxabs": options(MaxAbsScaler()),
    },
    "present": listed(present),
    "minMax": listed(MinMaxScaler((-1, 2)).fit_transform(features)),
    "maxAbs": listed(MaxAbsScaler().fit_transform(features)),
    "robust": listed(RobustScaler(quantile_range=(10, 80)).fit_transform(features)),
    "normalized": {norm: listed(Normalizer(norm=norm).fit_transform(present)) for norm in ("l1", "l2", "max")},
    "pca": analysis(PCA(svd_solver="full")),
    "pcaShare": analysis(PCA(0.9999, svd_solver="full")),
    "pcaWhite": analysis(PCA(3, whiten=True, svd_solver="full")),
    "svd": analysis(TruncatedSVD(3, algorithm="arpack")),
    "features": listed(features),
    "weights": listed(weights),
    "mean": listed(plain.mean_),
    "scale": listed(plain.scale_),
    "transformed": listed(plain.transform(features)),
    "weightedMean": listed(weighted.mean_),
    "weightedScale": listed(weighted.scale_),
}))

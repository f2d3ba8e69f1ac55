"""Golden values for Tests/ApusLinearAlgebraTests, made with NumPy: python make_linear_algebra.py"""
import json
import pathlib

import numpy as np

rng = np.random.default_rng(0)


def case(name, a, k=2):
    b = rng.normal(size=(a.shape[0], k))
    x, _, rank, singular = np.linalg.lstsq(a, b, rcond=max(a.shape) * np.finfo(float).eps)
    gram = a.T @ a
    return dict(
        name=name, a=a.tolist(), b=b.tolist(), gram=gram.tolist(), product=(a.T @ b).tolist(),
        leastSquares=x.tolist(), rank=int(rank), singularValues=singular.tolist(),
        eigenvalues=np.linalg.eigvalsh(gram).tolist())


low = rng.normal(size=(12, 2)) @ rng.normal(size=(2, 6))
cases = [
    case("one", np.array([[3.5]])),
    case("tall", rng.normal(size=(40, 5))),
    case("wide", rng.normal(size=(4, 9))),
    case("square", rng.normal(size=(7, 7))),
    case("row", rng.normal(size=(1, 6))),
    case("column", rng.normal(size=(6, 1))),
    case("rank-deficient tall", low),
    case("rank-deficient wide", low.T),
    case("zero", np.zeros((5, 3))),
    case("huge and tiny columns", rng.normal(size=(30, 4)) * [1e8, 1, 1e-3, 1e3]),
]
path = pathlib.Path(__file__).with_name("linear_algebra.json")
path.write_text(json.dumps(cases))

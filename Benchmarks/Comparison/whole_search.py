"""One whole program: reads a table, does a search's fits and scores with scikit-learn one after the other, and says how
long these took, so that what remains of the process is its start and its reading."""

import json
import sys
from types import SimpleNamespace

import pandas

import sweeps


def main():
    name, path, folds, candidates = sys.argv[1], sys.argv[2], int(sys.argv[3]), json.loads(sys.argv[4])
    table = pandas.read_csv(path)
    # Labels as NumPy's own text, which scikit-learn takes in half the time of Python's.
    target = table["target"].to_numpy(float if pandas.api.types.is_numeric_dtype(table["target"]) else str)
    split = SimpleNamespace(train_features=table.drop(columns="target").to_numpy(float), train_target=target)
    sweep = next(sweep for sweep in sweeps._sweeps() if sweep.name == name)
    print(json.dumps(sweeps.run_peer(sweep, split, candidates, folds, scaled=False)))


if __name__ == "__main__":
    main()

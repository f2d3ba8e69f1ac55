"""Fits and predicts one case with one peer in a process of its own and prints what it cost, as JSON."""

import json
import pathlib
import sys
import time

import numpy as np


def resident_bytes(field):
    """`VmRSS`, what the process holds, or `VmHWM`, the most since it was last reset: what `apus` reads of itself."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(field + ":"))


def reset_peak():
    with open("/proc/self/clear_refs", "w") as references:
        references.write("5")


def timed(work):
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - wall, time.process_time() - cpu


def main():
    name, peer, threads, folder = sys.argv[1], sys.argv[2], int(sys.argv[3]), pathlib.Path(sys.argv[4])
    from cases import CASES
    from data import NUMBERS, Split

    case = next(case for case in CASES if case.name == name)
    split = Split(case.data, case.standardize, folder)
    target = None if case.unsupervised else split.train_target
    if case.unsupervised or case.data not in NUMBERS:
        classes = {label: index for index, label in enumerate(np.unique(split.train_target))}
        encode = np.vectorize(classes.get)
        split.test_target = encode(split.test_target)
        target = None if target is None else encode(split.train_target)

    def fit(rows=None):
        """What is to be timed: the fit of a new model, whose data is in its own form already."""
        model = case.peers[peer](threads)
        arguments = (split.train_features[:rows],) if target is None else (split.train_features[:rows], target[:rows])
        if hasattr(model, "prepare"):
            arguments = model.prepare(*arguments)
        return lambda: model.fit(*arguments)

    if peer.endswith(case.SINGLE):
        split.train_features = split.train_features.astype(np.float32)
        split.test_features = split.test_features.astype(np.float32)

    def prepared(model, rows):
        return model.prepare_rows(rows) if hasattr(model, "prepare_rows") else rows

    # Libraries load code and start threads at their first fit and prediction; that is not what is compared.
    few = fit(600)()
    few.predict(prepared(few, split.train_features[:600]))
    work = fit()
    reset_peak()
    before = resident_bytes("VmRSS")
    model, wall, cpu = timed(work)
    peak = max(0, resident_bytes("VmHWM") - before)
    # Clusters are predicted for the rows they were found in, as `apus fit` does.
    rows = prepared(model, split.train_features if case.unsupervised else split.test_features)
    predicted, predict_wall, predict_cpu = timed(lambda: model.predict(rows))

    import objectives
    from sklearn.metrics import accuracy_score, r2_score

    if case.quality == "accuracy":
        quality = accuracy_score(split.test_target, predicted)
    elif case.quality == "r2":
        quality = r2_score(split.test_target, predicted)
    else:
        quality = float(model.inertia_)
    json.dump(
        {
            "fitWall": wall, "fitCPU": cpu, "predictWall": predict_wall, "predictCPU": predict_cpu,
            "peakBytes": peak, "quality": quality,
            "iterations": int(np.max(model.n_iter_)) if getattr(model, "n_iter_", None) is not None else 1,
            "work": case.counted_work(model, split.train_features, target)
            if case.counted_work and peer == "sklearn" else None,
        } | objectives.of_peer(case, model, split.train_features, target),
        sys.stdout,
    )  # fmt: skip


if __name__ == "__main__":
    main()

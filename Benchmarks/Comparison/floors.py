"""What no program can be faster than on this machine: the work that a method cannot do without, at measured speeds.

`measure` times each unit of work (in CPU seconds) in a process of its own; the cases say how much of each their method
does at least.
"""

import json
import subprocess
import sys

# The seconds of one unit each: a multiplication or addition of a large matrix product, also in single precision; a
# number read from memory; and a load, an addition and a store in a cache, which each count or sum takes.
MEASUREMENT = """
import json, time
import numpy as np

def best(work, repeats):
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)

def product(kind):
    n = 1200
    a = np.random.default_rng(0).random((n, n)).astype(kind)
    b, c = a.copy(), a.copy()
    return best(lambda: np.matmul(a, b, out=c), 9) / (2 * n**3)

many, few = np.ones(1 << 25), np.ones(1 << 14)

def counting():
    for _ in range(200):
        np.add(few, 1, out=few)

print(json.dumps({
    "products": product(float), "single products": product(np.float32),
    "reads": best(lambda: many.sum(), 9) / len(many), "counts": best(counting, 9) / (200 * len(few)),
}))
"""


def measure(environment, threads):
    command = [sys.executable, "-c", MEASUREMENT]
    if threads == 1:
        command = ["taskset", "--cpu-list", "0", *command]
    output = subprocess.run(command, capture_output=True, text=True, env=environment, check=True).stdout
    return json.loads(output)


def seconds(case, split, results, speeds):
    """The floor of a fit: the time of the unit of work that takes longest; None where nobody has counted the work."""
    work = (results.get("sklearn") or {}).get("work")
    if case.work:
        rows, columns = split.train_features.shape
        classes = len(set(split.train_target.tolist())) if case.quality == "accuracy" else 1
        work = case.work(rows, columns, classes, (results["apus"] or {}).get("iterations") or 1)
    return max(amount * speeds[unit] for unit, amount in work.items()) if work else None

"""What no program can be faster than on this machine: bytes over bandwidth, and multiplications over GEMM speed.

`measure` times both (in CPU seconds) in a process of its own, one thread; the cases say how many bytes
must be read and how many multiplications their method does at least.
"""

import json
import subprocess
import sys

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

n = 1200
a = np.random.default_rng(0).random((n, n))
b, c = a.copy(), a.copy()
gemm = 2 * n**3 / best(lambda: np.matmul(a, b, out=c), 9)
source = np.ones(1 << 25)
bandwidth = source.nbytes / best(lambda: source.sum(), 9)
print(json.dumps({"gemm": gemm, "bandwidth": bandwidth}))
"""


def measure(environment, threads):
    command = [sys.executable, "-c", MEASUREMENT]
    if threads == 1:
        command = ["taskset", "--cpu-list", "0", *command]
    output = subprocess.run(command, capture_output=True, text=True, env=environment, check=True).stdout
    return json.loads(output)


def seconds(case, split, result, speeds):
    """The floor of a fit: the larger of the time to read the data once and that of the multiplications."""
    if case.work is None:
        return None
    rows, columns = split.train_features.shape
    classes = len(set(split.train_target.tolist())) if case.quality == "accuracy" else 1
    operations, reads = case.work(rows, columns, classes, result.get("iterations") or 1)
    return max(operations / speeds["gemm"], 8 * reads / speeds["bandwidth"])

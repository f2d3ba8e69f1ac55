"""Times Apus and joblib's Dask backend on the same local cluster, and watches a sweep of many tiny jobs."""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

CASES = [
    ("reuse", "one job a worker, there and back", 1e3, "ms"),
    ("jobs", "10,000 empty jobs, each", 1e6 / 10_000, "µs"),
    ("fits", "2,000 ridge fits of 150 × 4 by cross-validation, one fit a job, each", 1e6 / 2_000, "µs"),
    ("grid", "the same grid as Apus plans it, each fit", 1e6 / 2_000, "µs"),
]


@contextlib.contextmanager
def cluster(workers):
    """A scheduler and workers of one thread each; gives the address and the scheduler's process."""
    with tempfile.TemporaryDirectory() as folder:
        facts = os.path.join(folder, "scheduler.json")
        dask = [sys.executable, "-m", "dask"]
        common = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        started = [
            subprocess.Popen(
                [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", facts],
                **common,
            )
        ]
        try:
            while not os.path.exists(facts):
                time.sleep(0.1)
            time.sleep(0.5)
            with open(facts) as file:
                address = json.load(file)["address"]
            worker = [*dask, "worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
            for _ in range(workers):
                started.append(subprocess.Popen([*worker, "--local-directory", folder], **common))
            from distributed import Client

            with Client(address) as client:
                client.wait_for_workers(workers, timeout=300)
            yield address, started[0]
        finally:
            for process in reversed(started):
                process.kill()
                process.wait()


def run(command):
    finished = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, env=dict(os.environ, APUS_PYTHON=sys.executable)
    )
    return json.loads(finished.stdout)


def watched(program, address, scheduler, jobs):
    """Runs many jobs; their seconds, CPU seconds by part, and the memory of each part in MB, sampled."""
    scheduler = psutil.Process(scheduler.pid)
    before = scheduler.cpu_times()
    samples, ended = {"scheduler": [], "client": [], "bridge": []}, threading.Event()
    cpu = {}
    process = subprocess.Popen(
        [program, "many", address, str(jobs)], stdout=subprocess.PIPE, text=True,
        env=dict(os.environ, APUS_PYTHON=sys.executable),
    )

    def watch():
        client = psutil.Process(process.pid)
        while not ended.wait(0.5):
            with contextlib.suppress(psutil.Error):
                parts = {"scheduler": scheduler, "client": client}
                parts.update(("bridge", child) for child in client.children())
                for name, part in parts.items():
                    samples[name].append(part.memory_info().rss / 2**20)
                    times = part.cpu_times()
                    cpu[name] = times.user + times.system

    watcher = threading.Thread(target=watch)
    watcher.start()
    output, _ = process.communicate()
    ended.set()
    watcher.join()
    cpu["scheduler"] = cpu.get("scheduler", 0) - before.user - before.system
    return json.loads(output), cpu, samples


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True, help="the built BackendComparison")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--many", type=int, default=1_000_000, help="jobs of the long sweep; 0 leaves it out")
    parser.add_argument("--growth", type=int, default=64, help="the most workers of the growth; 0 leaves it out")
    parser.add_argument("--jobs", type=int, default=500_000, help="jobs for each number of workers of the growth")
    parser.add_argument("--output", help="a JSON file for all figures")
    arguments = parser.parse_args()
    program, figures = arguments.program, {"load": os.getloadavg()}
    print("load averages before: " + ", ".join(f"{load:.1f}" for load in figures["load"]), flush=True)

    if arguments.rounds:
        rounds = {"apus": [], "joblib": []}
        with cluster(arguments.workers) as (address, _):
            joblib = [sys.executable, str(Path(__file__).with_name("loky.py")), str(arguments.workers), address]
            for _ in range(arguments.rounds):
                rounds["apus"].append(run([program, "dask", address]))
                rounds["joblib"].append(run(joblib))
        best = {tool: {case: min(r[case] for r in rs) for case, *_ in CASES} for tool, rs in rounds.items()}
        figures["rounds"] = rounds
        print(f"{arguments.workers} workers of one thread, best of {arguments.rounds} rounds")
        print(f"{'':4}{'apus':>12}{'joblib':>12}{'joblib ÷ apus':>16}  case")
        for case, title, scale, unit in CASES:
            ours, theirs = (best[tool][case] * scale for tool in ("apus", "joblib"))
            print(f"{unit:4}{ours:12.1f}{theirs:12.1f}{theirs / ours:16.1f}  {title}", flush=True)

    def sweep(name, workers, jobs):
        with cluster(workers) as (address, scheduler):
            result, cpu, samples = watched(program, address, scheduler, jobs)
        figures[name] = {"jobs": jobs, "result": result, "cpu": cpu, "samples": samples}
        print(f"{workers} workers, {jobs} empty jobs: {result['seconds']:.1f} s, {result['seconds'] / jobs * 1e6:.1f} µs each")
        for part, memory in samples.items():
            quarters = [memory[min(len(memory) - 1, len(memory) * quarter // 4)] for quarter in (1, 2, 3, 4)]
            print(
                f"  {part}: {cpu.get(part, 0) / jobs * 1e6:.2f} µs of CPU a job; MB after each quarter "
                + ", ".join(f"{megabytes:.0f}" for megabytes in quarters), flush=True,
            )

    if arguments.many:
        sweep("many", arguments.workers, arguments.many)
    workers = 1
    while workers <= arguments.growth:
        sweep(f"growth {workers}", workers, arguments.jobs)
        workers *= 4
    if arguments.output:
        Path(arguments.output).write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()

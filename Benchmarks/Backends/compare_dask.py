"""Times Apus, joblib's Dask backend and `Client.map` on the same local cluster, and watches sweeps of many tiny jobs."""

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

ROOT = Path(__file__).resolve().parents[2]
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


class Watch:
    """CPU seconds of some processes since it began, and their memory in MB, sampled twice a second."""

    def __init__(self, parts):
        self.parts = {name: psutil.Process(pid) for name, pid in parts.items()}
        self.before = {name: self.seconds(part) for name, part in self.parts.items()}
        self.cpu, self.samples = {}, {name: [] for name in self.parts}
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    @staticmethod
    def seconds(part):
        times = part.cpu_times()
        return times.user + times.system

    def run(self):
        while not self.ended.wait(0.5):
            for name, part in self.parts.items():
                with contextlib.suppress(psutil.Error):
                    self.samples[name].append(part.memory_info().rss / 2**20)
                    self.cpu[name] = self.seconds(part) - self.before[name]

    def end(self):
        self.ended.set()
        self.thread.join()


def watched(program, address, scheduler, jobs, workers):
    """Runs many jobs once all workers have done some; what the program says, and what was watched meanwhile."""
    process = subprocess.Popen(
        [program, "many", address, str(jobs), str(workers)], stdout=subprocess.PIPE, text=True,
        env=dict(os.environ, APUS_PYTHON=sys.executable),
    )
    process.stdout.readline()
    (bridge,) = psutil.Process(process.pid).children()
    watch = Watch({"scheduler": scheduler.pid, "client": process.pid, "bridge": bridge.pid})
    output, _ = process.communicate()
    watch.end()
    return json.loads(output), watch


def many_tasks(program, address, scheduler, tasks, each):
    """Sends batches of a fixed size to the bridge itself, some at a time; the seconds, and what was watched."""
    sys.path.insert(0, str(ROOT / "Tests/ApusDaskTests/Bridge"))
    import cluster as tests

    with tempfile.TemporaryDirectory() as folder:
        place = argparse.Namespace(folder=folder, address=address, environment={})
        client = tests.Client(place, str(ROOT / "Sources/CApusBridge"), program, wireNames=["comparison.nothing"])
        watch = Watch({"scheduler": scheduler.pid, "bridge": client.bridge.pid})
        start, sent = time.perf_counter(), 0
        while len(client.results) < tasks * each:
            while sent < tasks and sent * each - len(client.results) < 48 * each:
                numbers = range(sent * each, (sent + 1) * each)
                client.submit({number: tests.job(number, "nothing", "comparison", number=number) for number in numbers})
                sent += 1
            least = 24 * each if sent < tasks else 1
            client.wait(lambda: sent * each - len(client.results) < least)
        seconds = time.perf_counter() - start
        watch.end()
        assert {status for status, *_ in client.results.values()} == {0}
        client.close()
    return seconds, watch


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True, help="the built BackendComparison")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--many", type=int, default=1_000_000, help="jobs of the long sweep; 0 leaves it out")
    parser.add_argument("--tasks", type=int, default=20_000, help="tasks of 50 jobs of another one; 0 leaves it out")
    parser.add_argument("--growth", type=int, default=64, help="the most workers of the growth; 0 leaves it out")
    parser.add_argument("--jobs", type=int, default=500_000, help="jobs for each number of workers of the growth")
    parser.add_argument("--output", help="a JSON file for all figures")
    arguments = parser.parse_args()
    program, figures = arguments.program, {"load": os.getloadavg()}
    print("load averages before: " + ", ".join(f"{load:.1f}" for load in figures["load"]), flush=True)

    if arguments.rounds:
        rounds = {"apus": [], "joblib": [], "map": []}
        with cluster(arguments.workers) as (address, _):
            joblib = [sys.executable, str(Path(__file__).with_name("loky.py")), str(arguments.workers), address]
            by_map = [sys.executable, str(Path(__file__).with_name("dask_map.py")), str(arguments.workers), address]
            for _ in range(arguments.rounds):
                rounds["apus"].append(run([program, "dask", address]))
                rounds["joblib"].append(run(joblib))
                rounds["map"].append(run(by_map))
        best = {tool: {case: min(r[case] for r in rs) for case, *_ in CASES} for tool, rs in rounds.items()}
        figures["rounds"] = rounds
        print(f"{arguments.workers} workers of one thread, best of {arguments.rounds} rounds")
        print(f"{'':4}{'apus':>10}{'joblib':>10}{'÷ apus':>8}{'map':>10}{'÷ apus':>8}  case")
        for case, title, scale, unit in CASES:
            ours, joblibs, maps = (best[tool][case] * scale for tool in rounds)
            print(
                f"{unit:4}{ours:10.1f}{joblibs:10.1f}{joblibs / ours:8.1f}{maps:10.1f}{maps / ours:8.1f}  {title}",
                flush=True,
            )

    def tell(name, jobs, seconds, watch):
        figures[name] = {"jobs": jobs, "seconds": seconds, "cpu": watch.cpu, "samples": watch.samples}
        print(f"{name}: {jobs} empty jobs in {seconds:.1f} s, {seconds / jobs * 1e6:.1f} µs each")
        for part, memory in watch.samples.items():
            quarters = [memory[min(len(memory) - 1, len(memory) * quarter // 4)] for quarter in (1, 2, 3, 4)]
            print(
                f"  {part}: {watch.cpu.get(part, 0) / jobs * 1e6:.2f} µs of CPU a job; MB after each quarter "
                + ", ".join(f"{megabytes:.0f}" for megabytes in quarters), flush=True,
            )

    def sweep(name, workers, jobs):
        with cluster(workers) as (address, scheduler):
            result, watch = watched(program, address, scheduler, jobs, workers)
        tell(name, jobs, result["seconds"], watch)

    if arguments.many:
        sweep(f"{arguments.workers} workers", arguments.workers, arguments.many)
    if arguments.tasks:
        with cluster(arguments.workers) as (address, scheduler):
            seconds, watch = many_tasks(program, address, scheduler, arguments.tasks, 50)
        tell(f"{arguments.workers} workers, {arguments.tasks} tasks", 50 * arguments.tasks, seconds, watch)
    workers = 1
    while workers <= arguments.growth:
        sweep(f"{workers} worker{'s' * (workers > 1)}, warm", workers, arguments.jobs)
        workers *= 4
    if arguments.output:
        Path(arguments.output).write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()

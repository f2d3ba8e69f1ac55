"""Runs every case with Apus and its peers in turn and reports the ratios to the fastest peer.

The tools take turns, so that a machine that slows down slows all of them; the best of the repeats counts.
Each fit runs in a process of its own, with the data in memory before the clock starts.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import floors  # noqa: E402
import growth  # noqa: E402
import objectives  # noqa: E402
import paths  # noqa: E402
import sweeps  # noqa: E402
from cases import CASES, FIXED_CENTRES  # noqa: E402
from data import Split  # noqa: E402


def environment_for(threads):
    environment = dict(os.environ)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        environment[name] = str(threads)
    return environment


def run(command, threads):
    environment = environment_for(threads)
    if threads == 1:
        command = ["taskset", "--cpu-list", "0", *command]
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    if result.returncode != 0:
        sys.stderr.write(f"{' '.join(command)} failed:\n{result.stderr[-2000:]}\n")
        return None
    return json.loads(result.stdout)


def apus_command(apus, case, split, threads):
    command = [apus, "fit", split.train_file, "--estimator", case.estimator, "--threads", str(threads), "--json",
               "--warm-up"]  # fmt: skip
    for setting in case.settings:
        setting = setting.replace("@first-rows", json.dumps(split.train_features[:FIXED_CENTRES].tolist()))
        command += ["--set", setting]
    if case.unsupervised:
        command += ["--drop", "target"]
    else:
        command += ["--target", "target", "--test", split.test_file]
    return command


def run_apus(apus, case, split, threads):
    saved = f"{split.train_file}.model"
    report = run([*apus_command(apus, case, split, threads), "--output", saved], threads)
    if report is None:
        return None
    seconds = report["seconds"]
    predict = seconds.get("predict") or {"wall": float("nan"), "cpu": float("nan")}
    return {
        "fitWall": seconds["fit"]["wall"], "fitCPU": seconds["fit"]["cpu"],
        "predictWall": predict["wall"], "predictCPU": predict["cpu"],
        "peakBytes": report["memory"]["fitGrowthBytes"], "quality": report["metrics"][case.quality],
        "iterations": (report.get("convergence") or {}).get("iterations", 1),
    } | objectives.of_apus(case, saved, split)  # fmt: skip


def run_peer(case, peer, threads, folder):
    return run([sys.executable, str(HERE / "peer.py"), case.name, peer, str(threads), str(folder)], threads)


def slowdown_beside_others(apus, case, split, cpus, alone, repeats):
    """How much longer a fit on one CPU takes while every other CPU does the same.

    CPUs share caches, memory and often the parts that compute: no fit on all of them can be faster than this allows.
    """
    command, together = apus_command(apus, case, split, 1), []
    for _ in range(repeats):
        processes = [
            subprocess.Popen(["taskset", "--cpu-list", str(cpu), *command], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, env=environment_for(1), text=True)
            for cpu in sorted(os.sched_getaffinity(0))[:cpus]
        ]  # fmt: skip
        outputs = [process.communicate()[0] for process in processes]
        if all(process.returncode == 0 for process in processes):
            together.append(sum(json.loads(output)["seconds"]["fit"]["wall"] for output in outputs) / cpus)
    return min(together, default=float("nan")) / alone


def best(measurements):
    """The least of each cost; what was found and counted is of the first run, since all runs have the same seed."""
    measurements = [measurement for measurement in measurements if measurement]
    if not measurements:
        return None
    first = measurements[0]
    same = {key: first.get(key) for key in ("quality", "work", "objective", "gradient")}
    return {key: min(m[key] for m in measurements) for key in first if key not in same} | same


def report(case, threads, results, floor):
    apus = results.pop("apus")
    print(f"\n{case.name}, {threads} thread{'s' * (threads > 1)}")
    found = f"{'objective':>15}{'gradient':>10}" if case.objective else ""
    print(f"  {'':24}{'fit s':>10}{'fit CPU s':>11}{'predict s':>11}{'growth MB':>11}{case.quality:>12}{found}")
    for name, result in [("apus", apus), *results.items()]:
        if result:
            found = f"{result['objective']:15.9g}{result['gradient']:10.1e}" if result["objective"] is not None else ""
            print(
                f"  {name:24}{result['fitWall']:10.4f}{result['fitCPU']:11.4f}{result['predictWall']:11.4f}"
                f"{result['peakBytes'] / 1e6:11.1f}{result['quality']:12.6g}{found}"
            )
        else:
            print(f"  {name:24}{'failed':>10}")
    peers = {name: result for name, result in results.items() if result}
    if not apus or not peers:
        return {}
    ratios = {}
    for cost in ("fitWall", "fitCPU", "predictWall", "predictCPU", "peakBytes"):
        name, fastest = min(peers.items(), key=lambda item: item[1][cost])
        ratios[cost] = fastest[cost] / apus[cost] if apus[cost] else float("nan")
        print(f"  {cost}: {'leanest' if cost == 'peakBytes' else 'fastest'} peer ({name}) / apus = {ratios[cost]:.2f}")
    if floor:
        ratios["floor"] = floor
        print(f"  floor of the fit {floor:.4f} s: apus takes {apus['fitCPU'] / floor:.1f} times as much CPU")
    sys.stdout.flush()
    return ratios


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--apus", required=True)
    parser.add_argument("--case", action="append", help="only this case")
    parser.add_argument("--cases", action="store_true", help="only single fits")
    parser.add_argument("--threads", type=int, action="append", help="1 and all CPUs unless given")
    parser.add_argument("--repeats", type=int)
    parser.add_argument("--sweeps", action="store_true", help="only whole searches")
    parser.add_argument("--sweep", action="append", help="only this search")
    parser.add_argument("--joblib", action="store_true", help="searches also beside GridSearchCV with joblib's processes")
    parser.add_argument("--peer-folds", type=int, default=1, help="folds that scikit-learn does of the longest searches")
    parser.add_argument("--growth", action="store_true", help="only 1, 4 and 16 times the rows and the columns")
    parser.add_argument("--path-program", help="the program that times the lasso's path")
    parser.add_argument("--paths", action="store_true", help="only the lasso's path")
    parser.add_argument("--output", help="write every measurement to this JSON file")
    options = parser.parse_args()
    unknown = set(options.case or []) - {case.name for case in CASES}
    if unknown:
        parser.error(f"no such case: {', '.join(unknown)}; cases: {', '.join(case.name for case in CASES)}")
    cpus = len(os.sched_getaffinity(0))
    collected, speeds = [], {}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        chosen = options.case or options.cases or options.sweep or options.sweeps or options.growth or options.paths
        for case in CASES if options.case or options.cases or not chosen else []:
            if options.case and case.name not in options.case:
                continue
            split = Split(case.data, case.standardize, folder)
            alone = None
            for threads in options.threads or sorted({1, cpus}):
                runs = {name: [] for name in ["apus", *case.peers]}
                for _ in range(options.repeats or case.repeats):
                    runs["apus"].append(run_apus(options.apus, case, split, threads))
                    for peer in case.peers:
                        runs[peer].append(run_peer(case, peer, threads, folder))
                results = {name: best(measurements) for name, measurements in runs.items()}
                collected.append({"case": case.name, "threads": threads, "results": dict(results)})
                speeds[threads] = speeds.get(threads) or floors.measure(environment_for(threads), threads)
                floor = floors.seconds(case, split, results, speeds[threads])
                fit = (results["apus"] or {}).get("fitWall")
                collected[-1]["ratios"] = report(case, threads, results, floor)
                if threads == 1:
                    alone = fit
                elif alone and fit:
                    slower = slowdown_beside_others(options.apus, case, split, threads, alone, options.repeats or 3)
                    collected[-1]["speedUp"], collected[-1]["slowdown"] = alone / fit, slower
                    print(f"  {threads} threads are {alone / fit:.2f} times as fast as one; {threads} separate fits at once "
                          f"take {slower:.2f} times as long as one, so {threads / slower:.2f} is possible")  # fmt: skip
                    sys.stdout.flush()
        if options.path_program and (options.paths or not chosen):
            collected += paths.compare(options.path_program, folder, HERE, Split, run)
        if options.sweeps or options.sweep or not chosen:
            collected += sweeps.compare(
                options.apus, options.sweep, folder, Split, options.repeats or 1, options.peer_folds, options.joblib)
        if options.growth or not chosen:
            collected += growth.compare(options.apus, folder, run, options.repeats or 3)
    if options.output:
        pathlib.Path(options.output).write_text(json.dumps(collected, indent=1))


if __name__ == "__main__":
    main()

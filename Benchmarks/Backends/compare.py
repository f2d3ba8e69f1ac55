"""Times the backends of Apus and joblib's loky in turns and prints the best round of each."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

CASES = [
    ("start", "start of the pool and its first jobs", 1e3, "ms"),
    ("reuse", "a second call on the same pool", 1e3, "ms"),
    ("jobs", "10,000 empty jobs, each", 1e6 / 10_000, "µs"),
    ("fits", "2,000 ridge fits of 150 × 4 by cross-validation, one fit a job, each", 1e6 / 2_000, "µs"),
    ("grid", "the same grid as Apus plans it (candidates of a fold share work), each fit", 1e6 / 2_000, "µs"),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True, help="the built BackendComparison")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", help="a JSON file for all figures")
    arguments = parser.parse_args()
    workers = str(arguments.workers)
    tools = {
        "threads": [arguments.program, "threads", workers],
        "processes": [arguments.program, "processes", workers],
        "loky": [sys.executable, str(Path(__file__).with_name("loky.py")), workers],
    }
    rounds = {tool: [] for tool in tools}
    for _ in range(arguments.rounds):
        for tool, command in tools.items():
            finished = subprocess.run(command, check=True, capture_output=True, text=True)
            rounds[tool].append(json.loads(finished.stdout))
    best = {tool: {case: min(r[case] for r in rs) for case, *_ in CASES} for tool, rs in rounds.items()}
    print(f"{workers} workers, best of {arguments.rounds} rounds")
    print(f"{'':4}{'threads':>12}{'processes':>12}{'loky':>12}{'loky ÷ processes':>20}  case")
    for case, title, scale, unit in CASES:
        figures = [best[tool][case] * scale for tool in tools]
        cells = "".join(f"{figure:12.1f}" for figure in figures)
        print(f"{unit:4}{cells}{figures[2] / figures[1]:20.1f}  {title}")
    if arguments.output:
        Path(arguments.output).write_text(json.dumps({"best": best, "rounds": rounds}, indent=2))


if __name__ == "__main__":
    main()

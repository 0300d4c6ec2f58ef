#!/usr/bin/env python3
"""Engram beside PyTorch and Avalanche, workload by workload in turn, on the same machine and data.

  python compare.py --engram build/release/engram --data DIR --torch-python PY [--torch-python PY2]
                    [--avalanche-python PY] [--rounds 3] [--threads 1,2] [--only a,b] [--json FILE]

Every program gets every number of threads; the fastest setting counts, by the median over rounds,
among those that were measured in the most rounds. Prints a Markdown table.
"""
import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import workloads
from avalanche_steps import KNOWN
from measure import machine_busy, wait_for_quiet

HERE = Path(__file__).parent


def run_json(command, threads, limit=None):
    """What a program prints as JSON, or None after saying why not. Peers get no `limit` from here:
    they hold each of their own measurements to it."""
    settings = {f"{library}_NUM_THREADS": str(threads) for library in ("OMP", "MKL", "OPENBLAS")}
    try:
        done = subprocess.run(command, env={**os.environ, **settings}, stdout=subprocess.PIPE,
                              text=True, timeout=limit)
        return json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        print(f"no measurement from {' '.join(map(str, command))}: {error}", file=sys.stderr)
        return None


def engram_run(args, name, threads):
    """One measurement, with what others took of the CPUs meanwhile, as the peers report it."""
    wait_for_quiet(args.wait)
    start, busy, used = time.perf_counter(), machine_busy(), children_seconds()
    found = run_json([args.engram, "bench", name, "--json", "-", "--quiet", "--threads", str(threads),
                      "--seconds", str(args.seconds)] + ["--data", args.data] * bool(args.data),
                     threads, args.limit)
    if not found:
        return None, []
    others = machine_busy() - busy - (children_seconds() - used)
    others /= time.perf_counter() - start
    return found.get("engram", ""), [{**w, "variant": "", "others": others}
                                     for w in found.get("workloads", [])]


def children_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def peer_run(program, python, args, name, threads):
    found = run_json([python, HERE / program, "--only", name, "--json", "-", "--threads", str(threads),
                      "--seconds", str(args.seconds), "--wait", str(args.wait),
                      "--limit", str(args.limit)]
                     + ["--data", args.data] * bool(args.data), threads)
    if not found:
        return None, []
    return found["version"], [t for w in found.get("workloads", []) for t in w["tried"]]


def best(samples):
    """The fastest of the settings (threads, variant) by median time; None without measurements.

    Only settings with the most rounds count: one that failed in some must not win by a lucky round.
    """
    most = max(map(len, samples.values()), default=0)
    settings = [{"threads": threads, "variant": variant, "rounds": len(found),
                 **{key: statistics.median(f[key] for f in found)
                    for key in ("step_ms", "samples_per_second", "peak_rss_bytes", "others")}}
                for (threads, variant), found in samples.items() if len(found) == most]
    return min(settings, key=lambda s: s["step_ms"], default=None)


def unique_titles(versions):
    """Columns by program and version; of equal ones all but the first are numbered."""
    titles, seen = {}, defaultdict(int)
    for program, version in versions.items():
        title = program if program == "Engram" else f"{program.split(' #')[0]} ({version})"
        seen[title] += 1
        titles[program] = title if seen[title] == 1 else f"{title} #{seen[title]}"
    return titles


def cpu_name():
    with open("/proc/cpuinfo") as info:
        return next((line.split(":")[1].strip() for line in info if line.startswith("model name")), "?")


def table(names, programs, results):
    """Markdown; the number in brackets is the thread count of the fastest setting."""
    peers = programs[1:]
    yield "| workload | Engram ms |" + "".join(f" {p} ms | ratio |" for p in peers) + "".join(
        f" {p} RSS MB |" for p in programs if not p.startswith("Avalanche"))
    yield "|---|---|" + "---|---|" * len(peers) + "---|" * sum(
        not p.startswith("Avalanche") for p in programs)
    for name in names:
        row = [results[p].get(name) for p in programs]
        times = [f"{r['step_ms']:.3g} ({r['threads']})" if r else "–" for r in row]
        cells = [name, times[0]]
        for time_, r in zip(times[1:], row[1:]):
            cells += [time_, f"{r['step_ms'] / row[0]['step_ms']:.1f}x" if r and row[0] else "–"]
        cells += [f"{r['peak_rss_bytes'] / 1e6:.0f}" if r else "–"
                  for p, r in zip(programs, row) if not p.startswith("Avalanche")]
        yield f"| {' | '.join(cells)} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engram", required=True)
    parser.add_argument("--data", help="folder that holds mnist/; random images without it")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--torch-python", action="append", default=[], help="may be repeated")
    parser.add_argument("--avalanche-python", help="a Python that has Avalanche")
    parser.add_argument("--only", default="", help="comma-separated names of workloads")
    parser.add_argument("--seconds", type=float, default=3, help="per measurement")
    parser.add_argument("--limit", type=float, default=600, help="seconds of a measurement at most")
    parser.add_argument("--wait", type=float, default=0, help="at most so long for a quiet machine")
    parser.add_argument("--json", metavar="FILE", help="all measurements")
    args = parser.parse_args()
    names = [w.name for w in workloads.chosen(args.only)]
    runs = {"Engram": lambda name, threads: engram_run(args, name, threads)}
    for i, python in enumerate(args.torch_python):
        runs[f"PyTorch #{i}"] = lambda name, threads, python=python: peer_run(
            "torch_steps.py", python, args, name, threads)
    if args.avalanche_python:
        runs["Avalanche"] = lambda name, threads: peer_run(
            "avalanche_steps.py", args.avalanche_python, args, name, threads) \
            if name in KNOWN else (None, [])

    samples = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    versions, everything = {}, []
    for turn in range(args.rounds):
        for name in names:
            for program, run in runs.items():
                for threads in map(int, args.threads.split(",")):
                    version, found = run(name, threads)
                    versions[program] = version or versions.get(program) or "?"
                    for one in found:
                        samples[program][name][threads, one["variant"]].append(one)
                        everything.append({"program": program, "round": turn, "threads": threads, **one})
            print(f"round {turn + 1}: {name}", file=sys.stderr)
    titles = unique_titles(versions)
    results = {titles[p]: {n: best(samples[p][n]) for n in names} for p in runs}
    core = os.environ.get("OPENBLAS_CORETYPE", "unset")
    print(f"{cpu_name()}, {os.cpu_count()} CPUs; Engram {versions['Engram']}; OPENBLAS_CORETYPE {core}; "
          f"medians of {args.rounds} rounds in turn; (threads) of the fastest setting.\n")
    print("\n".join(table(names, list(titles.values()), results)))
    if args.json:
        Path(args.json).write_text(json.dumps({
            "cpu": cpu_name(), "cpus": os.cpu_count(), "openblas_coretype": core, "versions": versions,
            "best": results, "measurements": everything}, indent=1))


if __name__ == "__main__":
    main()

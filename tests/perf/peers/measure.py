"""Timing, and one process per measurement; shared by the programs of the peers."""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

import workloads

BLOCKS = 9
DISTURBED = 0.1  # of one CPU, taken by others: measured again


def blocks_of(run, seconds, units=1):
    """Calls `run`, which does `units` steps, for about `seconds`: ms per step of each block, CPUs
    used by this process and by others meanwhile, and what `run` returned last."""
    start, calls = time.perf_counter(), 0
    while calls < 2 or time.perf_counter() - start < seconds / 10:  # warms up, and sizes the blocks
        run()
        calls += 1
    per_block = max(1, round(seconds / BLOCKS / ((time.perf_counter() - start) / calls)))
    blocks, begin, own, busy = [], time.perf_counter(), time.process_time(), machine_busy()
    while len(blocks) < 5 or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        for _ in range(per_block):
            last = run()
        blocks.append((time.perf_counter() - start) * 1000 / per_block / units)
    took, own = time.perf_counter() - begin, time.process_time() - own
    return {"blocks": blocks, "cpus": own / took, "others": (machine_busy() - busy - own) / took,
            "result": last}


def machine_busy():
    """CPU seconds that all processes have used, and that the hypervisor took away."""
    with open("/proc/stat") as stat:
        user, nice, system, _idle, _wait, irq, soft, steal = map(int, stat.readline().split()[1:9])
    return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK")


def wait_for_quiet(limit):
    """Waits until nothing else runs, `limit` seconds at most. OpenMP threads spin: two of them on one
    free core are not half as fast but ten to two hundred times as slow."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        busy = machine_busy()
        time.sleep(1)
        if machine_busy() - busy <= DISTURBED:
            return


def peak_rss():
    """High-water mark of this process. Not ru_maxrss: that one inherits its starter's."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def main(program, measure, known=None):
    """Command line of a peer. Started by a user, it starts itself once per workload and variant, so
    that each has its own memory and a fresh allocator. `measure(workload, variant, args)` returns
    what blocks_of does, "samples" per step and "version"; it raises if there is no such variant."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder that holds mnist/; random images without it")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", default="", help="comma-separated names of workloads")
    parser.add_argument("--seconds", type=float, default=5, help="per measurement")
    parser.add_argument("--limit", type=float, default=600, help="seconds of a measurement at most")
    parser.add_argument("--wait", type=float, default=0, help="at most so long for a quiet machine")
    parser.add_argument("--json", metavar="FILE", help="- for standard output, without the table")
    parser.add_argument("--variant", help=argparse.SUPPRESS)
    args = parser.parse_args()
    wanted = [w for w in workloads.chosen(args.only) if not known or w.name in known]
    if args.variant:
        json.dump(one(wanted[0], json.loads(args.variant), measure, args), sys.stdout)
        return
    results = {"program": program, "version": None, "threads": args.threads, "workloads": []}
    for w in wanted:
        if not (tried := [t for v in w.variants() if (t := undisturbed(w, v, args))]):
            continue
        best = min(tried, key=lambda t: t["step_ms"])
        results["version"] = best["version"]
        results["workloads"].append({**best, "tried": tried})
        if args.json != "-":
            show(results)
    if args.json:
        with (sys.stdout if args.json == "-" else open(args.json, "w")) as file:
            json.dump(results, file, indent=1)


def one(w, variant, measure, args):
    found = measure(w, variant, args)
    ms = statistics.median(found.pop("blocks"))
    name = " ".join(k if v is True else f"{k} {v}" for k, v in variant.items()) or "default"
    return {"name": w.name, "step_ms": ms, "samples_per_second": found.pop("samples") * 1000 / ms,
            "peak_rss_bytes": peak_rss(), "variant": name, **found}


def undisturbed(w, variant, args):
    """The least disturbed of up to three tries; None if even the first fails."""
    tries = []
    while len(tries) < 3 and not (tries and tries[-1]["others"] < DISTURBED):
        wait_for_quiet(args.wait)
        if not (found := child(w, variant, args)):
            break
        tries.append(found)
    return min(tries, key=lambda t: t["others"], default=None)


def child(w, variant, args):
    command = [sys.executable, sys.argv[0], "--threads", str(args.threads), "--only", w.name,
               "--seconds", str(args.seconds), "--variant", json.dumps(variant)]
    settings = {f"{library}_NUM_THREADS": str(args.threads) for library in ("OMP", "MKL", "OPENBLAS")}
    if variant.get("huge_pages"):
        settings["THP_MEM_ALLOC_ENABLE"] = "1"  # PyTorch's own switch, read by its allocator
    try:
        done = subprocess.run(command + (["--data", args.data] if args.data else []),
                              env={**os.environ, **settings}, text=True, capture_output=True,
                              timeout=args.limit)
        if done.returncode == 0:
            return json.loads(done.stdout.splitlines()[-1])
        reason = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
    except subprocess.TimeoutExpired:
        reason = f"no measurement within {args.limit:g} seconds"
    print(f"{w.name} {json.dumps(variant)}: {reason}", file=sys.stderr)
    return None


def show(results):
    row = results["workloads"][-1]
    if len(results["workloads"]) == 1:
        print(f"{results['program']} {results['version']}, {results['threads']} thread(s)\n"
              "| workload | ms | samples/s | RSS, MB | CPUs | others | fastest variant | all, ms |\n"
              "|---|---|---|---|---|---|---|---|")
    tried = ", ".join(f"{t['variant']} {t['step_ms']:.4g}" for t in row["tried"])
    print(f"| {row['name']} | {row['step_ms']:.3f} | {row['samples_per_second']:.0f} "
          f"| {row['peak_rss_bytes'] / 1e6:.0f} | {row['cpus']:.2f} | {row['others']:.2f} "
          f"| {row['variant']} | {tried} |", flush=True)

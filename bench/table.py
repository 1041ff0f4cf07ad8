"""Turns Google Benchmark's JSON into one table: each piece of work by plain LibTorch and by ours, side by side.

usage: table.py RESULTS.json ...
"""

import json
import statistics
import sys
from collections import defaultdict


class Results:
    """Rates by work, variant and number of threads, from "work/variant/threads/real_time"."""

    def __init__(self, files):
        self.rates = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
        self.memory = defaultdict(lambda: defaultdict(float))
        self.units, self.flops, self.cores = {}, {}, 0
        for name in files:
            with open(name, encoding="utf-8") as file:
                document = json.load(file)
            self.cores = document["context"]["num_cpus"]
            for run in document["benchmarks"]:
                if run["run_type"] == "iteration":
                    self.add(run)

    def add(self, run):
        if run.get("error_occurred"):
            sys.exit(f"{run['name']}: {run['error_message']}")
        work, variant, threads = run["name"].split("/")[:3]
        self.rates[work][variant][int(threads)].append(run["items_per_second"])
        self.memory[work][variant] = max(self.memory[work][variant], run["peak_mib"])
        self.units[work] = run["label"]
        self.flops[work] = run["flops"]

    def best(self, work, variant):
        """The rate with the better number of threads, each the median of its repetitions, and that number."""
        rates = self.rates[work].get(variant, {})
        return max(((statistics.median(found), threads) for threads, found in rates.items()), default=(0, 0))

    def peak(self, precision):
        """Of all matrix products in "float32" or "bfloat16", in FLOP/s."""
        return max((self.best(work, variant)[0] * self.flops[work]
                    for work, variants in self.rates.items() for variant in variants
                    if work.startswith("matrix product") and precision_of(work) == precision), default=0)


def precision_of(work):
    return "bfloat16" if work.endswith("bfloat16") else "float32"


def number(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def rows(results):
    peaks = {precision: results.peak(precision) for precision in ("float32", "bfloat16")}
    for work, variants in results.rates.items():
        ours, our_threads = results.best(work, "ours")
        done = ours * results.flops[work]
        peak = peaks[precision_of(work)]
        our_cells = [f"{number(ours)} ({our_threads})" if ours else ""]
        has_memory = ours and results.units[work] != "starts"  # those are other processes
        rest = [number(done / 1e9) if done else "", f"{done / peak:.0%}" if done and peak else "",
                number(results.memory[work]["ours"]) if has_memory else ""]
        for i, variant in enumerate(sorted(v for v in variants if v != "ours") or [None]):
            plain, threads = results.best(work, variant)
            first = [work, results.units[work]] if i == 0 else ["", ""]
            kind = (variant or "").removeprefix("plain").strip(", ")
            compared = [kind, f"{number(plain)} ({threads})" if plain else ""]
            ratio = [f"{ours / plain:.2f}" if ours and plain else ""]
            yield first + compared + (our_cells if i == 0 else [""]) + ratio + (rest if i == 0 else [""] * 3)


def main():
    results = Results(sys.argv[1:])
    print("| work | per second: | plain | | ours | ours / plain | GFLOP/s | of peak | MiB |")
    print("| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for row in rows(results):
        print("| " + " | ".join(row) + " |")
    print(f"\nOn {results.cores} cores. Rates are medians of the repetitions, with the better number of threads (in "
          "brackets). MiB: the process's peak memory during ours. Peak: the fastest matrix product of the same precision.")


if __name__ == "__main__":
    main()

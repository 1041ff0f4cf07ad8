"""Turns Google Benchmark's JSON into one table: work, plain, ours, ratio, share of the matrix-product peak.

usage: table.py results.json
"""

import json
import sys


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        document = json.load(file)
    rates, units, flops = {}, {}, {}
    for run in document["benchmarks"]:
        # "work/variant/threads/real_time", several times when repetitions are asked for
        if run["run_type"] != "iteration":
            continue
        if run.get("error_occurred"):
            sys.exit(f"{run['name']}: {run['error_message']}")
        work, variant, threads = run["name"].split("/")[:3]
        rates.setdefault(work, {}).setdefault(variant, {}).setdefault(int(threads), []).append(run["items_per_second"])
        units[work] = run.get("label", "")
        flops[work] = run.get("flops", 0)

    def best(work, variant):
        """The fastest number of threads, each by the median of its repetitions."""
        by_threads = {t: sorted(r)[len(r) // 2] for t, r in rates[work].get(variant, {}).items()}
        return max(((rate, t) for t, rate in by_threads.items()), default=(0, 0))

    def peak(suffix):
        work = "matrix product" + suffix
        return max((best(work, v)[0] * flops[work] for v in rates.get(work, {})), default=0)

    print("| work | | plain | threads | ours | threads | ours / best plain | GFLOP/s | of peak |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for work, variants in rates.items():
        plains = [v for v in variants if v != "ours"] or [None]
        ours, our_threads = best(work, "ours")
        top = max(best(work, v)[0] for v in plains if v) if plains[0] else 0
        done = ours * flops[work]
        half = ", bfloat16" if work.endswith("bfloat16") else ""
        for i, plain in enumerate(plains):
            rate, threads = best(work, plain) if plain else (0, 0)
            kind = (plain or "").removeprefix("plain").strip(", ")
            cells = [work if i == 0 else "", kind or units[work], f"{rate:.4g}" if rate else "", str(threads or "")]
            if i == 0:
                cells += [f"{ours:.4g}", str(our_threads), f"{ours / top:.2f}" if top else "",
                          f"{done / 1e9:.0f}" if done else "", f"{100 * done / peak(half):.0f} %" if done and peak(half) else ""]
            else:
                cells += [""] * 5
            print("| " + " | ".join(cells) + " |")
    host = document["context"]
    print(f"\n{host['num_cpus']} cores; each figure is the median of its repetitions, per second, with the better number of "
          f"threads. Peak: the fastest matrix product above, {peak('') / 1e9:.0f} GFLOP/s in float32"
          f"{', %.0f in bfloat16' % (peak(', bfloat16') / 1e9) if peak(', bfloat16') else ''}.")


if __name__ == "__main__":
    main()

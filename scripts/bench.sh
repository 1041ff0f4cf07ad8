#!/usr/bin/env bash
# Measures the parts' speed beside plain LibTorch renderings of the same arithmetic (bench/) and prints one table, kept
# in build/bench/table.md. Close other programs first; it takes six minutes. Arguments go to Google Benchmark, e.g.
#   scripts/bench.sh --benchmark_filter='^encode'
set -euo pipefail
cd "$(dirname "$0")/.."
export GOMP_SPINCOUNT=${GOMP_SPINCOUNT:-2000} # threads that wait long for each other take the cores from others
scripts/setup.sh
cmake --preset release -DLTAD_BUILD_BENCH=ON >/dev/null
cmake --build --preset release --target ltad_bench commands
bench=build/release/bin/ltad_bench
out=build/bench
rm -rf "$out/results"
mkdir -p "$out/results"

# Variants of a work take turns, so that what else the machine does falls on all of them.
measure() { # FILE [ARGUMENT ...]
  "$bench" --benchmark_repetitions=3 --benchmark_enable_random_interleaving=true --benchmark_min_time=0.2 \
    --benchmark_out="$out/results/$1.json" --benchmark_out_format=json "${@:2}" >>"$out/log.txt"
}

: >"$out/log.txt"
if (($# > 0)); then
  measure some "$@"
else
  "$bench" --check | tee "$out/check.txt" >&2
  # Each work in a process of its own, which does not inherit memory from others.
  count=100
  "$bench" --works | while read -r work; do
    echo "$work" >&2
    measure $((count++)) "--work=$work"
  done
fi
python3 bench/table.py "$out"/results/*.json | tee "$out/table.md"

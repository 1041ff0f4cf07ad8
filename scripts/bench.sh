#!/usr/bin/env bash
# Measures the parts' speed beside plain LibTorch renderings of the same arithmetic (bench/) and prints one table, kept in
# build/bench/table.md. Close other programs first. Arguments go to Google Benchmark, e.g.
#   scripts/bench.sh --benchmark_filter='^encode'
set -euo pipefail
cd "$(dirname "$0")/.."
export GOMP_SPINCOUNT=2000
scripts/setup.sh
cmake --preset release -DLTAD_BUILD_BENCH=ON >/dev/null
cmake --build --preset release --target ltad_bench commands
mkdir -p build/bench
build/release/bin/ltad_bench --check >build/bench/check.txt
# Plain and ours in turns, so that what else the machine does falls on both.
build/release/bin/ltad_bench --benchmark_repetitions=3 --benchmark_enable_random_interleaving=true \
  --benchmark_min_time=0.5 --benchmark_out=build/bench/results.json --benchmark_out_format=json "$@" >build/bench/log.txt
python3 bench/table.py build/bench/results.json | tee build/bench/table.md
bench/startup.sh build/release/bin | tee -a build/bench/table.md
python3 bench/peak_memory.py build/release/bin/ltad_bench --benchmark_filter='86.6 million' | tee -a build/bench/table.md

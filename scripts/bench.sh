#!/usr/bin/env bash
# Measures the parts' speed (bench/) on this machine; close other programs first. Arguments go to Google Benchmark, e.g.
#   scripts/bench.sh --benchmark_filter=encode
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
cmake --preset release -DLTAD_BUILD_BENCH=ON >/dev/null
cmake --build --preset release --target ltad_bench
exec build/release/bin/ltad_bench "$@"

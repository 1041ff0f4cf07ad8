#!/usr/bin/env bash
# How time and memory grow with pictures, classes and grid (build/bench/growth/growth.md and growth.svg), and a training on
# more features than the memory holds. About three minutes; close other programs first. Arguments: axes, see growth.py.
set -euo pipefail
cd "$(dirname "$0")/.."
export GOMP_SPINCOUNT=${GOMP_SPINCOUNT:-2000} # threads that wait long for each other take the cores from others
scripts/setup.sh
cmake --preset release -DLTAD_BUILD_BENCH=ON >/dev/null
cmake --build --preset release --target ltad_growth commands
python3 bench/growth/growth.py build/release/bin build/bench/growth "$@"
(($# > 0)) || python3 bench/growth/larger.py build/release/bin

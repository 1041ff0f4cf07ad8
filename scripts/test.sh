#!/usr/bin/env bash
# Installs what is missing, builds, and runs all tests. Arguments go to ctest, e.g. scripts/test.sh -L fast
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh --tests
strict=OFF
[ "${CI:-}" = true ] && strict=ON  # warnings are errors
echo "test: building (build/release)" >&2
cmake --preset release -DLTAD_BUILD_TESTS=ON -DLTAD_WERROR=$strict >/dev/null
cmake --build --preset release
exec ctest --preset release "$@"

#!/usr/bin/env bash
# What a stranger does, and how long it takes: a clone in an empty folder (whose name has a space and an accent), set-up,
# build, a small run of the main job, and a program that uses the installed package. pip is reduced to the public index:
# no configuration, constraint, extra index, find-links or cache. Needs a network, 4 GB of disk, minutes; not part of CI.
#   --as-configured  pip as this machine has it set up
#   --demo           scripts/demo.sh in the place of the small run
#   --keep           leaves the clone
# A revision to clone may follow; HEAD is the default.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly SOURCE=$PWD

CONFIGURED=false DEMO=false KEEP=false REVISION=HEAD
for argument in "$@"; do
  case "$argument" in
    --as-configured) CONFIGURED=true ;;
    --demo) DEMO=true ;;
    --keep) KEEP=true ;;
    --*) echo "check_fresh: unknown argument $argument" >&2; exit 2 ;;
    *) REVISION=$argument ;;
  esac
done

WORK=$(mktemp -d "${TMPDIR:-/tmp}/ltad fräsh XXXXXX")
readonly WORK CLONE=$WORK/clone TIMES=$WORK/times
cleanup() { if $KEEP; then echo "check_fresh: left in $WORK" >&2; else rm -rf "$WORK"; fi; }
trap cleanup EXIT
mkdir "$WORK/home"

# What a network may need stays: proxies and certificates.
export GOMP_SPINCOUNT=${GOMP_SPINCOUNT:-2000} # threads that wait for each other must not starve on a busy machine
ENVIRONMENT=("HOME=$WORK/home" "PATH=$PATH" "GOMP_SPINCOUNT=$GOMP_SPINCOUNT" PIP_CONFIG_FILE=/dev/null PIP_NO_CACHE_DIR=1)
for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY SSL_CERT_FILE SSL_CERT_DIR PIP_CERT \
  REQUESTS_CA_BUNDLE TERM CMAKE_BUILD_PARALLEL_LEVEL; do
  [ -z "${!name:-}" ] || ENVIRONMENT+=("$name=${!name}")
done

step() { # WHAT COMMAND...: in the clone, timed
  local what=$1 start=$SECONDS
  shift
  echo "check_fresh: $what" >&2
  if $CONFIGURED; then (cd "$CLONE" && "$@"); else (cd "$CLONE" && env -i "${ENVIRONMENT[@]}" "$@"); fi
  printf '%5d s  %s\n' $((SECONDS - start)) "$what" >>"$TIMES"
}

build() {
  step "configure" cmake --preset release -DLTAD_BUILD_TESTS=OFF
  step "build of the commands" cmake --build --preset release --target commands
}

# One OpenMP in the process, and no library missing.
check_libraries() {
  local found
  found=$(ldd "$CLONE/build/release/bin/ltad-train")
  if grep 'not found' <<<"$found" >&2 || [ "$(grep -c 'libgomp' <<<"$found")" -ne 1 ]; then
    echo "check_fresh: ltad-train's libraries are not as they must be" >&2
    exit 1
  fi
}

small_run() {
  local bin=build/release/bin
  cat >"$CLONE/small.json" <<'JSON'
{
  "extends": "configs/align-lite.json",
  "name": "small",
  "dataset": {"layout": "mvtec", "root": "data/small"},
  "split": {"type": "step", "imbalance_factor": 4, "class_order": "alphabetical"},
  "phase1": {"epochs": 2},
  "phase2": {"epochs": 4}
}
JSON
  step "data set" $bin/ltad-synth --out data/small --classes 4 --train 16 --test-good 4 --test-defective 2
  step "encoder" scripts/align_lite.sh
  step "training" $bin/ltad-train fit --config small.json
  step "evaluation" $bin/ltad-eval --config small.json --report report
  [ -s "$CLONE/runs/small/eval/results.json" ] && [ -s "$CLONE/report/index.html" ]
}

use_installed() {
  step "installation" cmake --install build/release --prefix "$WORK/installed"
  step "a program that uses the installed package" cmake -G Ninja -S tests/consumer -B "$WORK/consumer" \
    "-DCMAKE_PREFIX_PATH=$WORK/installed" -DCMAKE_BUILD_TYPE=Release
  step "its build" cmake --build "$WORK/consumer"
  step "its run" "$WORK/consumer/consumer"
  step "an installed command" "$WORK/installed/bin/ltad-train" --version
}

git clone --quiet --no-local "$SOURCE" "$CLONE"
git -C "$CLONE" checkout --quiet --detach "$(git rev-parse "$REVISION")"
if $DEMO; then
  step "scripts/demo.sh" scripts/demo.sh
  check_libraries
else
  step "set-up" scripts/setup.sh
  build
  check_libraries
  small_run
fi
use_installed
torch=$(cd "$CLONE/.deps/torch-"*/ && ls -d torch-*.dist-info)
echo "check_fresh: all is well with $torch on $(lscpu | sed -n 's/^Model name: *//p' | head -n 1)"
cat "$TIMES"

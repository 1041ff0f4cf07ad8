#!/usr/bin/env bash
# What the default encoder brings, and what the learned names do: LTAD with align-lite, three seeds, beside one run with
# random weights of the same network; then names learned, unlearned ("object object") and exchanged between the classes
# at test time (left out with NAMES=no). On the demo's data, or on any config:
#   scripts/study_align_lite.sh CONFIG [--set KEY=VALUE ...]
# Runs go to runs/study-<the config's name>-*; finished ones are not repeated.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PWD/build/release/bin:$PATH
export GOMP_SPINCOUNT=${GOMP_SPINCOUNT:-2000}
config=${1:-configs/demo/demo.json}
shift || true
options=("$@")
base=runs/study-$(ltad-eval --config "$config" "${options[@]}" --print-config |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["name"])')

run() {  # NAME [--set ...]: both phases and the evaluation, on one thread
  local out=$base-$1
  shift
  set -- --config "$config" "${options[@]}" --set threads=1 --set output="$out" "$@"
  ltad-train phase1 --resume "$@" >"$out.log" 2>&1
  ltad-train phase2 --resume "$@" >>"$out.log" 2>&1
  ltad-eval "$@" >>"$out.log" 2>&1
  echo "study: $out is finished" >&2
}

exchanged() {  # SEED: evaluates a finished run with each class under another's name; its own results stay
  local out=$base-$1
  set -- --config "$config" "${options[@]}" --set threads=1 --set output="$out" --set seed="$1"
  ltad-eval "$@" --set scoring.names=exchanged --format json >"$out-exchanged.json" 2>>"$out.log"
  ltad-eval "$@" >/dev/null 2>>"$out.log"
}

at_once=$(nproc)
later() {  # COMMAND: in the background, as many as there are cores
  if [ "$(jobs -rp | wc -l)" -ge "$at_once" ]; then wait -n; fi
  "$@" &
}

finish() { while [ -n "$(jobs -rp)" ]; do wait -n; done; }

scripts/align_lite.sh
[ -f models/random-lite/config.json ] ||
  ltad-pretrain init --config models/align-lite/config.json --out models/random-lite
mkdir -p runs
for seed in 1 2 3; do later run $seed --set seed=$seed; done
later run random --set seed=1 --set encoder.path=models/random-lite
names=()
seeds() { echo "$base-$1"1"$2,$base-$1"2"$2,$base-$1"3"$2"; }
if [ "${NAMES:-yes}" = yes ]; then
  for seed in 1 2 3; do later run unlearned-$seed --set seed=$seed --set prompts.learned=false; done
  finish
  for seed in 1 2 3; do exchanged $seed; done
  names=("names unlearned=$(seeds unlearned- /eval/results.json)" "names exchanged=$(seeds "" -exchanged.json)")
fi
finish

scripts/mean_results.py "align-lite=$(seeds "" /eval/results.json)" "random weights=$base-random/eval/results.json" \
  "${names[@]}"

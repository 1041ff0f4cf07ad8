#!/usr/bin/env bash
# How long a command takes to answer --help and a wrong config, beside loading LibTorch alone: startup.sh BIN_FOLDER
set -euo pipefail
bin=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
echo '{"no_such_key": 1}' >"$folder/wrong.json"

# Seconds of the fastest of seven runs; a command may fail, that is what it is for here.
fastest() {
  local best=999 start took
  for _ in 1 2 3 4 5 6 7; do
    start=$(date +%s%N)
    "$@" >/dev/null 2>&1 || true
    took=$((($(date +%s%N) - start) / 1000000))
    ((took < best)) && best=$took
  done
  echo "$best"
}

echo
echo "| start-up | ms |"
echo "| --- | ---: |"
echo "| loading LibTorch (ltad_bench --help) | $(fastest "$bin/ltad_bench" --help) |"
echo "| ltad-split --help (without LibTorch) | $(fastest "$bin/ltad-split" --help) |"
for command in ltad-train ltad-eval; do
  echo "| $command --help | $(fastest "$bin/$command" --help) |"
done
echo "| ltad-train phase1, a wrong key in the config | $(fastest "$bin/ltad-train" phase1 --config "$folder/wrong.json") |"

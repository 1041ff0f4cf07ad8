#!/usr/bin/env bash
# The main job from nothing: installs what is missing, builds, makes a small inspection data set and an encoder, trains
# LTAD on a long-tailed split of it, and prints the table. Everything stays below this folder: .deps, build, data/demo,
# models/align-lite, features, runs/demo. Each step that is finished already is skipped. Without a network for the
# encoder's pretrained weights random ones take their place (models/demo-random, runs/demo-random).
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\ndemo: %s\n' "$*" >&2; }

say "1/7 set-up"
scripts/setup.sh

say "2/7 build (a few minutes the first time)"
cmake --preset release >/dev/null
cmake --build --preset release --target commands >&2
PATH=$PWD/build/release/bin:$PATH
export GOMP_SPINCOUNT=${GOMP_SPINCOUNT:-2000}  # threads that wait for each other must not starve on a busy machine

say "3/7 data set: 12 classes of generated pictures in data/demo"
rm -rf data/demo.part-*  # left by a kill
[ -d data/demo ] || ltad-synth --out data/demo

run=demo
say "4/7 encoder: models/align-lite, pretrained (EfficientNet-Lite0, MiniLM)"
if ! scripts/align_lite.sh; then
  run=demo-random
  say "4/7 encoder: RANDOM weights in models/demo-random; this shows that everything works, not how well LTAD detects"
  [ -f models/demo-random/config.json ] ||
    ltad-pretrain init --config configs/encoders/demo.json --out models/demo-random
fi
config=configs/demo/${run/demo-random/random}.json

say "5/7 phase 1: class names and feature VAE"
ltad-train phase1 --resume --config "$config"

say "6/7 phase 2: reconstruction module and semantic head"
ltad-train phase2 --resume --config "$config"

say "7/7 evaluation"
ltad-eval --config "$config" --report "runs/$run/report"
say "results are in runs/$run/eval: results.json, table.md, scores.csv; to look at: runs/$run/report/index.html"

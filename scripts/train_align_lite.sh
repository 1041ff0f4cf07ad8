#!/usr/bin/env bash
# Makes models/align-lite/projection.safetensors, the part of the default encoder that is ours, from nothing but the
# pinned packages and generated pairs (configs/pretrain/align-lite.json), in runs/align-lite. Not needed to use it.
# Arguments go to ltad-pretrain train, e.g. --set contrastive.epochs=5
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/weights.sh
PATH=$PWD/build/release/bin:$PATH
export GOMP_SPINCOUNT=${GOMP_SPINCOUNT:-2000}
[ -f models/align-lite-start/config.json ] ||
  ltad-pretrain import --image .deps/weights/lite0/*.pth --text .deps/weights/minilm --out models/align-lite-start
ltad-pretrain train --resume --config configs/pretrain/align-lite.json "$@"
cp runs/align-lite/updates.safetensors models/align-lite/projection.safetensors
echo "models/align-lite/projection.safetensors is new; remove models/align-lite/config.json to have it imported" >&2

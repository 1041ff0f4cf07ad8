#!/usr/bin/env bash
# Installs what the build needs: Debian packages through apt, LibTorch from a pinned pip package into .deps/ of this
# checkout; and fetches the pretrained weights of the default encoder, which becomes models/align-lite once
# ltad-pretrain is built. With --tests also the browser that the report's tests open pages in. Safe to call again: with
# everything in place it does nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly TORCH_VERSION=2.13.0
readonly TORCH_DIR=.deps/torch-$TORCH_VERSION
PACKAGES=(
  g++ cmake ninja-build git python3 python3-pip
  libopencv-core-dev libopencv-imgcodecs-dev libpng-dev libjpeg-dev libtiff-dev libwebp-dev libssl-dev libutf8proc-dev
  libcli11-dev nlohmann-json3-dev libspdlog-dev libsentencepiece-dev libgtest-dev libgmock-dev libbenchmark-dev
)

[ "${1:-}" = --tests ] && PACKAGES+=(chromium fonts-dejavu-core)

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { printf 'setup: %s\n' "$@" >&2; exit 1; }

# A tool counts as there when it can be run, whoever installed it; a library when its Debian package is installed.
missing_packages() {
  local package
  for package in "${PACKAGES[@]}"; do
    case "$package" in
      g++ | cmake | git | python3) command -v "$package" >/dev/null && continue ;;
      ninja-build) command -v ninja >/dev/null && continue ;;
      python3-pip) python3 -m pip --version >/dev/null 2>&1 && continue ;;
    esac
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || printf '%s\n' "$package"
  done
}

install_packages() {
  local missing as_root=()
  if ! command -v dpkg-query >/dev/null; then
    say "not a Debian system: third_party/README.md lists the libraries to install; CMake says which one it does not find"
    return
  fi
  mapfile -t missing < <(missing_packages)
  [ "${#missing[@]}" -eq 0 ] && return
  command -v apt-get >/dev/null || fail \
    "these are missing and there is no apt-get to install them with: ${missing[*]}" \
    "install their equivalents by hand (third_party/README.md lists names and versions) and run this again"
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "these packages are missing: ${missing[*]}" \
      "ask an administrator to run: apt-get install --no-install-recommends ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing Debian packages: ${missing[*]}"
  "${as_root[@]}" apt-get update -qq || say "apt-get update failed; trying with the lists that are there"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" \
    >/dev/null || fail "apt-get could not install: ${missing[*]}" "see its messages above; is there a network?"
}

# Unpacked beside its final name and renamed, so that an interrupted download never looks finished.
install_libtorch() {
  [ -f "$TORCH_DIR/torch/share/cmake/Torch/TorchConfig.cmake" ] && return
  say "installing LibTorch (pip package torch==$TORCH_VERSION) into $TORCH_DIR"
  rm -rf "$TORCH_DIR.part"
  mkdir -p .deps
  python3 -m pip install --quiet --no-deps --no-compile --target "$TORCH_DIR.part" "torch==$TORCH_VERSION" || fail \
    "pip could not install torch==$TORCH_VERSION" \
    "without a network, unpack any LibTorch >= 2.6 and configure with -DCMAKE_PREFIX_PATH=/path/to/libtorch"
  rm -rf "$TORCH_DIR"
  mv "$TORCH_DIR.part" "$TORCH_DIR"
}

# Nothing else needs them: without, the demo runs with random weights and the tests of these weights are skipped.
fetch_weights() {
  scripts/weights.sh || { say "no pretrained weights; random ones take their place"; return; }
  if [ -x build/release/bin/ltad-pretrain ]; then scripts/align_lite.sh; fi
}

install_packages
install_libtorch
fetch_weights

#!/usr/bin/env bash
# Installs what the build needs: Debian packages through apt, LibTorch out of pinned pip packages into .deps/ of this
# checkout; and fetches the pretrained weights of the default encoder, which becomes models/align-lite once
# ltad-pretrain is built. --tests: also the browser that the report's tests open pages in. --cuda: a LibTorch with CUDA
# and all of its run-time, so that nothing but a driver is needed. Safe to call again: with everything in place it does
# nothing, and what an interrupted call left is mended. A LibTorch of your own: CMAKE_PREFIX_PATH=/path/to/libtorch.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/pip.sh

readonly TORCH_VERSION=2.13.0
readonly TORCH_DIR=.deps/torch-$TORCH_VERSION
PACKAGES=(
  g++ cmake ninja-build git python3
  libopencv-core-dev libopencv-imgcodecs-dev libpng-dev libjpeg-dev libtiff-dev libwebp-dev libssl-dev libutf8proc-dev
  libcli11-dev nlohmann-json3-dev libspdlog-dev libsentencepiece-dev libgtest-dev libgmock-dev libbenchmark-dev
)
OPTIONAL_PACKAGES=() # not every system has them, and nothing fails without
CUDA=()              # for scripts/libtorch.py

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { printf 'setup: %s\n' "$@" >&2; exit 1; }

for argument in "$@"; do
  case "$argument" in
    --tests) OPTIONAL_PACKAGES=(chromium fonts-dejavu-core) ;;
    --cuda) CUDA=(--cuda) ;;
    *) printf 'setup: unknown argument %s; --tests and --cuda are known\n' "$argument" >&2; exit 2 ;;
  esac
done

installed() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'install ok installed'; }

# A tool counts as there when it can be run, whoever installed it; a library when its Debian package is installed.
missing_of() {
  local package
  for package in "$@"; do
    case "$package" in
      g++ | cmake | git | chromium) command -v "$package" >/dev/null && continue ;;
      ninja-build) command -v ninja >/dev/null && continue ;;
      python3) find_python zipfile >/dev/null 2>&1 && continue ;;
      python3-pip) find_python pip >/dev/null 2>&1 && continue ;;
    esac
    installed "$package" || printf '%s\n' "$package"
  done
}

# False for a package that the lists of this system, where it has any, do not name (Ubuntu has no chromium).
known() { ! compgen -G '/var/lib/apt/lists/*Packages*' >/dev/null || [ -n "$(apt-cache show "$1" 2>/dev/null)" ]; }

# Sets AS_ROOT, the words before a command that root is to run; asks for sudo's password where there is a terminal.
become_root() {
  AS_ROOT=()
  [ "$(id -u)" -eq 0 ] && return
  AS_ROOT=(sudo)
  command -v sudo >/dev/null && { sudo -n true 2>/dev/null || sudo -v; }
}

apt_install() {
  "${AS_ROOT[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

install_packages() {
  local missing optional package
  if ! command -v dpkg-query >/dev/null; then
    say "not a Debian system: third_party/README.md lists the libraries to install; CMake says which one it does not find"
    return
  fi
  mapfile -t missing < <(missing_of "${PACKAGES[@]}")
  mapfile -t optional < <(missing_of "${OPTIONAL_PACKAGES[@]}" | while read -r package; do
    if known "$package"; then echo "$package"; fi
  done)
  [ "${#missing[@]}${#optional[@]}" = 00 ] && return
  if ! command -v apt-get >/dev/null || ! become_root; then
    [ "${#missing[@]}" -eq 0 ] || fail "these packages are missing, and installing them takes root: ${missing[*]}" \
      "ask an administrator to run: apt-get install --no-install-recommends ${missing[*]}" \
      "or install their equivalents by hand (third_party/README.md lists names and versions), and run this again"
    say "going on without ${optional[*]}: the tests that need them are skipped"
    return
  fi
  say "installing Debian packages: ${missing[*]} ${optional[*]}"
  "${AS_ROOT[@]}" apt-get update -qq || say "apt-get update failed; trying with the lists that are there"
  [ "${#missing[@]}" -eq 0 ] || apt_install "${missing[@]}" ||
    fail "apt-get could not install: ${missing[*]}" "see its messages above; is there a network?"
  for package in "${optional[@]}"; do
    apt_install "$package" || say "going on without $package: the tests that need it are skipped"
  done
}

# What the presets ask for; an older CMake would only say that it cannot read them.
check_cmake() {
  local found
  found=$(cmake --version 2>/dev/null | sed -n 's/^cmake version //p') || found=0
  printf '3.25\n%s\n' "$found" | sort -CV || fail "CMake 3.25 or newer is needed; this one is $found" \
    "newer ones: the pip package cmake, or Debian 12, Ubuntu 24.04 and later"
}

# Everything is kept in this folder.
check_writable() {
  local folder
  for folder in .deps build; do
    [ -w "$folder" ] || { [ ! -e "$folder" ] && [ -w . ]; } ||
      fail "$PWD/$folder cannot be written to: build in a copy of this folder that is yours (git clone)"
  done
}

# A LibTorch of the user's own, which CMake takes before that of .deps.
own_libtorch() {
  local folder folders
  IFS=: read -r -a folders <<<"${CMAKE_PREFIX_PATH:-}"
  for folder in "${folders[@]}"; do
    [ -e "${folder%%/share/cmake*}/lib/libtorch_cpu.so" ] && return
  done
  return 1
}

libtorch_py() { # COMMAND ARGUMENT...
  local python
  python=$(find_python zipfile) && "$python" scripts/libtorch.py "$@" "${CUDA[@]}"
}

libtorch_problem() { own_libtorch || libtorch_py check "$TORCH_DIR" 2>&1; }

# The wheels of LibTorch and of what it needs: the build without CUDA where an index has it, else the one with CUDA and
# the packages that its CPU library cannot do without. Which Python they are for does not matter.
download_libtorch() {
  local folder=$1 any=(--only-binary=:all: --implementation cp --python-version 3.11 --abi cp311) advice
  advice="without a network, unpack any LibTorch >= 2.6 and set CMAKE_PREFIX_PATH=/path/to/libtorch"
  if [ "${#CUDA[@]}" -gt 0 ]; then
    say "downloading LibTorch with CUDA (pip package torch==$TORCH_VERSION and its CUDA packages, 2 GB or more)"
    pip_download "$folder" "${any[@]}" --no-deps "torch==$TORCH_VERSION,!=$TORCH_VERSION+cpu" ||
      fail "no LibTorch" "$advice"
  else
    say "downloading LibTorch (pip package torch==$TORCH_VERSION; 0.2 GB, or 0.55 GB if there is only one with CUDA)"
    pip_download "$folder" "${any[@]}" --no-deps "torch==$TORCH_VERSION+cpu" 2>/dev/null ||
      pip_download "$folder" "${any[@]}" --no-deps "torch==$TORCH_VERSION" || fail "no LibTorch" "$advice"
  fi
  libtorch_py needs "$folder"/torch-*.whl >"$folder/needs.txt"
  [ ! -s "$folder/needs.txt" ] || pip_download "$folder" "${any[@]}" --requirement "$folder/needs.txt" ||
    fail "what this LibTorch needs of CUDA could not be had" "$advice"
}

# Unpacked beside its final name and renamed, so that an interrupted call never looks finished.
install_libtorch() {
  local problem work
  mkdir -p .deps
  exec 9>.deps/lock
  flock 9
  problem=$(libtorch_problem) && return # another call was at it
  [ ! -e "$TORCH_DIR" ] || say "making $TORCH_DIR anew: $problem"
  rm -rf .deps/part-* "$TORCH_DIR.part" # left by a kill
  work=$(mktemp -d .deps/part-XXXXXX)
  # shellcheck disable=SC2064  # the folder of now
  trap "rm -rf '$work'" EXIT
  download_libtorch "$work"
  libtorch_py unpack "$work/torch" "$work"/*.whl || fail "LibTorch could not be unpacked"
  libtorch_py check "$work/torch" || fail "the LibTorch that pip gave cannot be used here"
  rm -rf "$TORCH_DIR"
  mv -T "$work/torch" "$TORCH_DIR"
  rm -rf "$work"
  exec 9>&-
}

# Nothing else needs them: without, the demo runs with random weights and the tests of these weights are skipped.
fetch_weights() {
  scripts/weights.sh || { say "no pretrained weights; random ones take their place"; return; }
  [ ! -x build/release/bin/ltad-pretrain ] || scripts/align_lite.sh || say "models/align-lite comes after the build"
}

check_writable
libtorch=missing
if libtorch_problem >/dev/null 2>&1; then libtorch=there; else PACKAGES+=(python3-pip); fi
install_packages
check_cmake
[ "$libtorch" = there ] || install_libtorch
fetch_weights

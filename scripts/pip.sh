# Sourced by what fetches pinned Python packages; they are unpacked, never installed, so any Python with pip will do, also
# one that its system manages.

# find_python MODULE: a Python that is new enough and has the module; the one that the user's PATH names may be too old or
# without pip where the system's own will do.
find_python() {
  local python
  for python in python3 /usr/bin/python3; do
    if "$python" -c "import sys, $1; sys.exit(sys.version_info < (3, 9))" 2>/dev/null; then echo "$python"; return 0; fi
  done
  echo "no python3 that is 3.9 or newer and has its module $1 (Debian: python3, python3-pip)" >&2
  return 1
}

# pip_download FOLDER ARGUMENT...: wheels into FOLDER, which also holds what is temporary and the log. Says why it failed.
pip_download() {
  local folder=$1 python
  python=$(find_python pip) || return 1
  if [ -t 2 ]; then exec 3>&2; else exec 3>/dev/null; fi # its progress bar
  TMPDIR=$PWD/$folder PIP_REQUIRE_VIRTUALENV=0 "$python" -m pip download --disable-pip-version-check --no-input \
    --dest "$folder" "${@:2}" >&3 2>"$folder/log" && return 0
  if grep -q 'Retrying' "$folder/log"; then echo "the package index does not answer; is there a network?" >&2; fi
  { grep '^ERROR' "$folder/log" || cat "$folder/log"; } | tail -n 1 >&2
  return 1
}

#!/usr/bin/env bash
# Tries to break every command of a built checkout: signals at random moments, system calls that fail, disks that fill
# up, two at a time; then fuzzes the readers. After each blow the same call must go on to the bytes of an undisturbed
# one. Bounded, not part of CI: with the defaults it takes hours on two cores.
#
#   scripts/torture.sh [--kills N] [--faults N] [--fuzz SECONDS] [--seed N] [--only CASE,CASE,...]
#
# --kills: rounds for each command and signal; --faults: failing calls tried for each command and kind of call;
# --fuzz: for each reader (0: none). Cases: synth pairs make import verify init model pretrain phase1 phase2 fit uniad
# patchcore eval detect repro. Prints what it finds as "VIOLATION ..." and a summary; exit status 1 where it finds any.
set -uo pipefail
cd "$(dirname "$0")/.."
readonly ROOT=$PWD BIN=$PWD/build/release/bin
kills=3 faults=200 fuzz=60 RANDOM=1 only=
while [ $# -gt 0 ]; do
  case $1 in
    --kills) kills=$2 ;; --faults) faults=$2 ;; --fuzz) fuzz=$2 ;; --seed) RANDOM=$2 ;; --only) only=$2 ;;
    *) sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
  shift 2
done
if [ ! -x "$BIN/ltad-repro" ]; then echo "torture: $BIN has no commands; build them first" >&2; exit 2; fi
readonly TOP=$(mktemp -d "${TMPDIR:-/tmp}/ltad-torture-XXXXXX")
readonly WORK=$TOP/work SNAPSHOTS=$TOP/snapshots
trap 'mountpoint -q "$WORK" && umount "$WORK"; rm -rf "$TOP"' EXIT
export OMP_NUM_THREADS=1 GOMP_SPINCOUNT=2000 PATH=$BIN:$PATH
ulimit -c 0
kill_count=0 fault_count=0 disk_count=0 pair_count=0 violations=0
now_ms() { echo $(($(date +%s%N) / 1000000)); }

violation() {
  violations=$((violations + 1))
  echo "VIOLATION $*"
  sed 's/^/    /' "$TOP/err" | tail -5
}

# --- the cases: what is called, and what it makes -------------------------------------------------------------------

readonly ENCODER='{"model_type":"align","projection_dim":80,
  "vision_config":{"width_coefficient":0.25,"depth_coefficient":0.2},
  "text_config":{"vocab_size":200,"hidden_size":16,"num_hidden_layers":1,"num_attention_heads":2,
                 "intermediate_size":32,"max_position_embeddings":16}}'
readonly CONFIG='{"name":"tiny","seed":7,"checkpoint_seconds":0,"threads":1,"encoder":{"path":"encoder"},
  "dataset":{"layout":"mvtec","root":"data","image_size":64},"split":{"type":"step","imbalance_factor":4},
  "phase1":{"epochs":4,"batch_size":4},"phase2":{"epochs":4,"batch_size":4},"decoder":{"resolution":"grid"},
  "reconstruction":{"hidden_dim":16,"heads":2,"encoder_layers":1,"decoder_layers":1,"feedforward_dim":32,
                    "neighbor_size":3}}'
readonly PRETRAIN='{"name":"pre","output":"pre","model":"encoder","checkpoint_seconds":0,"threads":1,
  "pairs":{"list":"pairs/pairs.jsonl","image_size":32,"held_out_every":4},
  "contrastive":{"epochs":4,"batch_size":4,"warmup_steps":2}}'

# The case's call, and what going on with it adds.
define() {
  resume=()
  case $1 in
    synth) call=(ltad-synth --out out --classes 2 --train 3 --test-good 1 --test-defective 1 --size 64) ;;
    pairs) call=(ltad-synth --out out --pairs 12 --size 64) ;;
    make) call=(ltad-split make --config config.json --out out) ;;
    import) call=(ltad-split import --train lists/train.jsonl --test lists/test.jsonl --layout mvtec --root data --out out) ;;
    verify) call=(ltad-split verify lists) ;;
    init) call=(ltad-pretrain init --config encoder.json --out out) ;;
    model) call=(ltad-pretrain import --image "$(echo "$ROOT"/.deps/weights/lite0/*.pth)"
                 --text "$ROOT/.deps/weights/minilm" --out out) ;;
    pretrain) call=(ltad-pretrain train --config pretrain.json) resume=(--resume) ;;
    phase1 | phase2 | fit) call=(ltad-train "$1" --config config.json) resume=(--resume) ;;
    uniad | patchcore) call=(ltad-train fit --config config.json --set method="$1") resume=(--resume) ;;
    eval) call=(ltad-eval --config config.json --report report --maps maps) ;;
    detect) call=(ltad-detect --run runs/tiny --overlays overlays data/woven/test) ;;
    repro) call=(ltad-repro table3 --config config.json --set phase1.epochs=1 --set phase2.epochs=1 --out repro) ;;
  esac
}

cases=(synth pairs make import verify init model pretrain phase1 phase2 fit uniad patchcore eval detect repro)
if ! ls "$ROOT"/.deps/weights/lite0/*.pth >"$TOP/err" 2>&1; then
  echo "model: skipped, .deps/weights is not there (scripts/weights.sh)"
  cases=("${cases[@]/model/}")
fi
[ -n "$only" ] && IFS=, read -ra cases <<<"$only"

run() { (cd "$WORK" && exec "$@" >"$TOP/out" 2>"$TOP/err" </dev/null); }

must() { run "$@" || { echo "torture: the undisturbed call failed: $*" >&2; cat "$TOP/err" >&2; exit 2; }; }

restore() { # by contents, so that the folder may be a mounted disk
  mkdir -p "$WORK" && find "$WORK" -mindepth 1 -delete && cp -a "$SNAPSHOTS/$1/." "$WORK"
}

# All that a call leaves, by content. Features are laid out in segments as interruptions fall, and locks are empty.
state() {
  (cd "$WORK" && find . -type f ! -path './features/*' ! -name lock ! -name '*.lock' ! -name '*.tmp-*' \
    ! -path '*.part-*' -print0 | sort -z | xargs -0 sha256sum)
}

leftovers() { find "$WORK" -name '*.tmp-*' -o -name '*.part-*' | head -3; }

# What each case begins with; the states that undisturbed calls end in.
prepare() {
  mkdir -p "$WORK" "$SNAPSHOTS"
  echo "$ENCODER" >"$WORK/encoder.json"; echo "$CONFIG" >"$WORK/config.json"; echo "$PRETRAIN" >"$WORK/pretrain.json"
  must ltad-synth --out data --classes 3 --train 6 --test-good 2 --test-defective 1 --size 64
  must ltad-synth --out pairs --pairs 24 --size 32
  must ltad-split make --config config.json --out lists
  must ltad-pretrain init --config encoder.json --out encoder
  mkdir -p "$SNAPSHOTS/plain" "$SNAPSHOTS/phase1" "$SNAPSHOTS/trained"
  cp -a "$WORK/." "$SNAPSHOTS/plain"
  must ltad-train phase1 --config config.json
  cp -a "$WORK/." "$SNAPSHOTS/phase1"
  must ltad-train phase2 --config config.json
  cp -a "$WORK/." "$SNAPSHOTS/trained"
}

beginning() {
  case $1 in phase2) echo phase1 ;; eval | detect) echo trained ;; *) echo plain ;; esac
}

measure() { # the undisturbed call: its time, its state, what it prints
  restore "$(beginning "$1")"
  local start; start=$(now_ms)
  must "${call[@]}"
  duration=$(($(now_ms) - start + 1))
  state >"$TOP/expected"
  cp "$TOP/out" "$TOP/expected-out"
}

# The same call once more, undisturbed, must end as the undisturbed one did.
must_recover() {
  run "${call[@]}" "${resume[@]}"
  local status=$?
  # What is there already need not be made again; that is said, and counts when it is whole.
  if [ $status -ne 0 ] && ! grep -q 'is there already' "$TOP/err"; then violation "$1: the next call gave $status"; fi
  if grep -q 'damaged' "$TOP/err"; then violation "$1: left something damaged"; fi
  state >"$TOP/found"
  if ! cmp -s "$TOP/expected" "$TOP/found"; then
    violation "$1: other bytes: $(diff "$TOP/expected" "$TOP/found" | grep '^[<>]' | awk '{print $3}' | sort -u | head -4 | tr '\n' ' ')"
  fi
  local left; left=$(leftovers)
  if [ -n "$left" ] && [ -z "${2:-}" ]; then violation "$1: left $left"; fi
}

# --- the blows ------------------------------------------------------------------------------------------------------

# Signals at random moments, up to five times, then to the end.
kill_rounds() {
  local signal round hit status pid
  for signal in KILL TERM HUP INT; do
    for ((round = 0; round < kills; ++round)); do
      restore "$(beginning "$1")"
      for ((hit = 0; hit < 5; ++hit)); do
        (cd "$WORK" && exec "${call[@]}" "${resume[@]}" >"$TOP/out" 2>"$TOP/err" </dev/null) &
        pid=$!
        sleep "$(awk -v t="$duration" -v r="$RANDOM" 'BEGIN { printf "%.3f", t / 1000 * r / 32768 * 1.1 }')"
        builtin kill -s "$signal" "$pid" 2>>"$TOP/kill"
        wait "$pid" 2>>"$TOP/kill"
        status=$?
        kill_count=$((kill_count + 1))
        if grep -q 'damaged' "$TOP/err"; then violation "$1: $signal left something damaged"; fi
        case $signal:$status in
          *:0) break ;;
          KILL:137 | TERM:143 | HUP:129 | INT:130) ;; # the last three: before the handlers were there
          TERM:130 | HUP:130) ;;
          *) if ! grep -q 'is there already' "$TOP/err"; then violation "$1: $signal gave $status"; fi; break ;;
        esac
        if [ $status -eq 130 ] && [ -n "$(leftovers)" ]; then violation "$1: $signal left $(leftovers)"; fi
      done
      must_recover "$1, $signal" $([ $signal = KILL ] && echo leftovers-allowed)
    done
  done
}

# The k-th call of each kind fails: all of them, or as many as wanted, spread evenly.
fault_rounds() {
  local kind number total k step status
  for kind in write pwrite fsync rename open read mmap; do
    restore "$(beginning "$1")"
    inject "$kind" 0 5 "${call[@]}"
    total=$(cat "$TOP/count")
    step=$(((total + faults - 1) / faults)); [ "$step" -lt 1 ] && step=1
    for ((k = 1; k <= total; k += step)); do
      case $kind in write | pwrite | fsync | rename) number=28 ;; *) number=5 ;; esac # ENOSPC, EIO
      restore "$(beginning "$1")"
      inject "$kind" "$k" "$number" "${call[@]}"
      status=$?
      fault_count=$((fault_count + 1))
      if [ $status -eq 0 ]; then
        state >"$TOP/found"
        cmp -s "$TOP/expected" "$TOP/found" || grep -q 'warning:' "$TOP/err" ||
          violation "$1: $kind $k of $total failed without a word"
      elif [ $status -ne 1 ]; then
        violation "$1: $kind $k of $total gave $status"
      elif ! grep -q 'error:' "$TOP/err"; then
        violation "$1: $kind $k of $total gave no message"
      fi
      if [ -n "$(leftovers)" ]; then violation "$1: $kind $k of $total left $(leftovers)"; fi
      must_recover "$1, $kind $k of $total"
    done
  done
}

inject() {
  local kind=$1 at=$2 number=$3; shift 3
  run env LD_PRELOAD="$TOP/failing_calls.so" LTAD_FAIL_CALL="$kind" LTAD_FAIL_AT="$at" LTAD_FAIL_ERRNO="$number" \
    LTAD_FAIL_UNDER="$WORK" LTAD_FAIL_COUNT="$TOP/count" "$@"
}

# A disk with ever more room; the last has enough.
disk_rounds() {
  local kib status before after part
  restore "$(beginning "$1")"; before=$(du -sk "$WORK" | cut -f1)
  run "${call[@]}"; after=$(du -sk "$WORK" | cut -f1)
  find "$WORK" -mindepth 1 -delete
  for part in 0 1 2 3 5 7; do
    kib=$((before + 64 + (after - before) * part / 8))
    mount -t tmpfs -o size=${kib}k,mode=755 torture "$WORK" || return
    restore "$(beginning "$1")"
    run "${call[@]}"; status=$?
    disk_count=$((disk_count + 1))
    if [ $status -gt 1 ]; then violation "$1: a full disk gave $status"; fi
    if [ $status -eq 1 ] && ! grep -q 'error:' "$TOP/err"; then violation "$1: a full disk gave no message"; fi
    if [ -n "$(leftovers)" ]; then violation "$1: a full disk left $(leftovers)"; fi
    mount -o remount,size=1g "$WORK"
    must_recover "$1, disk of $kib KiB"
    umount "$WORK"
  done
}

# Two at a time: one may find it done or refuse, none may break it.
pair_rounds() {
  local first second one other
  restore "$(beginning "$1")"
  (cd "$WORK" && exec "${call[@]}" "${resume[@]}" >"$TOP/out-2" 2>"$TOP/err-2" </dev/null) & first=$!
  (cd "$WORK" && exec "${call[@]}" "${resume[@]}" >"$TOP/out" 2>"$TOP/err" </dev/null) & second=$!
  wait $first; one=$?
  wait $second; other=$?
  pair_count=$((pair_count + 1))
  if [ $one -ne 0 ] && [ $other -ne 0 ]; then violation "$1: two at a time gave $one and $other"; fi
  if [ $one -gt 1 ] || [ $other -gt 1 ]; then violation "$1: two at a time gave $one and $other"; fi
  must_recover "$1, two at a time"
}

fuzz_rounds() {
  if ! command -v clang++ >"$TOP/err" && ! command -v clang++-14 >"$TOP/err"; then
    echo "fuzzing: skipped, there is no clang++"
    return
  fi
  tests/fuzz/run.sh "$fuzz" || violations=$((violations + 1))
}

# --- all together ---------------------------------------------------------------------------------------------------

cc -shared -fPIC -O1 -o "$TOP/failing_calls.so" tests/torture/failing_calls.c -ldl || exit 2
prepare
mkdir -p "$TOP/disk"
disks=yes
if mount -t tmpfs -o size=64k torture "$TOP/disk" 2>"$TOP/err"; then umount "$TOP/disk"; else
  disks=; echo "full disks: skipped, no tmpfs can be mounted here ($(tail -1 "$TOP/err"))"
fi
for name in "${cases[@]}"; do
  [ -n "$name" ] || continue
  define "$name"
  measure "$name"
  [ "$kills" -gt 0 ] && kill_rounds "$name"
  [ "$faults" -gt 0 ] && fault_rounds "$name"
  [ -n "$disks" ] && disk_rounds "$name"
  pair_rounds "$name"
  echo "$name: $kill_count signals, $fault_count failed calls, $disk_count full disks, $pair_count pairs so far, $violations violations"
done
[ "$fuzz" -gt 0 ] && fuzz_rounds
echo "torture: $kill_count signals, $fault_count failed calls, $disk_count full disks, $pair_count concurrent pairs, $violations violations"
[ "$violations" -eq 0 ]

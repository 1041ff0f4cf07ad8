#!/usr/bin/env bash
# Builds the fuzzers in build/fuzz and runs each for some seconds (default 60), from small sound files. A crash, a hang
# (30 s) or more than 2 GiB of memory ends it: the input lies in build/fuzz/found/<reader>; such inputs become tests.
# The readers' names as further arguments choose some. Exit status 1 where anything was found.
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly SECONDS_EACH=${1:-60} BUILD=build/fuzz
shift || true
compiler=$(command -v clang++ || command -v clang++-14) || { echo "fuzz: needs clang++" >&2; exit 2; }
mkdir -p "$BUILD"
# One thread is enough, and clang++ may have no OpenMP of its own: what LibTorch brings is linked.
cmake -S . -B "$BUILD" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_COMPILER="$compiler" -DLTAD_FUZZ=ON \
  -DLTAD_SANITIZE=fuzzer-no-link,address -DOpenMP_CXX_FLAGS=-Wno-unknown-pragmas -DOpenMP_CXX_LIB_NAMES=gomp \
  -DOpenMP_gomp_LIBRARY="$(g++ -print-file-name=libgomp.so)" >"$BUILD.log" || { tail "$BUILD.log" >&2; exit 2; }
readers=("$@")
[ ${#readers[@]} -gt 0 ] || readers=(config safetensors npy sample_list visa image torch_file wordpiece model_config features)
cmake --build "$BUILD" --target "${readers[@]/#/fuzz_}" >>"$BUILD.log" || { tail -30 "$BUILD.log" >&2; exit 2; }

# Sound files to begin with; what a fuzzer has found worth keeping is added.
seeds() {
  mkdir -p "$BUILD/corpus/$1" "$BUILD/found/$1"
  local to=$BUILD/corpus/$1
  case $1 in
    config) cp configs/*.json configs/demo/*.json "$to" ;;
    npy) printf '\x93NUMPY\x01\0v\0%-117s\n12345678' \
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2,), }" >"$to/seed" ;;
    safetensors | torch_file)
      find tests/golden -size -64k \( -name '*.safetensors' -o -name '*.pt' -o -name '*.pth' -o -name '*.bin' \) \
        -exec cp {} "$to" \; ;;
    sample_list) printf '{"filename":"a.png","label":0,"label_name":"good","clsname":"x","maskname":""}\n' >"$to/seed" ;;
    visa) printf 'object,split,label,image,mask\nx,train,normal,a,\nx,test,anomaly,a,a\nx,test,normal,a,\n' >"$to/seed" ;;
    image) find tests/golden docs -size -40k \( -name '*.png' -o -name '*.jpg' -o -name '*.bmp' -o -name '*.tif*' -o -name '*.webp' \) \
        -exec cp {} "$to" \; ;;
    wordpiece) printf 'broken\n##en\n\0a broken gear' >"$to/seed" ;;
    model_config) if [ -f models/align-lite/config.json ]; then cp models/align-lite/config.json "$to/config"; fi
      printf '{"do_rescale":true,"rescale_factor":0.0078,"rescale_offset":true,"do_normalize":false,"image_mean":[0.5,0.5,0.5]}' >"$to/preprocessor" ;;
    features) printf '{"format":"ltad-features/1","images":[{"path":"/a","size":1,"modified":1,"sha256":"","width":1,"height":1}]}' >"$to/seed" ;;
  esac
}

found=0
for reader in "${readers[@]}"; do
  seeds "$reader"
  if ! "$BUILD/bin/fuzz_$reader" -max_total_time="$SECONDS_EACH" -timeout=30 -rss_limit_mb=2048 -max_len=65536 \
    -artifact_prefix="$BUILD/found/$reader/" "$BUILD/corpus/$reader" >"$BUILD/$reader.log" 2>&1; then
    echo "VIOLATION fuzz $reader: $(grep -m1 -E 'ERROR|SUMMARY|terminate' "$BUILD/$reader.log") ($BUILD/$reader.log)"
    found=1
  else
    echo "fuzz $reader: $(grep -E '^#[0-9]+.*DONE' "$BUILD/$reader.log" | tail -1)"
  fi
done
exit $found

#!/usr/bin/env bash
# The kernels of the cuda device under compute-sanitizer, on a machine with a GPU: `npm run sanitize:cuda`, after `npm run build`. The exerciser
# makes random calls and compares every byte, while the tool watches the kernels and the courier:
#   memcheck   accesses to memory that is not there, or not aligned
#   racecheck  races in the shared memory of a block; it does not look at the memory of the GPU
#   synccheck  barriers that not all threads come to
# Under these tools one kernel runs at a time, so the mounts wait by replay (CUDA.md, section 6).
#   --operations N   of each tool (500); they run a hundred times slower than usual
#   --seed N         of the operations (1)
#   --tools A,B      which of them
# Ends with 1 where a tool or the exerciser has found something. 77: no compute-sanitizer, which comes with the CUDA toolkit; COMPUTE_SANITIZER
# names another one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
operations=500 seed=1 tools=memcheck,racecheck,synccheck
while [ $# -gt 0 ]; do
  case $1 in
    --operations) operations=${2:?--operations needs a number}; shift 2 ;;
    --seed) seed=${2:?--seed needs a number}; shift 2 ;;
    --tools) tools=${2:?--tools needs names with commas between}; shift 2 ;;
    *) echo "unknown option $1: --operations N, --seed N, --tools A,B" >&2; exit 2 ;;
  esac
done

sanitizer=
for name in ${COMPUTE_SANITIZER:-} compute-sanitizer "${CUDA_PATH:-/usr/local/cuda}/bin/compute-sanitizer" "${CUDA_HOME:-/usr/local/cuda}/bin/compute-sanitizer"; do
  if command -v "$name" > /dev/null; then sanitizer=$name; break; fi
done
if [ -z "$sanitizer" ]; then
  echo 'no compute-sanitizer was found on PATH, in CUDA_PATH, CUDA_HOME or /usr/local/cuda. It comes with the CUDA toolkit; COMPUTE_SANITIZER names another one' >&2
  exit 77
fi

export WARPFS_CUDA_SERIAL=1
exercise=(node dist/gpufs/cli/main.js exercise --device cuda --wait replay --seed "$seed")
echo "== without a tool: is there a GPU, and do 50 operations work there?"
if ! "${exercise[@]}" --operations 50; then
  echo 'the exerciser does not work on this machine by itself, so no tool was run' >&2
  exit 1
fi

FOUND=86  # no exit code of the exerciser
failed=
for tool in ${tools//,/ }; do
  echo "== $tool"
  code=0
  # Node takes a while before it asks for a GPU. A file that the driver does not register is read another way, and no error.
  options=(--tool "$tool" --error-exitcode "$FOUND" --launch-timeout 120 --print-limit 20)
  if [ "$tool" = memcheck ]; then options+=(--report-api-errors no); fi
  "$sanitizer" "${options[@]}" "${exercise[@]}" --operations "$operations" || code=$?
  if [ "$code" = "$FOUND" ]; then failed+="FAILED: $tool has found something"$'\n'; fi
  if [ "$code" != 0 ] && [ "$code" != "$FOUND" ]; then failed+="FAILED: under $tool the exerciser ended with $code"$'\n'; fi
done
printf '%s' "$failed" >&2
if [ -n "$failed" ]; then exit 1; fi
echo "nothing found by $tools"

#!/usr/bin/env bash
# The fuzzer of the rings (native/host/ring_fuzz.cpp): `npm run fuzz`, for half an hour; `npm run fuzz -- --seconds 20`.
# What it finds beyond the committed corpus stays in build-fuzz/corpus and is its start the next time. A finding ends it with an error: the input
# is written to build-fuzz/findings, and `build-fuzz/ring_fuzz FILE` shows it again.
#   --seconds N   how long; 0: only the inputs that there are
#   --minimize    afterwards makes the committed corpus again: few inputs that together reach all edges that were reached
#                 (those named seed_* stay: each is a story that edges alone do not tell, such as a failed write that a close tells)
# Needs Linux and clang with libFuzzer (Debian: clang-19 libclang-rt-19-dev). CXX names another clang. Exit code 77: there is none.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds=1800
minimize=
while [ $# -gt 0 ]; do
  case $1 in
    --seconds) seconds=${2:?--seconds needs a number}; shift 2 ;;
    --minimize) minimize=1; shift ;;
    *) echo "unknown option $1: --seconds N, --minimize" >&2; exit 2 ;;
  esac
done

fuzzes() {
  command -v "$1" > /dev/null || return 1
  echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' \
    | "$1" -x c++ -fsanitize=fuzzer,address,undefined -o /dev/null - 2> /dev/null
}
compiler=
for name in ${CXX:-} clang++-19 clang++; do
  if fuzzes "$name"; then compiler=$name; break; fi
done
if [ "$(uname)" != Linux ] || [ -z "$compiler" ]; then
  echo 'no clang with libFuzzer and its sanitizers was found (Debian: clang-19 libclang-rt-19-dev), or this is not Linux' >&2
  exit 77
fi

launcher=()
if command -v ccache > /dev/null; then launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi
if [ ! -f build-fuzz/CMakeCache.txt ] || ! grep -q "CMAKE_CXX_COMPILER:.*$compiler" build-fuzz/CMakeCache.txt; then
  rm -rf build-fuzz/CMakeCache.txt build-fuzz/CMakeFiles
  cmake -S . -B build-fuzz -DCMAKE_CXX_COMPILER="$compiler" "${launcher[@]}" > /dev/null
fi
cmake --build build-fuzz --target ring_fuzz --parallel "${JOBS:-2}" > build-fuzz/build.log 2>&1 || { cat build-fuzz/build.log >&2; exit 1; }

committed=native/host/ring_fuzz_corpus
mkdir -p build-fuzz/corpus build-fuzz/findings
limits=(-max_len=600 -timeout=20 -rss_limit_mb=2048 -reload=0 -artifact_prefix=build-fuzz/findings/)
if [ "$seconds" -gt 0 ]; then
  build-fuzz/ring_fuzz "${limits[@]}" -max_total_time="$seconds" -print_final_stats=1 build-fuzz/corpus "$committed"
else
  build-fuzz/ring_fuzz "${limits[@]}" -runs=0 build-fuzz/corpus "$committed"
fi

if [ -n "$minimize" ]; then
  # Edges count, and not how often each is taken: that keeps it small.
  rm -rf build-fuzz/minimized
  mkdir build-fuzz/minimized
  build-fuzz/ring_fuzz -set_cover_merge=1 -use_counters=0 -max_len=400 build-fuzz/minimized "$committed" build-fuzz/corpus
  find "$committed" -type f ! -name 'seed_*' -delete
  for input in build-fuzz/minimized/*; do cp "$input" "$committed/$(basename "$input" | cut -c1-12)"; done
  du -bs "$committed"
fi

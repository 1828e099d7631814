#!/usr/bin/env bash
# The tests on a build with a sanitizer: `npm run test:asan`, `test:ubsan`, `test:tsan`. Each has a build folder of its own (build-asan, ...).
#
# address, undefined: the whole suite of vitest on a sanitized addon, with the C++ test programs that it builds and runs.
# thread: the C++ test programs that have threads, among them whole mounts that run programs. Check mode is left out, which defines the very
#         functions that this sanitizer calls, and so is the addon, which carries it.
# Needs what the addon needs; for thread also clang with its runtime (Debian: clang-19 libclang-rt-19-dev). CXX names another compiler.
set -euo pipefail
kind=${1:?address, undefined or thread}
shift
cd "$(dirname "${BASH_SOURCE[0]}")/.."
jobs=${JOBS:-2}

clang() {
  local name
  for name in "${CXX:-clang++}" clang++-19 clang++; do
    if command -v "$name" > /dev/null && "$name" --version | grep -q clang; then echo "$name"; return; fi
  done
  echo 'the thread sanitizer needs clang: install it, or name it with CXX' >&2
  exit 1
}

configure() {  # folder, options
  local folder=$1
  shift
  if command -v ccache > /dev/null; then set -- "$@" -DCMAKE_CXX_COMPILER_LAUNCHER=ccache; fi
  cmake -S . -B "$folder" -DWARPFS_SANITIZE="$kind" "$@" > /dev/null
}

# Of these tests one only compiles shaders, with compilers that crash when the address sanitizer is loaded into them, and one is a build with
# sanitizers by itself.
left_out=(--exclude gpufs/shader_check.test.ts --exclude native/ring_fuzz.test.ts)

suite() {  # folder, then what the suite runs under
  local folder=$PWD/$1
  shift
  cmake --build "$folder" --parallel "$jobs"
  echo "Left out: ${left_out[*]}"
  env WARPFS_NATIVE="$folder/RelWithDebInfo/warpfs.node" WARPFS_BUILD="$folder" WARPFS_CACHE_DIR="$folder/cache" "$@"
}

case $kind in
  address)
    configure build-asan
    # Leaks: Node and the compilers leave everything to the end of the process. Signal stacks: Node has its own.
    runtime=$("${CXX:-g++}" -print-file-name=libasan.so)
    suite build-asan LD_PRELOAD="$runtime" ASAN_OPTIONS=detect_leaks=0:use_sigaltstack=0 npx vitest run "${left_out[@]}" "$@"
    ;;
  undefined)
    configure build-ubsan
    suite build-ubsan UBSAN_OPTIONS=print_stacktrace=1 npx vitest run "${left_out[@]}" "$@"
    ;;
  thread)
    configure build-tsan -DCMAKE_CXX_COMPILER="$(clang)"
    programs=(mount_race_test daemon_test executor_test collectives_test line_edges_test courier_test)
    cmake --build build-tsan --parallel "$jobs" --target "${programs[@]}"
    echo 'Left out: check mode, which defines the functions that the thread sanitizer calls, and the addon with the suite of vitest, which carries it.'
    for program in "${programs[@]}"; do
      options=() suppressions=
      if [ "$program" = executor_test ]; then options=(native/shaders/dialect); fi
      if [ "$program" = daemon_test ]; then
        options=(--no-speed)
        suppressions=:suppressions=$PWD/tools/tsan_daemon_test.supp
      fi
      echo "== $program"
      TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1$suppressions "build-tsan/$program" "${options[@]}"
    done
    ;;
  *)
    echo "$kind is none of address, undefined, thread" >&2
    exit 2
    ;;
esac

#!/usr/bin/env bash
# Compiles on Linux what a build on a Mac compiles, for arm64, into Mach-O objects: finds calls that a Mac does not have before anybody has one.
# CMake chooses the files as it does on a Mac. Left out are
#   - tests, benchmarks and the fuzzer, unless they are asked for: they are no part of the package,
#   - io_uring.cpp and the sandbox: only Linux has them, and a Mac builds io_uring_none.cpp and sandbox_none.cpp,
#   - linking: nothing here is run. That all names of ours are defined somewhere is looked at by native/macho.test.ts.
# Options:
#   --tests       the test programs as well
#   --source DIR  another project of CMake
#   --look        only says whether all is there that it needs
#   --build DIR   where the objects are made: build-macho; they are kept for the next time
# Needs clang++-19 and the headers of libc++ (Debian: clang-19 libc++-19-dev). Exit code 77: they are missing.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source=$root
build=$root/build-macho
targets=(all)
look=
while [ $# -gt 0 ]; do
  case $1 in
    --tests) targets+=(programs); shift ;;
    --look) look=1; shift ;;
    --source) source=${2:?--source needs a folder}; shift 2 ;;
    --build) build=${2:?--build needs a folder}; shift 2 ;;
    *) echo "unknown option $1: --tests, --look, --source DIR, --build DIR" >&2; exit 2 ;;
  esac
done

if ! command -v clang++-19 > /dev/null; then
  echo "SKIP no clang++-19, which compiles for a Mac" >&2
  exit 77
fi
if [ ! -e "$(clang++-19 -print-resource-dir)/../../../include/c++/v1/vector" ]; then
  echo "SKIP no headers of libc++ (Debian: libc++-19-dev), the C++ library of a Mac" >&2
  exit 77
fi
if [ -n "$look" ]; then exit 0; fi

generator=()
keep_going=(--keep-going)
if command -v ninja > /dev/null; then
  generator=(-G Ninja)
  keep_going=(-k 0)
fi
# A kind of build without options of its own: neither debug information nor an optimizer, which would only take time.
if ! configured=$(cmake -S "$source" -B "$build" "${generator[@]}" -DCMAKE_TOOLCHAIN_FILE="$root/native/macho/toolchain.cmake" -DCMAKE_BUILD_TYPE=Check 2>&1); then
  echo "$configured" >&2
  exit 1
fi
cmake --build "$build" --parallel "$(nproc)" --target "${targets[@]}" -- "${keep_going[@]}"

# 0xfeedfacf is a 64-bit Mach-O, 0x0100000c an arm64.
count=0
while IFS= read -r object; do
  header=$(od -An -tx4 -N8 "$object")
  if [ "$header" != " feedfacf 0100000c" ]; then
    echo "$object is no Mach-O for arm64: it begins with$header" >&2
    exit 1
  fi
  count=$((count + 1))
done < <(find "$build" -path '*.dir/*' -name '*.o')
[ "$count" -gt 0 ] || { echo "nothing was compiled" >&2; exit 1; }
echo "ok $count Mach-O objects for arm64"

#!/usr/bin/env bash
# Which lines of the Metal device tests execute on the fake Metal: builds it with counters, runs its programs and the suites of devices, and says how many.
# `npm run coverage:metal [-- LEAST]`: fails below LEAST percent (90). Needs what `npm run test:metal` needs, and llvm-19 and libclang-rt-19-dev.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
least="${1:-90}"
build=build-coverage
for tool in clang++-19 llvm-profdata-19 llvm-cov-19; do
  command -v "$tool" > /dev/null || { echo "coverage_metal: there is no $tool" >&2; exit 1; }
done
cmake -S . -B "$build" "-DWARPFS_METAL_OPTIONS=-fprofile-instr-generate;-fcoverage-mapping" > /dev/null
cmake --build "$build" --parallel 2 --target warpfs_metal_fake device_metal_test probes_test io_mtlio_test > "$build/log" || { cat "$build/log"; exit 1; }
rm -rf "$build/profiles"
mkdir -p "$build/profiles"
export LLVM_PROFILE_FILE="$PWD/$build/profiles/%m-%p.profraw"
for program in device_metal_test probes_test io_mtlio_test; do "$build/metal_fake/$program" native/shaders > "$build/$program.log" || { cat "$build/$program.log"; exit 1; }; done
WARPFS_BUILD="$PWD/$build" npx vitest run --config vitest.metal.config.ts
llvm-profdata-19 merge -sparse "$build"/profiles/*.profraw -o "$build/metal.profdata"
objects=()
for program in device_metal_test probes_test io_mtlio_test; do objects+=(-object "$build/metal_fake/$program"); done
mapfile -t sources < <(find native/host/metal -name '*.mm' ! -name '*_test*.mm' | sort)
llvm-cov-19 report "$build/metal_fake/warpfs.node" "${objects[@]}" -instr-profile "$build/metal.profdata" -show-region-summary=false -show-branch-summary=false "${sources[@]}"
llvm-cov-19 export -summary-only "$build/metal_fake/warpfs.node" "${objects[@]}" -instr-profile "$build/metal.profdata" "${sources[@]}" |
  node -e '
    const { percent } = JSON.parse(require("node:fs").readFileSync(0, "utf8")).data[0].totals.lines;
    console.log(`${percent.toFixed(1)} % of the lines of the Metal device were executed; at least ${process.argv[1]} % are wanted`);
    process.exit(percent >= Number(process.argv[1]) ? 0 : 1);' "$least"

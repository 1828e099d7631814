#!/usr/bin/env bash
# Compiles all texts of Metal with Apple's compiler, which only a Mac has: the headers that users include, the built-in kernels for each policy
# and waiting strategy, and the kernels of the self-test. Elsewhere clang stands in for it (gpufs/metal_texts.test.ts). Run `npm ci` before.
#   --spin   instead the kernels that wait for the host, by means that Apple does not document: a compiler may refuse them at any time
# Exit code 77: there is no such compiler (`xcodebuild -downloadComponent MetalToolchain`).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
spin=
case ${1:-} in
  '') ;;
  --spin) spin=1 ;;
  *) echo "unknown option $1: --spin" >&2; exit 2 ;;
esac
if ! xcrun -sdk macosx metal --version; then
  echo "SKIP no compiler of Apple for Metal" >&2
  exit 77
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npx warpfs shaders --dialect metal --flat > "$folder/headers.metal"
node --input-type=module > "$folder/builtin.metal" -e '
  import { shadersRoot } from "./dist/gpufs/package_root.js";
  import { flattenShaderText } from "./dist/gpufs/shader_text.js";
  process.stdout.write(flattenShaderText("#include \"entry/builtin_metal.h\"\n", "builtin", shadersRoot));'
node --input-type=module - "$folder" <<'END'
  import { writeFileSync } from "node:fs";
  import { selfTestTexts } from "./dist/gpufs/metal_self_test_texts.js";
  for (const [name, text] of selfTestTexts()) writeFileSync(`${process.argv[2]}/self_test_${name}.metal`, text);
END

compile() {
  local text=$1
  shift
  echo "$text $*"
  xcrun -sdk macosx metal -std=metal3.2 -fno-fast-math -Wall -Wextra "$@" -c "$folder/$text.metal" -o "$folder/$text.air"
}
if [ -n "$spin" ]; then
  for policy in 0 1; do compile builtin -DWARPFS_SPIN=1 -DWARPFS_REPLAY=0 -DWARPFS_POLICY=$policy; done
  for text in "$folder"/self_test_*_system.metal; do compile "$(basename "$text" .metal)"; done
  exit
fi
for text in "$folder"/self_test_*.metal; do
  case $text in *_system.metal) ;; *) compile "$(basename "$text" .metal)" ;; esac
done
for replay in 1 0; do
  compile headers -DWARPFS_REPLAY=$replay
  for policy in 0 1; do compile builtin -DWARPFS_REPLAY=$replay -DWARPFS_POLICY=$policy; done
done

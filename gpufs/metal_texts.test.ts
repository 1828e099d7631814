// The texts that a Metal device is given, built-in kernels and kernels of users, are Metal Shading Language as far as clang and the lint can tell.
import { expect, test } from 'vitest';
import { checkDefinition, type KernelDefinition } from './kernel_definition.ts';
import { metalKernelText } from './kernel_source.ts';
import { shadersRoot } from './package_root.ts';
import { checkMetal, metalCheckMissing } from './shader_check.ts';
import { flattenShaderText } from './shader_text.ts';

const missing = metalCheckMissing();
const metalTest = (name: string, text: () => string): void => {
  if (missing !== undefined) return test.skip(`SKIP ${missing}: ${name}`, () => undefined);
  test(name, { timeout: 60_000 }, () => expect(checkMetal(text())).toMatchObject({ ok: true, output: '' }));
};

for (const defines of ['REPLAY 1', 'REPLAY 0', 'POLICY 1', 'SPIN 1']) {
  metalTest(`built-in kernels with ${defines}`, () => `#define WARPFS_${defines}\n${flattenShaderText('#include "entry/builtin_metal.h"\n', 'test', shadersRoot)}`);
}

const everyType: KernelDefinition = {
  name: 'every_type',
  prelude: 'namespace warpfs { WARPFS_FN uint twice(uint value) { return 2u * value; } }',
  inputs: { path: 'string', raw: 'bytes', count: 'u32', step: 'i32', scale: 'f32', far: 'u64', list: 'u64[]', weights: 'f32[]', kept: 'memory' },
  outputs: { sums: 'u32[]', means: 'f32[]' },
  shared: { tile: 'u32[64]' },
  source: `
    WARPFS_TRY(int file, gopen(fs, path, WARPFS_RDONLY));
    if (file < 0) return file;
    tile[lane.index] = twice(count) + raw[0] + kept[lane.index];
    const uint sum = lane.sum(tile[lane.index] + (uint)list[item] + (uint)far + (uint)step);
    WARPFS_TRY(uint element, gload<uint>(fs, file, item));
    if (lane.index == 0u) {
      sums[item] = sum + element;
      means[item] = weights[item] * scale;
    }
    WARPFS_TRY(int closed, gclose(fs, file));
    return closed;`,
};
metalTest('a kernel with inputs, outputs and shared memory of every type', () => metalKernelText(everyType, checkDefinition(everyType).shared));

test.skipIf(missing !== undefined)('a mistake of a user is told in the lines of the user', { timeout: 60_000 }, () => {
  const wrong = { ...everyType, source: 'uint fine = item;\nsums[fine] = missing;' };
  expect(checkMetal(metalKernelText(wrong, checkDefinition(wrong).shared)).output).toContain("every_type:2: error: use of undeclared identifier 'missing'");
});

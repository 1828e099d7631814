// The kernels of the self-test are Metal Shading Language as far as clang and the lint can tell; those that need what is private are told apart by their names.
import { describe, expect, test } from 'vitest';
import { selfTestTexts } from './metal_self_test_texts.ts';
import { checkMetal, metalCheckMissing } from './shader_check.ts';

const texts = selfTestTexts();
const missing = metalCheckMissing();

test('there is a text for each probe that has kernels', () => {
  const kinds = ['plain', 'device', 'system'];
  const names = [...kinds.map((kind) => `stores_${kind}`), ...kinds.map((kind) => `loads_${kind}`), 'tearing_plain', 'tearing_system', 'refill', 'rounds', 'quantum'];
  expect([...texts.keys()]).toEqual(names.toSorted());
});

test.each([...texts])('%s stands alone, and is private only if its name says so', (name, text) => {
  expect(text).not.toMatch(/#\s*include "/);
  expect(text.includes('coherent(system)') && text.includes('#pragma METAL internals')).toBe(name.endsWith('_system'));
  // Every loop has an end that does not depend on the host.
  const loops = text.match(/\b(for|while) \([^\n]*/g) ?? [];
  expect(loops.length).toBeGreaterThan(name === 'rounds' ? -1 : 0);
  expect(loops.filter((loop) => !/< launch\.(polls|payload_words)\b/.test(loop))).toEqual([]);
});

describe.skipIf(missing !== undefined)(missing === undefined ? 'Metal takes' : `SKIP ${missing}`, () => {
  test.each([...texts])('%s', { timeout: 60_000 }, (_, text) => expect(checkMetal(text)).toMatchObject({ ok: true, output: '' }));
});

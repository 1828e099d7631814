import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cacheGeometry, firstLineOfSet, lineDataBytes, pageOfOffset, setOfPage, waysOfSet } from './geometry.ts';

test('the sets share out the lines without a gap, none differs by more than one way, and none is wider than a warp', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), (lineCount) => {
      const geometry = cacheGeometry(lineCount, 4096);
      let next = 0;
      for (let set = 0; set < geometry.setCount; set++) {
        expect(firstLineOfSet(geometry, set)).toBe(next);
        const ways = waysOfSet(geometry, set);
        expect(ways).toBeGreaterThanOrEqual(1);
        expect(ways).toBeLessThanOrEqual(32);
        next += ways;
      }
      expect(next).toBe(lineCount);
    }),
  );
});

test('a small cache is one set: fully associative', () => {
  expect(cacheGeometry(32, 4096).setCount).toBe(1);
  expect(cacheGeometry(33, 4096).setCount).toBe(2);
});

test('line shift and sizes beyond 2^32', () => {
  expect(cacheGeometry(1, 512).lineShift).toBe(9);
  expect(cacheGeometry(1, 65536).lineShift).toBe(16);
  expect(lineDataBytes(cacheGeometry(2 ** 30, 65536))).toBe(2 ** 46);
});

test('the set of a page is the hash in exact arithmetic', () => {
  const geometry = cacheGeometry(100_000, 4096);
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 52n - 1n }), fc.integer({ min: 0, max: 0xffffffff }), (page, fileId) => {
      const exact = ((page & 0xffffffffn) + (page >> 32n) * 0x9e3779b1n + BigInt(fileId) * 0x85ebca6bn) % 2n ** 32n;
      expect(setOfPage(geometry, { fileId, page })).toBe(Number(exact % BigInt(geometry.setCount)));
    }),
  );
});

test('offsets above 2 TiB', () => {
  const geometry = cacheGeometry(64, 4096);
  expect(pageOfOffset(geometry, 2n ** 43n + 4095n)).toBe(2n ** 31n);
  expect(pageOfOffset(geometry, 2n ** 62n)).toBe(2n ** 50n);
});

// The shared layout: one schema, two generated files, one addon that was built from them.
import { describe, expect, test } from 'vitest';
import { isLegalEdge, lineEdge } from '../../cache/line_state.ts';
import { nativePresence } from '../../gpufs/conformance/native_device.ts';
import { loadNativeBinding } from '../../gpufs/native_binding.ts';
import * as abi from './abi.ts';
import { abiHash, layout, staleFiles } from './generate.ts';
import { bindings, constants, counters, enums, errnos, lineEdges, lineWord, structs } from './schema.ts';

const { missing } = nativePresence();

test('the generated files are what the schema gives', () => {
  expect(staleFiles(), 'run `npm run gen`').toEqual([]);
  expect(abi.ABI_HASH).toBe(abiHash());
});

describe.skipIf(missing !== undefined)(missing === undefined ? 'the addon' : `SKIP ${missing}`, () => {
  test('was built from this schema', () => {
    expect(loadNativeBinding().binding.abiHash() >>> 0).toBe(abi.ABI_HASH);
  });
});

describe('layout', () => {
  test('places fields one after the other', () => {
    const placed = layout('Fine', { bytes: 32, fields: [['a', 'u32', ''], ['b', 'i32[3]', ''], ['c', 'u64[2]', '']] });
    expect(placed.map(({ name, offset }) => [name, offset])).toEqual([['a', 0], ['b', 4], ['c', 16]]);
  });

  test.each([
    ['padding before a u64', 16, [['a', 'u32', ''], ['b', 'u64', '']], /Bad\.b: implicit padding at byte 4/],
    ['a size that is too large', 12, [['a', 'u32', ''], ['b', 'u32', '']], /Bad is 8 bytes, the schema says 12/],
    ['a size that is too small', 4, [['a', 'u64', '']], /Bad is 8 bytes, the schema says 4/],
    ['a type that no shader has', 8, [['a', 'f64', '']], /Bad\.a: type f64 is not/],
    ['a type of two bytes', 2, [['a', 'u16', '']], /Bad\.a: type u16 is not/],
  ] as const)('refuses %s', (_name, bytes, fields, message) => {
    expect(() => layout('Bad', { bytes, fields })).toThrow(message);
  });

  test.each(Object.entries(structs))('%s has no two fields of one name, and its 64-bit words stay aligned in an array', (name, struct) => {
    const fields = layout(name, struct);
    expect(new Set(fields.map((field) => field.name)).size).toBe(fields.length);
    // An array of the struct keeps its 64-bit fields aligned.
    if (fields.some((field) => field.base === 'u64')) expect(struct.bytes % 8).toBe(0);
  });

  test('words that one side polls have a block of 128 bytes to themselves', () => {
    for (const name of ['RingTail', 'RingHead', 'Mailbox', 'WarpStats']) expect(structs[name]?.bytes, name).toBe(128);
  });
});

describe('the line word', () => {
  test('its fields fill 32 bits without a gap', () => {
    const fields = Object.values(lineWord).toSorted((a, b) => a.shift - b.shift);
    let shift = 0;
    for (const field of fields) {
      expect(field.shift).toBe(shift);
      shift += field.bits;
    }
    expect(shift).toBe(32);
  });

  test('holds every state, every step, and the most pins', () => {
    expect(enums.LineState.length).toBeLessThanOrEqual(2 ** lineWord.state.bits);
    expect(enums.LineStep.length).toBeLessThanOrEqual(2 ** lineWord.step.bits);
    expect(constants.PINS_MAX).toBeLessThan(2 ** lineWord.pins.bits);
  });

  test('every edge names known states, once', () => {
    const known: readonly string[] = enums.LineState;
    for (const [from, to, verb] of lineEdges) {
      expect(known).toContain(from);
      expect(known).toContain(to);
      expect(verb).not.toBe('');
    }
    expect(new Set(lineEdges.map(([from, to]) => `${from}>${to}`)).size).toBe(lineEdges.length);
  });

  test('the edges of the cache are those of the schema', () => {
    for (const [from, fromName] of enums.LineState.entries()) {
      for (const [to, toName] of enums.LineState.entries()) {
        const edge = lineEdges.find((candidate) => candidate[0] === fromName && candidate[1] === toName);
        const [a, b] = [from as abi.LineState, to as abi.LineState];
        expect(isLegalEdge(a, b), `${fromName} to ${toName}`).toBe(edge !== undefined);
        expect(lineEdge(a, b)).toBe(edge?.[2]);
      }
    }
  });
});

describe('constants', () => {
  test('a handle fits into a positive 32-bit result', () => {
    expect(constants.HANDLE_WRITABLE).toBe(2 ** (constants.HANDLE_INDEX_BITS + constants.HANDLE_GENERATION_BITS));
    expect(constants.HANDLE_WRITABLE * 2).toBeLessThan(2 ** 31);
  });

  test('a dirty range can name every byte of the largest line, and differs from the empty one', () => {
    expect(constants.LINE_BYTES_MAX - 1).toBeLessThanOrEqual(0xffff);
    expect(constants.DIRTY_NONE & 0xffff).toBeGreaterThan(constants.DIRTY_NONE >>> 16);
  });

  test('errno numbers are unique and have a text', () => {
    const numbers = Object.values(errnos).map(([number]) => number);
    expect(new Set(numbers).size).toBe(numbers.length);
    for (const [name, [number, text]] of Object.entries(errnos)) expect(abi.ERRNO[name as abi.ErrnoName]).toEqual({ number, text });
  });

  test('value 0 of each enum is its resting state', () => {
    expect([enums.LineState[0], enums.LineStep[0], enums.Opcode[0], enums.ProgramOp[0], enums.ItemStatus[0]]).toEqual(['INVALID', 'NONE', 'NOP', 'NOP', 'FRESH']);
  });

  test('the counters and bindings fit where they are kept', () => {
    expect(counters.length).toBeLessThanOrEqual(16); // words of WarpStats
    expect(abi.COUNTERS.length).toBe(counters.length);
    expect(bindings.at(-1)).toBe('OWN');
    expect(abi.Binding.OWN).toBe(bindings.length - 1);
  });
});

import fc from 'fast-check';
import { expect, expectTypeOf, test } from 'vitest';
import { OPEN_CREATE, OPEN_TRUNCATE, OPEN_WRITE, ProgramOp, ProgramStep } from '../native/abi/abi.ts';
import { WarpfsError } from './errors.ts';
import { checkPrograms } from './program_check.ts';
import { decodeResults, encodePrograms } from './program_encode.ts';
import type { Program } from './program.ts';

function messageOf(programs: unknown): string {
  try {
    checkPrograms(programs as Program[]);
  } catch (error) {
    expect(error).toBeInstanceOf(WarpfsError);
    expect((error as WarpfsError).code).toBe('ERR_WARPFS_OPTION');
    return (error as WarpfsError).message.replace('[warpfs] ', '');
  }
  throw new Error('no error');
}

const open = { op: 'open', path: 'a', mode: 'r' };

test.each<[unknown, string]>([
  [5, 'programs: 5 is not a list with one program per warp'],
  [[5], 'program[0]: 5 is not a list of operations'],
  [[[null]], 'program[0][0]: null is not an operation'],
  [[[{ op: 'raed' }]], 'did you mean "read"?'],
  [[[{ op: 'toString' }]], 'program[0][0].op: "toString" is not one of open, close'],
  [[[{ op: 'open', path: '', mode: 'r' }]], 'program[0][0].path: "" is not a path'],
  [[[{ op: 'open', path: 'a\0b', mode: 'r' }]], 'is not a path'],
  [[[{ op: 'open', path: 'a', mode: 'w' }]], 'program[0][0].mode: "w" is not one of r, r+, w+, c+, wx+'],
  [[[{ op: 'open', path: 'a', mode: 'a+' }]], 'program[0][0].mode: "a+" appends, and that is refused'],
  [[[open, { op: 'unmap', map: 0 }]], 'program[0][1].map: 0 is not the index of a map step before this one; step 0 is an operation "open"'],
  [[[open, { op: 'map', file: 0, offset: 0, length: 1, mode: 'w+' }]], 'program[0][1].mode: "w+" is not one of r, r+'],
  [[[open, { op: 'scatter', file: 0, indices: [1, 2], values: [1] }]], 'program[0][1].values: '],
  [[[open, { op: 'add', file: 0, indices: [-1], values: [1] }]], 'program[0][1].indices[0]: -1 is not a byte offset'],
  [[[{ op: 'rename', path: 'a', to: '' }]], 'program[0][0].to: "" is not a path'],
  [[[open, { op: 'truncate', file: 0, length: 2n ** 63n }]], 'program[0][1].length: 9223372036854775808n is not a byte offset'],
  [[[{ op: 'close', file: 0 }]], 'program[0][0].file: 0 names an open, but no open comes before this step'],
  [[[], [open, { op: 'stat', file: 1 }]], 'program[1][1].file: 1 is not the index of an open before this step (0 to 0)'],
  [[[open, { op: 'read', file: 0, offset: -1, length: 1 }]], 'program[0][1].offset: -1 is not a byte offset'],
  [[[open, { op: 'read', file: 0, offset: 2 ** 53, length: 1 }]], 'is not a byte offset'],
  [[[open, { op: 'read', file: 0, offset: 2n ** 63n, length: 1 }]], '9223372036854775808n is not a byte offset'],
  [[[open, { op: 'read', file: 0, offset: 0, length: 2 ** 31 }]], 'program[0][1].length: 2147483648 is not a whole number from 0 to 2147483647'],
  [[[open, { op: 'read', file: 0, offset: 0, length: 1, peek: 1 }]], 'program[0][1].peek: 1 is not true or false'],
  [[[open, { op: 'read', file: 0, offset: 0 }]], 'program[0][1].length: undefined is missing in an operation "read"'],
  [[[open, { op: 'write', file: 0, offset: 0, data: 'abc' }]], 'program[0][1].data: "abc" is not a Uint8Array'],
  [[[open, { op: 'fsync', file: 0, offset: 0 }]], 'program[0][1].offset: an operation "fsync" has no such field'],
  [[[open, { op: 'wait', ticket: 0 }]], 'program[0][1].ticket: 0 is not the index of a read_async or write_async step before this one; step 0 is an operation "open"'],
  [[[{ op: 'wait', ticket: 0 }]], 'program[0][0].ticket: 0 is not the index'],
  [[[{ op: 'compute', steps: -1 }]], 'program[0][0].steps: -1 is not a whole number'],
  [[[{ op: 'barrier' }], []], 'program[1]: it has 0 barriers and program[0] has 1; a barrier is for all warps of the run'],
])('refused: %#', (programs, message) => {
  expect(messageOf(programs)).toContain(message);
});

test('the steps as the kernel sees them', () => {
  const programs = [
    [{ op: 'compute', steps: 9 }],
    [
      { op: 'open', path: 'über', mode: 'w+' },
      { op: 'open', path: 'b', mode: 'r+' },
      { op: 'write', file: 1, offset: 2n ** 40n, data: Uint8Array.of(1, 2, 3) },
      { op: 'read_async', file: 0, offset: 7, length: 5 },
      { op: 'wait', ticket: 3 },
    ],
  ] as const;
  checkPrograms(programs);
  const { buffers, regions } = encodePrograms(programs);
  const steps = new DataView(buffers[1]!.buffer);
  const word = (step: number, field: number) => steps.getUint32(step * ProgramStep.bytes + field, true);
  const wide = (step: number, field: number) => steps.getBigUint64(step * ProgramStep.bytes + field, true);

  expect([...new Uint32Array(buffers[0]!.buffer)]).toEqual([0, 1, 1, 5]);
  expect([0, 1, 2, 3, 4, 5].map((step) => word(step, ProgramStep.op))).toEqual([
    ProgramOp.COMPUTE, ProgramOp.OPEN, ProgramOp.OPEN, ProgramOp.WRITE, ProgramOp.READ_ASYNC, ProgramOp.WAIT,
  ]);
  expect(wide(0, ProgramStep.offset)).toBe(9n);
  expect(word(1, ProgramStep.mode)).toBe(OPEN_WRITE | OPEN_CREATE | OPEN_TRUNCATE);
  expect(word(1, ProgramStep.length)).toBe(5); // bytes, not characters, and without the NUL
  expect(word(3, ProgramStep.target)).toBe(1); // the second open is step 1 of its program
  expect(wide(3, ProgramStep.offset)).toBe(2n ** 40n);
  expect(word(4, ProgramStep.target)).toBe(0);
  expect(word(5, ProgramStep.target)).toBe(3);
  for (const region of regions) expect(region === -1 || region % 16 === 0).toBe(true);
  const at = Number(wide(3, ProgramStep.data));
  expect([...buffers[3]!.subarray(at, at + 3)]).toEqual([1, 2, 3]);
  expect([...new Uint32Array(buffers[4]!.buffer, 0, 3)]).toEqual([0, 2, 0]); // no arrival yet, two warps
});

test('regions never overlap, and what is written there comes out as the data of the step', () => {
  const lengths = fc.array(fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 5 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(lengths, (warps) => {
      const programs = warps.map((steps) => [
        { op: 'open' as const, path: 'a', mode: 'r' as const },
        ...steps.map((length) => ({ op: 'read' as const, file: 0, offset: 0, length })),
      ]);
      const encoded = encodePrograms(programs);
      let index = 0;
      for (const program of programs) {
        for (const operation of program) {
          if (operation.op === 'read') {
            if (operation.length > 0) encoded.data.fill(index + 1, encoded.regions[index], encoded.regions[index]! + operation.length);
            encoded.results.setInt32(index * 32, operation.length, true);
          }
          index++;
        }
      }
      index = 0;
      for (const [warp, results] of decodeResults(programs, encoded).entries()) {
        for (const [step, result] of results.entries()) {
          const operation = programs[warp]![step]!;
          if (operation.op === 'read') expect([...result.data!]).toEqual(Array(operation.length).fill((index + 1) & 255));
          index++;
        }
      }
    }),
  );
});

test('results are typed by their operation', () => {
  const programs = [[{ op: 'open', path: 'a', mode: 'r' }, { op: 'read', file: 0, offset: 0, length: 1 }, { op: 'stat', file: 0 }]] as const;
  const [[opened, read, stat]] = decodeResults(programs, encodePrograms(programs));
  expectTypeOf(opened.result).toEqualTypeOf<number>();
  expectTypeOf(read.data).toEqualTypeOf<Uint8Array>();
  expectTypeOf(stat.sizeBytes).toEqualTypeOf<number>();
});

// The exerciser in short, and the proof that it finds what it looks for. `npm run fsx` is the long one.
import { describe, expect, test } from 'vitest';
import { nativePresence } from '../conformance/native_device.ts';
import { mtlioStrategies, testDevice } from '../conformance/test_device.ts';
import type { IoName, PolicyName, WaitName } from '../options.ts';
import type { Operation, StepResult } from '../program.ts';
import { countActions } from './action.ts';
import { exercise, type ExerciseSettings, realSubject } from './exercise.ts';
import { describeFailure } from './report.ts';
import type { MakeSubject } from './session.ts';

const { missing, noUring } = nativePresence();
const usual: ExerciseSettings = { seed: 1, operations: 3000, wait: 'spin', io: 'pread', policy: 'clock', device: testDevice };

const strategies: [WaitName, IoName, PolicyName, number][] = [
  ['spin', 'pread', 'clock', 12_000],
  ['spin', 'uring', 'fifo', 12_000],
  ['replay', 'uring', 'clock', 1500],
  ['replay', 'pread', 'fifo', 1500],
  ...mtlioStrategies.map(([wait, io, policy]): [WaitName, IoName, PolicyName, number] => [wait, io, policy, 1500]),
];

describe.skipIf(missing !== undefined)(missing === undefined ? 'the exerciser' : `SKIP ${missing}`, () => {
  for (const [wait, io, policy, operations] of strategies) {
    const skipped = io === 'uring' ? noUring : undefined;
    const name = `${operations} operations agree with plain bytes: wait ${wait}, io ${io}, policy ${policy}`;
    test.skipIf(skipped !== undefined)(skipped === undefined ? name : `${name}: SKIP ${skipped}`, { timeout: 120_000 }, async () => {
      const settings = { ...usual, wait, io, policy, operations };
      const { failure } = await exercise(settings);
      expect(failure === undefined ? '' : describeFailure(settings, failure)).toBe('');
    });
  }
});

/** A mount that does something else than it is asked, or tells something else than what happened. */
function wrong(edit: (operation: Operation) => Operation, tell: (operation: Operation, result: StepResult) => StepResult = (_, result) => result): MakeSubject {
  return async (options) => {
    const subject = await realSubject(options);
    return {
      ...subject,
      async run(programs) {
        const results = await subject.run(programs.map((program) => program.map(edit)));
        return results.map((steps, warp) => steps.map((result, step) => tell(programs[warp]?.[step] as Operation, result)));
      },
    };
  };
}

const same = (operation: Operation): Operation => operation;

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));
}

/** Each is wrong in the same way whenever it is asked the same, so that a failure can be made small. */
const bugs: [string, MakeSubject, RegExp][] = [
  [
    'a read of more than 5000 bytes has one wrong bit',
    wrong(same, (operation, result) => (operation.op === 'read' && result.result > 5000 ? { ...result, data: flipped(result.data ?? new Uint8Array(0), 5000) } : result)),
    /byte \d+ is 0x.., which .*; wanted 0x..( of operation \d+| there from the start); no other byte is wrong/,
  ],
  [
    'a write of more than 5000 bytes loses one bit',
    wrong((operation) => (operation.op === 'write' && operation.data.length > 5000 ? { ...operation, data: flipped(operation.data, 4999) } : operation)),
    /byte \d+ is 0x/,
  ],
  ['a truncation is forgotten', wrong((operation) => (operation.op === 'truncate' ? { op: 'stat', file: operation.file } : operation)), /wanted|bytes/],
  ['an addition is one too high', wrong((operation) => (operation.op === 'add' ? { ...operation, values: operation.values.map((value) => value + 1) } : operation)), /wanted/],
  ['what was stored in a map is forgotten', wrong((operation) => (operation.op === 'unmap' ? { op: 'unmap', map: operation.map } : operation)), /wanted/],
  ['a rename is forgotten', wrong((operation) => (operation.op === 'rename' ? { ...operation, to: operation.path } : operation)), /wanted/],
  [
    'a sync does nothing',
    async (options) => ({ ...(await realSubject(options)), sync: () => Promise.resolve() }),
    /on the host/,
  ],
];

describe.skipIf(missing !== undefined)(missing === undefined ? 'a planted bug' : `SKIP ${missing}`, () => {
  test.each(bugs)('%s: is found', async (_name, makeSubject, message) => {
    const { failure } = await exercise({ ...usual, operations: 50_000, makeSubject, shrinkMs: 0 });
    expect(failure?.message).toMatch(message);
    expect(failure?.operations).toBeLessThan(20_000);
  });

  test('it is made small, and the report says how to see it again', async () => {
    const settings = { ...usual, seed: 5, operations: 50_000, makeSubject: bugs[1]?.[1] as MakeSubject, shrinkMs: 60_000 };
    const { failure } = await exercise(settings);
    if (failure?.smallest === undefined) throw new Error('it was not found, or not again');
    // An open, the write, and what shows it: a read, or the end of the session.
    expect(countActions(failure.smallest.session.rounds)).toBeLessThanOrEqual(4);
    const report = describeFailure(settings, failure);
    expect(report).toContain(`npm run fsx -- --seed 5 --operations ${failure.operations} --io pread --policy clock --wait spin --device ${testDevice}`);
    expect(report).toMatch(/made small, to \d operations/);
  });

  test('the operations of a seed are always the same, up to the one that fails', async () => {
    const settings = { ...usual, operations: 50_000, makeSubject: bugs[0]?.[1] as MakeSubject, shrinkMs: 0 };
    const [one, other] = [await exercise(settings), await exercise(settings)];
    expect(one.failure?.session).toEqual(other.failure?.session);
    expect(one.failure?.operation).toBe(other.failure?.operation);
  });
});

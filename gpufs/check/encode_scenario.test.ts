import { expect, test } from 'vitest';
import { ProgramOp, ProgramStep, ProgramWarp } from '../../native/abi/abi.ts';
import { bindingForTests } from '../binding_for_tests.ts';
import type { Operation } from '../program.ts';
import type { Scenario } from './campaign_scenario.ts';
import { decodeOutcome, encodeScenario } from './encode_scenario.ts';
import { prepare } from './exploration.ts';

const open = { op: 'open', path: 'a', mode: 'r+' } as const;
const read = { op: 'read', file: 0, offset: 0, length: 4 } as const;
const compute = { op: 'compute', steps: 1 } as const;
const write = { op: 'write', file: 0, offset: 1, data: Uint8Array.of(9) } as const;

function scenario(programs: readonly (readonly Operation[])[], faults: Scenario['faults'] = {}): Scenario {
  return { name: 'test', programs, files: [{ path: 'a', bytes: Uint8Array.of(1, 2, 3, 4) }], config: {}, faults };
}

function opcodes(steps: Uint8Array): number[] {
  const view = new DataView(steps.buffer);
  return Array.from({ length: steps.length / ProgramStep.bytes }, (_, index) => view.getUint32(index * ProgramStep.bytes + ProgramStep.op, true));
}

function counts(warps: Uint8Array): number[] {
  const view = new DataView(warps.buffer);
  return Array.from({ length: warps.length / ProgramWarp.bytes }, (_, index) => view.getUint32(index * ProgramWarp.bytes + ProgramWarp.stepCount, true));
}

test('the opens at the head are a dispatch of their own, and the handles are there for the other', () => {
  const { native, heads } = encodeScenario(scenario([[open, open, read], [open, compute, open]]));
  const [opening, rest] = native.dispatches;
  expect(heads).toEqual([2, 1]);
  expect([opening?.explored, rest?.explored]).toEqual([false, true]);
  // Nothing but heads is reached in the first: a step that was reached counts as done.
  expect(counts(opening!.buffers[0]!)).toEqual([2, 1]);
  expect(counts(rest!.buffers[0]!)).toEqual([3, 3]);
  expect(opcodes(opening!.buffers[1]!)).toEqual([ProgramOp.OPEN, ProgramOp.OPEN, ProgramOp.NOP, ProgramOp.OPEN, ProgramOp.NOP, ProgramOp.NOP]);
  expect(opcodes(rest!.buffers[1]!)).toEqual([ProgramOp.NOP, ProgramOp.NOP, ProgramOp.READ, ProgramOp.NOP, ProgramOp.COMPUTE, ProgramOp.OPEN]);
  for (const shared of [2, 3, 4]) expect(rest!.buffers[shared]).toBe(opening!.buffers[shared]);
});

test.each<[string, readonly (readonly Operation[])[], Scenario['faults'], { keepHost: boolean; orderMatters: boolean; finish: boolean }]>([
  ['reads', [[open, read], [open, { op: 'read_async', file: 0, offset: 0, length: 1 }, { op: 'wait', ticket: 1 }, { op: 'stat', file: 0 }]], {}, { keepHost: true, orderMatters: false, finish: false }],
  ['reads with errors', [[open, read]], { eio: 5 }, { keepHost: true, orderMatters: false, finish: false }],
  ['reads of a host that dies', [[open, read]], { die: 5 }, { keepHost: false, orderMatters: false, finish: true }],
  ['a write beside a read', [[open, read], [open, write]], {}, { keepHost: false, orderMatters: true, finish: true }],
  ['a write alone', [[open, write]], {}, { keepHost: false, orderMatters: false, finish: true }],
  ['a wait for a write', [[open, { ...write, op: 'write_async' }, { op: 'wait', ticket: 1 }]], {}, { keepHost: false, orderMatters: false, finish: true }],
  ['an open on the way', [[open, read, open]], {}, { keepHost: false, orderMatters: false, finish: true }],
  ['a close', [[open, { op: 'close', file: 0 }]], {}, { keepHost: false, orderMatters: false, finish: true }],
])('what is kept and compared: %s', (_, programs, faults, expected) => {
  expect(encodeScenario(scenario(programs, faults)).native).toMatchObject(expected);
});

test('programs without opens are one dispatch; a barrier needs all warps at once', () => {
  const { native } = encodeScenario(scenario([[{ op: 'barrier' }], [{ op: 'barrier' }]]));
  expect(native.dispatches).toMatchObject([{ explored: true, allResident: true, items: 2 }]);
});

test('outcomes come back as results of steps', async () => {
  const binding = bindingForTests();
  const prepared = prepare(binding, scenario([[open, write, read], [open, { op: 'stat', file: 0 }]]), { seed: 3 }, '/tmp/root');
  const { outcomes } = await prepared.run({ schedules: 5 });
  const outcome = decodeOutcome(prepared.encoded, outcomes[0]!);
  expect(outcome.results.map((steps) => steps.map((step) => step.result))).toEqual([[0, 1, 4], [1, 0]]);
  expect(outcome.results[0]?.[2]?.data).toEqual(Uint8Array.of(1, 9, 3, 4));
  expect(outcome.results[1]?.[1]?.sizeBytes).toBe(4);
  expect(outcome).toMatchObject({ count: 5, preludes: [1, 1], ended: [[true, true, true], [true, true]] });
  expect(outcome.files).toEqual([{ path: 'a', bytes: Uint8Array.of(1, 9, 3, 4) }]);
  expect(outcome.order.map(({ warp, step }) => [warp, step])).toEqual([[0, 0], [1, 0], [0, 1], [0, 2], [1, 1]]);
  expect(prepared.encoded.encoded.buffers[2]?.every((byte) => byte === 0)).toBe(true); // the scenario itself stays as it was
  expect(binding.explorations[0]?.config).toMatchObject({ root: '/tmp/root', workers: 1, check: { seed: 3, module: '', mutant: 0 } });
});

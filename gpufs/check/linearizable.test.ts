import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findOrder, type RegisterOperation, type Transition } from './linearizable.ts';

interface Call {
  write: boolean;
  value: number;
  from: number;
  length: number;
  optional: boolean;
}

function operationsOf(calls: readonly Call[]): RegisterOperation[] {
  return calls.map((call) => {
    let before = 0;
    calls.forEach((other, i) => {
      if (other.from + other.length < call.from) before |= 1 << i;
    });
    return { before, pure: !call.write, optional: call.write && call.optional };
  });
}

const register = (calls: readonly Call[]): Transition => (i, state) => {
  const { write, value } = calls[i] as Call;
  return write || value === state ? value : -1;
};

/** All orders of all subsets that leave out only what may be left out. */
function bruteForce(operations: readonly RegisterOperation[], apply: Transition, state: number, done = 0): boolean {
  if (done === 2 ** operations.length - 1) return true;
  return operations.some((operation, i) => {
    if ((done & (1 << i)) !== 0 || (operation.before & ~done) !== 0) return false;
    const next = apply(i, state);
    if (next >= 0 && bruteForce(operations, apply, next, done | (1 << i))) return true;
    return operation.optional && bruteForce(operations, apply, state, done | (1 << i));
  });
}

test('it finds an order exactly where there is one', () => {
  const call = fc.record({ write: fc.boolean(), value: fc.nat(2), from: fc.nat(8), length: fc.nat(6), optional: fc.boolean() });
  const seen = { yes: 0, no: 0, undecided: 0 };
  fc.assert(
    fc.property(fc.array(call, { maxLength: 6 }), (calls) => {
      const operations = operationsOf(calls);
      const found = findOrder(operations, 0, register(calls));
      seen[found]++;
      expect(found).toBe(bruteForce(operations, register(calls), 0) ? 'yes' : 'no');
    }),
    { numRuns: 3000 },
  );
  expect(seen.yes).toBeGreaterThan(300);
  expect(seen.no).toBeGreaterThan(300);
});

const write = (value: number, from: number, length: number, optional = false): Call => ({ write: true, value, from, length, optional });
const read = (value: number, from: number, length: number): Call => ({ write: false, value, from, length, optional: false });
const check = (...calls: Call[]) => findOrder(operationsOf(calls), 0, register(calls));

test('two readers may not see two writes in different orders', () => {
  expect(check(write(1, 0, 9), write(2, 0, 9), read(1, 10, 1), read(2, 12, 1))).toBe('no');
  expect(check(write(1, 0, 9), write(2, 0, 9), read(1, 1, 1), read(2, 3, 1), read(2, 5, 1))).toBe('yes');
});

test('a write that may not have happened explains what was read, and need not', () => {
  expect(check(write(1, 0, 1, true), read(1, 2, 1))).toBe('yes');
  expect(check(write(1, 0, 1, true), read(0, 2, 1))).toBe('yes');
  expect(check(write(1, 0, 1, true), read(0, 2, 1), read(1, 4, 1))).toBe('no');
});

test('a search that would take too long is given up, and never says no', () => {
  const calls = Array.from({ length: 14 }, (_, i) => write(i + 1, 0, 9));
  expect(findOrder(operationsOf([...calls, read(99, 0, 9)]), 0, register([...calls, read(99, 0, 9)]), 100)).toBe('undecided');
  expect(check(...Array.from({ length: 32 }, () => write(1, 0, 9)))).toBe('undecided');
});

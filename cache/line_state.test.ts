import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineState, LineStep } from '../native/abi/abi.ts';
import { decodeLineWord, describeLineWord, encodeLineWord, isLegalEdge, lineEdge } from './line_state.ts';

test('a zeroed word is an INVALID line at rest', () => {
  expect(decodeLineWord(0)).toEqual({ state: LineState.INVALID, step: LineStep.NONE, reference: false, pins: 0, hands: 0 });
});

test('every word survives decode and encode', () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 0xffffffff }), (word) => encodeLineWord(decodeLineWord(word)) === word));
});

test('exactly the eight edges of the schema are legal', () => {
  const legal: string[] = [];
  for (const [from, fromState] of Object.entries(LineState)) {
    for (const [to, toState] of Object.entries(LineState)) {
      if (isLegalEdge(fromState, toState)) legal.push(`${from}>${to}`);
    }
  }
  expect(legal.sort()).toEqual(
    [
      'INVALID>BUSY', 'BUSY>READY', 'BUSY>INVALID', 'READY>MODIFIED', 'MODIFIED>BUSY', 'BUSY>MODIFIED', 'READY>BUSY', 'READY>INVALID',
    ].sort(),
  );
  expect(lineEdge(LineState.READY, LineState.BUSY)).toBe('evict and claim');
  expect(lineEdge(LineState.MODIFIED, LineState.INVALID)).toBeUndefined(); // dirty bytes are never dropped
});

test('a word in words', () => {
  const word = encodeLineWord({ state: LineState.MODIFIED, step: LineStep.DRAINING, reference: true, pins: 2, hands: 7 });
  expect(describeLineWord(word)).toBe('MODIFIED, step DRAINING, referenced, 2 pins, 7 hands');
});

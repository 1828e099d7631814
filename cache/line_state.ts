// The word of a line, decoded, and the edges that it may take. Both come from the schema; nothing is repeated here.
import {
  LINE_EDGES,
  LINE_HANDS_MASK,
  LINE_HANDS_SHIFT,
  LINE_PINS_MASK,
  LINE_PINS_SHIFT,
  LINE_REFERENCE_MASK,
  LINE_STATE_MASK,
  LINE_STATE_SHIFT,
  LINE_STEP_MASK,
  LINE_STEP_SHIFT,
  LineState,
  LineStep,
} from '../native/abi/abi.ts';

export interface LineWord {
  state: LineState;
  step: LineStep;
  reference: boolean;
  pins: number;
  hands: number;
}

/** | hands 13 | pins 13 | reference 1 | step 3 | state 2 | */
export function decodeLineWord(word: number): LineWord {
  return {
    state: ((word & LINE_STATE_MASK) >>> LINE_STATE_SHIFT) as LineState,
    step: ((word & LINE_STEP_MASK) >>> LINE_STEP_SHIFT) as LineStep,
    reference: (word & LINE_REFERENCE_MASK) !== 0,
    pins: (word & LINE_PINS_MASK) >>> LINE_PINS_SHIFT,
    hands: (word & LINE_HANDS_MASK) >>> LINE_HANDS_SHIFT,
  };
}

export function encodeLineWord(line: LineWord): number {
  const word =
    (line.state << LINE_STATE_SHIFT) |
    (line.step << LINE_STEP_SHIFT) |
    (line.reference ? LINE_REFERENCE_MASK : 0) |
    ((line.pins << LINE_PINS_SHIFT) & LINE_PINS_MASK) |
    ((line.hands << LINE_HANDS_SHIFT) & LINE_HANDS_MASK);
  return word >>> 0;
}

/** The verb that moves a line from one state to another; undefined where no such edge exists. */
export function lineEdge(from: LineState, to: LineState): string | undefined {
  return LINE_EDGES.find((edge) => edge[0] === from && edge[1] === to)?.[2];
}

export function isLegalEdge(from: LineState, to: LineState): boolean {
  return lineEdge(from, to) !== undefined;
}

/** `MODIFIED, step DRAINING, 2 pins, 1 hands`, as messages and dumps show it. */
export function describeLineWord(word: number): string {
  const line = decodeLineWord(word);
  const step = line.step === LineStep.NONE ? '' : `, step ${nameOf(LineStep, line.step)}`;
  const reference = line.reference ? ', referenced' : '';
  return `${nameOf(LineState, line.state)}${step}${reference}, ${line.pins} pins, ${line.hands} hands`;
}

function nameOf(names: Record<string, number>, value: number): string {
  return Object.keys(names).find((name) => names[name] === value) ?? String(value);
}

// Programs with something left out that are still programs: what used the part that is gone goes with it, and indices are counted anew.
import type { Operation, Program } from '../program.ts';

/** Without one step. An open takes along what uses it; the start of an asynchronous call takes its waits, a map what is done to it. */
export function withoutStep(program: Program, step: number): Operation[] {
  const gone = new Set(step < 0 ? [] : [step]);
  const openSteps = program.flatMap((operation, at) => (operation.op === 'open' ? [at] : []));
  program.forEach((operation, at) => {
    if ('file' in operation && gone.has(openSteps[operation.file] ?? -1)) gone.add(at);
    if ('ticket' in operation && gone.has(operation.ticket)) gone.add(at);
    if ('map' in operation && gone.has(operation.map)) gone.add(at);
  });
  const left = (at: number): number => [...gone].filter((other) => other < at).length;
  return program.flatMap((operation, at): Operation[] => {
    if (gone.has(at)) return [];
    if ('ticket' in operation) return [{ ...operation, ticket: operation.ticket - left(operation.ticket) }];
    if ('map' in operation) return [{ ...operation, map: operation.map - left(operation.map) }];
    if (!('file' in operation)) return [operation];
    const opensGone = openSteps.slice(0, operation.file).filter((open) => gone.has(open)).length;
    return [{ ...operation, file: operation.file - opensGone }];
  });
}

/** All warps meet once less. */
export function withoutBarrier(programs: readonly Program[], barrier: number): Operation[][] {
  return programs.map((program) => {
    const steps = program.flatMap((operation, at) => (operation.op === 'barrier' ? [at] : []));
    return withoutStep(program, steps[barrier] ?? -1);
  });
}

/** It does something else while it has something mapped. */
export function holdsMaps(program: Program): boolean {
  return program.some((operation, at) => {
    if (operation.op !== 'map') return false;
    const behind = program.slice(at + 1);
    const other = behind.findIndex((later) => !('map' in later) || later.map !== at);
    return other >= 0 && !behind.slice(0, other).some(({ op }) => op === 'unmap');
  });
}

/** The same operation on fewer bytes or elements, or on those nearer to the beginning: simplest first. */
export function shorterOperations(operation: Operation, lineBytes: number): Operation[] {
  if ('indices' in operation) return fewerElements(operation);
  if (operation.op === 'truncate') return lengthsBelow(Number(operation.length), 0).map((length) => ({ ...operation, length }));
  if (!('offset' in operation)) return 'data' in operation && operation.data !== undefined ? withLessData({ ...operation, data: operation.data }) : [];
  const offset = Number(operation.offset);
  const offsets = [...new Set([0, offset - (offset % lineBytes)])].filter((lower) => lower < offset);
  const shorter = 'data' in operation ? withLessData(operation) : lengthsBelow(operation.length, 1).map((length) => ({ ...operation, length }));
  return [...shorter, ...offsets.map((lower) => ({ ...operation, offset: lower }))];
}

function withLessData<Some extends Operation & { data: Uint8Array }>(operation: Some): Some[] {
  return lengthsBelow(operation.data.length, 1).map((length) => ({ ...operation, data: operation.data.slice(0, length) }));
}

function fewerElements(operation: Extract<Operation, { indices: unknown }>): Operation[] {
  const { indices } = operation;
  if (indices.length < 2) return [];
  return indices.map((_, at) => {
    const fewer = indices.toSpliced(at, 1);
    return operation.op === 'gather' ? { ...operation, indices: fewer } : { ...operation, indices: fewer, values: operation.values.toSpliced(at, 1) };
  });
}

function lengthsBelow(length: number, least: number): number[] {
  return [...new Set([least, Math.floor(length / 2), length - 1])].filter((shorter) => shorter >= least && shorter < length);
}

// Programs with something left out that are still programs: what used the part that is gone goes with it, and indices are counted anew.
import type { Operation, Program } from '../program.ts';

/** Without one step. An open takes along what uses it; the start of an asynchronous call takes its waits. */
export function withoutStep(program: Program, step: number): Operation[] {
  const gone = new Set(step < 0 ? [] : [step]);
  const openSteps = program.flatMap((operation, at) => (operation.op === 'open' ? [at] : []));
  program.forEach((operation, at) => {
    if ('file' in operation && gone.has(openSteps[operation.file] ?? -1)) gone.add(at);
    if (operation.op === 'wait' && gone.has(operation.ticket)) gone.add(at);
  });
  const left = (at: number): number => [...gone].filter((other) => other < at).length;
  return program.flatMap((operation, at): Operation[] => {
    if (gone.has(at)) return [];
    if (operation.op === 'wait') return [{ ...operation, ticket: operation.ticket - left(operation.ticket) }];
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

/** The same operation on fewer bytes, or on bytes nearer to the beginning: simplest first. */
export function shorterOperations(operation: Operation, lineBytes: number): Operation[] {
  if (!('offset' in operation)) return [];
  const offset = Number(operation.offset);
  const offsets = [...new Set([0, offset - (offset % lineBytes)])].filter((lower) => lower < offset);
  const length = 'data' in operation ? operation.data.length : operation.length;
  const lengths = [...new Set([1, Math.floor(length / 2), length - 1])].filter((shorter) => shorter > 0 && shorter < length);
  return [
    ...lengths.map((shorter) => ('data' in operation ? { ...operation, data: operation.data.slice(0, shorter) } : { ...operation, length: shorter })),
    ...offsets.map((lower) => ({ ...operation, offset: lower })),
  ];
}

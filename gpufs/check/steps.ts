// Programs as the judge looks at them: for each step the file that it is about, what it does there, and when.
import { ERRNO } from '../../native/abi/abi.ts';
import type { OpenOperation, Operation, Program } from '../program.ts';

/** What a step does to its file. The start of an asynchronous call does nothing yet; its wait reads or writes. */
export type Work = 'open' | 'close' | 'read' | 'write' | 'fsync' | 'stat' | 'prefetch' | 'start' | 'none';

export interface Opened {
  step: number;
  path: string;
  mode: OpenOperation['mode'];
}

export interface Step {
  warp: number;
  step: number;
  /** Barriers of this warp before it. */
  phase: number;
  op: Operation['op'];
  work: Work;
  /** The open whose file it is about; an open is its own. Undefined: it is about no file. */
  opened: Opened | undefined;
  /** The program has closed that file before. */
  closed: boolean;
  /** Of a wait: the step that it waits for; else -1. */
  started: number;
  /** A later wait for the same step goes to the same bytes of the program. */
  waitedAgain: boolean;
  offset: number;
  length: number;
  data: Uint8Array | undefined;
  /** Its end is beyond every file. */
  overflows: boolean;
}

const OFFSET_MAX = 2n ** 63n - 1n;

export function stepsOf(programs: readonly Program[]): Step[][] {
  return programs.map((program, warp) => {
    const opens: Opened[] = [];
    const closed = new Set<Opened>();
    let phase = 0;
    const steps: Step[] = [];
    program.forEach((operation, index) => {
      const started = operation.op === 'wait' ? operation.ticket : -1;
      // What a wait does is what was asked for then.
      const asked = (started < 0 ? operation : program[started]) as Operation;
      if (operation.op === 'open') opens.push({ step: index, path: operation.path, mode: operation.mode });
      const opened = operation.op === 'open' ? opens.at(-1) : 'file' in asked ? opens[asked.file] : undefined;
      const ranged = 'offset' in asked;
      const data = 'data' in asked ? asked.data : undefined;
      const length = data?.length ?? ('length' in asked ? asked.length : 0);
      steps.push({
        warp, step: index, phase, op: operation.op, work: workOf(operation, asked), opened, closed: opened !== undefined && closed.has(opened), started,
        waitedAgain: started >= 0 && program.slice(index + 1).some((later) => later.op === 'wait' && later.ticket === started),
        offset: ranged ? Number(asked.offset) : 0, length, data,
        overflows: ranged && BigInt(asked.offset) + BigInt(length) > OFFSET_MAX,
      });
      if (operation.op === 'close' && opened !== undefined) closed.add(opened);
      if (operation.op === 'barrier') phase++;
    });
    return steps;
  });
}

/** How a step ends that gets no further than its own program, whatever the file is like; undefined where it does get further. */
export function refusal(step: Step, results: readonly { result: number }[]): number | undefined {
  const { opened } = step;
  if (opened === undefined || step.work === 'open') return undefined;
  const started = step.started < 0 ? 0 : (results[step.started]?.result ?? 0);
  if (started < 0) return started;
  const handle = results[opened.step]?.result ?? 0;
  if (handle < 0) return handle;
  if (step.closed) return -ERRNO.EBADF.number;
  if (step.overflows) return -ERRNO.EOVERFLOW.number;
  return step.work === 'write' && opened.mode === 'r' ? -ERRNO.EBADF.number : undefined;
}

/** `warp 1 step 2 write(a, 512, 8)` */
export function describeStep(step: Step): string {
  const where = `warp ${step.warp} step ${step.step}`;
  if (step.opened === undefined) return `${where} ${step.op}`;
  if (step.work === 'open') return `${where} open(${step.opened.path}, ${step.opened.mode})`;
  const ranged = step.work === 'read' || step.work === 'write' || step.work === 'prefetch' || step.work === 'start';
  return `${where} ${step.op}(${step.opened.path}${ranged ? `, ${step.offset}, ${step.length}` : ''})`;
}

function workOf(operation: Operation, asked: Operation): Work {
  switch (operation.op) {
    case 'wait':
      return asked.op === 'read_async' ? 'read' : 'write';
    case 'read_async':
    case 'write_async':
      return 'start';
    case 'compute':
    case 'barrier':
      return 'none';
    default:
      return operation.op;
  }
}

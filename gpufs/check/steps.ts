// Programs as the judge looks at them: for each step the file that it is about, what it does there, and when.
import { ERRNO } from '../../native/abi/abi.ts';
import type { OpenModeName, Operation, Program } from '../program.ts';

/** What a step does to its file. The start of an asynchronous call does nothing yet; its wait reads or writes. */
export type Work = Exclude<Operation['op'], 'read_async' | 'write_async' | 'wait' | 'compute' | 'barrier'> | 'start' | 'none';

export interface Opened {
  step: number;
  path: string;
  mode: OpenModeName;
}

export interface Step {
  warp: number;
  step: number;
  /** Barriers of this warp before it. */
  phase: number;
  op: Operation['op'];
  work: Work;
  /** The open whose file it is about; an open is its own. Undefined: it is about no open file. */
  opened: Opened | undefined;
  /** The program has closed that file before. */
  closed: boolean;
  /** Where the program has given back that map before, or has tried to. */
  releases: readonly number[];
  /** Of a wait, a poll and what is done to a map: the step where it began; else -1. */
  started: number;
  /** A later wait for the same step goes to the same bytes of the program. */
  waitedAgain: boolean;
  /** Of what is done to a map: where the map begins, and how many bytes are stored. */
  offset: number;
  length: number;
  data: Uint8Array | undefined;
  /** The map is one to write to. */
  storing: boolean;
  /** It goes over the end of a line. */
  crosses: boolean;
  /** The file is to have this size. */
  size: number;
  indices: readonly number[];
  values: readonly number[];
  /** Names that are removed or changed: one, or an old one and a new one. */
  names: readonly string[];
  /** Its end is beyond every file. */
  overflows: boolean;
}

const OFFSET_MAX = 2n ** 63n - 1n;
const LINE_BYTES_USUAL = 4096;

export function stepsOf(programs: readonly Program[], lineBytes: number = LINE_BYTES_USUAL): Step[][] {
  return programs.map((program, warp) => {
    const opens: Opened[] = [];
    const closed = new Set<Opened>();
    let phase = 0;
    const steps: Step[] = [];
    program.forEach((operation, index) => {
      const started = 'ticket' in operation ? operation.ticket : 'map' in operation ? operation.map : -1;
      // What a wait does is what was asked for then.
      const asked = (started < 0 ? operation : program[started]) as Operation;
      if (operation.op === 'open') opens.push({ step: index, path: operation.path, mode: operation.mode });
      const opened = operation.op === 'open' ? opens.at(-1) : 'file' in asked ? opens[asked.file] : undefined;
      const data = 'map' in operation ? operation.data : 'data' in asked ? asked.data : undefined;
      const asksFor = 'length' in asked && asked.op !== 'truncate' && !('map' in operation) ? asked.length : 0;
      const offset = 'offset' in asked ? Number(asked.offset) : 0;
      const length = data?.length ?? asksFor;
      steps.push({
        warp, step: index, phase, op: operation.op, work: workOf(operation, asked), opened, closed: opened !== undefined && closed.has(opened), started,
        releases: 'map' in operation ? steps.filter(({ op, started: map }) => op === 'unmap' && map === started).map(({ step }) => step) : [],
        waitedAgain: operation.op === 'wait' && program.slice(index + 1).some((later) => later.op === 'wait' && later.ticket === started),
        offset, length, data,
        storing: asked.op === 'map' && asked.mode === 'r+',
        crosses: asked.op === 'map' && (offset % lineBytes) + asked.length > lineBytes,
        size: asked.op === 'truncate' ? Number(asked.length) : 0,
        indices: 'indices' in asked ? asked.indices.map(Number) : [],
        values: 'values' in asked ? asked.values : [],
        names: operation.op === 'unlink' ? [operation.path] : operation.op === 'rename' ? [operation.path, operation.to] : [],
        overflows: 'offset' in asked && BigInt(asked.offset) + BigInt(length) > OFFSET_MAX,
      });
      if (operation.op === 'close' && opened !== undefined) closed.add(opened);
      if (operation.op === 'barrier') phase++;
    });
    return steps;
  });
}

/** How a step ends that gets no further than its own program, whatever the file is like; undefined where it does get further. */
export function refusal(step: Step, results: readonly { result: number }[]): number | undefined {
  const { opened, work } = step;
  if (opened === undefined || work === 'open') return undefined;
  const started = step.started < 0 ? 0 : (results[step.started]?.result ?? 0);
  if (started < 0) return started;
  if (work === 'unmap' || work === 'map_sync') return refusalOfMapped(step, started, results);
  const handle = results[opened.step]?.result ?? 0;
  if (handle < 0) return handle;
  if (step.closed) return -ERRNO.EBADF.number;
  if (step.overflows) return -ERRNO.EOVERFLOW.number;
  if (opened.mode === 'r' && (writes.has(work) || step.storing)) return -ERRNO.EBADF.number;
  return work === 'map' && (step.crosses || step.length === 0) ? -ERRNO.EINVAL.number : undefined;
}

const writes: ReadonlySet<Work> = new Set<Work>(['write', 'truncate', 'scatter', 'add']);

/** Nothing is mapped behind the end of a file, and nothing is stored into a map that is there to be read. */
function refusalOfMapped({ releases, storing, data }: Step, mapped: number, results: readonly { result: number }[]): number | undefined {
  if (data !== undefined && !storing) return -ERRNO.EBADF.number;
  if (data !== undefined && data.length > mapped) return -ERRNO.EINVAL.number;
  const isReleased = releases.some((at) => results[at]?.result === 0 || results[at]?.result === -ERRNO.ESTALE.number);
  if (isReleased && mapped > 0) return -ERRNO.EBADF.number;
  return mapped === 0 || !storing ? 0 : undefined;
}

/** `warp 1 step 2 write(a, 512, 8)` */
export function describeStep(step: Step): string {
  return `warp ${step.warp} step ${step.step} ${step.op}${argumentsOf(step)}`;
}

function argumentsOf(step: Step): string {
  const { work, opened, offset, length, size, indices, values, names } = step;
  if (names.length > 0) return `(${names.join(', ')})`;
  if (opened === undefined) return '';
  const shown: (string | number)[] = [opened.path];
  if (work === 'open') shown.push(opened.mode);
  if (work === 'truncate') shown.push(size);
  if (ranged.has(work)) shown.push(offset, length);
  if (indices.length > 0) shown.push(`[${indices.join(' ')}]`);
  if (values.length > 0) shown.push(`[${values.join(' ')}]`);
  return `(${shown.join(', ')})`;
}

const ranged: ReadonlySet<Work> = new Set<Work>(['read', 'write', 'prefetch', 'start', 'map', 'unmap', 'map_sync']);

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

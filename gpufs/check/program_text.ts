// A scenario as people read it: its files, its mount, what is done to its host, and one line for each warp.
import type { Operation, Program } from '../program.ts';
import type { Scenario } from './campaign_scenario.ts';

export function scenarioText({ programs, files, config, faults, check, finish }: Scenario): string {
  const { cache, ring, wait, maxOpenFiles, readOnly } = config;
  const chances = Object.entries(faults).filter(([, chance]) => chance > 0);
  const mount = [
    ...(wait === undefined ? [] : [`wait ${wait}`]),
    ...(cache?.lines === undefined ? [] : [counted(cache.lines, 'line')]),
    ...(cache?.lineBytes === undefined ? [] : [`of ${cache.lineBytes} bytes`]),
    ...(cache?.policy === undefined ? [] : [cache.policy]),
    ...(ring?.slots === undefined ? [] : [`${counted(ring.count ?? 1, 'ring')} of ${counted(ring.slots, 'slot')}`]),
    ...(maxOpenFiles === undefined ? [] : [`${counted(maxOpenFiles, 'file')} open at most`]),
    ...(readOnly === true ? ['read-only'] : []),
    ...(check?.laneCount === undefined ? [] : [counted(check.laneCount, 'lane')]),
    ...(check?.memory === undefined ? [] : [`memory ${check.memory}`]),
    ...(check?.cuda === true ? ['shaders as the cuda device has them'] : []),
  ];
  return [
    `files: ${files.length === 0 ? 'none' : files.map(({ path, bytes }) => `${path} (${counted(bytes.length, 'byte')})`).join(', ')}`,
    ...(mount.length === 0 ? [] : [`mount: ${mount.join(', ')}`]),
    ...(chances.length === 0 ? [] : [`faults in 1000: ${chances.map(([name, chance]) => `${name} ${chance}`).join(', ')}`]),
    ...programs.map((program, warp) => `warp ${warp}: ${programText(program)}`),
    ...(finish === false ? ['nothing is synced at the end'] : []),
  ].join('\n');
}

export function programText(program: Program): string {
  return program.length === 0 ? 'nothing' : program.map((operation, step) => operationText(program, operation, step)).join('; ');
}

/** What a later step refers to by its number has that number in front. */
function operationText(program: Program, operation: Operation, step: number): string {
  const isAwaited = program.some((other) => ('ticket' in other && other.ticket === step) || ('map' in other && other.map === step));
  return `${isAwaited ? `${step}: ` : ''}${callText(program, operation, step)}`;
}

function callText(program: Program, operation: Operation, step: number): string {
  switch (operation.op) {
    case 'open':
      return `${fileName(program, openStepsOf(program).indexOf(step))} = open(${operation.path}, ${operation.mode})`;
    case 'wait':
    case 'poll':
      return `${operation.op}(${operation.ticket})`;
    case 'unmap':
    case 'map_sync':
      return `${operation.op}(${operation.map}${operation.data === undefined ? '' : `, ${operation.data.length}`})`;
    case 'unlink':
      return `unlink(${operation.path})`;
    case 'rename':
      return `rename(${operation.path}, ${operation.to})`;
    case 'compute':
      return `compute(${operation.steps})`;
    case 'barrier':
      return 'barrier';
    default:
      return `${operation.op}(${[fileName(program, operation.file), ...argumentsOf(operation)].join(', ')})`;
  }
}

function argumentsOf(operation: Extract<Operation, { file: number }>): string[] {
  if (operation.op === 'truncate') return [`${operation.length}`];
  if (operation.op === 'map') return [`${operation.offset}`, `${operation.length}`, operation.mode];
  if ('indices' in operation) return [`[${operation.indices.join(' ')}]`, ...('values' in operation ? [`[${operation.values.join(' ')}]`] : [])];
  if ('offset' in operation) return [`${operation.offset}`, `${'data' in operation ? operation.data.length : operation.length}`];
  return [];
}

function openStepsOf(program: Program): number[] {
  return program.flatMap(({ op }, step) => (op === 'open' ? [step] : []));
}

/** f0 is the first open of a warp. */
function fileName(program: Program, file: number): string {
  return file < openStepsOf(program).length ? `f${file}` : `f${file} (never opened)`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

// Every rule that a program can break before anything runs. A message names the warp, the step and the rule:
// `program[2][5].offset: -1 is not ...`.
import { optionError, showValue, WarpfsError } from './errors.ts';
import { nearest } from './nearest.ts';
import { ARRIVALS_MAX, type Operation, type Program, STEP_BYTES_MAX } from './program.ts';

const OFFSET_MAX = 2n ** 63n - 1n;

/** The fields of each operation beside `op`; anything else is a slip that would pass unseen. */
const fieldsOf: Record<Operation['op'], readonly string[]> = {
  open: ['path', 'mode'],
  close: ['file'],
  read: ['file', 'offset', 'length', 'peek'],
  write: ['file', 'offset', 'data'],
  fsync: ['file'],
  stat: ['file'],
  prefetch: ['file', 'offset', 'length'],
  read_async: ['file', 'offset', 'length'],
  write_async: ['file', 'offset', 'data'],
  wait: ['ticket'],
  compute: ['steps'],
  barrier: [],
  poll: ['ticket'],
  truncate: ['file', 'length'],
  unlink: ['path'],
  rename: ['path', 'to'],
  map: ['file', 'offset', 'length', 'mode'],
  unmap: ['map', 'data'],
  map_sync: ['map', 'data'],
  gather: ['file', 'indices'],
  scatter: ['file', 'indices', 'values'],
  add: ['file', 'indices', 'values'],
};

/** These may be left out. */
const optionalFields: Partial<Record<Operation['op'], readonly string[]>> = { read: ['peek'], unmap: ['data'], map_sync: ['data'] };

const OPEN_MODES = ['r', 'r+', 'w+', 'c+', 'wx+'];
/** What one step can move: more of them would not fit into the log of a replayed item. */
const ELEMENTS_MAX = 4096;

export function checkPrograms(programs: readonly Program[]): void {
  if (!Array.isArray(programs)) throw optionError('programs', programs, 'is not a list with one program per warp');
  let barriers = -1;
  programs.forEach((program: Program, warp) => {
    const where = `program[${warp}]`;
    if (!Array.isArray(program)) throw optionError(where, program, 'is not a list of operations');
    const mine = checkProgram(program, where);
    if (mine * programs.length > ARRIVALS_MAX) {
      throw optionError(where, mine, `barriers of ${programs.length} warps are more than the ${ARRIVALS_MAX} arrivals that one run can count`);
    }
    if (barriers >= 0 && mine !== barriers) {
      throw new WarpfsError(
        'ERR_WARPFS_OPTION',
        `${where}: it has ${mine} barriers and program[0] has ${barriers}; a barrier is for all warps of the run`,
      );
    }
    barriers = mine;
  });
}

/** Whether the warps wait for each other, so that all of them must be resident at once. */
export function hasBarrier(programs: readonly Program[]): boolean {
  return programs[0]?.some((operation) => operation.op === 'barrier') ?? false;
}

function checkProgram(program: Program, where: string): number {
  let opens = 0;
  let barriers = 0;
  program.forEach((operation, step) => {
    const here = `${where}[${step}]`;
    checkFields(operation, here);
    if ('file' in operation) checkIndex(`${here}.file`, operation.file, opens);
    if ('offset' in operation) checkOffset(`${here}.offset`, operation.offset);
    if (operation.op === 'truncate') checkOffset(`${here}.length`, operation.length);
    else if ('length' in operation) checkWhole(`${here}.length`, operation.length, STEP_BYTES_MAX);
    if ('data' in operation && operation.data !== undefined) checkData(`${here}.data`, operation.data);
    if ('path' in operation) checkPath(`${here}.path`, operation.path);
    if ('to' in operation) checkPath(`${here}.to`, operation.to);
    if (operation.op === 'open') checkOpenMode(`${here}.mode`, operation.mode);
    if (operation.op === 'read' && operation.peek !== undefined && typeof operation.peek !== 'boolean') throw optionError(`${here}.peek`, operation.peek, 'is not true or false');
    if (operation.op === 'map') checkMapMode(`${here}.mode`, operation.mode);
    if ('ticket' in operation) checkTicket(`${here}.ticket`, operation.ticket, program, step);
    if ('map' in operation) checkMap(`${here}.map`, operation.map, program, step);
    if ('indices' in operation) checkElements(here, operation.indices, 'values' in operation ? operation.values : undefined);
    if (operation.op === 'compute') checkWhole(`${here}.steps`, operation.steps, Number.MAX_SAFE_INTEGER);
    if (operation.op === 'open') opens++;
    if (operation.op === 'barrier') barriers++;
  });
  return barriers;
}

function checkFields(operation: Operation, here: string): void {
  if (typeof operation !== 'object' || operation === null) throw optionError(here, operation, 'is not an operation');
  if (!Object.hasOwn(fieldsOf, operation.op)) {
    const guess = typeof operation.op === 'string' ? nearest(operation.op, Object.keys(fieldsOf)) : undefined;
    const hint = guess === undefined ? '' : `; did you mean "${guess}"?`;
    throw optionError(`${here}.op`, operation.op, `is not one of ${Object.keys(fieldsOf).join(', ')}${hint}`);
  }
  const fields = fieldsOf[operation.op];
  for (const name of Object.keys(operation)) {
    if (name === 'op' || fields.includes(name)) continue;
    throw new WarpfsError('ERR_WARPFS_OPTION', `${here}.${name}: an operation "${operation.op}" has no such field; it has ${['op', ...fields].join(', ')}`);
  }
  for (const name of fields) {
    if (!Object.hasOwn(operation, name) && !optionalFields[operation.op]?.includes(name)) throw optionError(`${here}.${name}`, undefined, `is missing in an operation "${operation.op}"`);
  }
}

function checkPath(name: string, path: unknown): void {
  if (typeof path !== 'string' || path === '' || path.includes('\0')) throw optionError(name, path, 'is not a path');
}

function checkOpenMode(name: string, mode: unknown): void {
  if (OPEN_MODES.includes(mode as string)) return;
  if (mode === 'a' || mode === 'a+') {
    throw optionError(name, mode, 'appends, and that is refused: warps that append at once would have to agree on every offset; write at one of your own');
  }
  throw optionError(name, mode, `is not one of ${OPEN_MODES.join(', ')}`);
}

function checkMapMode(name: string, mode: unknown): void {
  if (mode !== 'r' && mode !== 'r+') throw optionError(name, mode, 'is not one of r, r+');
}

function checkElements(here: string, indices: unknown, values: unknown): void {
  if (!Array.isArray(indices)) throw optionError(`${here}.indices`, indices, 'is not a list of the indices of elements');
  if (indices.length > ELEMENTS_MAX) throw optionError(`${here}.indices`, indices.length, `elements are more than the ${ELEMENTS_MAX} of one step`);
  indices.forEach((index, at) => checkOffset(`${here}.indices[${at}]`, index));
  if (values === undefined) return;
  if (!Array.isArray(values) || values.length !== indices.length) throw optionError(`${here}.values`, values, `is not a list of ${indices.length} values, one for each index`);
  values.forEach((value, at) => checkWhole(`${here}.values[${at}]`, value, 2 ** 32 - 1));
}

function checkMap(name: string, map: unknown, program: Program, step: number): void {
  const mapped = Number.isInteger(map) && (map as number) < step ? program[map as number]?.op : undefined;
  if (mapped === 'map') return;
  const found = mapped === undefined ? '' : `; step ${showValue(map)} is an operation "${mapped}"`;
  throw optionError(name, map, `is not the index of a map step before this one${found}`);
}

function checkIndex(name: string, file: unknown, opens: number): void {
  if (Number.isInteger(file) && (file as number) >= 0 && (file as number) < opens) return;
  const rule = opens === 0 ? 'names an open, but no open comes before this step' : `is not the index of an open before this step (0 to ${opens - 1})`;
  throw optionError(name, file, rule);
}

function checkOffset(name: string, offset: unknown): void {
  if (typeof offset === 'bigint' && offset >= 0n && offset <= OFFSET_MAX) return;
  if (Number.isSafeInteger(offset) && (offset as number) >= 0) return;
  throw optionError(name, offset, 'is not a byte offset: a whole number from 0 to 2^53 - 1, or a bigint from 0 to 2^63 - 1');
}

function checkWhole(name: string, value: unknown, max: number): void {
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max) return;
  throw optionError(name, value, `is not a whole number from 0 to ${max}`);
}

function checkData(name: string, data: unknown): void {
  if (!(data instanceof Uint8Array)) throw optionError(name, data, 'is not a Uint8Array');
  if (data.length > STEP_BYTES_MAX) throw optionError(name, data, `is longer than ${STEP_BYTES_MAX} bytes`);
}

function checkTicket(name: string, ticket: unknown, program: Program, step: number): void {
  const asynchronous = Number.isInteger(ticket) && (ticket as number) < step ? program[ticket as number]?.op : undefined;
  if (asynchronous === 'read_async' || asynchronous === 'write_async') return;
  const found = asynchronous === undefined ? '' : `; step ${showValue(ticket)} is an operation "${asynchronous}"`;
  throw optionError(name, ticket, `is not the index of a read_async or write_async step before this one${found}`);
}

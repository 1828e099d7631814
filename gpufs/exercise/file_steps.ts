// Reads, writes, truncations and the rest of what needs no map and no array.
import type { StepResult } from '../program.ts';
import type { Action } from './action.ts';
import { Mismatch, showResult } from './mismatch.ts';
import { bytesOf, FILE_BYTES_MAX, type ModelFile } from './model_file.ts';
import { cut, expectBytes, expectResult, failing, failure, findsLine, type Handle, owns, type Ticket, type Written, type Writing } from './round_writer.ts';

type Of<Kind extends Action['kind']> = Extract<Action, { kind: Kind }>;

/** Behind what all warps knew at the last barrier a result would depend on who comes first. */
function readable(writing: Writing, file: ModelFile, offset: number, length: number): boolean {
  return writing.kind === 'striped' ? offset + length <= file.sizeAtBarrier : owns(writing, file);
}

function writable(writing: Writing, file: ModelFile, end: number): boolean {
  return end <= FILE_BYTES_MAX && findsLine(writing) && (writing.kind === 'striped' || owns(writing, file));
}

export function writeClose(action: Of<'close'>, handle: Handle): Written {
  const { error } = handle;
  const operation = { op: 'close', file: handle.index } as const;
  if (error !== undefined) return failing(action, operation, error);
  if (handle.users > 0) return undefined;
  handle.error = 'EBADF';
  return { operation, judge: (result) => expectResult(action, result, 0) };
}

export function writeSimple(action: Of<'fsync' | 'stat'>, writing: Writing, handle: Handle): Written {
  const file = handle.index;
  const { file: model, error } = handle;
  if (error !== undefined || model === undefined) return failing(action, { op: action.kind, file }, error ?? 'EBADF');
  if (action.kind === 'fsync') return { operation: { op: 'fsync', file }, judge: (result) => expectResult(action, result, 0) };
  if (!owns(writing, model)) return undefined;
  const { size } = model;
  return {
    operation: { op: 'stat', file },
    judge: (result) => {
      expectResult(action, result, 0);
      if (result.sizeBytes !== size) throw new Mismatch(action.number, `size ${result.sizeBytes}, wanted ${size}`);
    },
  };
}

export function writeRead(action: Of<'read' | 'prefetch'>, writing: Writing, handle: Handle): Written {
  const { offset, length } = action;
  const range = { file: handle.index, offset, length };
  const operation = action.kind === 'prefetch' ? ({ op: action.kind, ...range } as const) : ({ op: action.kind, ...range, peek: action.number % 3 === 0 } as const);
  const { file, error } = handle;
  if (error !== undefined || file === undefined) return failing(action, operation, error ?? 'EBADF');
  if (action.kind === 'prefetch') {
    return {
      operation,
      judge: (result) => {
        if (result.result < 0) throw new Mismatch(action.number, `result ${showResult(result.result)} of a hint`);
      },
    };
  }
  return readable(writing, file, offset, length) ? { operation, judge: readJudge(action, writing, file, offset, length) } : undefined;
}

function readJudge(action: Action, writing: Writing, file: ModelFile, offset: number, length: number) {
  const wanted = file.clip(offset, length);
  return (result: StepResult) => {
    expectResult(action, result, wanted);
    expectBytes(action, writing, file, offset, wanted, result);
  };
}

export function writeWrite(action: Of<'write'>, writing: Writing, handle: Handle): Written {
  const { number, offset, length } = action;
  const data = bytesOf(number, offset, length);
  const operation = { op: 'write', file: handle.index, offset, data } as const;
  const { file, error } = handle;
  if (error !== undefined || file === undefined) return failing(action, operation, error ?? 'EBADF');
  if (!handle.writable) return failing(action, operation, 'EBADF');
  if (!writable(writing, file, offset + length)) return undefined;
  return { operation, judge: writeJudge(action, writing, file, offset, data) };
}

function writeJudge(action: Action, { world }: Writing, file: ModelFile, offset: number, data: Uint8Array) {
  if (data.length > 0) file.size = Math.max(file.size, offset + data.length);
  return (result: StepResult) => {
    expectResult(action, result, data.length);
    file.store(action.number, offset, data, world.history);
  };
}

export function writeTruncate(action: Of<'truncate'>, writing: Writing, handle: Handle): Written {
  const { number, length } = action;
  const operation = { op: 'truncate', file: handle.index, length } as const;
  const { file, error } = handle;
  if (error !== undefined || file === undefined) return failing(action, operation, error ?? 'EBADF');
  if (!handle.writable) return failing(action, operation, 'EBADF');
  if (!owns(writing, file) || length > FILE_BYTES_MAX) return undefined;
  const before = cut(file, length);
  return {
    operation,
    judge: (result) => {
      expectResult(action, result, 0);
      file.clear(number, Math.min(before, length), Math.max(before, length));
    },
  };
}

/** Nothing of the file is touched before somebody waits; what comes then is that of the moment of the wait. */
export function writeStart(action: Of<'read_async' | 'write_async'>, writing: Writing, handle: Handle): Written {
  const { number, kind, offset, length } = action;
  const { file, error } = handle;
  if (error !== undefined || file === undefined || (kind === 'write_async' && !handle.writable)) return undefined;
  const step = writing.state.program.length;
  writing.state.tickets.set(number, { handle, writes: kind === 'write_async', offset, length, step, live: true });
  handle.users++;
  const place = { file: handle.index, offset };
  const operation = kind === 'read_async' ? ({ op: kind, ...place, length } as const) : ({ op: kind, ...place, data: bytesOf(number, offset, length) } as const);
  return { operation, judge: (result) => expectResult(action, result, 0) };
}

export function writePoll(action: Of<'poll'>, { replay }: Writing, ticket: Ticket): Written {
  return {
    operation: { op: 'poll', ticket: ticket.step },
    judge: (result) => {
      if (result.result === 1 || (result.result === 0 && !replay)) return;
      throw new Mismatch(action.number, `result ${showResult(result.result)}, wanted ${replay ? '1' : '0 or 1'}`);
    },
  };
}

export function writeWait(action: Of<'wait'>, writing: Writing, ticket: Ticket): Written {
  const { handle, offset, length, writes, step } = ticket;
  const file = handle.file as ModelFile;
  const allowed = writes ? writable(writing, file, offset + length) : readable(writing, file, offset, length);
  if (!ticket.live || !allowed) return undefined;
  ticket.live = false;
  handle.users--;
  const operation = { op: 'wait', ticket: step } as const;
  if (!writes) return { operation, judge: readJudge(action, writing, file, offset, length) };
  // The bytes are those of the operation that started it.
  const judge = writeJudge(action, writing, file, offset, bytesOf(action.of, offset, length));
  return { operation, judge };
}

export function writeUnlink(action: Of<'unlink'>, { world }: Writing): Written {
  const operation = { op: 'unlink', path: action.name } as const;
  if (!world.names.delete(action.name)) return failing(action, operation, 'ENOENT');
  return { operation, judge: (result) => expectResult(action, result, 0) };
}

export function writeRename(action: Of<'rename'>, { world }: Writing): Written {
  const operation = { op: 'rename', path: action.name, to: action.to } as const;
  const file = world.names.get(action.name);
  if (file === undefined) return { operation, judge: (result) => expectResult(action, result, failure('ENOENT')) };
  world.names.delete(action.name);
  world.names.set(action.to, file);
  return { operation, judge: (result) => expectResult(action, result, 0) };
}

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { NativeTraceEvent } from '../native_check.ts';
import { perfettoTrace } from './perfetto.ts';

type Value = number | bigint | Uint8Array;
type Fields = Map<number, Value[]>;

/** Knows nothing of the writer: reads the wire format as its specification says. */
function decode(bytes: Uint8Array): Fields {
  const fields: Fields = new Map();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error('the bytes end within a number');
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    let value: Value;
    if (tag % 8 === 0) value = varint();
    else if (tag % 8 === 1) {
      value = new DataView(bytes.buffer, bytes.byteOffset + at, 8).getFloat64(0, true);
      at += 8;
    } else if (tag % 8 === 2) {
      const length = Number(varint());
      value = bytes.subarray(at, at + length);
      expect(value.length).toBe(length);
      at += length;
    } else throw new Error(`wire type ${tag % 8}`);
    const field = Math.floor(tag / 8);
    fields.set(field, [...(fields.get(field) ?? []), value]);
  }
  return fields;
}

const inner = (fields: Fields, field: number): Fields[] => (fields.get(field) ?? []).map((value) => decode(value as Uint8Array));
const text = (fields: Fields, field: number): string => new TextDecoder().decode(fields.get(field)?.[0] as Uint8Array);
const number = (fields: Fields, field: number): number => Number(fields.get(field)?.[0]);

function readTrace(bytes: Uint8Array) {
  const tracks = new Map<number, string>();
  const names = new Map<number, string>();
  const events: { time: number; track: string | undefined; type: number; name?: string | undefined; notes: Record<string, unknown> }[] = [];
  for (const packet of inner(decode(bytes), 1)) {
    expect(number(packet, 10)).toBe(1);
    for (const track of inner(packet, 60)) tracks.set(number(track, 1), text(track, 2));
    for (const data of inner(packet, 12)) for (const name of inner(data, 2)) names.set(number(name, 1), text(name, 2));
    for (const event of inner(packet, 11)) {
      const notes: Record<string, unknown> = {};
      for (const note of inner(event, 4)) {
        const value = note.get(3)?.[0] ?? note.get(4)?.[0] ?? note.get(5)?.[0];
        notes[text(note, 10)] = note.has(6) ? text(note, 6) : typeof value === 'bigint' ? BigInt.asIntN(64, value) : value;
      }
      const name = event.has(10) ? names.get(number(event, 10)) : undefined;
      events.push({ time: number(packet, 8), track: tracks.get(number(event, 11)), type: number(event, 9), ...(name === undefined ? {} : { name }), notes });
    }
  }
  return { tracks: [...tracks.values()], events };
}

const events: NativeTraceEvent[] = [
  { time: 1, actor: 5, name: 'end', detail: 'gopen', value: 0 },
  { time: 2, actor: 5, name: 'begin', detail: 'gread', value: 0 },
  { time: 3, actor: 5, name: 'cas', detail: 'word of line 3', value: 2 ** 32 - 1 },
  { time: 4, actor: 8, name: 'host writes', detail: 'täg', value: -5 },
  { time: 5, actor: 5, name: 'cas', detail: '', value: 0.5 },
  { time: 6, actor: 5, name: 'end', detail: 'gread', value: 0 },
  { time: 2 ** 40, actor: 0, name: 'begin', detail: 'step 0: read', value: 7 },
];

test('what was written can be read', () => {
  const trace = readTrace(perfettoTrace({ title: 'seed 7', laneCount: 4, host: 8, events }));
  expect(trace.tracks).toEqual(['seed 7', 'warp 0 lane 0', 'warp 1 lane 1', 'host']);
  expect(trace.events).toEqual([
    { time: 2, track: 'warp 1 lane 1', type: 1, name: 'gread', notes: { value: 0n } },
    { time: 3, track: 'warp 1 lane 1', type: 3, name: 'cas', notes: { detail: 'word of line 3', value: 4294967295n } },
    { time: 4, track: 'host', type: 3, name: 'host writes', notes: { detail: 'täg', value: -5n } },
    { time: 5, track: 'warp 1 lane 1', type: 3, name: 'cas', notes: { value: 0.5 } },
    { time: 6, track: 'warp 1 lane 1', type: 2, notes: {} },
    { time: 2 ** 40, track: 'warp 0 lane 0', type: 1, name: 'step 0: read', notes: { value: 7n } },
    { time: 2 ** 40, track: 'warp 0 lane 0', type: 2, notes: {} }, // what is open at the end is closed there
  ]);
});

test('the same events give the same bytes, on every machine', () => {
  const write = () => perfettoTrace({ title: 'seed 7', laneCount: 4, host: 8, events });
  expect(write()).toEqual(write());
  expect(createHash('sha256').update(write()).digest('hex').slice(0, 16)).toBe('b6ecfd27fc235794');
});

test('a long trace is as right as a short one', () => {
  const many = Array.from({ length: 3000 }, (_, time): NativeTraceEvent => ({ time, actor: time % 9, name: `load ${time % 50}`, detail: 'x'.repeat(time % 200), value: time }));
  const trace = readTrace(perfettoTrace({ title: 'long', laneCount: 4, host: 8, events: many }));
  expect(trace.events.length).toBe(many.length);
  expect(trace.events.at(-1)).toMatchObject({ time: 2999, name: 'load 49', notes: { value: 2999n } });
});

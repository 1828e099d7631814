// The events of one schedule as a Perfetto trace (TrackEvent protobuf, written by hand): a track for each lane and one for the host, slices for
// calls and steps, instants for accesses. The time is the number of the step, in nanoseconds. The same events give the same bytes.
import type { NativeTraceEvent } from '../native_check.ts';
import { actorName } from './report.ts';
import { ProtobufWriter } from './protobuf_writer.ts';

export interface TraceToWrite {
  /** The name of the whole, as `seed 7`. */
  title: string;
  laneCount: number;
  /** The actor that is the host. */
  host: number;
  events: readonly NativeTraceEvent[];
}

/** Events of these names open and close a slice that is called by their detail; all others are instants. */
export const SLICE_BEGIN = 'begin';
export const SLICE_END = 'end';

// Numbers of fields, from the .proto files of Perfetto.
const PACKET = 1;
const packet = { timestamp: 8, sequence: 10, trackEvent: 11, internedData: 12, sequenceFlags: 13, trackDescriptor: 60 } as const;
const track = { uuid: 1, name: 2, parent: 5, childOrdering: 11, siblingRank: 12 } as const;
const event = { annotations: 4, type: 9, nameId: 10, trackUuid: 11 } as const;
const annotation = { uint: 3, int: 4, double: 5, text: 6, name: 10 } as const;
const EVENT_NAMES = 2;
const interned = { id: 1, name: 2 } as const;

const EventType = { BEGIN: 1, END: 2, INSTANT: 3 } as const;
const ORDER_EXPLICIT = 3;
const SEQUENCE = 1;
const STATE_CLEARED = 1; // the first packet of a sequence
const NEEDS_STATE = 2;
const ROOT_UUID = 1;
const FIRST_UUID = 2; // of actor 0

export function perfettoTrace({ title, laneCount, host, events }: TraceToWrite): Uint8Array {
  const writer = new ProtobufWriter();
  describeTrack(writer, { uuid: ROOT_UUID, name: title, rank: 0, first: true });
  for (const actor of actorsOf(events)) {
    const isHost = actor === host;
    const name = actorName({ warp: isHost ? -1 : Math.floor(actor / laneCount), lane: isHost ? 0 : actor % laneCount });
    describeTrack(writer, { uuid: FIRST_UUID + actor, name, rank: actor, first: false });
  }
  const names = new Map<string, number>();
  const open = new Map<number, number>();
  let last = 0;
  for (const { time, actor, name, detail, value } of events) {
    last = Math.max(last, time);
    const depth = open.get(actor) ?? 0;
    if (name === SLICE_END) {
      if (depth > 0) writeEvent(writer, names, { time, actor, type: EventType.END }); // one that was open before the first event has no begin
      open.set(actor, Math.max(0, depth - 1));
    } else if (name === SLICE_BEGIN) {
      writeEvent(writer, names, { time, actor, type: EventType.BEGIN, name: detail, value });
      open.set(actor, depth + 1);
    } else {
      writeEvent(writer, names, { time, actor, type: EventType.INSTANT, name, detail, value });
    }
  }
  for (const actor of [...open.keys()].toSorted((a, b) => a - b)) {
    for (let depth = open.get(actor) ?? 0; depth > 0; depth--) writeEvent(writer, names, { time: last, actor, type: EventType.END });
  }
  return writer.bytes();
}

function actorsOf(events: readonly NativeTraceEvent[]): number[] {
  return [...new Set(events.map(({ actor }) => actor))].toSorted((a, b) => a - b);
}

function describeTrack(writer: ProtobufWriter, { uuid, name, rank, first }: { uuid: number; name: string; rank: number; first: boolean }): void {
  writer.message(PACKET, () => {
    writer.number(packet.sequence, SEQUENCE);
    if (first) writer.number(packet.sequenceFlags, STATE_CLEARED);
    writer.message(packet.trackDescriptor, () => {
      writer.number(track.uuid, uuid);
      writer.text(track.name, name);
      if (first) writer.number(track.childOrdering, ORDER_EXPLICIT);
      else {
        writer.number(track.parent, ROOT_UUID);
        writer.number(track.siblingRank, rank);
      }
    });
  });
}

interface EventToWrite {
  time: number;
  actor: number;
  type: number;
  name?: string;
  detail?: string;
  value?: number;
}

/** A name is written once, with the first event that has it; later ones refer to it. */
function writeEvent(writer: ProtobufWriter, names: Map<string, number>, { time, actor, type, name, detail, value }: EventToWrite): void {
  writer.message(PACKET, () => {
    writer.number(packet.timestamp, time);
    writer.number(packet.sequence, SEQUENCE);
    writer.number(packet.sequenceFlags, NEEDS_STATE);
    let id: number | undefined;
    if (name !== undefined) {
      id = names.get(name);
      if (id === undefined) {
        const added = names.size + 1;
        names.set(name, added);
        writer.message(packet.internedData, () => {
          writer.message(EVENT_NAMES, () => {
            writer.number(interned.id, added);
            writer.text(interned.name, name);
          });
        });
        id = added;
      }
    }
    writer.message(packet.trackEvent, () => {
      writer.number(event.type, type);
      if (id !== undefined) writer.number(event.nameId, id);
      writer.number(event.trackUuid, FIRST_UUID + actor);
      if (detail !== undefined && detail !== '') annotate(writer, 'detail', () => writer.text(annotation.text, detail));
      if (value !== undefined) annotate(writer, 'value', () => writeValue(writer, value));
    });
  });
}

function annotate(writer: ProtobufWriter, name: string, write: () => void): void {
  writer.message(event.annotations, () => {
    write();
    writer.text(annotation.name, name);
  });
}

function writeValue(writer: ProtobufWriter, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) writer.number(annotation.uint, value);
  else if (Number.isSafeInteger(value)) writer.signed(annotation.int, value);
  else writer.double(annotation.double, value);
}

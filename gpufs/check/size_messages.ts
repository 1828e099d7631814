// What the judge says of sizes, and which sizes a file may have on the disk that nobody has synced.
import { comesBefore, cutOf, ELEMENT_BYTES, type FileCase, isSynced } from './covers.ts';
import { endsOf } from './growth.ts';
import { type Act, describeAct } from './history.ts';
import type { SizeOperation } from './judge_sizes.ts';

/** The disk may be behind, but not behind what was synced, and it ends where something that was written ends. */
export function judgeUnfinishedDisk(file: FileCase, size: number, lineBytes: number): string | undefined {
  const { history } = file;
  const cuts = history.acts.filter((act) => cutOf(act) !== undefined);
  const writes = history.acts.filter(({ step }) => step.work === 'write');
  const initial = history.initial?.length ?? 0;
  const possible = new Set([initial, ...cuts.map((act) => cutOf(act) as number), ...writes.flatMap((act) => endsOf(act, lineBytes)), ...history.acts.flatMap(storedRangesOf).map(([, end]) => end)]);
  // A transfer that failed may have moved a part.
  const written = [...writes.map(({ step }): Range => [step.offset, step.offset + step.length]), ...history.acts.flatMap(storedRangesOf)];
  const torn = file.faults.size > 0 && written.some(([begin, end]) => begin < size && size < end);
  if (!possible.has(size) && !torn) return `${history.path} has ${size} bytes at the end; it can have ${[...possible].join(', ')}`;
  // Once it may have been truncated, only what surely came later counts.
  const ends = (act: Act): number[] => (cutOf(act) === undefined ? endsOf(act, lineBytes) : [cutOf(act) as number]);
  const kept = [...cuts, ...writes].filter((act) => !act.uncertain && isSynced(file, act) && cuts.every((cut) => cut === act || comesBefore(file, cut, act)));
  const least = Math.max(cuts.length > 0 ? 0 : initial, ...kept.flatMap(ends));
  if (size >= least) return undefined;
  return `${history.path} has ${size} bytes at the end; ${least} were there when it was synced`;
}

type Range = readonly [begin: number, end: number];

/** The disk may know of a truncation that made the file longer only by what was stored behind its older end. */
function storedRangesOf({ step, mapped }: Act): Range[] {
  if (step.work === 'scatter' || step.work === 'add') return step.indices.map((index) => [index * ELEMENT_BYTES, (index + 1) * ELEMENT_BYTES]);
  return step.work === 'unmap' || step.work === 'map_sync' ? [[step.offset, step.offset + step.length], [step.offset, step.offset + mapped]] : [];
}

export function describeSizes({ history }: FileCase, operations: readonly SizeOperation[]): string {
  const parts = operations.map((operation) => {
    const { act } = operation;
    switch (operation.kind) {
      case 'look': {
        const { least, most } = operation;
        const seen = least === most ? `${least}` : most === Infinity ? `at least ${least}` : `at most ${most}`;
        return act === undefined ? `at the end it is ${seen}` : `${describeAct(act)} saw ${seen}`;
      }
      case 'stale_look':
        return `${describeAct(operation.act)} found its map ${operation.stale ? 'stale' : 'good'}`;
      default: {
        const { early, size, kind } = operation;
        return `${describeAct(operation.act)} ${early || operation.act.uncertain ? 'may have made' : 'made'} it ${kind === 'set' ? '' : 'at least '}${size}`;
      }
    }
  });
  return `no order explains the size of ${history.path}: ${[`it was ${history.initial?.length ?? 0}`, ...parts].join('; ')}`;
}

// A failure as text: what was wrong, what came before it, and how to see it again.
import { countActions, type Geometry, type Session, showAction } from './action.ts';
import type { ExerciseFailure, ExerciseSettings } from './exercise.ts';

const LAST_SHOWN_MAX = 20;
const SMALLEST_SHOWN_MAX = 60;

export function repeatCommand({ seed, io, policy, wait, device, without }: ExerciseSettings, operations: number): string {
  const left = without === undefined || without.size === 0 ? '' : ` --without ${[...without].join(',')}`;
  return `npm run fsx -- --seed ${seed} --operations ${operations} --io ${io} --policy ${policy} --wait ${wait} --device ${device}${left}`;
}

export function describeFailure(settings: ExerciseSettings, failure: ExerciseFailure): string {
  const where = failure.operation === undefined ? `after ${failure.operations} operations` : `operation ${failure.operation}`;
  const lines = [`seed ${settings.seed}, ${where}: ${failure.message}`, `mount: ${showGeometry(failure.session.geometry)}`];
  if (failure.last.length > 0) {
    lines.push('the last operations of this run:');
    lines.push(...failure.last.slice(-LAST_SHOWN_MAX).map(({ warp, action }) => `  warp ${warp}: ${showAction(action)}`));
  }
  const { smallest } = failure;
  if (smallest === undefined) {
    lines.push('the session did not fail when it was run again by itself: it depends on who comes first');
  } else {
    lines.push(`made small, to ${countActions(smallest.session.rounds)} operations: ${smallest.message}`, ...showSession(smallest.session));
  }
  lines.push(`again: ${repeatCommand(settings, failure.operations)}`);
  return `${lines.join('\n')}\n`;
}

function showGeometry({ lines, lineBytes, ring, threads, workers, dirtyLines }: Geometry): string {
  const modified = dirtyLines === undefined ? '' : `, ${dirtyLines} of them modified at most`;
  return `${lines} lines of ${lineBytes} bytes${modified}, ${ring.count} rings of ${ring.slots} slots, ${threads} daemon threads, ${workers} workers`;
}

function showSession({ rounds }: Session): string[] {
  const shown = rounds.flatMap(({ warps, segments, syncs }, round) => [
    `  run ${round}, ${warps} warps`,
    ...segments.flatMap(({ kind, actions }) => [`    ${kind}:`, ...actions.map(({ warp, action }) => `      warp ${warp}: ${showAction(action)}`)]),
    ...(syncs ? ['    sync'] : []),
  ]);
  return shown.length > SMALLEST_SHOWN_MAX ? [...shown.slice(0, SMALLEST_SHOWN_MAX), `  and ${shown.length - SMALLEST_SHOWN_MAX} lines more`] : shown;
}

// A finding as people read it: what was wrong, where each actor was, how to see it again.
import { DECISION_SWITCH, DECISION_WORDS, type NativeFinding, type NativeFindingActor } from '../native_check.ts';
import { type Frame, makeSymbolizer, rawPlace, type Symbolizer } from './symbolize.ts';

export interface ReportContext {
  seed: number;
  /** The line that shows it again. */
  again: string;
  symbolizer?: Symbolizer;
}

export interface DescribedActor {
  /** `warp 0 lane 1`, or `host`. */
  actor: string;
  step: number;
  /** `line_unpin cache_line.h:53`, the innermost first. */
  stack: string[];
}

const FRAMES_MAX = 8;

export async function makeReport(finding: NativeFinding, context: ReportContext): Promise<string> {
  const actors = await describeActors(finding, context.symbolizer);
  const switches = countSwitches(finding.decisions);
  const lines = actors.map(({ actor, step, stack }) => `  ${actor}, step ${step}: ${stack.length === 0 ? 'place unknown' : stack.join(' <- ')}`);
  return [
    `${finding.kind}: ${finding.message}`,
    ...lines,
    `  seed ${context.seed}, schedule ${finding.schedule}: ${switches} ${switches === 1 ? 'switch' : 'switches'}, trace ${finding.traceHash || 'unknown'}`,
    `  again: ${context.again}`,
  ].join('\n');
}

export async function describeActors(finding: NativeFinding, symbolizer: Symbolizer = makeSymbolizer()): Promise<DescribedActor[]> {
  const frames = await symbolizer(finding.actors.flatMap((actor) => actor.pcs));
  return finding.actors.map((actor) => ({ actor: actorName(actor), step: actor.step, stack: stackOf(actor, frames) }));
}

export function actorName({ warp, lane }: Pick<NativeFindingActor, 'warp' | 'lane'>): string {
  return warp < 0 ? 'host' : `warp ${warp} lane ${lane}`;
}

export function countSwitches(decisions: Uint32Array): number {
  let switches = 0;
  for (let at = 0; at + DECISION_WORDS <= decisions.length; at += DECISION_WORDS) {
    if (decisions[at + 2] === DECISION_SWITCH) switches++;
  }
  return switches;
}

function stackOf({ pcs }: NativeFindingActor, known: ReadonlyMap<string, Frame[]>): string[] {
  const all = pcs.flatMap((pc): (Frame | string)[] => {
    const frames = known.get(pc) ?? [];
    return frames.length === 0 ? [rawPlace(pc)] : frames;
  });
  // An atomic or a fence is a function of the dialect; who called it is what a reader wants to see first.
  const first = all.findIndex((frame) => typeof frame === 'string' || !frame.file.startsWith('dialect/'));
  const places = all.slice(Math.max(first, 0)).map((frame) => (typeof frame === 'string' ? frame : `${frame.function} ${frame.file}:${frame.line}`.trim()));
  return places.length > FRAMES_MAX ? [...places.slice(0, FRAMES_MAX), '...'] : places;
}

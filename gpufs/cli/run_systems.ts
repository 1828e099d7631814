// The systems of experiments as the command line has them: what they model, and which of their published mistakes are wanted.
import type { System } from '../../experiments/system.ts';
import { listOf, UsageError } from './usage.ts';

/** `bam.dirty_on_read,agile.reference_never_set`: for each system what it is given, in its own order. `wanted`: the systems that are to run. */
export function flawsOf(text: string, systems: readonly System[], wanted: readonly string[]): Record<string, readonly string[]> {
  const names = listOf('flaw', text, systems.flatMap(flawNames));
  const given = systems.filter((system) => flawNames(system).some((name) => names.includes(name)));
  for (const { name } of given) {
    if (!wanted.includes(name)) throw new UsageError(`flaws of ${name} are wanted, which is not one of the systems that are to run: ${wanted.join(', ')}`);
  }
  return Object.fromEntries(given.map((system) => [system.name, Object.keys(system.flaws ?? {}).filter((flaw) => names.includes(`${system.name}.${flaw}`))]));
}

export function describeSystems(systems: readonly System[]): string {
  return systems
    .map((system) => {
      const { name, models, flaws = {} } = system;
      const lines = [
        `${name}: ${models}`,
        ...Object.entries(flaws).map(([flaw, what]) => `  --flaws ${name}.${flaw}: ${what}`),
      ];
      return `${lines.join('\n')}\n`;
    })
    .join('');
}

function flawNames({ name, flaws = {} }: System): string[] {
  return Object.keys(flaws).map((flaw) => `${name}.${flaw}`);
}

// Every mutant that `warpfs check --mutants` has to kill. They are numbered from 1 in this order; 0 is the protocol as it is.
import type { Mutant } from './mutant.ts';
import { mutantsOfCalls } from './mutants_of_calls.ts';
import { mutantsOfElements } from './mutants_of_elements.ts';
import { mutantsOfEnds } from './mutants_of_ends.ts';
import { mutantsOfGuesses } from './mutants_of_guesses.ts';
import { mutantsOfLines } from './mutants_of_lines.ts';
import { mutantsOfMaps } from './mutants_of_maps.ts';
import { mutantsOfMasks } from './mutants_of_masks.ts';
import { mutantsOfRequests } from './mutants_of_requests.ts';
import { mutantsOfSets } from './mutants_of_sets.ts';
import { mutantsOfStores } from './mutants_of_stores.ts';
import { mutantsOfTruncations } from './mutants_of_truncations.ts';
import { mutantsOfWindows } from './mutants_of_windows.ts';
import { mutantsOfWrites } from './mutants_of_writes.ts';

export type { Mutant } from './mutant.ts';

export const mutants: readonly Mutant[] = [
  ...mutantsOfLines, ...mutantsOfSets, ...mutantsOfRequests, ...mutantsOfCalls, ...mutantsOfEnds,
  ...mutantsOfWrites, ...mutantsOfMasks, ...mutantsOfTruncations, ...mutantsOfMaps, ...mutantsOfElements,
  ...mutantsOfWindows, ...mutantsOfGuesses, ...mutantsOfStores,
];

const numbers = new Map(mutants.map(({ name }, index) => [name, index + 1]));

/** What the selector of the mutated module is set to. */
export function mutantNumber(name: string): number {
  const number = numbers.get(name);
  if (number === undefined) throw new Error(`[mutants] there is no mutant ${name}`);
  return number;
}

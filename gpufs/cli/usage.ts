// Bad usage: an error that ends in exit code 2 and names the option, its value and the rule.
import { InvalidArgumentError } from '@commander-js/extra-typings';
import { type MediumName, mediumNames } from '../media/media.ts';
import { nearest } from '../nearest.ts';

export class UsageError extends Error {}

/** For commander, which puts the option and its value in front of the rule. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It is not a whole number from ${min} to ${max}.`);
  };
}

/** The same. */
export function mediumName(text: string): MediumName {
  const name = mediumNames.find((known) => known === text);
  if (name !== undefined) return name;
  const guess = nearest(text, mediumNames);
  throw new InvalidArgumentError(`It is no medium that is known.${guess === undefined ? '' : ` Did you mean ${guess}?`} Known: ${mediumNames.join(', ')}.`);
}

export const seedNumber = wholeNumber(0, 2 ** 32 - 1);

export function unknownName(kind: string, name: string, known: readonly string[]): UsageError {
  const guess = nearest(name, known);
  const hint = guess === undefined ? '' : ` Did you mean ${guess}?`;
  return new UsageError(`unknown ${kind} '${name}'.${hint} Known: ${known.join(', ')}`);
}

/** `a,b`: each of them known. */
export function listOf(kind: string, text: string, known: readonly string[]): string[] {
  const names = text.split(',').map((name) => name.trim());
  for (const name of names) {
    if (!known.includes(name)) throw unknownName(kind, name, known);
  }
  return names;
}

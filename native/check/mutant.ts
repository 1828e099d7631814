// A mutant: one small wrong change to a shader header, which the check build carries beside the right text and chooses at run time.
import type { MutantScenarioName } from './mutant_scenarios.ts';

export interface Mutant {
  /** In kebab-case. */
  name: string;
  /** Below native/shaders. */
  file: string;
  /** 'statement': whole statements, whose declarations nobody needs behind them. 'expression': one whole expression. */
  form: 'statement' | 'expression';
  /** Occurs once in the file. Mutants of one place have the same. */
  original: string;
  mutated: string;
  /** What is wrong with it, and what it leads to. */
  note: string;
  /** The smallest kind of program that shows it. */
  scenario: MutantScenarioName;
  /** The public bug of a peer that it is the counterpart of. */
  peer?: string;
}

/** A text with one change: `from` must occur once. */
export function edited(text: string, from: string, to: string): string {
  if (text.split(from).length !== 2) throw new Error(`[mutants] ${JSON.stringify(from)} occurs ${text.split(from).length - 1} times, not once`);
  return text.replace(from, () => to);
}

/** What is different from mutant to mutant of a header. */
export interface Change {
  original: string;
  mutated: string;
  scenario: MutantScenarioName;
  note: string;
  peer?: string;
}

type MakeMutant = (name: string, change: Change) => Mutant;

export function statementsOf(file: string): MakeMutant {
  return (name, change) => ({ name, file, form: 'statement', ...change });
}

export function expressionsOf(file: string): MakeMutant {
  return (name, change) => ({ name, file, form: 'expression', ...change });
}

// The options of an experiment as the command line has them: one whole number, or several where each is a point.
import { InvalidArgumentError } from '@commander-js/extra-typings';
import type { DeviceName } from '../options.ts';
import type { Experiment, ExperimentOption, Profile, Values } from '../../experiments/experiment.ts';

const runs: Record<Profile, number> = { tiny: 1, usual: 5, full: 15 };

export function runsOf(profile: Profile): number {
  return runs[profile];
}

export function shown(value: number | readonly number[]): string {
  return typeof value === 'number' ? String(value) : value.join(',');
}

/** For commander, which puts the option and its value in front of the rule. */
export function parserOf({ min, max, powerOfTwo, sweep }: ExperimentOption): (text: string) => readonly number[] {
  return (text) => {
    const words = sweep === true ? text.split(',') : [text];
    const values = words.map(Number);
    const fits = (value: number): boolean => value >= min && value <= max && (powerOfTwo !== true || Number.isInteger(Math.log2(value)));
    if (values.every((value, index) => /^\d+$/.test(words[index] ?? '') && fits(value))) return values;
    const rule = `a ${powerOfTwo === true ? 'power of two' : 'whole number'} from ${min} to ${max}`;
    throw new InvalidArgumentError(sweep === true ? `Each value must be ${rule}, with commas between them.` : `It is not ${rule}.`);
  };
}

function usualValue({ usual, tiny, full, gpu }: ExperimentOption, profile: Profile, device: DeviceName): number | readonly number[] {
  if (profile === 'tiny') return tiny;
  const most = profile === 'full' ? [device === 'cpu' ? undefined : (gpu?.full ?? gpu?.usual), full] : [device === 'cpu' ? undefined : gpu?.usual];
  return most.find((value) => value !== undefined) ?? usual;
}

/** What was given on the command line, else what the profile has. Commander spells `file-mib` as `fileMib`. */
export function optionValues(experiment: Experiment, flags: Record<string, unknown>, profile: Profile, device: DeviceName): { values: Values; options: Record<string, number | readonly number[]> } {
  const options: Record<string, number | readonly number[]> = {};
  for (const option of experiment.options) {
    const given = flags[option.name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())];
    const value = Array.isArray(given) ? (given as number[]) : usualValue(option, profile, device);
    options[option.name] = option.sweep === true || typeof value === 'number' ? value : (value[0] as number);
  }
  const all = (name: string): readonly number[] => {
    const value = options[name];
    if (value === undefined) throw new Error(`[${experiment.name}] there is no option ${name}`);
    return typeof value === 'number' ? [value] : value;
  };
  return { values: { all, one: (name) => all(name)[0] as number }, options };
}

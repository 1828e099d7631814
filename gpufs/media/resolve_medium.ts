// From what somebody wrote as a medium to a medium, or to an error that says what would be one.
import type { z } from 'zod';
import { optionError, showValue, WarpfsError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import { valueAt } from '../option_rules.ts';
import { checkProfile } from './check_profile.ts';
import { type MediumName, mediumNames } from './media.ts';
import { type MediumProfile, mediumProfileSchema } from './profile.ts';

export function resolveMedium(medium: unknown): MediumName | MediumProfile {
  if (typeof medium === 'string') return nameOf(medium);
  if (typeof medium !== 'object' || medium === null) {
    throw optionError('option medium', medium, `is not the name of a medium or a profile; known: ${mediumNames.join(', ')}`);
  }
  const parsed = mediumProfileSchema.safeParse(medium);
  if (!parsed.success) throw explain(medium, parsed.error.issues[0] as z.core.$ZodIssue);
  checkProfile(parsed.data);
  return parsed.data;
}

function nameOf(text: string): MediumName {
  const name = mediumNames.find((known) => known === text);
  if (name !== undefined) return name;
  const guess = nearest(text.replace(/[\s-]+/g, '_'), mediumNames);
  const hint = guess === undefined ? '' : `did you mean ${guess}? `;
  throw new WarpfsError('ERR_WARPFS_OPTION', `option medium: ${showValue(text)} is no medium that is known; ${hint}known: ${mediumNames.join(', ')}`);
}

function explain(profile: object, issue: z.core.$ZodIssue): WarpfsError {
  const option = ['option medium', ...issue.path.map(String)].join('.');
  if (issue.code !== 'unrecognized_keys') return optionError(option, valueAt(profile, issue.path), issue.message);
  return new WarpfsError('ERR_WARPFS_OPTION', `${option}.${issue.keys[0] ?? ''} does not exist in the profile of a medium`);
}

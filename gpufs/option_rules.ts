// The rules that options are made of. Each says what is wrong in words that follow the option's name and value.
import { z } from 'zod';

export function whole(min: number, max: number): z.ZodCustom<number, number> {
  return z.custom<number>(
    (value) => Number.isInteger(value) && (value as number) >= min && (value as number) <= max,
    `is not a whole number from ${min} to ${max}`,
  );
}

export function powerOfTwo(min: number, max: number): z.ZodCustom<number, number> {
  return z.custom<number>((value) => {
    const number = value as number;
    return Number.isInteger(number) && number >= min && number <= max && (number & (number - 1)) === 0;
  }, `is not a power of two from ${min} to ${max}`);
}

export function oneOf<const Names extends readonly string[]>(...names: Names): z.ZodCustom<Names[number], Names[number]> {
  return z.custom<Names[number]>((value) => names.includes(value as string), `is not one of ${names.join(', ')}`);
}

export function truth(): z.ZodCustom<boolean, boolean> {
  return z.custom<boolean>((value) => typeof value === 'boolean', 'is not true or false');
}

/** An object without names that it does not know. */
export function fields<Shape extends z.core.$ZodLooseShape>(shape: Shape, rule = 'is not an object of options') {
  return z.strictObject(shape, { error: (issue) => (issue.code === 'invalid_type' ? rule : undefined) });
}

/** An object of options that all have defaults, so that it may be absent. */
export function group<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return fields(shape).prefault({} as never);
}

/** What stands at the path of an issue. */
export function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | null | undefined)?.[key], root);
}

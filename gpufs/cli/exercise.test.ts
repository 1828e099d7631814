import { Command } from '@commander-js/extra-typings';
import { expect, test } from 'vitest';
import type { ExerciseResult, ExerciseSettings } from '../exercise/exercise.ts';
import { addExercise } from './exercise.ts';

const fine: ExerciseResult = { seed: 1, operations: 10, rounds: 2, mounts: 1, seconds: 0.5, failure: undefined };
const failing: ExerciseResult = {
  ...fine,
  failure: {
    message: 'byte 7 is 0x01, which operation 3 wrote there; wanted 0x02 of operation 4; no other byte is wrong',
    operation: 5, operations: 10, last: [{ warp: 0, action: { number: 5, kind: 'read', of: 1, offset: 0, length: 9 } }],
    session: { geometry: { lines: 1, lineBytes: 512, ring: { count: 1, slots: 1 }, threads: 1, workers: 1, dirtyLines: undefined }, rounds: [] },
    smallest: undefined,
  },
};

async function cli(line: string, answers: ExerciseResult[]): Promise<{ code: number; out: string; error: string; asked: ExerciseSettings[] }> {
  const asked: ExerciseSettings[] = [];
  const told = { code: -1, out: '', error: '', asked };
  const program = new Command('warpfs').exitOverride().configureOutput({ writeErr: (text) => void (told.error += text) });
  const streams = { out: (text: string) => void (told.out += text), error: () => undefined, watched: false };
  addExercise(program as unknown as Command, streams, (code) => void (told.code = code), async (settings) => {
    asked.push(settings);
    return { ...(answers[asked.length - 1] ?? failing), seed: settings.seed };
  });
  await program.parseAsync(['exercise', ...line.split(' ').filter((word) => word !== '')], { from: 'user' }).catch(() => undefined);
  return told;
}

test('what is asked for on the command line is what is exercised', async () => {
  const { code, out, asked } = await cli('--operations 10 --seed 7 --io uring --policy fifo --wait replay --without map,unmap', [fine]);
  expect(code).toBe(0);
  expect(out).toContain('every byte was right');
  expect(asked[0]).toMatchObject({ operations: 10, seed: 7, io: 'uring', policy: 'fifo', wait: 'replay', device: 'auto', without: new Set(['map', 'unmap']) });
});

test('a failure is exit code 1, with the operation and the command to see it again', async () => {
  const { code, out } = await cli('--operations 10', [failing]);
  expect(code).toBe(1);
  expect(out).toContain('operation 5: byte 7 is 0x01');
  expect(out).toContain('warp 0: 5 read #1 0..9');
  expect(out).toContain('again: npm run fsx -- --seed 1 --operations 10 --io auto');
});

test('until a failure: one seed after another', async () => {
  const { code, out, asked } = await cli('--seed 4 --until-failure --json', [fine, fine, failing]);
  expect(code).toBe(1);
  expect(asked.map(({ seed }) => seed)).toEqual([4, 5, 6]);
  expect(JSON.parse(out)).toMatchObject({ command: 'exercise', seed: 6, failure: { operation: 5 } });
});

test.each(['--operations 0', '--io disk', '--without sleep', '--seed -1'])('%s is bad usage', async (line) => {
  const { error, asked } = await cli(line, [fine]);
  expect(error).toContain('invalid');
  expect(asked).toEqual([]);
});

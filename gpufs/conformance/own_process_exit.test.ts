// However a process ends, the processes of its mounts end with it, and nothing is lost that a mount in the process itself would have saved.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { firstDifference, pattern, useFixture } from './fixture.ts';
import { ended, mountInOwnProcessForTests, ownProcessMissing, scriptWithMount } from './own_process.ts';

const missing = ownProcessMissing();
/** So much that it takes a while to be written back. */
const BYTES = 24 * 2 ** 20;
const cache = { lines: 8192, lineBytes: 4096 };
const dirty = `
  const data = new Uint8Array(${BYTES}).map((_, at) => (at * 31 + (at >>> 8) * 17 + (at >>> 16) * 5 + 102) & 255);
  await fs.run([[{ op: 'open', path: 'a.bin', mode: 'w+' }, { op: 'write', file: 0, offset: 0, data }]]);`;

describe.skipIf(missing !== undefined)(missing === undefined ? 'the end of a process whose mount is in another' : `SKIP ${missing}`, () => {
  const fixture = useFixture(mountInOwnProcessForTests);
  const isThere = () => firstDifference(fixture.bytes('a.bin'), pattern(BYTES, 1));
  const script = (then: string) => ['--input-type=module', '-e', scriptWithMount(fixture.root, { cache }, then)];
  /** Its output goes to stderr: the process of the mount has that too, and stays a moment longer. */
  const run = (then: string) => spawnSync(process.execPath, script(then), { stdio: ['ignore', 'ignore', 'inherit'], timeout: 60_000 });

  test.each<[string, string, number]>([
    ['by itself', 'process.exitCode = 7;', 7],
    ['when it is told to', 'process.exit(8);', 8],
    ['while something runs', "void fs.run([[{ op: 'compute', steps: 1000 }]]); process.exit(9);", 9],
  ])('%s: what was written is in the file when it has ended', (_how, end, code) => {
    expect(run(`${dirty} ${end}`)).toMatchObject({ status: code, signal: null });
    expect(isThere()).toBeUndefined();
  });

  test('with an error that nobody catches', () => {
    const { status } = spawnSync(process.execPath, script(`${dirty} throw new Error('oops');`), { stdio: 'ignore', timeout: 60_000 });
    expect(status).toBe(1);
    expect(isThere()).toBeUndefined();
  });

  test('a call that runs keeps it alive, and so does one whose process dies', () => {
    const long = run("await fs.run([[{ op: 'compute', steps: 1000 }]]); process.exitCode = 5;");
    expect(long.status).toBe(5); // 13: nothing was left to wait for
    const dies = run("process.kill(pid, 'SIGKILL'); await fs.run([[{ op: 'compute', steps: 2 ** 31 }]]).catch((error) => { process.exitCode = error.code === 'EIO' ? 6 : 1; });");
    expect(dies.status).toBe(6);
  });

  test('killed: what was written is saved by the process of the mount, which ends too', async () => {
    const parent = spawn(process.execPath, script(`${dirty} console.log(pid); setInterval(() => undefined, 1000);`), { stdio: ['ignore', 'pipe', 'inherit'] });
    const [said] = (await once(parent.stdout, 'data')) as [Buffer];
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    expect(await ended(Number(said.toString()))).toBe(true);
    expect(isThere()).toBeUndefined();
  });

  test('Ctrl-C reaches the process that has the mount, which can still unmount', async () => {
    const unmounts = "process.on('SIGINT', () => { process.kill(pid, 'SIGINT'); fs.unmount().then(() => process.exit(4), () => process.exit(1)); });";
    const parent = spawn(process.execPath, script(`${dirty} ${unmounts} console.log('ready'); setInterval(() => undefined, 1000);`), {
      detached: true, stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(parent.stdout, 'data');
    process.kill(-(parent.pid as number), 'SIGINT'); // as a terminal does: to all processes of the group
    expect(await once(parent, 'exit')).toEqual([4, null]);
    expect(isThere()).toBeUndefined();
  });
});

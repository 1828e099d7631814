// `warpfs doctor --metal-self-test`: asks a GPU of Apple what Metal does not document, and writes the answers to a file for an issue. docs/metal.md says how to read it.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { fromNative, WarpfsError } from '../errors.ts';
import { selfTestTexts } from '../metal_self_test_texts.ts';
import { loadNativeBinding, type NativeBinding, type NativeMetalMachine, type NativeMetalProbe } from '../native_binding.ts';
import { packageVersion } from '../package_root.ts';
import { printJson, type Streams } from './output.ts';
import { formatTable } from './table.ts';

export const SELF_TEST_FILE = 'metal-self-test.json';
const FORMAT = 1;

export interface SelfTestFile {
  command: 'doctor';
  /** Of this file. */
  format: typeof FORMAT;
  warpfs: string;
  date: string;
  machine: NativeMetalMachine & { model: string; processor: string; kernel: string; totalMemoryBytes: number };
  /** Present where no GPU was asked. */
  note?: string;
  complete: boolean;
  /** The probe that has begun and not ended: where the machine stopped, it was this one. */
  running?: string;
  probes: NativeMetalProbe[];
}

export interface SelfTestFlags {
  file: string;
  json: boolean;
}

/** For tests. */
export interface SelfTestSettings {
  binding?: () => NativeBinding;
  rounds?: number;
  trips?: number;
}

/** The exit code: 0 where every answer is as expected. */
export async function runMetalSelfTest(streams: Streams, { file, json }: SelfTestFlags, settings: SelfTestSettings = {}): Promise<number> {
  const binding = (settings.binding ?? (() => loadNativeBinding().binding))();
  checkThereIsMetal(binding);
  const report = newReport(binding.metalMachine());
  const path = resolve(file);
  const replaced = existsSync(path);
  store(path, report); // a folder that cannot be written to is told before anything is asked
  const say = (text: string): void => (json ? undefined : streams.error(text));
  say(`asking ${report.machine.gpu}; this takes less than a minute, and the screen may stand still for a moment\n`);
  await ask(binding, settings, (probe) => {
    take(report, probe);
    store(path, report);
    if (probe.verdict !== 'running') say(`${probe.name}: ${probe.verdict}: ${probe.text}\n`);
  });
  report.complete = true;
  store(path, report);
  if (json) {
    printJson(streams, report);
    streams.error(`${replaced ? 'written over what was there' : 'written'}: ${path}\n`);
  } else {
    streams.out(`${describe(report)}\n${replaced ? 'written over what was there' : 'written'}: ${path}\n`);
  }
  return report.probes.every(({ verdict }) => verdict === 'as expected') ? 0 : 1;
}

function checkThereIsMetal(binding: NativeBinding): void {
  const { obstacle } = binding.metalSight();
  if (obstacle !== '') throw new WarpfsError('ERR_WARPFS_DEVICE', `option --metal-self-test: there is no Metal to ask: ${obstacle}`);
}

function newReport(machine: NativeMetalMachine): SelfTestFile {
  return {
    command: 'doctor',
    format: FORMAT,
    warpfs: packageVersion,
    date: new Date().toISOString(),
    machine: { ...machine, model: modelName(), processor: cpus()[0]?.model ?? '', kernel: release(), totalMemoryBytes: totalmem() },
    ...(machine.fake ? { note: 'fake: a Metal that the cpu device plays; nothing here says anything of a GPU' } : {}),
    complete: false,
    probes: [],
  };
}

/** As `Mac14,9`. */
function modelName(): string {
  if (process.platform !== 'darwin') return process.arch;
  return spawnSync('sysctl', ['-n', 'hw.model'], { encoding: 'utf8' }).stdout?.trim() ?? '';
}

function take(report: SelfTestFile, probe: NativeMetalProbe): void {
  if (probe.verdict === 'running') {
    report.running = probe.name;
  } else {
    delete report.running;
    report.probes.push(probe);
  }
}

async function ask(binding: NativeBinding, { rounds = 20, trips = 200 }: SelfTestSettings, told: (probe: NativeMetalProbe) => void): Promise<void> {
  const texts = mkdtempSync(join(tmpdir(), 'warpfs-metal-self-test-'));
  let failure: unknown; // of `told`, which the addon calls: it takes no exception
  try {
    for (const [name, text] of selfTestTexts()) writeFileSync(join(texts, `${name}.metal`), text);
    await binding.metalSelfTest({ texts, rounds, trips }, (probe) => {
      try {
        told(probe);
      } catch (error) {
        failure ??= error;
      }
    });
    if (failure !== undefined) throw failure as Error;
  } catch (error) {
    throw fromNative('option --metal-self-test', error);
  } finally {
    rmSync(texts, { recursive: true, force: true });
  }
}

/** All or nothing: whoever finds it after the machine has stopped can read it. */
function store(path: string, report: SelfTestFile): void {
  const next = `${path}.part`;
  try {
    writeFileSync(next, `${JSON.stringify(report, undefined, 2)}\n`, { flush: true });
    renameSync(next, path);
  } catch (error) {
    throw new WarpfsError('ERR_WARPFS_OPTION', `option --metal-self-test: cannot write ${path}: ${(error as Error).message}`);
  }
}

function describe({ machine, note, probes }: SelfTestFile): string {
  const table = formatTable(
    ['probe', 'answer', 'seconds'],
    probes.map(({ name, verdict, seconds }) => [name, verdict, Number(seconds.toFixed(1))]),
  );
  const about = `${machine.gpu}, macOS ${machine.system}${note === undefined ? '' : `\n${note}`}`;
  return `${about}\n\n${table}\n`;
}

// A failure as one small file: the scenario, the schedule as data, and what was wrong. It replays without the seed, on any machine.
import { readFile, stat, writeFile } from 'node:fs/promises';
import type { z } from 'zod';
import { ABI_HASH } from '../../native/abi/abi.ts';
import { optionError, WarpfsError } from '../errors.ts';
import { hex, type NativeMountConfig } from '../native_binding.ts';
import { DECISION_WORDS, type NativeFinding, type NativeScenario } from '../native_check.ts';
import { resolveOptions } from '../options.ts';
import { valueAt } from '../option_rules.ts';
import { packageVersion } from '../package_root.ts';
import { checkPrograms } from '../program_check.ts';
import type { Operation } from '../program.ts';
import type { Scenario } from './campaign_scenario.ts';
import { replaySchema, type StoredReplay, versionSchema } from './replay_schema.ts';

export interface Replay {
  /** Without its root, which is a folder of the machine, and its device, which is the only one that can be checked. */
  config: Omit<NativeMountConfig, 'root' | 'device'>;
  scenario: { kind: 'programs'; scenario: Scenario } | { kind: 'buffers'; name: string; native: NativeScenario };
  decisions: Uint32Array;
  /** '' where it was not known. */
  traceHash: string;
  finding: { kind: string; message: string; seed: number; schedule: number };
}

const FILE_BYTES_MAX = 64 * 1024 * 1024;

export function makeReplay(config: NativeMountConfig, scenario: Replay['scenario'], finding: NativeFinding, seed: number): Replay {
  const { root: _folder, device: _device, ...rest } = config;
  const { kind, message, schedule, decisions, traceHash } = finding;
  return { config: rest, scenario, decisions, traceHash, finding: { kind, message, seed, schedule } };
}

export async function writeReplay(path: string, replay: Replay): Promise<void> {
  try {
    await writeFile(path, replayText(replay));
  } catch (error) {
    throw new WarpfsError('EIO', `replay file ${path} cannot be written: ${(error as Error).message}`, { cause: error });
  }
}

/** Throws ERR_WARPFS_OPTION that names the file, the value and the rule. */
export async function readReplay(path: string): Promise<Replay> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw wrong(path, 'no such file');
  if (!found.isFile()) throw wrong(path, 'not a file');
  if (found.size > FILE_BYTES_MAX) throw wrong(path, `${found.size} bytes are more than the ${FILE_BYTES_MAX} of the largest replay file`);
  return parseReplay(await readFile(path, 'utf8'), path);
}

export function parseReplay(text: string, path: string): Replay {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw wrong(path, `not JSON: ${(error as Error).message}`);
  }
  // Of another version nothing else can be said.
  checked(versionSchema, json, path);
  const stored = checked(replaySchema, json, path);
  mustBe(path, 'abiHash', stored.abiHash, hex(ABI_HASH), 'the shared layout that its schedule belongs to is another one');
  mustBe(path, 'warpfs', stored.warpfs, packageVersion, 'a schedule belongs to the shaders that it was found with');
  const check = { ...stored.config.check, module: '', mutant: 0 };
  return {
    config: { ...stored.config, check },
    scenario: stored.scenario.kind === 'programs' ? { kind: 'programs', scenario: programScenario(path, stored) } : bufferScenario(path, stored.scenario),
    decisions: Uint32Array.from(stored.decisions.flat()),
    traceHash: stored.traceHash,
    finding: stored.finding,
  };
}

export function replayText({ config, scenario, decisions, traceHash, finding }: Replay): string {
  const { module: _module, mutant: _mutant, ...check } = config.check ?? { module: '', mutant: 0 };
  const stored = {
    version: 1,
    abiHash: hex(ABI_HASH),
    warpfs: packageVersion,
    config: { ...config, check },
    scenario: scenario.kind === 'programs' ? storedPrograms(scenario.scenario) : storedBuffers(scenario.name, scenario.native),
    decisions: Array.from({ length: decisions.length / DECISION_WORDS }, (_, index) => [...decisions.subarray(index * DECISION_WORDS, (index + 1) * DECISION_WORDS)]),
    traceHash,
    finding,
  };
  return `${JSON.stringify(stored)}\n`;
}

function checked<Schema extends z.ZodType>(schema: Schema, json: unknown, path: string): z.infer<Schema> {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0] as z.core.$ZodIssue;
  const where = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') throw wrong(path, `${[...issue.path, issue.keys[0]].join('.')} does not exist`);
  throw optionError(`replay file ${path}${where === '' ? '' : `: ${where}`}`, valueAt(json, issue.path), issue.message);
}

function mustBe(path: string, field: string, value: string, wanted: string, why: string): void {
  if (value !== wanted) throw optionError(`replay file ${path}: ${field}`, value, `is not "${wanted}": ${why}`);
}

function wrong(path: string, what: string): WarpfsError {
  return new WarpfsError('ERR_WARPFS_OPTION', `replay file ${path}: ${what}`);
}

/** A mistake in an option or a step is said in the words of mounts and runs, with the file in front. */
function within<Result>(path: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof WarpfsError) throw wrong(path, error.message.replace(/^\[warpfs\] /, ''));
    throw error;
  }
}

function storedPrograms(scenario: Scenario): object {
  const { name, programs, files, config, orderMatters, finish } = scenario;
  return {
    kind: 'programs',
    name,
    programs: programs.map((program) => program.map((step) => Object.fromEntries(Object.entries(step).map(([field, value]) => [field, storedValue(value)])))),
    files: files.map(({ path, bytes }) => ({ path, bytes: base64(bytes) })),
    config,
    ...(orderMatters === undefined ? {} : { orderMatters }),
    ...(finish === undefined ? {} : { finish }),
  };
}

function storedValue(value: unknown): unknown {
  if (value instanceof Uint8Array) return base64(value);
  if (Array.isArray(value)) return value.map(storedValue);
  return typeof value === 'bigint' ? String(value) : value;
}

function programScenario(path: string, { scenario, config }: StoredReplay): Scenario {
  if (scenario.kind !== 'programs') throw wrong(path, 'it has no programs');
  const programs = scenario.programs.map((program) => program.map(operationOf));
  within(path, () => {
    checkPrograms(programs);
    resolveOptions({ root: '/', ...scenario.config, check: true });
  });
  const { name, files, orderMatters, finish } = scenario;
  const decoded: Scenario = { name, programs, files: files.map(decodedFile), config: scenario.config, faults: config.check.faults };
  return { ...decoded, ...(orderMatters === undefined ? {} : { orderMatters }), ...(finish === undefined ? {} : { finish }) };
}

function operationOf(stored: Record<string, unknown>): Operation {
  const step = { ...stored };
  if (typeof step['data'] === 'string') step['data'] = Uint8Array.from(Buffer.from(step['data'], 'base64'));
  for (const field of ['offset', 'length']) if (field in step) step[field] = numberOf(step[field]);
  if (Array.isArray(step['indices'])) step['indices'] = step['indices'].map(numberOf);
  return step as unknown as Operation;
}

/** Large numbers are texts there. */
function numberOf(stored: unknown): unknown {
  return typeof stored === 'string' && /^\d+$/.test(stored) ? BigInt(stored) : stored;
}

function storedBuffers(name: string, { files, dispatches, keepHost, orderMatters, finish, filesMatter }: NativeScenario): object {
  const buffers = [...new Set(dispatches.flatMap((dispatch) => dispatch.buffers))];
  return {
    kind: 'buffers',
    name,
    files: files.map(({ path, bytes }) => ({ path, bytes: base64(bytes) })),
    buffers: buffers.map(base64),
    // A buffer that appears twice is one buffer, so it is stored once.
    dispatches: dispatches.map(({ items, groupWarps, groupMemoryBytes, allResident, explored, buffers: own }) => ({
      items, groupWarps, groupMemoryBytes, allResident, explored, buffers: own.map((buffer) => buffers.indexOf(buffer)),
    })),
    keepHost,
    orderMatters,
    finish,
    filesMatter,
  };
}

function bufferScenario(path: string, scenario: Extract<StoredReplay['scenario'], { kind: 'buffers' }>): Replay['scenario'] {
  const { name, keepHost, orderMatters, finish, filesMatter } = scenario;
  const buffers = scenario.buffers.map((text) => Uint8Array.from(Buffer.from(text, 'base64')));
  const dispatches = scenario.dispatches.map((dispatch, index) => ({
    ...dispatch,
    module: '',
    buffers: dispatch.buffers.map((number) => {
      const buffer = buffers[number];
      if (buffer === undefined) throw optionError(`replay file ${path}: scenario.dispatches.${index}.buffers`, number, `is not a buffer from 0 to ${buffers.length - 1}`);
      return buffer;
    }),
  }));
  return { kind: 'buffers', name, native: { files: scenario.files.map(decodedFile), dispatches, keepHost, orderMatters, finish, filesMatter } };
}

function decodedFile({ path, bytes }: { path: string; bytes: string }): { path: string; bytes: Uint8Array } {
  return { path, bytes: Uint8Array.from(Buffer.from(bytes, 'base64')) };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

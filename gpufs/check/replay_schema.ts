// What a replay file may hold. Whoever reads one did not write it: every field has a rule.
import { z } from 'zod';
import { LINE_BYTES_MAX, LINE_BYTES_MIN } from '../../native/abi/abi.ts';
import { DEPTH_MAX, faultNames, LANES_MAX, SEED_MAX } from '../check_options.ts';
import { memoryModels, progressModels, schedulers } from '../native_check.ts';
import { fields, oneOf, powerOfTwo, truth, whole } from '../option_rules.ts';

const WORD_MAX = 2 ** 32 - 1;
const COUNT_MAX = 2 ** 31 - 1;
const TEXT_MAX = 10_000;

const word = () => whole(0, WORD_MAX);
const chance = () => whole(0, 1000);
const text = () => z.custom<string>((value) => typeof value === 'string' && value.length <= TEXT_MAX, 'is not a text');
const base64 = () =>
  z.custom<string>((value) => typeof value === 'string' && value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value), 'is not bytes in base64');
/** The files of a scenario are written below a folder, and must not lie elsewhere. */
const innerPath = () => z.custom<string>(isInnerPath, 'is not a path below the root: relative, and without . and ..');
const list = <Item extends z.ZodType>(item: Item) => z.array(item, { error: (issue) => (issue.code === 'invalid_type' ? 'is not a list' : undefined) });
const record = <Shape extends z.core.$ZodLooseShape>(shape: Shape) => fields(shape, 'is not an object');

export const versionSchema = record({ version: z.literal(1, { error: 'is not 1, the version of replay files that this version of WarpFS reads' }) }).loose();

const configSchema = record({
  readOnly: truth(),
  wait: oneOf('spin', 'replay'),
  policy: whole(0, 255),
  lineCount: whole(1, 2 ** 30),
  lineBytes: powerOfTwo(LINE_BYTES_MIN, LINE_BYTES_MAX),
  ringCount: whole(1, 64),
  ringSlots: powerOfTwo(1, 65536),
  slotCount: whole(1, 8192),
  fileCount: whole(1, 131071),
  daemonThreads: whole(1, 64),
  io: oneOf('auto', 'pread', 'uring'),
  waitMs: whole(1, COUNT_MAX),
  workers: whole(1, 1024),
  check: record({
    laneCount: whole(1, LANES_MAX),
    scheduler: oneOf(...schedulers),
    depth: whole(1, DEPTH_MAX),
    preemptions: word(),
    memory: oneOf(...memoryModels),
    progress: oneOf(...progressModels),
    seed: whole(0, SEED_MAX),
    cuda: truth(),
    stepLimit: whole(1, COUNT_MAX),
    faults: record(Object.fromEntries(faultNames.map((name) => [name, chance()])) as Record<(typeof faultNames)[number], ReturnType<typeof chance>>),
  }),
});

const fileSchema = record({ path: innerPath(), bytes: base64() });

/** Operations are judged by checkPrograms, once their bytes and large offsets are what they stand for. */
const programsSchema = record({
  kind: z.literal('programs'),
  name: text(),
  programs: list(list(z.custom<Record<string, unknown>>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), 'is not an operation'))),
  files: list(fileSchema),
  config: z.custom<object>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), 'is not an object of options'),
  orderMatters: truth().optional(),
  finish: truth().optional(),
});

const buffersSchema = record({
  kind: z.literal('buffers'),
  name: text(),
  files: list(fileSchema),
  buffers: list(base64()),
  dispatches: list(
    record({
      items: whole(1, COUNT_MAX),
      groupWarps: whole(1, 32),
      groupMemoryBytes: whole(0, 32768),
      allResident: truth(),
      explored: truth(),
      buffers: list(whole(0, COUNT_MAX)),
    }),
  ),
  keepHost: truth(),
  orderMatters: truth(),
  finish: truth(),
  filesMatter: truth(),
});

export const replaySchema = record({
  version: z.literal(1),
  abiHash: text(),
  warpfs: text(),
  config: configSchema,
  scenario: z.discriminatedUnion('kind', [programsSchema, buffersSchema], { error: 'is not "programs" or "buffers"' }),
  decisions: list(z.tuple([word(), word(), word(), word()], { error: 'is not a decision: actor, step, kind, value' })),
  traceHash: z.custom<string>((value) => typeof value === 'string' && /^([0-9a-f]{16})?$/.test(value), 'is not 16 hex digits'),
  finding: record({ kind: text(), message: text(), seed: whole(0, SEED_MAX), schedule: whole(0, Number.MAX_SAFE_INTEGER) }),
});

export type StoredReplay = z.infer<typeof replaySchema>;

function isInnerPath(value: unknown): boolean {
  if (typeof value !== 'string' || value === '' || value.length > TEXT_MAX || value.includes('\0') || value.includes('\\')) return false;
  return value.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

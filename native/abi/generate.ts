// Writes abi.h and abi.ts from schema.ts (`npm run gen`), or with --check compares them and names the stale one.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as schema from './schema.ts';

const BANNER = '// Generated from native/abi/schema.ts. Do not edit; run `npm run gen`.\n';
const UNIT: Record<string, number> = { u32: 4, i32: 4, u64: 8 };
const C_TYPE: Record<string, string> = { u32: 'uint32_t', i32: 'int32_t', u64: 'uint64_t' };

export interface PlacedField {
  name: string;
  base: string;
  count: number;
  isArray: boolean;
  note: string;
  offset: number;
}

/** Places the fields of a struct one after the other; padding that nobody named is an error. */
export function layout(name: string, struct: { bytes: number; fields: readonly schema.Field[] }): PlacedField[] {
  let offset = 0;
  const placed = struct.fields.map(([field, type, note]) => {
    const match = /^(u32|i32|u64)(?:\[(\d+)\])?$/.exec(type);
    if (!match) throw new Error(`${name}.${field}: type ${type} is not u32, i32, u64 or an array of them`);
    const base = match[1]!;
    const count = match[2] ? Number(match[2]) : 1;
    if (offset % UNIT[base]! !== 0) throw new Error(`${name}.${field}: implicit padding at byte ${offset}; name a reserved field`);
    const here = { name: field, base, count, isArray: match[2] !== undefined, note, offset };
    offset += UNIT[base]! * count;
    return here;
  });
  if (offset !== struct.bytes) throw new Error(`${name} is ${offset} bytes, the schema says ${struct.bytes}`);
  return placed;
}

const camel = (name: string): string => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
const upper = (name: string): string => name.toUpperCase();
const hex = (value: number): string => `0x${value.toString(16)}`;

export function abiHash(): number {
  // Sorted: not every module loader lists the exports in the same order.
  const entries = Object.entries(schema).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return parseInt(createHash('sha256').update(JSON.stringify(Object.fromEntries(entries))).digest('hex').slice(0, 8), 16);
}

export function header(): string {
  const out = [BANNER + '#pragma once', '', 'namespace warpfs {', ''];
  out.push('enum : uint32_t {', `  ABI_HASH = ${hex(abiHash())}u,`);
  for (const [name, value] of Object.entries(schema.constants)) out.push(`  ${name} = ${value}u,`);
  for (const [name, { shift, bits }] of Object.entries(schema.lineWord)) {
    out.push(`  LINE_${upper(name)}_SHIFT = ${shift}u,`, `  LINE_${upper(name)}_MASK = ${hex(((2 ** bits - 1) << shift) >>> 0)}u,`);
  }
  out.push(`  COUNTER_COUNT = ${schema.counters.length}u,`, '};', '');
  for (const [name, members] of Object.entries(schema.enums)) {
    out.push(`namespace ${name} {`, `enum : uint32_t { ${members.map((m, i) => `${m} = ${i}`).join(', ')} };`, '}');
  }
  out.push('namespace Counter {', `enum : uint32_t { ${schema.counters.map((c, i) => `${upper(c)} = ${i}`).join(', ')} };`, '}');
  out.push('namespace Binding {', `enum : uint32_t { ${schema.bindings.map((b, i) => `${b} = ${i}`).join(', ')} };`, '}');
  out.push('namespace Errno {', 'enum : int32_t {');
  for (const [name, [number, text]] of Object.entries(schema.errnos)) out.push(`  ${name.toLowerCase()} = ${number},  // ${text}`);
  out.push('};', '}', '');
  for (const [name, struct] of Object.entries(schema.structs)) {
    out.push(`// ${name}: ${struct.owner}.`, `struct ${name} {`);
    const placed = layout(name, struct);
    for (const f of placed) out.push(`  ${C_TYPE[f.base]} ${f.name}${f.isArray ? `[${f.count}]` : ''};${f.note ? `  // ${f.note}` : ''}`);
    out.push('};', `static_assert(sizeof(${name}) == ${struct.bytes}, "${name} size");`);
    for (const f of placed) out.push(`static_assert(WARPFS_OFFSETOF(${name}, ${f.name}) == ${f.offset}, "${name}.${f.name} offset");`);
    out.push('');
  }
  out.push('// True where the schema has an edge from one LineState to another.', 'WARPFS_FN bool line_edge_is_legal(uint32_t from, uint32_t to) {');
  const states: readonly string[] = schema.enums.LineState;
  const masks = states.map((from) => schema.lineEdges.filter(([f]) => f === from).reduce((mask, [, to]) => mask | (1 << states.indexOf(to)), 0));
  const packed = masks.reduce((word, mask, i) => word | (mask << (4 * i)), 0);
  out.push(`  return ((${hex(packed)}u >> (4u * from + to)) & 1u) != 0u;`, '}', '', '}  // namespace warpfs', '');
  return out.join('\n');
}

export function typescript(): string {
  const out = [BANNER, `export const ABI_HASH = ${hex(abiHash())};`];
  for (const [name, value] of Object.entries(schema.constants)) out.push(`export const ${name} = ${value};`);
  for (const [name, { shift, bits }] of Object.entries(schema.lineWord)) {
    out.push(`export const LINE_${upper(name)}_SHIFT = ${shift};`, `export const LINE_${upper(name)}_MASK = ${hex(((2 ** bits - 1) << shift) >>> 0)};`);
  }
  const enumOf = (name: string, members: readonly string[]): void => {
    out.push('', `export const ${name} = { ${members.map((m, i) => `${m}: ${i}`).join(', ')} } as const;`);
    out.push(`export type ${name} = (typeof ${name})[keyof typeof ${name}];`);
  };
  for (const [name, members] of Object.entries(schema.enums)) enumOf(name, members);
  enumOf('Binding', schema.bindings);
  out.push('', `export const COUNTERS = [${schema.counters.map((c) => `'${camel(c)}'`).join(', ')}] as const;`);
  out.push('export type CounterName = (typeof COUNTERS)[number];', '', 'export const ERRNO = {');
  for (const [name, [number, text]] of Object.entries(schema.errnos)) out.push(`  ${name}: { number: ${number}, text: '${text}' },`);
  out.push('} as const;', 'export type ErrnoName = keyof typeof ERRNO;', '', '// Legal edges of a line: from, to, and the verb that moves it.');
  out.push('export const LINE_EDGES = [');
  for (const [from, to, verb] of schema.lineEdges) out.push(`  [LineState.${from}, LineState.${to}, '${verb}'],`);
  out.push('] as const;');
  for (const [name, struct] of Object.entries(schema.structs)) {
    out.push('', `/** ${struct.owner}. Byte offsets of its fields. */`, `export const ${name} = {`, `  bytes: ${struct.bytes},`);
    for (const f of layout(name, struct)) out.push(`  ${camel(f.name)}: ${f.offset},${f.note ? ` // ${f.base}${f.isArray ? `[${f.count}]` : ''}: ${f.note}` : ''}`);
    out.push('} as const;');
  }
  return out.join('\n') + '\n';
}

/** The folder of the sources, also when this file runs from dist/. */
export function abiFolder(): string {
  return fileURLToPath(new URL('.', import.meta.url)).replace(/dist[\\/]native[\\/]abi[\\/]$/, 'native/abi/');
}

export function staleFiles(): string[] {
  const wanted = { 'abi.h': header(), 'abi.ts': typescript() };
  return Object.entries(wanted).filter(([file, text]) => readFileSync(abiFolder() + file, 'utf8') !== text).map(([file]) => file);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--check')) {
    const stale = staleFiles();
    if (stale.length > 0) {
      console.error(`native/abi/${stale.join(' and ')} does not match schema.ts: run \`npm run gen\` and commit the result`);
      process.exitCode = 1;
    }
  } else {
    writeFileSync(abiFolder() + 'abi.h', header());
    writeFileSync(abiFolder() + 'abi.ts', typescript());
  }
}

// Mutants of maps: map.h, and what an item leaves behind (item.h). Also of asking after an asynchronous call: async.h.
import { edited, expressionsOf, type Mutant, statementsOf } from './mutant.ts';

const statement = statementsOf('map.h');
const expression = expressionsOf('map.h');

const MAPPED = `map_set(fs, map, line, offset, (int)view.count);
      if (is_leader(fs)) item_maps(fs)[place] = map_entry(map);
      break;`;

const UNMAPPED = `set_unmap(fs, map.line);
    line_unpin(fs, map.line);
    item_maps(fs)[place] = 0u;`;

export const mutantsOfMaps: readonly Mutant[] = [
  statement('map-unpinned-at-once', {
    original: MAPPED,
    mutated: `if (is_leader(fs)) line_unpin(fs, line);
      ${MAPPED}`,
    scenario: 'maps-and-eviction',
    note: 'A map does not keep its line where it is: another page is in it before it is unmapped.',
  }),
  statement('map-not-registered', {
    original: MAPPED,
    mutated: edited(MAPPED, 'if (is_leader(fs)) item_maps(fs)[place] = map_entry(map);', ''),
    scenario: 'maps-and-eviction',
    note: 'The item does not know what it has mapped: it cannot be unmapped, and its pin stays for ever.',
  }),
  statement('map-tells-stale', {
    original: 'if (status != -Errno::estale) return call_end(fs, status);',
    mutated: 'return call_end(fs, status);',
    scenario: 'truncate-and-map',
    note: 'A map that meets a truncation ends with ESTALE, although nothing of it was there yet.',
  }),
  expression('unmap-does-not-write', {
    original: 'map.writes ? map_write(fs, map) : 0',
    mutated: '0',
    scenario: 'one-warp-maps',
    note: 'What was stored in a map does not count as written: it is lost when the line is evicted.',
  }),
  expression('map-one-byte-short', {
    original: 'map.first + map.count - 1u',
    mutated: 'map.first + map.count - 2u',
    scenario: 'one-warp-maps',
    note: 'The last byte of a map does not count as written: it is lost.',
  }),
  expression('stale-map-written', {
    original: 'atomic_load(&fs.tags[map.line].file_id) != view.source.file_id',
    mutated: 'false',
    scenario: 'truncate-and-map',
    note: 'A map of what a truncation has ended counts as written: its bytes are dropped, and nobody is told.',
  }),
  statement('map-keeps-hand', {
    original: 'line_leave(fs, map.line);',
    mutated: '',
    scenario: 'one-warp-maps',
    note: 'What a map has written keeps a hand on its line: it is never taken to the file.',
  }),
  statement('map-sync-does-not-flush', {
    original: 'flushed = lines_flush(fs, map.line, map.line + 1u, line);',
    mutated: '',
    scenario: 'synced-map',
    note: 'gmsync takes nothing to the file: it returns 0 for bytes that are in the cache alone.',
  }),
  statement('map-sync-does-not-write', {
    original: 'const int status = map_write(fs, map);\n      if (status != 0) return call_end(fs, status);',
    mutated: '',
    scenario: 'synced-map',
    note: 'gmsync does not count what was stored as written: it flushes a line that is clean.',
  }),
  statement('unmap-keeps-pin', {
    original: UNMAPPED,
    mutated: edited(UNMAPPED, 'line_unpin(fs, map.line);', ''),
    scenario: 'maps-and-eviction',
    note: 'Unmapping leaves the pin: the line is never claimed again.',
  }),
  statement('unmap-keeps-place', {
    original: UNMAPPED,
    mutated: edited(UNMAPPED, 'item_maps(fs)[place] = 0u;', ''),
    scenario: 'maps-and-eviction',
    note: 'What was unmapped stays in the list of the item: at its end the pin is given back once more.',
  }),
  statementsOf('item.h')('forgotten-map-keeps-pin', {
    original: 'line_unpin(fs, (entry >> 1) - 1u);',
    mutated: '',
    scenario: 'forgotten-map',
    note: 'What an item has mapped and never unmapped stays pinned when it ends.',
  }),
  statementsOf('async.h')('poll-keeps-pin', {
    original: `line_leave(fs, line);
    line_unpin(fs, line);`,
    mutated: 'line_leave(fs, line);',
    scenario: 'polled-read',
    note: 'Asking whether a page has come leaves a pin on its line.',
  }),
  statementsOf('async.h')('poll-keeps-hand', {
    original: `line_leave(fs, line);
    line_unpin(fs, line);`,
    mutated: 'line_unpin(fs, line);',
    scenario: 'polled-read',
    note: 'Asking whether a page has come leaves a hand on its line: it is never written back.',
  }),
];

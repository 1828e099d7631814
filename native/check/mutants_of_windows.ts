// Mutants of lines that the gpu fills itself, out of the memory of the host: window.h, and what cache.h knows of it.
import { expressionsOf, type Mutant, statementsOf } from './mutant.ts';

const statement = statementsOf('window.h');

export const mutantsOfWindows: readonly Mutant[] = [
  expressionsOf('window.h')('window-not-looked-at-again', {
    original: 'window_stands(fs.window_entry, fs.window) ? 1u : 0u',
    mutated: '1u',
    scenario: 'truncate-and-read-window',
    note: 'What was copied counts although the window was taken back meanwhile: bytes of a file that is another by now.',
  }),
  statement('window-looked-at-before-the-bytes', {
    original: `fence_acquire();
  warp_sync(fs.lane);`,
    mutated: 'warp_sync(fs.lane);',
    scenario: 'truncate-and-read-window-relaxed',
    note: 'The fence between the copy and the second look is missing: the look may be older than the bytes.',
  }),
  statement('window-looked-at-before-the-bytes-of-others', {
    original: `fence_acquire();
  warp_sync(fs.lane);`,
    mutated: `warp_sync(fs.lane);
  if (is_leader(fs)) fence_acquire();`,
    scenario: 'truncate-and-read-window-lanes',
    note: 'The leader alone makes the fence: its look may be older than what other lanes have read.',
  }),
  statement('given-up-line-kept', {
    original: 'line_let_go(fs, line);',
    mutated: '',
    scenario: 'truncate-and-read-window',
    note: 'A line whose bytes are not to be had stays BUSY and pinned for ever.',
  }),
  statementsOf('cache.h')('window-given-up-for-good', {
    original: 'if (status == -Errno::eagain || (status == -Errno::estale && writes)) continue;',
    mutated: 'if (status == -Errno::estale && writes) continue;',
    scenario: 'readers-and-windows',
    note: 'A line that another let go twice is an error of the call.',
  }),
];

// Mutants of lines that the gpu fills itself, out of the memory of the host: window.h, and what file.h and cache.h know of it.
import { edited, expressionsOf, type Mutant, statementsOf } from './mutant.ts';

const statement = statementsOf('window.h');

const SECOND_LOOK = `fence_acquire();
    const Vec16 now = atomic_load16(&fs.window_entry->window_base[0]);
    filled = 1u;
    for (uint i = 0; i < 4u; i++) {
      if (now.words[i] != fs.window.words[i]) filled = 0u;
    }`;

export const mutantsOfWindows: readonly Mutant[] = [
  statement('window-not-looked-at-again', {
    original: SECOND_LOOK,
    mutated: 'filled = 1u;',
    scenario: 'truncate-and-read-window',
    note: 'What was copied counts although the window was taken back meanwhile: bytes of a file that is another by now.',
  }),
  statement('window-looked-at-before-the-bytes', {
    original: SECOND_LOOK,
    mutated: edited(SECOND_LOOK, 'fence_acquire();', ''),
    scenario: 'truncate-and-read-window-relaxed',
    note: 'The fence between the copy and the second look is missing: the look may be older than the bytes.',
  }),
  statement('given-up-line-keeps-pin', {
    original: 'line_unpin(fs, line);',
    mutated: '',
    scenario: 'truncate-and-read-window',
    note: 'A line that was let go stays pinned for ever.',
  }),
  statementsOf('cache.h')('window-given-up-for-good', {
    original: 'if (status == -Errno::eagain || (status == -Errno::estale && writes)) continue;',
    mutated: 'if (status == -Errno::estale && writes) continue;',
    scenario: 'readers-and-windows',
    note: 'A line that another let go twice is an error of the call.',
  }),
  expressionsOf('file.h')('window-of-another-identity', {
    original: 'fs.window.words[1] >> 16 != (file_id & 0xffffu)',
    mutated: 'false',
    scenario: 'truncate-and-read-window-relaxed',
    note: 'A window of the file as it was before is taken for one of the file as it is.',
  }),
];

// Mutants of reading and writing: read.h, copy.h, write.h.
import { edited, type Mutant } from './mutant.ts';

const COPY_HIT = `chunk_copy_out(fs, chunk, index, line, target);
    page_release_read(fs, source, tag.page, line);
    fs.served |= 1u << index;
    count(fs, Counter::HITS, 1u);`;

const LET_LATER_PAGES_GO = `if (status == WARPFS_PENDING) {
          item_hold(fs, line);
        } else if (is_leader(fs)) {
          line_unpin(fs, line);
        }`;

const COPY_OUT_16 = 'for (PieceRange i = lane_pieces(lane, bytes / 16u); i.at < i.end; i.at += i.step) to[i.at] = data_load16(from + i.at);';
const COPY_IN_1 = 'for (PieceRange i = lane_pieces(lane, bytes); i.at < i.end; i.at += i.step) data_store1(line + i.at, source[i.at]);';

const MARK_PIECE = `atomic_store(&fs.auxes[line].file, source.handle);
  line_write(fs, line);
  return true;`;

const WRITE_PIECES = `while (!written && fs.progress < bytes && status == 0) {
    const ulong position = offset + fs.progress;
    Piece piece;
    piece.page = position >> fs.line_shift;
    piece.first = (uint)position & (line_bytes(fs) - 1u);
    const uint within = line_bytes(fs) - piece.first;
    const uint left = bytes - (uint)fs.progress;
    piece.last = piece.first + (left < within ? left : within) - 1u;
    status = line_gwrite(fs, view.source, piece, source + fs.progress);
    if (status != 0) break;
    fs.progress += piece.last - piece.first + 1u;
    fs.served = 0;
    fs.again = 0;
  }`;

export const mutantsOfCalls: readonly Mutant[] = [
  {
    name: 'page-truncated',
    file: 'read.h',
    form: 'statement',
    original: 'chunk.first_page = position >> fs.line_shift;',
    mutated: 'chunk.first_page = (uint)position >> fs.line_shift;',
    note: 'The page of a read is computed from 32 bits of its offset: beyond 4 GiB a read returns the beginning of the file.',
    scenario: 'far-offsets',
    peer: 'AGILE computes places in 32 bits: cache and queues must stay below 4 GiB',
  },
  {
    name: 'unpin-before-copy',
    file: 'read.h',
    form: 'statement',
    original: COPY_HIT,
    mutated: `page_release(fs, line);
    ${edited(COPY_HIT, 'page_release_read(fs, source, tag.page, line);', '')}`,
    note: 'A hit lets go of its line before it copies: another page may be in it by then.',
    scenario: 'eviction',
  },
  {
    name: 'coming-page-keeps-pin',
    file: 'read.h',
    form: 'statement',
    original: `// Nothing is waited for while the request has not been posted.
      if (is_leader(fs)) line_unpin(fs, line);`,
    mutated: '',
    note: 'A page that is on its way is pinned in the first round and again in the second: the line is never evicted again.',
    scenario: 'same-page',
  },
  {
    name: 'failed-chunk-keeps-pins',
    file: 'read.h',
    form: 'statement',
    original: LET_LATER_PAGES_GO,
    mutated: 'if (status == WARPFS_PENDING) item_hold(fs, line);',
    note: 'Where a page of a chunk fails, the pages behind it keep their pins: their lines are never claimed again.',
    scenario: 'failing-fills',
  },
  {
    name: 'pending-chunk-forgets-pins',
    file: 'read.h',
    form: 'statement',
    original: LET_LATER_PAGES_GO,
    mutated: 'if (status != WARPFS_PENDING && is_leader(fs)) line_unpin(fs, line);',
    note: 'Where a page of a chunk is pending, the pins of the pages behind it are forgotten: nobody ever takes them back.',
    scenario: 'replayed-reads',
  },
  {
    name: 'wrong-page-of-chunk',
    file: 'read.h',
    form: 'expression',
    original: 'page_read(fs, source, chunk.first_page + index, PAGE_TO_READ, line)',
    mutated: 'page_read(fs, source, chunk.first_page, PAGE_TO_READ, line)',
    note: 'A page that could not be claimed in the first round is read as the first page of its chunk.',
    scenario: 'eviction',
  },
  {
    name: 'served-not-cleared',
    file: 'read.h',
    form: 'statement',
    original: 'fs.progress += chunk.bytes;\n        fs.served = 0;',
    mutated: 'fs.progress += chunk.bytes;',
    note: 'The pages served of one chunk count as served in the next: a long read leaves its later bytes out.',
    scenario: 'one-warp',
  },
  {
    name: 'prefetch-keeps-pins',
    file: 'read.h',
    form: 'statement',
    original: 'if (fill_line(fill, index) != (uint)LINE_NONE && is_leader(fs)) line_unpin(fs, fill.lines[index]);',
    mutated: '',
    note: 'Reading ahead keeps its pins: the lines are never evicted again.',
    scenario: 'prefetch-and-late-open-relaxed',
  },
  {
    name: 'read-drops-last-16',
    file: 'copy.h',
    form: 'statement',
    original: COPY_OUT_16,
    mutated: edited(COPY_OUT_16, 'bytes / 16u', 'bytes / 16u - 1u'),
    note: 'The last 16 bytes of an aligned copy out of a line are left out: a read returns what its target held before.',
    scenario: 'one-warp',
  },
  {
    name: 'write-drops-last-byte',
    file: 'copy.h',
    form: 'statement',
    original: COPY_IN_1,
    mutated: edited(COPY_IN_1, 'lane_pieces(lane, bytes)', 'lane_pieces(lane, bytes - 1u)'),
    note: 'The last byte of an unaligned copy into a line is left out: the file gets the byte that was there before.',
    scenario: 'one-warp',
  },
  {
    name: 'write-back-to-former-file',
    file: 'write.h',
    form: 'statement',
    original: MARK_PIECE,
    mutated: edited(MARK_PIECE, 'atomic_store(&fs.auxes[line].file, source.handle);', ''),
    note: 'A write does not say whose bytes the line carries: they go back to the file that the line was written for before, or to none.',
    scenario: 'one-warp-two-files',
    peer: 'BaM marks the wrong page dirty (array_d_t::acquire_page): lost writes and spurious write-backs',
  },
  {
    name: 'modified-not-set',
    file: 'write.h',
    form: 'statement',
    original: MARK_PIECE,
    mutated: edited(MARK_PIECE, 'line_write(fs, line);', ''),
    note: 'A written line stays READY: it is evicted as if it were clean, and what was written is lost.',
    scenario: 'writer-and-evictor',
    peer: 'BaM misses the dirty bit on a page that was first touched by a read',
  },
  {
    name: 'whole-line-without-sync',
    file: 'write.h',
    form: 'statement',
    original: `copy_to_line(fs.lane, line_data(fs, line), bytes, piece.last + 1u);
  warp_sync(fs.lane);`,
    mutated: 'copy_to_line(fs.lane, line_data(fs, line), bytes, piece.last + 1u);',
    note: 'A line that is written whole becomes READY while other lanes still copy: readers find bytes of another page in it.',
    scenario: 'whole-line',
  },
  {
    name: 'whole-line-not-dirty',
    file: 'write.h',
    form: 'statement',
    original: 'atomic_store(&fs.auxes[line].dirty, dirty_range(piece.first, piece.last));',
    mutated: '',
    note: 'A line that is written whole has no dirty range: its bytes never reach the file.',
    scenario: 'whole-line',
  },
  {
    name: 'partial-write-not-filled',
    file: 'write.h',
    form: 'expression',
    original: 'piece.first == 0u && piece.last + 1u == line_bytes(fs)',
    mutated: 'piece.first == 0u',
    note: 'A write that ends inside a line counts as a whole one: the rest of the line is never filled, and read all the same.',
    scenario: 'one-warp',
  },
  {
    name: 'extend-skipped',
    file: 'write.h',
    form: 'expression',
    original: '(!file_look(entry, look) || look.size < end)',
    mutated: 'false',
    note: 'A write past the end does not say so: who reads the bytes afterwards finds the file as short as before.',
    scenario: 'growing-file',
  },
  {
    name: 'size-before-bytes',
    file: 'write.h',
    form: 'statement',
    original: WRITE_PIECES,
    mutated: `file_extend(fs, file, offset + bytes);
  ${WRITE_PIECES}`,
    note: 'The new size is published before the bytes are in the cache: a reader finds zeros that nobody wrote.',
    scenario: 'growing-file',
  },
];

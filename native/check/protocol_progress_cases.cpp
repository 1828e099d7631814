// The cases of the protocol.
#include "protocol_progress.h"

namespace warpfs {

using namespace protocol;

std::vector<Scenario> protocol_scenarios() {
  using C = Call;
  const std::vector<Call> page_1 = {{C::READ, 1}}, page_2 = {{C::READ, 2}}, page_3 = {{C::READ, 3}};
  const std::vector<Call> stat = {{C::STAT}}, sync = {{C::SYNC}}, barrier = {{C::BARRIER}};
  const std::vector<Call> piece_1 = {{C::WRITE, 1, 1, 1}}, piece_2 = {{C::WRITE, 1, 1, 2}}, other_page = {{C::WRITE, 2, 1, 1}};
  const std::vector<Call> whole = {{C::WRITE_WHOLE, 1}}, cut_all = {{C::TRUNCATE, 1}}, cut_behind = {{C::TRUNCATE, 2}};
  const std::vector<Call> map = {{C::MAP, 1}, {C::UNMAP}}, map_writes = {{C::MAP, 1}, {C::UNMAP, 0, 1, 1}};
  return {
      {.name = "3 warps, a page that is here", .warps = {page_1, page_1, page_1}, .ready = {1}},
      {.name = "one page", .warps = {page_1, page_1}},
      {.name = "one page, two ways", .warps = {page_1, page_1}, .ways = 2},
      {.name = "one page, two ways, rings of their own", .warps = {page_1, page_1}, .ways = 2, .rings = 2},
      {.name = "3 warps, one page, a ring of one slot", .warps = {page_1, page_1, page_1}, .ring_slots = 1},
      {.name = "two pages of one line", .warps = {page_1, page_2}},
      {.name = "two pages of one line, rings of their own", .warps = {page_1, page_2}, .rings = 2},
      {.name = "two pages of two lines", .warps = {page_1, page_2}, .sets = 2},
      {.name = "two pages of two lines, rings of their own", .warps = {page_1, page_2}, .sets = 2, .rings = 2},
      {.name = "two pages of two lines, a ring of one slot", .warps = {page_1, page_2}, .sets = 2, .ring_slots = 1},
      {.name = "3 warps, three pages of one line", .warps = {page_1, page_2, page_3}},
      {.name = "3 warps, three pages of one line, rings of their own", .warps = {page_1, page_2, page_3}, .rings = 3},
      {.name = "two pages each, in opposite order", .warps = {{{C::READ, 2, 2}}, {{C::READ, 5, 2}}}, .sets = 2},
      {.name = "a page and what the other reads ahead", .warps = {{{C::PREFETCH, 1}}, page_2}},
      {.name = "a page and a write of the whole line", .warps = {whole, page_1}, .ways = 2},
      {.name = "a page and a write to it", .warps = {piece_1, page_1}},
      {.name = "two writes that touch", .warps = {piece_1, piece_1}},
      {.name = "two writes that do not touch", .warps = {piece_1, piece_2}},
      {.name = "3 warps, two writes that do not touch and a reader", .warps = {piece_1, piece_2, page_1}, .ready = {1}},
      {.name = "two pages, the line modified", .warps = {page_2, page_3}, .modified = {1}},
      {.name = "3 warps, a sync, a reader and another page", .warps = {sync, page_1, page_2}, .modified = {1}},
      {.name = "a sync and a write", .warps = {sync, piece_2}, .modified = {1}},
      {.name = "two syncs", .warps = {sync, sync}, .modified = {1}},
      {.name = "two writes that do not touch, a mask", .warps = {piece_1, piece_2}, .masks = 1},
      {.name = "3 warps, two writes that do not touch, a mask, a sync", .warps = {piece_1, piece_2, sync}, .masks = 1, .ready = {1}},
      {.name = "two pages of two pieces each, one mask", .warps = {{{C::WRITE, 1, 1, 2}}, {{C::WRITE, 2, 1, 2}}}, .sets = 2, .masks = 1, .modified = {1, 2}},
      {.name = "3 warps, a write of the whole line, one to it, a sync", .warps = {whole, piece_1, sync}},
      {.name = "3 warps, two writes and a truncation behind them", .warps = {piece_1, piece_2, cut_behind}},
      {.name = "the same, the line modified, a mask", .warps = {piece_1, piece_2, cut_behind}, .masks = 1, .modified = {1}},
      {.name = "a write and a truncation of all", .warps = {piece_2, cut_all}, .modified = {1}},
      {.name = "a write to two lines and a truncation between them", .warps = {{{C::WRITE, 1, 1, 1}, {C::WRITE, 2, 1, 1}}, cut_behind}, .sets = 2},
      {.name = "a page and a truncation", .warps = {page_1, cut_all}},
      {.name = "two pages and a truncation between them", .warps = {{{C::READ, 1, 2}}, cut_behind}, .sets = 2, .modified = {1}},
      {.name = "two pages of one line, one after the other, and a truncation", .warps = {{{C::READ, 1}, {C::READ, 2}}, cut_all}},
      {.name = "3 warps, a page that is here twice and a truncation", .warps = {page_1, page_1, cut_all}, .ready = {1}},
      {.name = "two truncations", .warps = {cut_all, cut_behind}, .modified = {1}},
      {.name = "3 warps, two truncations and a write", .warps = {cut_all, cut_behind, piece_2}, .modified = {1}},
      {.name = "3 warps, two truncations and a page", .warps = {cut_all, cut_behind, page_1}, .modified = {1}},
      {.name = "a map and a page of its line", .warps = {map, page_2}},
      {.name = "a map and a write to another page of its line", .warps = {map, other_page}},
      {.name = "two maps of one line", .warps = {{{C::MAP, 1}, {C::UNMAP}}, {{C::MAP, 2}, {C::UNMAP}}}},
      {.name = "a map that writes and a write", .warps = {map_writes, piece_2}},
      {.name = "a map that writes and a write, a mask", .warps = {map_writes, piece_2}, .masks = 1},
      {.name = "a map that writes and a sync", .warps = {map_writes, sync}, .modified = {1}},
      {.name = "a map that is synced and a write", .warps = {{{C::MAP, 1}, {C::MAP_SYNC, 0, 1, 1}, {C::UNMAP}}, piece_2}},
      {.name = "3 warps, a map over a read, a write, a sync", .warps = {{{C::MAP, 1}, {C::READ, 2}, {C::UNMAP, 0, 1, 1}}, piece_2, sync}, .ways = 2},
      {.name = "3 warps, a map, another page, a write of a third", .warps = {map_writes, page_2, {{C::WRITE, 3, 1, 1}}}, .ways = 2},
      {.name = "a map that writes and a truncation", .warps = {map_writes, cut_all}},
      {.name = "3 warps, a map, a page past the cache, a truncation", .warps = {map, page_2, cut_all}, .ready = {1}},
      // What kernels must not do: each waits for a line that no other will let go.
      {.name = "a map and a write of one warp, one line", .warps = {{{C::MAP, 1}, {C::WRITE, 2, 1, 1}, {C::UNMAP}}}},
      {.name = "two stats", .warps = {stat, stat}},
      {.name = "two stats, rings of their own", .warps = {stat, stat}, .rings = 2},
      {.name = "two barriers", .warps = {barrier, barrier}},
      {.name = "3 warps, three barriers", .warps = {barrier, barrier, barrier}},
      // A host that fails for ever; under spin the bound of the wait ends what does not end here.
      {.name = "fills fail: one page", .warps = {page_1, page_1}, .fills_fail = true},
      {.name = "write-backs fail: a page", .warps = {page_2}, .modified = {1}, .write_backs_fail = true},
      {.name = "write-backs fail: two pages", .warps = {page_2, page_3}, .ring_slots = 3, .modified = {1}, .write_backs_fail = true},
      {.name = "write-backs fail: two syncs", .warps = {sync, sync}, .modified = {1}, .write_backs_fail = true},
      {.name = "write-backs fail: two writes of one warp", .warps = {{{C::WRITE, 1, 1, 1}, {C::WRITE, 1, 1, 2}}}, .write_backs_fail = true},
      {.name = "write-backs fail: two writes, a mask", .warps = {piece_1, piece_2}, .masks = 1, .write_backs_fail = true},
      {.name = "write-backs fail: two maps that write", .warps = {map_writes, {{C::MAP, 1}, {C::UNMAP, 0, 1, 2}}}, .write_backs_fail = true},
      {.name = "write-backs fail: a write and a truncation behind it", .warps = {piece_2, cut_behind}, .modified = {1}, .write_backs_fail = true},
      {.name = "fills fail: 3 warps, a page, a write of it, a sync", .warps = {page_1, whole, sync}, .fills_fail = true},
      {.name = "truncations fail: 3 warps, a page, a write", .warps = {page_1, piece_1, cut_all}, .truncations_fail = true},
  };
}

}  // namespace warpfs

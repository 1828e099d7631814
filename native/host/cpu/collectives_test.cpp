// What each collective gives, with all lanes and with some. Prints `ok <name>` for each; exit status 1 where one does not hold.
#include "test_check.h"

namespace warpfs {
namespace {

uint lane_count = 32;  // of the launch that runs

void run(WarpBody body, uint items = 50) {
  static CpuExecutor executor;
  executor.launch({.items = items, .lane_count = lane_count}, body, nullptr);
}

uint full_mask(const Lane& lane) { return lane.count == 32 ? ~0u : (1u << lane.count) - 1; }
uint even_lanes(const Lane& lane) { return full_mask(lane) & 0x55555555u; }
uint sum_below(uint count) { return count * (count - 1) / 2; }

void all_collectives(Lane& lane, const WarpId& id, void*) {
  const uint i = lane.index, n = lane.count, full = full_mask(lane);
  CHECK(n == lane_count);
  for (uint round = 0; round < 3; round++) {
    CHECK(lane.ballot(i % 2 == 0) == even_lanes(lane));
    CHECK(lane.any(i == 3) && !lane.any(false));
    CHECK(lane.all(true) && !lane.all(i != 2));
    CHECK(lane.broadcast(i * 10 + round, 2u) == 20 + round);
    CHECK(lane.broadcast(ulong(i) << 40, 3u) == ulong(3) << 40);
    CHECK(lane.broadcast(float(i) * 0.5f, 1u) == 0.5f);
    CHECK(lane.shuffle(i * 3 + id.item, (i + 1) % n) == (i + 1) % n * 3 + id.item);
    CHECK(lane.shuffle(-int(i), i ^ 1) == -int(i ^ 1));
    CHECK(lane.shuffle(float(i), n - 1 - i) == float(n - 1 - i));
    CHECK(lane.sum(i) == sum_below(n));
    CHECK(lane.sum(-int(i)) == -int(sum_below(n)));
    CHECK(lane.sum(float(i) * 0.25f) == float(sum_below(n)) * 0.25f);
    uint picked = 77;
    CHECK(warp_pick(lane, i == 2 || i == 3, 0xf0000000u + i, picked) == 0xcu && picked == 0xf0000002u);
    picked = 77;
    CHECK(warp_pick(lane, false, i, picked) == 0 && picked == 77);
    uint masks[4];
    warp_votes(lane, i, masks);
    for (uint k = 0; k < 4; k++) {
      uint expected = 0;
      for (uint other = 0; other < n; other++) expected |= (other >> k & 1) << other;
      CHECK(masks[k] == expected);
    }
    ulong first = 0, other = 0;
    ulong of_leader = i + 70;
    CHECK(warp_uniform(lane, ulong(9) << 33, first, other, of_leader) && first == ulong(9) << 33 && of_leader == 70);
    CHECK(!warp_uniform(lane, i == 2 ? 5 : 4, first, other, of_leader) && first == 4 && other == 5);
    warp_sync(lane);
    group_barrier(lane);
    CHECK(lane.warp->full == full);
  }
}

void test_all_lanes() {
  for (uint count : {1u, 4u, 8u, 16u, 31u, 32u}) {
    lane_count = count;
    if (count >= 4 && count != 31) run(all_collectives);
    run([](Lane& lane, const WarpId&, void*) { CHECK(lane.sum(lane.index + 1) == sum_below(lane.count + 1)); });
  }
  lane_count = 32;
}

void arms(Lane& lane, const WarpId&, void*) {
  uint sum = 0;
  if (lane.index % 4 == 0) {
    sum = lane.sum(1);
    CHECK(sum == 8);
    CHECK(lane.ballot(true) == 0x11111111u);
    CHECK(lane.shuffle(lane.index, 4) == 4);
    CHECK(lane.shuffle(lane.index, 5) == lane.index);  // lane 5 takes no part
  } else {
    sum = lane.sum(2);
    CHECK(sum == 48);
  }
  CHECK(lane.sum(1) == 32);  // both arms meet again
  CHECK(lane.sum(sum) == 8 * 8 + 24 * 48);
}
void test_if_and_else() { run(arms); }

void nested_arms(Lane& lane, const WarpId&, void*) {
  if (lane.index < 16) {
    if (lane.index < 4) CHECK(lane.sum(1) == 4);
    CHECK(lane.sum(1) == 16);
    for (uint round = 0; round < 3; round++) CHECK(lane.sum(round) == 16 * round);
  }
  CHECK(lane.sum(1) == 32);
}
void test_nested_arms() { run(nested_arms); }

void leaving_loop(Lane& lane, const WarpId&, void*) {
  for (uint round = 0; round <= lane.index; round++) CHECK(lane.sum(1u) == 32 - round);
  CHECK(lane.ballot(true) == ~0u);
  for (uint round = 0; round < 100; round++) {
    if (lane.index != round % 32) CHECK(lane.ballot(true) == ~(1u << round % 32));
    warp_sync(lane);
  }
  CHECK(lane.all(true) && lane.sum(1) == 32);
}
void test_loop_left_at_different_times() { run(leaving_loop); }

void early_return(Lane& lane, const WarpId&, void*) {
  if (lane.index % 2 == 1) return;
  CHECK(lane.ballot(true) == 0x55555555u);
  if (lane.index >= 8) {
    CHECK(lane.sum(1) == 12);
    return;
  }
  CHECK(lane.ballot(true) == 0x55u);
  ulong first, other;
  ulong of_leader = 0;
  CHECK(!warp_uniform(lane, 3, first, other, of_leader) && first == 3 && other == ~ulong(0));
  CHECK(lane.all(true));
}
void test_early_return() { run(early_return); }

__attribute__((noinline)) uint sum_in_a_call(const Lane& lane, uint value) { return lane.sum(value) + 0 * lane.index; }

void call_under_divergence(Lane& lane, const WarpId&, void*) {
  if (lane.index < 10) {
    CHECK(sum_in_a_call(lane, 1) == 10);
  }
  CHECK(lane.sum(1) == 32);
  // The call stands in front of the arm in the file, and its lanes are deeper: they go first.
  if (lane.index >= 10) {
    CHECK(lane.sum(1) == 22);
  } else {
    CHECK(sum_in_a_call(lane, 2) == 20);
  }
  CHECK(lane.sum(1) == 32);
}
void test_call_under_divergence() { run(call_under_divergence); }

void mixed_kinds(Lane& lane, const WarpId&, void*) {
  for (uint round = 0; round < 20; round++) {
    if ((lane.index + round) % 3 == 0) {
      const uint ballot = lane.ballot(true);
      CHECK((ballot >> lane.index & 1) != 0);
    } else if ((lane.index + round) % 3 == 1) {
      const int before = lane.sum(1);
      CHECK(lane.sum(1) == before);
    } else {
      WaitBound bound;
      wait_begin(bound, 3, 0);
      while (wait_pause(lane, bound)) {
      }
    }
    CHECK(lane.sum(1) == 32);
  }
}
void test_kinds_and_yields_mixed() { run(mixed_kinds, 300); }

void barrier_and_collective(Lane& lane, const WarpId&, void*) {
  // Not legal on every GPU; here it must not hang: the collective goes first, then its lanes come to the barrier.
  if (lane.index < 5) CHECK(lane.sum(1) == 5);
  group_barrier(lane);
  CHECK(lane.sum(1) == 32);
}
void test_barrier_beside_a_collective() { run(barrier_and_collective); }

void leader_waits(Lane& lane, const WarpId& id, void*) {
  for (uint round = 0; round < 10; round++) {
    uint result = 0;
    if (lane.index == 0) {
      WaitBound bound;
      wait_begin(bound, id.item % 5, 0);
      while (wait_pause(lane, bound)) {
      }
      result = id.item + round;
    }
    CHECK(lane.broadcast(result, 0u) == id.item + round);
  }
}
void test_leader_waits_for_the_others() { run(leader_waits, 3000); }

}  // namespace
}  // namespace warpfs

int main() {
  using namespace warpfs;
  RUN_TEST(test_all_lanes);
  RUN_TEST(test_if_and_else);
  RUN_TEST(test_nested_arms);
  RUN_TEST(test_loop_left_at_different_times);
  RUN_TEST(test_early_return);
  RUN_TEST(test_call_under_divergence);
  RUN_TEST(test_kinds_and_yields_mixed);
  RUN_TEST(test_barrier_beside_a_collective);
  RUN_TEST(test_leader_waits_for_the_others);
  return 0;
}

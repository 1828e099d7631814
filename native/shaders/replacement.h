// Replacement. A policy is three pure functions on 32-bit masks, one bit per way, chosen when the kernel is compiled:
//   policy_counts_hits()   does a hit leave a mark (the reference bit)?
//   policy_victim(...)     which way goes, among `clean` (evictable, not dirty), as seen from the hand
//   policy_passed(...)     whose reference bits the sweep from the hand to the victim took away
// A way that was never used (`unused`) is always taken first and moves no hand.
// A fill leaves the reference bit clear, and the access that caused it does not set it.
#pragma once

namespace warpfs {

// The set bits of `mask` in the order in which a sweep from `hand` meets them: the first one. mask != 0.
WARPFS_FN uint first_from(uint mask, uint hand) {
  const uint behind = mask & (0xffffffffu << hand);
  return lowest_bit(behind != 0u ? behind : mask);
}

// The ways that a sweep from `hand` goes over before it comes to `way`.
WARPFS_FN uint ways_between(uint hand, uint way) {
  const uint below_way = (1u << way) - 1u;
  const uint below_hand = (1u << hand) - 1u;
  return hand <= way ? below_way & ~below_hand : below_way | ~below_hand;
}

#if WARPFS_POLICY == 0  // Policy::CLOCK: second chance

WARPFS_FN bool policy_counts_hits() { return true; }

WARPFS_FN uint policy_victim(uint clean, uint reference, uint hand) {
  const uint unreferenced = clean & ~reference;
  return first_from(unreferenced != 0u ? unreferenced : clean, hand);
}

WARPFS_FN uint policy_passed(uint clean, uint reference, uint hand, uint victim) {
  // Where everybody was referenced the sweep has gone round once before it came back to the victim.
  return (clean & ~reference) != 0u ? reference & ways_between(hand, victim) : reference;
}

#elif WARPFS_POLICY == 1  // Policy::FIFO: hits change nothing

WARPFS_FN bool policy_counts_hits() { return false; }
WARPFS_FN uint policy_victim(uint clean, uint, uint hand) { return first_from(clean, hand); }
WARPFS_FN uint policy_passed(uint, uint, uint, uint) { return 0u; }

#else
#error "WARPFS_POLICY is not a value of Policy"
#endif

}  // namespace warpfs

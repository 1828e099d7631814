// What tells one state of an execution from another.
#include "engine.h"
#include "protocol_watch.h"

#include <algorithm>
#include <cstring>

namespace warpfs {

namespace {

uint64_t mixed(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
  return hash ^ (hash >> 29);
}

uint64_t of_word(uint32_t granule, uint32_t value) { return mixed(mixed(0x243f6a8885a308d3u, granule), value); }

uint64_t of_bytes(uint64_t hash, const void* bytes, size_t count) {
  const unsigned char* at = static_cast<const unsigned char*>(bytes);
  for (; count >= 8; count -= 8, at += 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    hash = mixed(hash, word);
  }
  for (; count > 0; count--, at++) hash = mixed(hash, *at);
  return hash;
}

}  // namespace

/// What the host does, as far as it is not in memory: the same again and again while it looks and finds nothing.
void Engine::host_did(const Operation& op, uint64_t value, bool stays) {
  if (!compares_states_) return;
  uint64_t& hash = stays ? host_done_ : host_since_;
  hash = mixed(mixed(hash, uint64_t(op.kind) << 32 | (op.where == nullptr ? 0 : op.where->granule)), value);
}

void Engine::host_moved(const void* p, size_t bytes, bool write, const Location& first) {
  if (write) return;  // the memory says it
  const uint64_t content = of_bytes(0, p, bytes);
  if (first.kind == RegionKind::REQUESTS) {
    const Request* request = static_cast<const Request*>(p);
    // Fills leave nothing behind in the host; all others may change a file, or what is known of one.
    const bool stays = request->opcode != Opcode::FILL && request->opcode != Opcode::NOP;
    host_since_ = mixed(host_since_, content);
    if (stays) host_done_ = mixed(host_done_, of_bytes(request->sequence, &request->opcode, sizeof(Request) - sizeof(uint32_t)) - request->sequence);
  } else {
    host_done_ = mixed(host_done_, content);
  }
}

uint64_t Engine::state_hash() {
  for (Location* where : rewritten_) {
    const uint32_t value = value_at(*where);
    if (value == where->hashed || where->kind == RegionKind::STATS) continue;
    memory_hash_ ^= of_word(where->granule, where->hashed) ^ of_word(where->granule, value);
    where->hashed = value;
  }
  rewritten_.clear();
  uint64_t hash = mixed(mixed(memory_hash_, host_done_), outer_state);
  hash = mixed(hash, host_since_);
  if (watch != nullptr) hash = mixed(hash, watch->state_hash());
  for (const Actor& actor : actors_) {
    if (actor.state == ActorState::ABSENT) continue;
    hash = mixed(hash, uint64_t(actor.id) << 8 | uint64_t(actor.state));
    if (actor.state == ActorState::DONE) continue;
    hash = mixed(hash, uint64_t(actor.op.kind) << 32 | (actor.op.where == nullptr ? 0 : actor.op.where->granule));
    if (actor.warp == nullptr) continue;
    const unsigned char* from = static_cast<unsigned char*>(actor.lane_switch.kernel_at);
    hash = of_bytes(hash, from, size_t(actor.stack_top - from));
  }
  for (const Actor& actor : actors_) {
    if (actor.warp == nullptr || actor.lane != 0 || actor.state == ActorState::ABSENT) continue;
    const CheckWarp& warp = *actor.warp;
    hash = mixed(hash, uint64_t(warp.live) << 32 | warp.blocked);
    for (uint32_t rest = warp.blocked; rest != 0; rest &= rest - 1) {
      const uint32_t lane = uint32_t(__builtin_ctz(rest));
      hash = mixed(mixed(hash, warp.values[warp.parity][lane]), warp.sites[lane].line_and_kind);
    }
  }
  // A wait is over when something has changed that was read since the last one. Where something has, nothing else matters.
  for (uint32_t id = 0; id < parties_.size(); id++) {
    const Party& party = parties_[id];
    uint64_t seen = 1;
    if (!is_changed(party, id)) {
      const uint32_t kept = std::min(party.seen_count, SEEN_MAX);
      for (uint32_t at = 0; at < kept; at++) {
        const uint32_t granule = party.seen[at].where->granule;
        const bool again = std::any_of(party.seen, party.seen + at, [&](const SeenWord& other) { return other.where->granule == granule; });
        if (!again) seen += of_word(granule, 1);
      }
    }
    const bool did_something = party.own_writes != party.own_writes_before && party.idle_pauses < 2;
    hash = mixed(hash, seen + (did_something ? 1 : 0));
  }
  return hash;
}

}  // namespace warpfs

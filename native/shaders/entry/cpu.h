// Entry points of the cpu device: bindings in, one call per lane.
#pragma once

namespace warpfs {

// `buffers`: one pointer per Binding, then the kernel's own.
WARPFS_FN Fs fs_from_bindings(Lane& lane, uint item, uint slot, void* const* buffers) {
  Fs fs;
  fs.lane = lane;
  fs.item = item;
  fs.slot = slot;
  fs.geometry = static_cast<const Geometry*>(buffers[Binding::GEOMETRY]);
  fs.ring_tails = static_cast<RingTail*>(buffers[Binding::RING_TAILS]);
  fs.ring_heads = static_cast<const RingHead*>(buffers[Binding::RING_HEADS]);
  fs.requests = static_cast<Request*>(buffers[Binding::REQUESTS]);
  fs.words = static_cast<uint*>(buffers[Binding::WORDS]);
  fs.tags = static_cast<LineTag*>(buffers[Binding::TAGS]);
  fs.auxes = static_cast<LineAux*>(buffers[Binding::AUXES]);
  fs.dones = static_cast<const LineDone*>(buffers[Binding::DONES]);
  fs.sets = static_cast<SetState*>(buffers[Binding::SETS]);
  fs.lines = static_cast<uchar*>(buffers[Binding::LINES]);
  fs.files = static_cast<const FileEntry*>(buffers[Binding::FILES]);
  fs.mailboxes = static_cast<const Mailbox*>(buffers[Binding::MAILBOXES]);
  fs.outboxes = static_cast<uchar*>(buffers[Binding::OUTBOXES]);
  fs.record = static_cast<ItemRecord*>(buffers[Binding::RECORDS]) + slot;
  fs.stats = static_cast<WarpStats*>(buffers[Binding::STATS]);
  fs.fault = static_cast<FaultRecord*>(buffers[Binding::FAULT]);
  fs.log = static_cast<LogEntry*>(buffers[Binding::LOGS]) + (ulong)slot * REPLAY_LOG_CALLS;
  fs.loaded = static_cast<uint*>(buffers[Binding::LOADS]) + (ulong)slot * REPLAY_LOG_WORDS * WARP_LANES;
  fs.gates = static_cast<uint*>(buffers[Binding::GATES]);
  fs.dirty = static_cast<DirtyState*>(buffers[Binding::DIRTY]);
  fs.masks = static_cast<uint*>(buffers[Binding::MASKS]);
#if WARPFS_HINTS
  fs.hints = static_cast<Hint*>(buffers[Binding::HINTS]);
#endif
  return fs;
}

}  // namespace warpfs

// The symbols of a compiled kernel. `call` is an expression that sees `fs` and `own`, the kernel's own buffers, and gives the item's status.
#define WARPFS_KERNEL_ENTRY(call)                                                                                                 \
  WARPFS_CPU_MODULE                                                                                                               \
  extern "C" __attribute__((visibility("default"))) uint32_t warpfs_kernel_abi_hash() { return ::warpfs::ABI_HASH; }            \
  extern "C" __attribute__((visibility("default"))) void warpfs_kernel(::warpfs::Lane& lane, uint32_t item, uint32_t slot,      \
                                                                       void* const* buffers) {                                  \
    using namespace ::warpfs;                                                                                                     \
    Fs fs = fs_from_bindings(lane, item, slot, buffers);                                                                          \
    item_begin(fs);                                                                                                               \
    void* const* own = buffers + Binding::OWN;                                                                                    \
    (void)own;                                                                                                                    \
    const int status = (call);                                                                                                    \
    item_end(fs, status);                                                                                                         \
  }

#include "copilot_host.h"

#include "../host_error.h"
#include "../shared_words.h"

#include <string>

namespace warpfs {

namespace {

PeerOptions of_controllers(PeerOptions options, uint32_t agents) {
  if (agents >= options.threads) throw HostError(-Errno::einval, "one thread at least is no agent");
  options.threads -= agents;
  return options;
}

}  // namespace

CopilotHost::CopilotHost(const CopilotRoles& roles, const PeerOptions& options)
    : shape_(roles.shape),
      shared_(options.shared),
      controllers_(of_controllers(options, roles.agents).threads),
      agents_(roles.agents),
      controller_(NvmeShape{roles.shape.queues, roles.shape.depth}, of_controllers(options, roles.agents)),
      queues_(roles.shape.queues) {
  const uint64_t needed = copilot_shared_bytes(shape_);
  if (shape_.ids == 0 || shape_.ids > 65536) throw HostError(-Errno::einval, "an NVMe queue has 1 to 65536 command ids");
  if (needed > options.shared_bytes) {
    throw HostError(-Errno::einval, "queues and barrier table take " + std::to_string(needed) + " bytes, and there are " + std::to_string(options.shared_bytes));
  }
}

uint32_t CopilotHost::serve(uint32_t thread, PeerHost& host) {
  uint32_t done = thread < controllers_ ? controller_.serve(thread, host) : 0;
  if (agents_ != 0 && thread < controllers_) return done;
  const uint32_t first = agents_ == 0 ? thread : thread - controllers_;
  const uint32_t step = agents_ == 0 ? controllers_ : agents_;
  for (uint32_t index = first; index < shape_.queues; index += step) done += drain(index);
  return done;
}

uint32_t CopilotHost::drain(uint32_t index) {
  Queue& queue = queues_[index];
  const uint64_t pair = copilot_pair(shape_, index);
  uint32_t drained = 0;
  for (;; drained++) {
    const uint64_t completion = nvme_completion(pair, shape_.depth, queue.head);
    const uint32_t done = load_acquire(word(completion + NVME_DONE * 4));
    if ((done >> 16 & 1u) != queue.phase) break;
    const uint32_t sq_head = load_relaxed(word(completion + NVME_SQ * 4)) & 0xffff;
    queue.taken += (sq_head + shape_.depth - queue.taken % shape_.depth) % shape_.depth;
    queue.head = (queue.head + 1) % shape_.depth;
    if (queue.head == 0) queue.phase ^= 1;
    const uint32_t id = done & 0xffff;  // of a command that a kernel wrote: it may be anything
    if (id < shape_.ids) store_release(word(copilot_entry(shape_, index, id)), COPILOT_READY | done >> 17 << 1);
  }
  if (drained == 0) return 0;
  store_release(word(copilot_taken(shape_, index)), queue.taken);
  store_release(word(nvme_cq_doorbell(pair)), queue.head);
  return drained;
}

}  // namespace warpfs

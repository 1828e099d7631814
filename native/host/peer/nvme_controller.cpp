#include "nvme_controller.h"

#include "../host_error.h"
#include "../shared_words.h"

#include <string>

namespace warpfs {

namespace {

uint64_t wide(const NvmeCommand& command, uint32_t word) { return command.words[word] | uint64_t(command.words[word + 1]) << 32; }

MediumKind kind_of(const NvmeCommand& command) {
  switch (command.words[NVME_HEAD] & 0xff) {
    case NvmeOpcode::READ: return MediumKind::READ;
    case NvmeOpcode::WRITE: return MediumKind::WRITE;
    default: return MediumKind::SYNC;
  }
}

}  // namespace

NvmeController::NvmeController(const NvmeShape& shape, const PeerOptions& options)
    : shape_(shape), shared_(options.shared), threads_(options.threads), queues_(shape.queues) {
  if (shape.depth < 2 || shape.depth > NVME_DEPTH_MAX || shape.queues == 0) throw HostError(-Errno::einval, "an NVMe queue has 2 to 65536 entries, and there is one at least");
  const uint64_t needed = shape.queues * nvme_pair_bytes(shape.depth);
  if (needed > options.shared_bytes) {
    throw HostError(-Errno::einval, std::to_string(shape.queues) + " queues of " + std::to_string(shape.depth) + " entries take " + std::to_string(needed) +
                                        " bytes, and there are " + std::to_string(options.shared_bytes));
  }
}

uint32_t NvmeController::serve(uint32_t thread, PeerHost& host) {
  uint32_t done = 0;
  for (uint32_t index = thread; index < shape_.queues; index += threads_) {
    std::vector<PeerAnswer>& waiting = queues_[index].waiting;
    size_t told = 0;
    while (told < waiting.size() && complete(index, uint32_t(waiting[told].what) & 0xffff, uint32_t(waiting[told].result))) told++;
    waiting.erase(waiting.begin(), waiting.begin() + ptrdiff_t(told));
    done += uint32_t(told) + take(index, thread, host);
  }
  return done;
}

uint32_t NvmeController::take(uint32_t index, uint32_t thread, PeerHost& host) {
  Queue& queue = queues_[index];
  const uint32_t tail = load_acquire(word(nvme_sq_doorbell(pair(index)))) % shape_.depth;
  uint32_t taken = 0;
  for (; queue.head != tail; taken++) {
    NvmeCommand command;
    copy_from_gpu(&command, shared_ + nvme_command(pair(index), queue.head), sizeof command);
    queue.head = (queue.head + 1) % shape_.depth;
    const MediumKind kind = kind_of(command);
    const MediumTime time = host.ask(kind, kind == MediumKind::SYNC ? 0 : command.words[NVME_LENGTH]);
    const uint32_t status = carry_out(command, host);
    host.answer(thread, {kind, time, int32_t(status), uint64_t(index) << 32 | command.words[NVME_HEAD] >> 16});
  }
  return taken;
}

uint32_t NvmeController::carry_out(const NvmeCommand& command, PeerHost& host) const {
  const PeerOptions& options = host.options();
  const uint32_t opcode = command.words[NVME_HEAD] & 0xff;
  if (opcode == NvmeOpcode::FLUSH) return host.sync() == 0 ? NvmeStatus::SUCCESS : NvmeStatus::WRITE_FAULT;
  if (opcode != NvmeOpcode::READ && opcode != NvmeOpcode::WRITE) return NvmeStatus::INVALID_OPCODE;
  if ((command.words[NVME_HEAD] & NVME_SGL) == 0 || command.words[NVME_NAMESPACE] != 1) return NvmeStatus::INVALID_FIELD;
  const uint64_t bytes = (uint64_t(command.words[NVME_BLOCKS] & 0xffff) + 1) * NVME_BLOCK_BYTES;
  const uint64_t block = wide(command, NVME_LBA);
  const uint64_t blocks = (host.file_bytes() + NVME_BLOCK_BYTES - 1) / NVME_BLOCK_BYTES;
  if (block >= blocks || bytes / NVME_BLOCK_BYTES > blocks - block) return NvmeStatus::LBA_OUT_OF_RANGE;
  const bool reads = opcode == NvmeOpcode::READ;
  if (!(reads ? options.reads_move : options.writes_move)) return NvmeStatus::SUCCESS;
  const uint64_t at = wide(command, NVME_ADDRESS);
  if (command.words[NVME_LENGTH] != bytes || at > options.data_bytes || bytes > options.data_bytes - at) return NvmeStatus::SGL_LENGTH_INVALID;
  if (reads) return host.read(block * NVME_BLOCK_BYTES, bytes, at) == 0 ? NvmeStatus::SUCCESS : NvmeStatus::UNRECOVERED_READ;
  return host.write(block * NVME_BLOCK_BYTES, bytes, at) == 0 ? NvmeStatus::SUCCESS : NvmeStatus::WRITE_FAULT;
}

void NvmeController::tell(uint32_t, const PeerAnswer& answer) {
  const uint32_t index = uint32_t(answer.what >> 32);
  Queue& queue = queues_[index];
  // In the order of their ends: what waits for room goes first.
  if (!queue.waiting.empty() || !complete(index, uint32_t(answer.what) & 0xffff, uint32_t(answer.result))) queue.waiting.push_back(answer);
}

/// False while the queue is full: one entry is always free, and its reader says with the doorbell how far it has come.
bool NvmeController::complete(uint32_t index, uint32_t command_id, uint32_t status) {
  Queue& queue = queues_[index];
  const uint32_t reader = load_acquire(word(nvme_cq_doorbell(pair(index)))) % shape_.depth;
  if ((queue.tail + 1) % shape_.depth == reader) return false;
  const uint64_t entry = nvme_completion(pair(index), shape_.depth, queue.tail);
  store_relaxed(word(entry), 0u);
  store_relaxed(word(entry + NVME_SQ * 4), queue.head | index << 16);
  store_release(word(entry + NVME_DONE * 4), command_id | queue.phase << 16 | status << 17);
  queue.tail = (queue.tail + 1) % shape_.depth;
  if (queue.tail == 0) queue.phase ^= 1;
  return true;
}

}  // namespace warpfs

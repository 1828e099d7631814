// The engine whose reads Metal makes, into the lines where they lie. It only reads: writes, the ends of files, and whatever goes wrong are left to pread, so
// that what a warp is told is what the file system says.
#include "io_files.h"

#include "gpu.h"
#include "metal.h"

#include <cerrno>

namespace warpfs::metal {

namespace {

constexpr uint32_t TRANSFERS_MAX = 1024;  // under way at once
constexpr uint32_t BATCHES_MAX = 16;      // command buffers
constexpr uint32_t BATCH_LOADS_MAX = 256;

class MtlioEngine final : public IoEngine {
 public:
  MtlioEngine(Gpu& gpu, WorkPool& pool, TransferEnd& end, Held<id<MTLIOCommandQueue>> queue)
      : gpu_(gpu), end_(end), pread_(make_pread_engine(pool, end)), files_(gpu.context(), end.calls()), queue_(std::move(queue)), waiting_(TRANSFERS_MAX) {
    for (uint32_t place = TRANSFERS_MAX; place-- > 0;) free_.push_back(place);
  }

  bool has_room() const override { return free_.size() >= TRANSFERS_PER_REQUEST && committed_.size() < BATCHES_MAX && pread_->has_room(); }
  uint32_t in_flight() const override { return TRANSFERS_MAX - uint32_t(free_.size()); }
  void start(Transfer& transfer) override;
  bool advance() override;
  std::string note() const override;

 private:
  struct Waiting {
    Transfer transfer;
    CallFate fate;
    uint64_t bytes;  // that are being loaded
  };
  /// One command buffer, and whose loads it has.
  struct Batch {
    Held<id<MTLIOCommandBuffer>> commands;
    std::vector<uint32_t> places;
    uint32_t loads = 0;
  };

  bool load(uint32_t place);
  bool has_batch();
  void encode(const Waiting& waiting, id<MTLIOFileHandle> handle);
  void load_to(void* to, uint64_t bytes, id<MTLIOFileHandle> handle, uint64_t offset);
  void commit();
  void end_batch(const Batch& batch);

  Gpu& gpu_;
  TransferEnd& end_;
  const std::unique_ptr<IoEngine> pread_;
  IoFiles files_;
  const Held<id<MTLIOCommandQueue>> queue_;
  std::vector<Waiting> waiting_;
  std::vector<uint32_t> free_;  // of those
  Batch open_;                  // of this sweep
  std::vector<Batch> committed_;
  mutable std::mutex note_mutex_;
  uint32_t failed_ = 0;
  std::string failure_;
};

void MtlioEngine::start(Transfer& transfer) {
  if (transfer.write) return pread_->start(transfer);
  if (end_.begin(transfer) == Begin::ENDED) return;
  const uint32_t place = free_.back();
  waiting_[place].transfer = transfer;
  if (load(place)) free_.pop_back();
}

/// Has Metal load what is left of the transfer. False: it did not, and somebody else ends the transfer, or has.
bool MtlioEngine::load(uint32_t place) {
  Waiting& waiting = waiting_[place];
  Transfer& transfer = waiting.transfer;
  while (true) {
    const id<MTLIOFileHandle> handle = files_.find(transfer);
    if (handle == nil || !has_batch()) {
      pread_->start(transfer);
      return false;
    }
    waiting.fate = end_.calls().begin(CallKind::READ, transfer.file.fd, transfer.parts + transfer.part_first, int(transfer.part_count - transfer.part_first),
                                      transfer.offset);
    if (waiting.fate.error == 0) {
      waiting.bytes = std::min<uint64_t>(transfer.remaining, waiting.fate.bytes_max);
      encode(waiting, handle);
      open_.places.push_back(place);
      if (open_.loads >= BATCH_LOADS_MAX) commit();
      return true;
    }
    end_.calls().end(waiting.fate, -waiting.fate.error);
    if (end_.take(transfer, -waiting.fate.error)) return false;
  }
}

/// False: the queue gives no command buffer.
bool MtlioEngine::has_batch() {
  if (open_.commands) return true;
  const Pool pool;
  open_.commands = Held<id<MTLIOCommandBuffer>>::retained([queue_.get() commandBuffer]);
  return bool(open_.commands);
}

void MtlioEngine::encode(const Waiting& waiting, id<MTLIOFileHandle> handle) {
  const Transfer& transfer = waiting.transfer;
  uint64_t done = 0;
  for (uint32_t part = transfer.part_first; done < waiting.bytes; part++) {
    const uint64_t bytes = std::min<uint64_t>(transfer.parts[part].iov_len, waiting.bytes - done);
    load_to(transfer.parts[part].iov_base, bytes, handle, transfer.offset + done);
    done += bytes;
  }
}

void MtlioEngine::load_to(void* to, uint64_t bytes, id<MTLIOFileHandle> handle, uint64_t offset) {
  const Buffer& tables = gpu_.tables();
  uint8_t* const at = static_cast<uint8_t*>(to);
  if (at >= tables.bytes() && at + bytes <= tables.bytes() + tables.size()) {
    [open_.commands.get() loadBuffer:tables.get() offset:NSUInteger(at - tables.bytes()) size:bytes sourceHandle:handle sourceHandleOffset:offset];
  } else {
    [open_.commands.get() loadBytes:to size:bytes sourceHandle:handle sourceHandleOffset:offset];
  }
  open_.loads++;
}

void MtlioEngine::commit() {
  if (!open_.commands) return;
  [open_.commands.get() commit];
  committed_.push_back(std::move(open_));
  open_ = Batch{};
}

bool MtlioEngine::advance() {
  commit();
  bool ended = false;
  for (size_t i = 0; i < committed_.size();) {
    if ([committed_[i].commands.get() status] == MTLIOStatusPending) {
      i++;
      continue;
    }
    const Batch batch = std::move(committed_[i]);
    committed_.erase(committed_.begin() + ptrdiff_t(i));
    end_batch(batch);
    ended = true;
  }
  if (in_flight() == 0) files_.drop_closed();
  return ended;
}

void MtlioEngine::end_batch(const Batch& batch) {
  const bool complete = [batch.commands.get() status] == MTLIOStatusComplete;
  if (!complete) {
    const Pool pool;
    const std::lock_guard lock(note_mutex_);
    failed_++;
    failure_ = [batch.commands.get() status] == MTLIOStatusCancelled ? "it was cancelled" : text_of([batch.commands.get() error]);
  }
  for (const uint32_t place : batch.places) {
    Waiting& waiting = waiting_[place];
    Transfer& transfer = waiting.transfer;
    // A file that got shorter meanwhile has no such bytes, whatever Metal says about it.
    const bool moved = complete && files_.reaches(transfer, waiting.bytes);
    end_.calls().end(waiting.fate, moved ? int64_t(waiting.bytes) : -EIO);
    if (!moved) pread_->start(transfer);
    if (!moved || end_.take(transfer, int64_t(waiting.bytes)) || !load(place)) free_.push_back(place);
  }
}

std::string MtlioEngine::note() const {
  const std::string files = files_.note();
  const std::lock_guard lock(note_mutex_);
  if (failed_ == 0) return files;
  return files + (files.empty() ? "" : "; ") + std::to_string(failed_) + " command buffers failed and were read again by pread, the last because: " + failure_;
}

}  // namespace

EngineMaker mtlio_maker(Gpu& gpu) {
  return [&gpu](WorkPool& pool, TransferEnd& end, std::string& why) -> std::unique_ptr<IoEngine> {
    const Pool autoreleased;
    NSError* error = nil;
    Held<id<MTLIOCommandQueue>> queue = gpu.context().new_io_queue(2 * BATCHES_MAX, &error);  // also those that are filled, or about to go
    if (queue) return std::make_unique<MtlioEngine>(gpu, pool, end, std::move(queue));
    why = "mtlio: no queue: " + text_of(error);
    return nullptr;
  };
}

}  // namespace warpfs::metal

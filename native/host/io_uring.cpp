// The engine that hands reads and writes to the kernel in batches, one ring for each daemon thread, through the bare system calls.
#include "host_error.h"
#include "io_engine.h"

#include <cerrno>
#include <cstring>
#include <iterator>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace warpfs {

namespace {

constexpr uint32_t RING_ENTRIES = 256;

/// Submission and completion queue of one io_uring, used by one thread at a time. At most RING_ENTRIES are in flight, so neither
/// queue can overflow.
class Uring {
 public:
  Uring() = default;
  ~Uring() {
    if (entries_ != nullptr) munmap(entries_, entries_bytes_);
    if (ring_ != nullptr) munmap(ring_, ring_bytes_);
    if (fd_ >= 0) close(fd_);
  }
  Uring(const Uring&) = delete;
  Uring& operator=(const Uring&) = delete;

  /// 0 or an errno.
  int set_up() {
    io_uring_params params{};
    // Completions are handed over when this thread enters the kernel or sees the flag, not by interrupting it.
    params.flags = IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_R_DISABLED;
    fd_ = int(syscall(SYS_io_uring_setup, RING_ENTRIES, &params));
    if (fd_ < 0 && errno == EINVAL) {
      params = {};
      params.flags = IORING_SETUP_R_DISABLED;
      fd_ = int(syscall(SYS_io_uring_setup, RING_ENTRIES, &params));
    }
    if (fd_ < 0) return errno;
    if ((params.features & IORING_FEAT_SINGLE_MMAP) == 0) return ENOSYS;
    const size_t submission_bytes = params.sq_off.array + params.sq_entries * sizeof(uint32_t);
    const size_t completion_bytes = params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe);
    ring_bytes_ = submission_bytes > completion_bytes ? submission_bytes : completion_bytes;
    ring_ = map(ring_bytes_, IORING_OFF_SQ_RING);
    if (ring_ == nullptr) return errno;
    entries_bytes_ = params.sq_entries * sizeof(io_uring_sqe);
    entries_ = static_cast<io_uring_sqe*>(static_cast<void*>(map(entries_bytes_, IORING_OFF_SQES)));
    if (entries_ == nullptr) return errno;
    submission_tail_ = word(params.sq_off.tail);
    submission_flags_ = word(params.sq_off.flags);
    submission_mask_ = *word(params.sq_off.ring_mask);
    completion_head_ = word(params.cq_off.head);
    completion_tail_ = word(params.cq_off.tail);
    completion_mask_ = *word(params.cq_off.ring_mask);
    completions_ = reinterpret_cast<io_uring_cqe*>(ring_ + params.cq_off.cqes);
    for (uint32_t index = 0; index < params.sq_entries; index++) word(params.sq_off.array)[index] = index;
    return allow_only_reads_and_writes();
  }

  io_uring_sqe& next_entry() {
    io_uring_sqe& entry = entries_[(tail_++) & submission_mask_];
    std::memset(&entry, 0, sizeof entry);
    unsubmitted_++;
    return entry;
  }

  /// Hands the new entries to the kernel, and lets it hand over completions if it has some waiting. 0 or an errno.
  int enter(uint32_t wait_for) {
    __atomic_store_n(submission_tail_, tail_, __ATOMIC_RELEASE);
    const bool handing_over = (__atomic_load_n(submission_flags_, __ATOMIC_RELAXED) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
    if (unsubmitted_ == 0 && !handing_over && wait_for == 0) return 0;
    const uint32_t flags = handing_over || wait_for != 0 ? IORING_ENTER_GETEVENTS : 0;
    const long taken = syscall(SYS_io_uring_enter, fd_, unsubmitted_, wait_for, flags, nullptr, 0);
    if (taken < 0) return errno;
    unsubmitted_ -= uint32_t(taken);
    return 0;
  }

  bool next_completion(uint64_t& tag, int32_t& result) {
    const uint32_t head = *completion_head_;
    if (head == __atomic_load_n(completion_tail_, __ATOMIC_ACQUIRE)) return false;
    const io_uring_cqe& completion = completions_[head & completion_mask_];
    tag = completion.user_data;
    result = completion.res;
    __atomic_store_n(completion_head_, head + 1, __ATOMIC_RELEASE);
    return true;
  }

 private:
  /// What a ring does passes by the filter of the sandbox: it must not open files or sockets instead of its thread.
  int allow_only_reads_and_writes() const {
    io_uring_restriction allowed[5] = {};
    const uint8_t operations[] = {IORING_OP_READ, IORING_OP_READV, IORING_OP_WRITE, IORING_OP_WRITEV};
    for (size_t i = 0; i < std::size(operations); i++) {
      allowed[i].opcode = IORING_RESTRICTION_SQE_OP;
      allowed[i].sqe_op = operations[i];
    }
    allowed[4].opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;  // none
    if (syscall(SYS_io_uring_register, fd_, IORING_REGISTER_RESTRICTIONS, allowed, std::size(allowed)) != 0) return errno;
    return syscall(SYS_io_uring_register, fd_, IORING_REGISTER_ENABLE_RINGS, nullptr, 0) != 0 ? errno : 0;
  }
  uint8_t* map(size_t bytes, off_t what) const {
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd_, what);
    return memory == MAP_FAILED ? nullptr : static_cast<uint8_t*>(memory);
  }
  uint32_t* word(uint32_t offset) const { return reinterpret_cast<uint32_t*>(ring_ + offset); }

  int fd_ = -1;
  uint8_t* ring_ = nullptr;
  io_uring_sqe* entries_ = nullptr;
  io_uring_cqe* completions_ = nullptr;
  size_t ring_bytes_ = 0, entries_bytes_ = 0;
  uint32_t *submission_tail_ = nullptr, *submission_flags_ = nullptr, *completion_head_ = nullptr, *completion_tail_ = nullptr;
  uint32_t submission_mask_ = 0, completion_mask_ = 0;
  uint32_t tail_ = 0, unsubmitted_ = 0;
};

/// Moves at most bytes_max, and then only into or out of the first part.
void describe(io_uring_sqe& entry, const Transfer& transfer, uint64_t tag, uint64_t bytes_max) {
  const iovec* parts = transfer.parts + transfer.part_first;
  const uint32_t count = transfer.part_count - transfer.part_first;
  entry.fd = transfer.file.fd;
  entry.off = transfer.offset;
  entry.user_data = tag;
  if (count == 1 || bytes_max != UINT64_MAX) {
    entry.opcode = transfer.write ? IORING_OP_WRITE : IORING_OP_READ;
    entry.addr = reinterpret_cast<uint64_t>(parts->iov_base);
    entry.len = parts->iov_len < bytes_max ? uint32_t(parts->iov_len) : uint32_t(bytes_max);
  } else {
    entry.opcode = transfer.write ? IORING_OP_WRITEV : IORING_OP_READV;
    entry.addr = reinterpret_cast<uint64_t>(parts);
    entry.len = count;
  }
}

class UringEngine : public IoEngine {
 public:
  UringEngine(WorkPool& pool, TransferEnd& end) : pool_(pool), end_(end), waiting_(RING_ENTRIES), fates_(RING_ENTRIES) {
    for (uint32_t index = 0; index < RING_ENTRIES; index++) free_.push_back(RING_ENTRIES - 1 - index);
  }
  int set_up() { return ring_.set_up(); }

  bool has_room() const override { return free_.size() >= TRANSFERS_PER_REQUEST && pool_.waiting() < POOL_WORK_MAX; }
  uint32_t in_flight() const override { return RING_ENTRIES - uint32_t(free_.size()); }
  void start(Transfer& transfer) override {
    const Begin begin = end_.begin(transfer);
    if (begin == Begin::ENDED) return;
    if (begin == Begin::LATER) return pool_.submit([transfer, &end = end_]() mutable { move_blocking(transfer, end); });
    const uint32_t place = free_.back();
    waiting_[place] = transfer;
    if (hand_over(place)) free_.pop_back();
  }

  bool advance() override {
    if (in_flight() == 0) return false;
    ring_.enter(0);  // EINTR, EAGAIN and EBUSY leave the entries where they are: the next sweep enters again
    uint64_t place = 0;
    int32_t result = 0;
    bool ended = false;
    while (ring_.next_completion(place, result)) {
      Transfer& transfer = waiting_[place];
      if (result == -EAGAIN) result = -EINTR;
      end_.calls().end(fates_[place], result);
      if (end_.take(transfer, result) || !hand_over(uint32_t(place))) {
        free_.push_back(uint32_t(place));
        ended = true;
      }
    }
    return ended;
  }

 private:
  /// Gives what is left of the transfer to the kernel, from the exact byte. False if it ended here and now: a test said that it fails.
  bool hand_over(uint32_t place) {
    Transfer& transfer = waiting_[place];
    HostCalls& calls = end_.calls();
    while (true) {
      CallFate& fate = fates_[place];
      fate = calls.begin(transfer.write ? CallKind::WRITE : CallKind::READ, transfer.file.fd, transfer.parts + transfer.part_first,
                         int(transfer.part_count - transfer.part_first), transfer.offset);
      if (fate.error == 0) break;
      calls.end(fate, -fate.error);
      if (end_.take(transfer, -fate.error)) return false;
    }
    describe(ring_.next_entry(), transfer, place, fates_[place].bytes_max);
    return true;
  }

  WorkPool& pool_;
  TransferEnd& end_;
  Uring ring_;
  std::vector<Transfer> waiting_;
  std::vector<CallFate> fates_;  // of those that wait
  std::vector<uint32_t> free_;
};

std::string obstacle(const char* what, int error) { return std::string("io_uring: ") + what + " failed: " + error_name(failure(error)); }

}  // namespace

std::string io_uring_obstacle() {
  Uring ring;
  if (const int error = ring.set_up()) return obstacle("setup", error);
  char wanted[64], got[64] = {};
  std::memset(wanted, 0x5a, sizeof wanted);
  const int fd = memfd_create("warpfs-probe", MFD_CLOEXEC);
  if (fd < 0 || pwrite(fd, wanted, sizeof wanted, 0) != ssize_t(sizeof wanted)) {
    const int error = errno;
    if (fd >= 0) close(fd);
    return obstacle("a file to probe with", error);
  }
  io_uring_sqe& entry = ring.next_entry();
  entry.opcode = IORING_OP_READ;
  entry.fd = fd;
  entry.addr = reinterpret_cast<uint64_t>(got);
  entry.len = sizeof got;
  int error = 0;
  uint64_t tag = 0;
  int32_t result = -EIO;
  bool seen = false;
  for (int tries = 0; tries < 1024 && !seen; tries++) {
    error = ring.enter(1);
    if (error != 0 && error != EINTR && error != EAGAIN) break;
    seen = ring.next_completion(tag, result);
  }
  close(fd);
  if (!seen) return obstacle("probe read", error != 0 ? error : ETIMEDOUT);
  if (result < 0) return obstacle("probe read", -result);
  const bool same = result == int32_t(sizeof got) && std::memcmp(wanted, got, sizeof got) == 0;
  return same ? "" : "io_uring: probe read gave wrong bytes";
}

std::unique_ptr<IoEngine> make_uring_engine(WorkPool& pool, TransferEnd& end, std::string& why) {
  auto engine = std::make_unique<UringEngine>(pool, end);
  const int error = engine->set_up();
  if (error == 0) return engine;
  why = obstacle("setup", error);
  return nullptr;
}

}  // namespace warpfs

// Moving bytes between files and lines, behind one small interface. An engine belongs to one daemon thread.
#pragma once
#include "answers.h"
#include "file_table.h"
#include "medium.h"
#include "work_pool.h"

#include <memory>
#include <string>
#include <sys/uio.h>

namespace warpfs {

/// Consecutive lines of one file to fill, or one line to write back: a range of it, or the bytes that a mask names, one run of them
/// after the other. Plain data: engines copy it to where it can wait.
struct Transfer {
  FileRef file;
  Counters* counters;
  uint64_t offset;                     // next byte to move
  uint64_t end;                        // behind the last byte to move
  uint32_t remaining;                  // bytes not yet moved; with a mask: of this run
  uint32_t part_first, part_count;     // of parts: where the next byte goes, and the end
  bool write;
  bool begun;                          // a write that its file counts as under way
  uint32_t file_id;                    // the identity of the file that the bytes belong to
  uint32_t line_count;
  uint32_t lines[REQUEST_LINES_MAX];   // to be told of the end
  iovec parts[REQUEST_LINES_MAX];
  const uint32_t* mask;                // of the line of a write: one bit for each byte; null: all from offset to end
  uint8_t* line;                       // with a mask
  uint64_t line_offset;                // in the file
  MediumTime time;                     // with a medium

  /// Takes the moved bytes off. True while some remain.
  bool advance(uint64_t moved);
  /// The file ends here: the rest of the lines is zeros.
  void fill_rest_with_zeros();
  /// Of a write whose offset is where its line begins. The end is found here and now: what a mask that changes names behind it later is
  /// not written, so that the size of the file is never behind a write.
  void use_mask(const uint32_t* mask, uint8_t* line, uint32_t line_bytes);
  /// Goes on with the next run of bytes that the mask names. False if there is none, or no mask.
  bool next_run();
};

enum class Begin { MOVE, ENDED, LATER };

/// Begins and ends transfers: asks the file before a write, gives the file back, tells the lines, wakes who waits. Called from any thread.
class TransferEnd {
 public:
  TransferEnd(FileTable& files, const Answers& answers, FinishedBell& bell) : files_(files), answers_(answers), bell_(bell) {}
  /// Right before bytes move. ENDED: they are dead, and everybody was told that all is well. LATER: move_blocking waits until they may.
  Begin begin(Transfer& transfer);
  /// Before somebody else goes on with it than the thread that took the request.
  void hand_on(Transfer& transfer) { files_.count_in(transfer.file); }
  /// What has begun goes on elsewhere, some time: until then it holds up no truncation.
  void put_off(Transfer& transfer);
  void wait_until_it_may(const Transfer& transfer) { files_.wait_for_truncation(transfer.file); }
  /// A write that did not succeed is owed to those who have the file open to write, from before anybody is told.
  void finish(const Transfer& transfer, int32_t error);
  /// What a system call returned: ends the transfer unless bytes remain to be moved. True when it ended.
  bool take(Transfer& transfer, int64_t moved_or_error);
  HostCalls& calls() const { return files_.calls(); }

 private:
  FileTable& files_;
  const Answers& answers_;
  FinishedBell& bell_;
};

class IoEngine {
 public:
  virtual ~IoEngine() = default;
  /// Room for everything that one more request can ask for. While there is none the rings are left alone.
  virtual bool has_room() const = 0;
  virtual void start(Transfer& transfer) = 0;
  /// Mostly a transfer has ended when start() returns.
  virtual bool moves_at_once() const { return false; }
  /// Hands on what was started and ends what is done. True if something ended.
  virtual bool advance() = 0;
  /// Transfers that only advance() can end.
  virtual uint32_t in_flight() const = 0;
  /// What it has left to another engine so far, and why; empty: nothing. From any thread.
  virtual std::string note() const { return ""; }
};

constexpr uint32_t TRANSFERS_PER_REQUEST = REQUEST_LINES_MAX / 2;  // every second line skipped
constexpr size_t POOL_WORK_MAX = 1024;                             // beyond it requests stay in their rings

/// Blocks until the transfer has ended.
void move_blocking(Transfer& transfer, TransferEnd& end);
/// The same for a transfer that has begun.
void move_begun(Transfer& transfer, TransferEnd& end);

std::unique_ptr<IoEngine> make_pread_engine(WorkPool& pool, TransferEnd& end);

/// Empty if io_uring serves a probe read on this machine, else why not.
std::string io_uring_obstacle();
/// Null where the ring cannot be made after all; why says so.
std::unique_ptr<IoEngine> make_uring_engine(WorkPool& pool, TransferEnd& end, std::string& why);

}  // namespace warpfs

// Serves one validated request: about lines through the engine, about files at once where that cannot block, else in the pool.
#pragma once
#include "held_answers.h"
#include "io_engine.h"
#include "request_validation.h"

#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace warpfs {

class RequestServer {
 public:
  RequestServer(const HostView& view, const RequestLimits& limits, FileTable& files, WorkPool& pool, const Answers& answers,
                FinishedBell& bell)
      : view_(view), limits_(limits), files_(files), pool_(pool), answers_(answers), bell_(bell) {}

  /// Called by the daemon thread that took the request from its ring, with that thread's engine, counters and hold, after it counted
  /// the request as accepted once.
  void serve(const Request& request, IoEngine& engine, Counters& counters, FileHold* hold = nullptr);
  FileHold& new_hold() { return files_.new_hold(); }
  std::unique_ptr<HeldAnswers> new_held_answers(Medium& medium, Counters& counters, std::function<void()> wake) {
    return std::make_unique<HeldAnswers>(medium, answers_, bell_, counters, std::move(wake));
  }

 private:
  struct SyncAsked {
    FileRef file;
    Told told;
    uint32_t mailbox;
    Counters* counters;
    MediumTime time;  // with a medium
  };
  void refuse(const Request& request, int32_t error, Counters& counters);
  void fill(const Request& request, const FileRef& file, IoEngine& engine, Counters& counters, FileHold* hold);
  void write_back(const Request& request, const FileRef& file, IoEngine& engine, Counters& counters);
  void sync(const Request& request, FileRef file, Counters& counters);
  void sync_together(FileSlot* slot);
  std::vector<SyncAsked> take_syncs(FileSlot* slot);
  void answer_sync(const SyncAsked& asked, int32_t result);
  void truncate(const Request& request, FileRef file, Counters& counters);
  void open(const Request& request, Counters& counters);
  void unlink(const Request& request, Counters& counters);
  void rename(const Request& request, Counters& counters);
  void close(const Request& request, Counters& counters);
  uint8_t* view_line(uint32_t line) const { return view_.lines + uint64_t(line) * limits_.line_bytes; }
  uint8_t* fill_place(uint32_t line) const { return view_.carrier != nullptr ? view_.carrier->fill_place(line) : view_line(line); }
  int32_t copy_path(const Request& request, uint64_t from, uint32_t length, std::string& path) const;
  void answer(uint32_t mailbox, int32_t result, uint64_t value, Counters& counters);

  const HostView view_;
  const RequestLimits limits_;
  FileTable& files_;
  WorkPool& pool_;
  const Answers& answers_;
  FinishedBell& bell_;
  std::mutex syncs_mutex_;
  std::map<FileSlot*, std::vector<SyncAsked>> syncs_;  // of files with a sync in the pool: who waits for the next one
};

}  // namespace warpfs

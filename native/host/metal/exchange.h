// What gpu and host tell each other where neither may look at the other's words while a kernel runs. Metal shows memory at the ends of command buffers, and in
// between a word may be seen before what it speaks of. So each side has its own copy of the words of the other, and they are exchanged while no kernel runs.
// The bytes of lines are not copied: the host reads files into the lines themselves, which no warp looks at while they are BUSY.
#pragma once
#include "../gpu_link.h"
#include "../mount_memory.h"

#include <mutex>
#include <vector>

namespace warpfs::metal {

class Exchange final : public GpuLink {
 public:
  /// `gpu` has all tables, `host` those of the host. Both outlive it.
  Exchange(MountMemory& gpu, MountMemory& host);
  HostView host_view();

  /// Only while no kernel runs. The gpu gets what the host has told since, all of it at once.
  void tell_gpu();
  /// Only while no kernel runs. The host gets what was asked for: true if something was.
  bool tell_host();
  /// The same behind a kernel that has not come to its end: what it had reserved in a ring and not published is a request to do nothing.
  bool tell_host_all();

  void line_done(uint32_t line, const LineDone& done) override;
  void mailbox_done(uint32_t slot) override;
  void file_changed(uint32_t index) override;
  /// A kernel that runs sees nothing of it in any case.
  void wait_until_told() override {}

 private:
  template <typename Word>
  struct Told {
    uint32_t index;
    Word word;
  };
  struct Answers {
    std::vector<Told<LineDone>> lines;
    std::vector<Told<Mailbox>> mailboxes;
    std::vector<Told<FileEntry>> files;
  };

  MountMemory& gpu_;
  MountMemory& host_;
  std::vector<uint32_t> copied_;  // of each ring: positions that the host has got
  std::mutex mutex_;
  Answers told_;    // since the last exchange
  Answers taken_;   // empty but within tell_gpu()
};

}  // namespace warpfs::metal

// A gpu with memory of its own, under check mode: what the courier of the cuda device carries is carried here, in the order in which the courier
// carries it and at once. The words that a host there has in memory of its own it has here too, outside of what is watched.
#pragma once
#include "bus.h"
#include "host_side.h"

#include "../host/gpu_link.h"

#include <vector>

namespace warpfs {

class Engine;

class CheckLink final : public GpuLink, public LineCarrier, private Bus {
 public:
  CheckLink(Engine& engine, const MountMemory& memory, HostChoices& choices);
  ~CheckLink();
  CheckLink(const CheckLink&) = delete;
  CheckLink& operator=(const CheckLink&) = delete;

  HostView host_view();
  /// The host's turn: what was asked for is granted some time, and what was granted is taken back some time.
  void turn(FileTable& files);
  /// Another host has come: it has forgotten what it had granted, and says again what it knows of files.
  void host_came_back();

  bool has_room() override { return true; }
  uint8_t* fill_place(uint32_t line) override;
  void keep_bytes(const Request& request, uint32_t ring, uint32_t slot) override;
  bool is_coming(uint32_t) const override { return false; }
  uint8_t* kept_line(uint32_t line) override;
  const uint32_t* kept_mask(uint32_t line) override;
  void line_done(uint32_t line, const LineDone& done) override;
  void mailbox_done(uint32_t slot) override;
  void file_changed(uint32_t index) override;
  void wait_until_told() override;
  void moves(FileTable& files, uint32_t handle, uint32_t file_id, uint64_t offset, bool writes) override;

 private:
  struct Wish {
    uint32_t handle, file_id;
  };
  struct Window {  // its place is its address
    int fd;        // open for as long as somebody may be reading
    uint32_t index, file_id;
    bool granted;  // what is stored goes nowhere where it is not
  };
  void grant(FileTable& files, const Wish& wish);
  Place place_of(uint64_t address) const override;
  void read(uint64_t from, uint32_t* to) const override;
  void write(uint64_t to, const uint8_t* from, uint32_t bytes) const override;
  void store(uint32_t* to, const uint32_t* from, uint32_t words);
  void fill(uint32_t* to, uint32_t word);
  void store_release(uint32_t* to, uint32_t word);
  template <typename Act, typename Else>
  void in_schedule(uint32_t* to, uint32_t words, Act&& act, Else&& otherwise);

  Engine& engine_;
  const MountMemory& memory_;
  HostChoices& choices_;
  const uint32_t line_bytes_;
  std::vector<FileEntry> files_;
  std::vector<LineDone> dones_;
  std::vector<Mailbox> mailboxes_;
  std::vector<uint8_t> stages_;    // one for each line
  std::vector<bool> is_filled_;    // of each line: what is under way for it is a fill
  std::vector<uint32_t> mask_of_;  // of each line: of the write-back under way
  std::vector<Wish> wishes_;
  std::vector<Window> windows_;
};

}  // namespace warpfs

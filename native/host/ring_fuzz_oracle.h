// What the host owes to the gpu: one answer for each request that it took, where the request said, and nothing else. The rules are those of
// ARCHITECTURE.md, written down once more and without a look at request_validation.cpp.
#pragma once
#include "abi_host.h"

#include <map>
#include <vector>

namespace warpfs::fuzz {

class Oracle {
 public:
  explicit Oracle(const Geometry& geometry);
  void reset(bool read_only, uint32_t first_position);

  /// The host took a request; this is its copy.
  void taken(const Request& request);
  /// How the answer must be: 0, or the one error that refuses what no request may say.
  int32_t refusal(const Request& request) const;

  void head_moved(uint32_t ring, uint32_t head);
  /// files: what the host has published of them.
  void line_answered(uint32_t line, int32_t result, const FileEntry* files);
  void mail_answered(uint32_t mailbox, int32_t result, uint64_t value, const FileEntry* files);
  /// Some bytes of one line, and where in the file they are. NO_OFFSET: nowhere, they are zeros behind its end.
  struct Piece {
    uint32_t line, first, count;
    uint64_t file_offset;
  };
  static constexpr uint64_t NO_OFFSET = ~uint64_t(0);
  /// A request that was taken and not answered moves these bytes into the line, from a file that still is what the gpu takes it for.
  bool may_fill(const Piece& piece, const FileEntry* files) const;
  /// Or out of it. masks: all bits that the gpu has set in them since somebody began to read them.
  bool may_write_back(const Piece& piece, const FileEntry* files, const uint32_t* masks) const;
  /// Somebody may still read the mask.
  bool is_mask_in_use(uint32_t mask) const;

  uint32_t position(uint32_t ring) const { return positions_[ring]; }
  uint64_t refused() const { return refused_; }
  bool owes_nothing() const;
  /// The host was stopped: nobody answers what it had taken. Another one goes on where the heads say.
  void restarted(const RingHead* heads);

  std::vector<uint32_t> handles;  // that OPEN gave, the last ones; the first one never was

 private:
  struct Owed {
    int32_t refusal;  // 0: what it asks for may work or not
    uint32_t opcode, file, mailbox, length;
    uint64_t offset;  // of the page that the line gets, or of the first byte that leaves it
    uint32_t mask;    // + 1; 0: all bytes of the range
  };
  /// Requests that one line or mailbox hears of, and what it heard. Several may be under way and end in any order, so that only together
  /// they say whether each got its answer.
  struct Place {
    std::vector<Owed> owed;
    std::vector<int32_t> answers;
  };
  static constexpr size_t HANDLES_MAX = 8;

  static void answered(Place& place, int32_t result);
  void follow_handles(const Place& asked, int32_t result);
  bool is_surely_closed(uint32_t handle) const;
  bool is_current(const Owed& owed, const FileEntry* files) const;
  void forget_owed();

  const Geometry geometry_;
  const uint32_t line_total_;
  bool read_only_ = false;
  uint64_t refused_ = 0;
  std::map<uint32_t, int64_t> references_;  // of handles without HANDLE_WRITABLE; HELD_FOR_EVER where one may be left
  std::vector<uint32_t> positions_;
  std::vector<Place> lines_, mailboxes_;
};

}  // namespace warpfs::fuzz

// Loads of Metal without a mount, and the files that it reads compressed: for measurements.
#include "../host_error.h"
#include "context.h"
#include "metal.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>

namespace warpfs::metal {

namespace {

constexpr size_t COMMAND_LOADS_MAX = 256;
constexpr size_t COMMANDS_MAX = 16;  // under way
constexpr size_t PART_BYTES = 1 << 20;

MTLIOCompressionMethod method_of(const std::string& name) {
  if (name == "zlib") return MTLIOCompressionMethodZlib;
  if (name == "lzfse") return MTLIOCompressionMethodLZFSE;
  if (name == "lz4") return MTLIOCompressionMethodLZ4;
  if (name == "lzma") return MTLIOCompressionMethodLZMA;
  if (name == "lzbitmap") return MTLIOCompressionMethodLZBitmap;
  throw HostError(-Errno::einval, "compression '" + name + "': zlib, lzfse, lz4, lzma or lzbitmap");
}

class MtlioLoads final : public Loads {
 public:
  MtlioLoads(const std::string& path, uint64_t bytes, const std::string& compression) : buffer_(context_, context_.buffer(bytes, "loads of files")) {
    const Pool pool;
    NSError* error = nil;
    queue_ = context_.new_io_queue(2 * COMMANDS_MAX, &error);
    if (!queue_) throw HostError("ERR_WARPFS_DEVICE", "no queue for files: " + text_of(error));
    NSURL* const url = [NSURL fileURLWithPath:string_of(path.c_str())];
    file_ = Held<id<MTLIOFileHandle>>(compression.empty() ? [context_.device() newIOFileHandleWithURL:url error:&error]
                                                          : [context_.device() newIOFileHandleWithURL:url compressionMethod:method_of(compression) error:&error]);
    if (!file_) throw HostError(-Errno::eio, "Metal does not open " + path + ": " + text_of(error));
  }

  uint8_t* memory() override { return buffer_.bytes(); }

  uint64_t load(const std::vector<FilePiece>& pieces) override {
    const auto begin = std::chrono::steady_clock::now();
    std::deque<Held<id<MTLIOCommandBuffer>>> under_way;
    for (size_t first = 0; first < pieces.size(); first += COMMAND_LOADS_MAX) {
      if (under_way.size() == COMMANDS_MAX) wait_for(under_way);
      under_way.push_back(commit(pieces, first, std::min(first + COMMAND_LOADS_MAX, pieces.size())));
    }
    while (!under_way.empty()) wait_for(under_way);
    return uint64_t(std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin).count());
  }

 private:
  Held<id<MTLIOCommandBuffer>> commit(const std::vector<FilePiece>& pieces, size_t first, size_t end) {
    const Pool pool;
    Held<id<MTLIOCommandBuffer>> commands = Held<id<MTLIOCommandBuffer>>::retained([queue_.get() commandBuffer]);
    for (size_t at = first; at < end; at++) {
      const FilePiece& piece = pieces[at];
      [commands.get() loadBuffer:buffer_.get() offset:piece.position size:piece.length sourceHandle:file_.get() sourceHandleOffset:piece.offset];
    }
    [commands.get() commit];
    return commands;
  }
  /// For the oldest.
  static void wait_for(std::deque<Held<id<MTLIOCommandBuffer>>>& under_way) {
    const Pool pool;
    const Held<id<MTLIOCommandBuffer>> oldest = std::move(under_way.front());
    under_way.pop_front();
    [oldest.get() waitUntilCompleted];
    if ([oldest.get() status] == MTLIOStatusComplete) return;
    const std::string why = text_of([oldest.get() error]);
    while (!under_way.empty()) {
      [under_way.front().get() waitUntilCompleted];
      under_way.pop_front();
    }
    throw HostError(-Errno::eio, "Metal could not load a piece of a file: " + why);
  }

  Context context_;
  Buffer buffer_;
  Held<id<MTLIOCommandQueue>> queue_;
  Held<id<MTLIOFileHandle>> file_;
};

/// Its bytes, one part after the other; 0 or an errno.
int append_all(MTLIOCompressionContext compression, int fd) {
  std::vector<uint8_t> part(PART_BYTES);
  while (true) {
    const ssize_t got = read(fd, part.data(), part.size());
    if (got == 0) return 0;
    if (got < 0 && errno != EINTR) return errno;
    if (got > 0) MTLIOCompressionContextAppendData(compression, part.data(), size_t(got));
  }
}

}  // namespace

std::unique_ptr<Loads> make_mtlio_loads(const std::string& path, uint64_t bytes, const std::string& compression) {
  return std::make_unique<MtlioLoads>(path, bytes, compression);
}

void compress_file(const std::string& from, const std::string& to, const std::string& compression) {
  const MTLIOCompressionMethod method = method_of(compression);
  const int fd = open(from.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw HostError(failure(errno), "cannot open " + from);
  const MTLIOCompressionContext context = MTLIOCreateCompressionContext(to.c_str(), method, MTLIOCompressionContextDefaultChunkSize());
  const int error = context == nullptr ? EIO : append_all(context, fd);
  close(fd);
  const bool complete = context != nullptr && MTLIOFlushAndDestroyCompressionContext(context) == MTLIOCompressionStatusComplete;
  if (error != 0 || !complete) throw HostError(error != 0 ? failure(error) : -Errno::eio, "Metal cannot compress " + from + " into " + to + " by " + compression);
}

}  // namespace warpfs::metal

// Many pieces of a file read or written by one call, a file mapped, its pages forgotten. The experiments' CPU-initiated systems are made of
// these: a promise of Node's own for each 4 KB would measure Node.
#include "file_pieces_binding.h"

#include "../pages_in_memory.h"
#include "piece_values.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <string>
#include <vector>

namespace warpfs {

namespace {

/// 0, or the errno of the first piece that failed.
int transfer(int fd, bool writes, const std::vector<FilePiece>& pieces, uint8_t* buffer) {
  for (const FilePiece& piece : pieces) {
    if (const int failed = move_piece(fd, writes, piece, buffer)) return failed;
  }
  return 0;
}

/// On a thread of Node's pool, in the order of the pieces.
class TransferWorker final : public Napi::AsyncWorker {
 public:
  TransferWorker(Napi::Env env, int fd, bool writes, std::vector<FilePiece> pieces, Napi::Uint8Array buffer)
      : AsyncWorker(env, "warpfs:pieces"), deferred_(Napi::Promise::Deferred::New(env)), fd_(fd), writes_(writes), pieces_(std::move(pieces)),
        kept_(Napi::Persistent(buffer.As<Napi::Object>())), buffer_(buffer.Data()) {}

  Napi::Promise promise() const { return deferred_.Promise(); }
  void Execute() override { result_ = transfer(fd_, writes_, pieces_, buffer_); }
  void OnOK() override { deferred_.Resolve(Napi::Number::New(Env(), -result_)); }

 private:
  Napi::Promise::Deferred deferred_;
  const int fd_;
  const bool writes_;
  const std::vector<FilePiece> pieces_;
  const Napi::ObjectReference kept_;
  uint8_t* const buffer_;
  int result_ = 0;
};

Napi::Value transfer_pieces(const Napi::CallbackInfo& info) {
  const int fd = info[0].As<Napi::Number>().Int32Value();
  const bool writes = info[1].ToBoolean();
  const auto buffer = info[5].As<Napi::Uint8Array>();
  auto* worker = new TransferWorker(info.Env(), fd, writes, pieces_of(info, 2, "buffer", buffer.ByteLength()), buffer);
  const Napi::Promise promise = worker->promise();
  worker->Queue();
  return promise;
}

int advice_of(const std::string& name) {
  if (name == "random") return MADV_RANDOM;
  if (name == "sequential") return MADV_SEQUENTIAL;
  if (name == "willneed") return MADV_WILLNEED;
  return MADV_NORMAL;
}

[[noreturn]] void throw_errno(Napi::Env env, const std::string& what) {
  throw Napi::Error::New(env, what + ": " + std::strerror(errno));
}

/// Whoever maps much unmaps it as well: the garbage collector does not know how much a mapping holds.
struct Mapping {
  void* address;
  size_t bytes;
  bool mapped;

  void unmap() {
    if (mapped) munmap(address, bytes);
    mapped = false;
  }
};
std::map<void*, Mapping*> mappings;  // of Node's thread

/// Shared with the file. Unmapped by unmap_file, or when nothing refers to it any more.
Napi::Value map_file(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int fd = info[0].As<Napi::Number>().Int32Value();
  const auto bytes = size_t(info[1].As<Napi::Number>().Int64Value());
  const bool writes = info[2].ToBoolean();
  const std::string advice = info[3].As<Napi::String>().Utf8Value();
  int flags = MAP_SHARED;
#if defined(MAP_POPULATE)
  if (advice == "populate") flags |= MAP_POPULATE;
#endif
  void* address = mmap(nullptr, bytes, writes ? PROT_READ | PROT_WRITE : PROT_READ, flags, fd, 0);
  if (address == MAP_FAILED) throw_errno(env, "mapping a file");
  if (advice_of(advice) != MADV_NORMAL) madvise(address, bytes, advice_of(advice));
  auto* mapping = new Mapping{address, bytes, true};
  mappings[address] = mapping;
  return Napi::ArrayBuffer::New(env, address, bytes, [mapping](Napi::Env, void*) {
    // The address may be that of a later mapping by now.
    const auto known = mappings.find(mapping->address);
    if (known != mappings.end() && known->second == mapping) mappings.erase(known);
    mapping->unmap();
    delete mapping;
  });
}

/// Nobody may load from it afterwards: its array has no bytes any more.
void unmap_file(const Napi::CallbackInfo& info) {
  auto buffer = info[0].As<Napi::ArrayBuffer>();
  const auto known = mappings.find(buffer.Data());
  if (known == mappings.end()) return;
  Mapping* mapping = known->second;
  mappings.erase(known);
  buffer.Detach();
  mapping->unmap();
}

/// All of a file, mapped for as long as one looks at where its pages are.
class WholeFile {
 public:
  explicit WholeFile(int fd) : bytes_(std::max<off_t>(lseek(fd, 0, SEEK_END), 0)) {
    if (bytes_ > 0) address_ = mmap(nullptr, size_t(bytes_), PROT_READ, MAP_SHARED, fd, 0);
  }
  ~WholeFile() {
    if (mapped()) munmap(address_, size_t(bytes_));
  }
  WholeFile(const WholeFile&) = delete;
  WholeFile& operator=(const WholeFile&) = delete;

  bool mapped() const { return address_ != MAP_FAILED; }
  /// macOS has no call that forgets pages, but throws away what it has of a mapping that is to be read anew. Not tried on a Mac yet.
  void forget() const {
    if (mapped()) msync(address_, size_t(bytes_), MS_INVALIDATE);
  }
  /// The share of it that is in the memory of the host; 1 where nobody knows.
  double in_memory() const {
    if (bytes_ == 0) return 0;
    return mapped() ? share_in_memory(address_, size_t(bytes_)).value_or(1) : 1;
  }

 private:
  const off_t bytes_;
  void* address_ = MAP_FAILED;
};

/// Asks the host to forget the pages of a file. They are on the disk first, for dirty ones would stay. The share of them that stays all the same.
Napi::Value drop_pages(const Napi::CallbackInfo& info) {
  const int fd = info[0].As<Napi::Number>().Int32Value();
  if (fsync(fd) != 0) throw_errno(info.Env(), "syncing a file");
  const WholeFile file(fd);
#if defined(POSIX_FADV_DONTNEED)
  posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
#else
  file.forget();
#endif
  return Napi::Number::New(info.Env(), file.in_memory());
}

}  // namespace

void add_file_pieces_functions(Napi::Env env, Napi::Object exports) {
  exports.Set("transferPieces", Napi::Function::New(env, transfer_pieces));
  exports.Set("mapFile", Napi::Function::New(env, map_file));
  exports.Set("unmapFile", Napi::Function::New(env, unmap_file));
  exports.Set("dropPages", Napi::Function::New(env, drop_pages));
}

}  // namespace warpfs

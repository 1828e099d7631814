// Files as the fake Metal opens and compresses them. What it writes for a method is not compressed at all: it is changed so that nobody reads it by another one.
#include "fake_io.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>

using namespace warpfs::metal_fake;

namespace {

constexpr size_t CHUNK_BYTES = 65536;
constexpr const char* IO_ERRORS = "MTLIOErrorDomain";

struct Head {
  char magic[4] = {'F', 'A', 'K', 'E'};
  int32_t method = 0;
};

/// One file that is being written. It is there when it is flushed, and not before.
struct Compression {
  std::string path;
  MTLIOCompressionMethod method;
  std::string bytes;
};

char mixed(char byte, MTLIOCompressionMethod method) { return char(byte ^ (0x51 + int(method))); }

std::mutex call_mutex;
std::function<void(const std::string&)> called_before_open;

id<MTLIOFileHandle> fail(NSError** error, const std::string& text) {
  if (error != nullptr) *error = [NSError errorWithText:text.c_str() code:MTLIOErrorURLInvalid domain:IO_ERRORS];
  return nil;
}

FakeIoFile* open_file(NSURL* url, NSError** error) {
  std::function<void(const std::string&)> call;
  {
    const std::lock_guard lock(call_mutex);
    call = called_before_open;
  }
  const char* path = url.path.UTF8String;
  if (call) call(path);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail(error, std::string("cannot open ") + path + ": " + strerror(errno)), nil;
  count_io(&IoCounts::files);
  FakeIoFile* file = [FakeIoFile new];
  file->fd_ = fd;
  return file;
}

std::vector<char> all_of(int fd) {
  std::vector<char> bytes;
  char part[CHUNK_BYTES];
  for (ssize_t got = 0; (got = read(fd, part, sizeof part)) > 0;) bytes.insert(bytes.end(), part, part + got);
  return bytes;
}

}  // namespace

namespace warpfs::metal_fake {

void before_open(std::function<void(const std::string&)> call) {
  const std::lock_guard lock(call_mutex);
  called_before_open = std::move(call);
}

id<MTLIOFileHandle> open_plain_file(NSURL* url, NSError** error) { return open_file(url, error); }

id<MTLIOFileHandle> open_compressed_file(NSURL* url, MTLIOCompressionMethod method, NSError** error) {
  FakeIoFile* file = open_file(url, error);
  if (file == nil) return nil;
  const std::vector<char> packed = all_of(file->fd_);
  Head head;
  head.method = int32_t(method);
  if (packed.size() < sizeof head || memcmp(packed.data(), &head, sizeof head) != 0) {
    [file release];
    return fail(error, "this file is not of compression method " + std::to_string(method));
  }
  file->plain_ = new std::vector<char>(packed.begin() + sizeof head, packed.end());
  for (char& byte : *file->plain_) byte = mixed(byte, method);
  return file;
}

}  // namespace warpfs::metal_fake

@implementation FakeIoFile
- (instancetype)init {
  fd_ = -1;
  return self;
}
- (bool)read:(void*)to size:(NSUInteger)size offset:(NSUInteger)offset {
  if (plain_ != nullptr) {
    if (offset > plain_->size() || size > plain_->size() - offset) return false;
    memcpy(to, plain_->data() + offset, size);
    return true;
  }
  for (NSUInteger done = 0; done < size;) {
    const ssize_t got = pread(fd_, static_cast<char*>(to) + done, size - done, off_t(offset + done));
    if (got <= 0) return false;
    done += NSUInteger(got);
  }
  return true;
}
- (void)dealloc {
  if (fd_ >= 0) close(fd_);
  delete plain_;
  [super dealloc];
}
@end

extern "C" size_t MTLIOCompressionContextDefaultChunkSize(void) { return CHUNK_BYTES; }

extern "C" MTLIOCompressionContext MTLIOCreateCompressionContext(const char* path, MTLIOCompressionMethod type, size_t chunkSize) {
  if (chunkSize == 0) return violate("compression in chunks of no bytes"), nullptr;
  if (type < MTLIOCompressionMethodZlib || type > MTLIOCompressionMethodLZBitmap) return violate("compression method " + std::to_string(type)), nullptr;
  return new Compression{path, type, {}};
}

extern "C" void MTLIOCompressionContextAppendData(MTLIOCompressionContext context, const void* data, size_t size) {
  if (context == nullptr) return violate("data for no compression context");
  static_cast<Compression*>(context)->bytes.append(static_cast<const char*>(data), size);
}

extern "C" MTLIOCompressionStatus MTLIOFlushAndDestroyCompressionContext(MTLIOCompressionContext context) {
  if (context == nullptr) return violate("the end of no compression context"), MTLIOCompressionStatusError;
  const std::unique_ptr<Compression> compression(static_cast<Compression*>(context));
  Head head;
  head.method = int32_t(compression->method);
  for (char& byte : compression->bytes) byte = mixed(byte, compression->method);
  const int fd = open(compression->path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return MTLIOCompressionStatusError;
  const bool written = write(fd, &head, sizeof head) == ssize_t(sizeof head) &&
                       write(fd, compression->bytes.data(), compression->bytes.size()) == ssize_t(compression->bytes.size());
  close(fd);
  return written ? MTLIOCompressionStatusComplete : MTLIOCompressionStatusError;
}

#include "memories.h"

#include "../host_error.h"
#include "launch.h"

#include <cstring>

namespace warpfs::metal {

namespace {

constexpr uint64_t ALIGNMENT = 256;

bool lasts(const Dispatch& dispatch, size_t index) { return index < dispatch.lasts.size() && dispatch.lasts[index] != 0; }

}  // namespace

KernelMemories::~KernelMemories() {
  if (context_.given_up()) new auto(std::move(kept_));  // files stay mapped
}

PlacedMemory KernelMemories::place(const MemoryRequest& request) {
  const Pool pool;
  const char* const what = "memory of kernels";
  Kept kept;
  if (request.file.empty()) {
    kept.buffer = Buffer(context_, context_.buffer(request.bytes, what));
  } else {
    kept.file = MappedFile(request.file, request.bytes, request.writes, what);
    kept.buffer = Buffer(context_, context_.buffer_at(kept.file.at(), kept.file.mapped_bytes(), what));
  }
  uint8_t* const name = kept.buffer.bytes();
  const std::lock_guard lock(mutex_);
  kept_.emplace(name, std::move(kept));
  return {name, request.bytes, true};
}

void KernelMemories::free(const void* name) {
  const std::lock_guard lock(mutex_);
  kept_.erase(name);
}

void KernelMemories::copy(const MemoryCopy& copy) const { std::memmove(const_cast<void*>(copy.to), copy.from, copy.bytes); }

uint64_t KernelMemories::address_of(const void* name) const {
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(name);
  return found == kept_.end() ? 0 : found->second.buffer.address();
}

std::vector<uint64_t> OwnBuffers::give(const Dispatch& dispatch) {
  const size_t count = dispatch.buffers.size();
  if (count > METAL_OWN_MAX) {
    throw HostError(-Errno::einval, "a kernel has " + std::to_string(count) + " inputs and outputs; " + std::to_string(METAL_OWN_MAX) + " are possible");
  }
  uint64_t bytes = 0;
  places_.assign(count, 0);
  for (size_t i = 0; i < count; i++) {
    if (lasts(dispatch, i)) continue;
    places_[i] = bytes;
    bytes += (dispatch.buffer_bytes[i] + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }
  if (bytes > area_.size()) {
    area_ = Buffer();
    area_ = Buffer(context_, context_.buffer(bytes, "the inputs and outputs of a kernel"));
  }
  std::vector<uint64_t> addresses(count);
  for (size_t i = 0; i < count; i++) {
    addresses[i] = lasts(dispatch, i) ? memories_.address_of(dispatch.buffers[i]) : bytes == 0 ? 0 : area_.address() + places_[i];
    if (lasts(dispatch, i) || dispatch.buffer_bytes[i] == 0) continue;
    uint8_t* const to = area_.bytes() + places_[i];
    if (i >= dispatch.inputs && dispatch.outputs_are_zero) std::memset(to, 0, dispatch.buffer_bytes[i]);
    else std::memcpy(to, dispatch.buffers[i], dispatch.buffer_bytes[i]);
  }
  return addresses;
}

void OwnBuffers::take(const Dispatch& dispatch) const {
  for (size_t i = dispatch.inputs; i < dispatch.buffers.size(); i++) {
    if (!lasts(dispatch, i) && dispatch.buffer_bytes[i] != 0) std::memcpy(dispatch.buffers[i], area_.bytes() + places_[i], dispatch.buffer_bytes[i]);
  }
}

}  // namespace warpfs::metal

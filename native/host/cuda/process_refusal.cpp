#include "process_refusal.h"

#include <mutex>

namespace warpfs::cuda {

namespace {

struct State {
  std::mutex mutex;
  std::string refusal;
  bool lost_mount = false;
};

State& state() {
  static State* const only = new State;  // never destroyed: mounts that nobody unmounted end later
  return *only;
}

/// Those of which NVIDIA's documentation says that the process has to be started anew.
bool is_for_good(CUresult result) {
  switch (result) {
    case CUDA_ERROR_ECC_UNCORRECTABLE:
    case CUDA_ERROR_NVLINK_UNCORRECTABLE:
    case CUDA_ERROR_CONTAINED:
    case CUDA_ERROR_ILLEGAL_ADDRESS:
    case CUDA_ERROR_LAUNCH_TIMEOUT:
    case CUDA_ERROR_ASSERT:
    case CUDA_ERROR_HARDWARE_STACK_ERROR:
    case CUDA_ERROR_ILLEGAL_INSTRUCTION:
    case CUDA_ERROR_MISALIGNED_ADDRESS:
    case CUDA_ERROR_INVALID_ADDRESS_SPACE:
    case CUDA_ERROR_INVALID_PC:
    case CUDA_ERROR_LAUNCH_FAILED:
    case CUDA_ERROR_TENSOR_MEMORY_LEAK: return true;
    default: return false;
  }
}

void refuse(const std::string& message) {
  std::lock_guard lock(state().mutex);
  if (state().refusal.empty()) state().refusal = message;
}

}  // namespace

std::string process_refusal() {
  std::lock_guard lock(state().mutex);
  return state().refusal;
}

void note_error(CUresult result, const std::string& message) {
  if (is_for_good(result)) refuse(message);
}

void note_lost_mount() {
  std::lock_guard lock(state().mutex);
  state().lost_mount = true;
}

void note_context_refused(CUresult result, const std::string& message) {
  bool lost_mount = false;
  {
    std::lock_guard lock(state().mutex);
    lost_mount = state().lost_mount;
  }
  if (lost_mount && result != CUDA_ERROR_OUT_OF_MEMORY) refuse(message);
}

void forget_refusal() {
  std::lock_guard lock(state().mutex);
  state().refusal.clear();
  state().lost_mount = false;
}

}  // namespace warpfs::cuda

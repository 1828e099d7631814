#include "yardstick.h"

#include "../host_error.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

namespace warpfs::cuda {

namespace {

constexpr auto WAIT_MAX = std::chrono::seconds(60);  // what takes longer is broken

std::vector<char> read_cubin(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<char> bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file || bytes.empty()) throw HostError(-Errno::enoent, "yardstick: cannot read " + path);
  return bytes;
}

[[noreturn]] void refuse(const YardstickRequest& request, const std::string& why) {
  throw HostError(-Errno::einval, "yardstick " + request.what + ": " + why);
}

bool writes(const YardstickRequest& request) { return request.what == "write_4096"; }

}  // namespace

Yardstick::Yardstick(int device_index, const std::string& cubin)
    : context_(device_index), stream_(context_), tally_(context_, sizeof(YardstickTally), "a yardstick"),
      ticks_(context_, YARDSTICK_TRIPS_MAX * sizeof(uint32_t), "a yardstick"), words_(context_, 2 * YARDSTICK_ANSWER_AT, "a yardstick"), areas_(context_) {
  context_.enter();
  check(driver().cuModuleLoadData(&module_, read_cubin(cubin).data()), "yardstick: loading " + cubin);
  check(driver().cuEventCreate(&begin_, 0), "yardstick: making an event");
  check(driver().cuEventCreate(&end_, 0), "yardstick: making an event");
}

Yardstick::~Yardstick() {
  if (!context_.enter_to_free()) return;
  if (begin_ != nullptr) driver().cuEventDestroy(begin_);
  if (end_ != nullptr) driver().cuEventDestroy(end_);
  driver().cuModuleUnload(module_);
}

YardstickResult Yardstick::measure(const YardstickRequest& request) {
  if (context_.given_up()) throw HostError(-Errno::eio, "yardstick " + request.what + ": an earlier one has lost the GPU");
  context_.enter();
  if (request.count == 0 || request.threads == 0) refuse(request, "nothing to do");
  if (request.what == "copy") return run_copy(request);
  if (request.what == "ring") return run_ring(request);
  if (request.what == "pread") return run_pread(request);
  return run_kernel(request);
}

CUfunction Yardstick::function(const std::string& name) const {
  CUfunction function = nullptr;
  check(driver().cuModuleGetFunction(&function, module_, name.c_str()), "yardstick: looking for the kernel " + name);
  return function;
}

uint32_t Yardstick::blocks_of(CUfunction function, const YardstickRequest& request) const {
  int fit = 0;
  check(driver().cuOccupancyMaxActiveBlocksPerMultiprocessor(&fit, function, int(request.threads), 0), "yardstick " + request.what + ": asking how many blocks fit");
  if (fit < 1) refuse(request, "a block of " + std::to_string(request.threads) + " threads does not fit");
  return request.blocks != 0 ? request.blocks : uint32_t(fit) * context_.multiprocessors();
}

Yardstick::Prepared Yardstick::prepare(const YardstickRequest& request) {
  if (request.piece_bytes < 4 || request.bytes < request.piece_bytes || !std::has_single_bit(request.bytes / request.piece_bytes) ||
      request.bytes % request.piece_bytes != 0 || request.bytes / request.piece_bytes > uint64_t(1) << 31) {
    refuse(request, std::to_string(request.bytes) + " bytes are not a power of two of pieces of " + std::to_string(request.piece_bytes));
  }
  if (request.what == "random_4" && request.count % 128 != 0) refuse(request, "a warp takes 128 words at once");
  const uint64_t pieces = request.bytes / request.piece_bytes;
  YardstickAreas::Area area{};
  if (request.place == "pinned") {
    area = areas_.pinned(request.bytes, request.seed);
  } else if (request.place == "device") {
    area = areas_.device(request.bytes, request.seed);
  } else if (request.place == "file") {
    area = areas_.file(request.path, request.bytes, writes(request));
  } else {
    refuse(request, "no such place: " + request.place);
  }
  YardstickLaunch launch{};
  launch.source = reinterpret_cast<const uint32_t*>(area.address);
  launch.tally = reinterpret_cast<YardstickTally*>(tally_.address());
  launch.count = request.count;
  launch.mask = uint32_t(pieces - 1);
  launch.half_bits = std::max(1u, uint32_t(std::bit_width(pieces - 1) + 1) / 2);
  launch.seed = request.seed;
  launch.start = request.start;
  if (writes(request)) {
    if (area.words == nullptr || request.count % pieces != 0) refuse(request, "all of memory of the host is written, so that it can be compared");
    launch.target = reinterpret_cast<uint32_t*>(area.address);
  }
  if (request.what.ends_with("_pinned")) launch.pins = reinterpret_cast<uint32_t*>(areas_.pins(pieces * sizeof(uint32_t)));
  return {launch, area.words};
}

void Yardstick::wait(const std::string& what, const std::function<void()>& meanwhile) {
  const auto begin = std::chrono::steady_clock::now();
  CUresult result = driver().cuStreamQuery(stream_.get());
  while (result == CUDA_ERROR_NOT_READY) {
    if (std::chrono::steady_clock::now() - begin > WAIT_MAX) {
      result = CUDA_ERROR_LAUNCH_TIMEOUT;
      break;
    }
    meanwhile();
    result = driver().cuStreamQuery(stream_.get());
  }
  if (result != CUDA_SUCCESS) context_.give_up(result == CUDA_ERROR_LAUNCH_TIMEOUT);
  check(result, "yardstick " + what);
}

uint64_t Yardstick::timed(const std::string& what, const std::function<void()>& enqueue) {
  check(driver().cuEventRecord(begin_, stream_.get()), "yardstick " + what + ": recording its begin");
  enqueue();
  check(driver().cuEventRecord(end_, stream_.get()), "yardstick " + what + ": recording its end");
  wait(what, [] { std::this_thread::sleep_for(std::chrono::microseconds(50)); });
  float milliseconds = 0;
  check(driver().cuEventElapsedTime(&milliseconds, begin_, end_), "yardstick " + what + ": asking how long it took");
  return uint64_t(double(milliseconds) * 1e6);
}

void Yardstick::launch(const std::string& what, CUfunction function, const YardstickLaunch& launch, uint32_t blocks, uint32_t threads) {
  YardstickLaunch given = launch;
  void* parameters[] = {&given};
  check(driver().cuLaunchKernel(function, blocks, 1, 1, threads, 1, 1, 0, stream_.get(), parameters, nullptr),
        "yardstick " + what + ": launching " + std::to_string(blocks) + " blocks of " + std::to_string(threads) + " threads");
}

void Yardstick::clear_tally() {
  const YardstickTally nothing{};
  copy_to_gpu(tally_.address(), &nothing, sizeof nothing, "yardstick: clearing the tally");
}

YardstickTally Yardstick::take_tally(const std::string& what) {
  YardstickTally tally{};
  check(driver().cuMemcpyDtoH(&tally, tally_.address(), sizeof tally), "yardstick " + what + ": reading the tally");
  return tally;
}

YardstickResult Yardstick::run_kernel(const YardstickRequest& request) {
  const CUfunction kernel = function(request.what);
  auto [parameters, words] = prepare(request);
  YardstickResult result;
  result.blocks = blocks_of(kernel, request);
  if (request.what == "copy_4096") {
    parameters.target = reinterpret_cast<uint32_t*>(areas_.target(uint64_t(result.blocks) * (request.threads / 32) * 4096));
  }
  const auto run = [&, &given = parameters] { launch(request.what, kernel, given, result.blocks, request.threads); };
  timed(request.what, run);
  if (writes(request)) {
    if (request.place == "pinned") areas_.pinned_was_written();
    clear_words(words, request.bytes / 4);
  }
  clear_tally();
  result.nanoseconds = timed(request.what, run);
  const YardstickTally tally = take_tally(request.what);
  result.wrong_words = tally.wrong_words;
  result.pieces = tally.pieces;
  if (writes(request)) result.wrong_words += count_wrong_words(words, request.bytes / 4, request.seed);
  if (result.pieces != request.count) {
    throw HostError(-Errno::eio, "yardstick " + request.what + ": went to " + std::to_string(result.pieces) + " of " + std::to_string(request.count) + " pieces");
  }
  return result;
}

}  // namespace warpfs::cuda

// What becomes of a dispatch when a copy engine fails. Its kernels, the courier among them, are threads.
#include "../host_error.h"
#include "courier_test.h"
#include "courier_test_driver.h"
#include "device_cuda.h"

#include <functional>

namespace warpfs::cuda {

struct FunctionOfDriver {
  std::string name;
};

namespace {

/// What runs on the played gpu: the courier's channels, which bring messages to where nobody reads them, and the kernel of a test.
class PlayedKernels {
 public:
  std::function<void()> kernel;
  std::atomic<bool> courier_runs{false}, kernel_runs{false};

  CUresult launch(CUfunction function, CUstream stream, void** parameters) {
    if (function->name == "warpfs_courier") {
      couriers_ = stream;
      courier_runs = true;
      threads_.emplace_back([this, launch = *static_cast<const CourierLaunch*>(parameters[0])] { carry(launch); });
    } else if (static_cast<const KernelLaunch*>(parameters[0])->items != 0) {  // else: the driver is to see what the kernel needs
      kernel_runs = true;
      threads_.emplace_back([this, run = kernel] {
        run();
        kernel_runs = false;
      });
    }
    return CUDA_SUCCESS;
  }
  CUresult query(CUstream stream) const {
    const bool runs = stream == couriers_ ? courier_runs : kernel_runs;
    return runs ? CUDA_ERROR_NOT_READY : CUDA_SUCCESS;
  }
  void join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  void carry(const CourierLaunch& launch) {
    for (uint32_t part = 0; part < launch.channels + launch.ring_count; part++) store_release(launch.running + part * COURIER_WORDS_APART, 1u);
    while (load_acquire(launch.stop) == 0) {
      for (uint32_t channel = 0; channel < launch.channels; channel++) {
        uint32_t* delivered = launch.delivered + channel * COURIER_WORDS_APART;
        const uint32_t position = load_relaxed(delivered);
        const CourierMessage* message = launch.messages + uint64_t(channel) * launch.channel_slots + position % launch.channel_slots;
        if (load_acquire(&message->sequence) == position + 1) store_release(delivered, position + 1);
      }
      std::this_thread::yield();
    }
    courier_runs = false;
  }

  CUstream couriers_ = nullptr;
  std::vector<std::thread> threads_;
};

PlayedKernels* played_kernels = nullptr;

void add_kernels(DriverApi& api) {
  api.cuLinkCreate = [](unsigned, int*, void**, CUlinkState*) -> CUresult { return CUDA_SUCCESS; };
  api.cuLinkAddData = [](CUlinkState, int, void*, size_t, const char*, unsigned, int*, void**) -> CUresult { return CUDA_SUCCESS; };
  api.cuLinkComplete = [](CUlinkState, void**, size_t*) -> CUresult { return CUDA_SUCCESS; };
  api.cuLinkDestroy = [](CUlinkState) -> CUresult { return CUDA_SUCCESS; };
  api.cuModuleLoadData = [](CUmodule*, const void*) -> CUresult { return CUDA_SUCCESS; };
  api.cuModuleUnload = [](CUmodule) -> CUresult { return CUDA_SUCCESS; };
  api.cuModuleGetGlobal = [](CUdeviceptr* place, size_t* bytes, CUmodule, const char* name) -> CUresult {
    static KernelConstants constants{};
    static uint32_t hash = ABI_HASH;
    const bool is_hash = std::string(name) == "warpfs_abi_hash";
    *place = is_hash ? reinterpret_cast<CUdeviceptr>(&hash) : reinterpret_cast<CUdeviceptr>(&constants);
    *bytes = is_hash ? sizeof hash : sizeof constants;
    return CUDA_SUCCESS;
  };
  api.cuModuleGetFunction = [](CUfunction* function, CUmodule, const char* name) -> CUresult {
    static FunctionOfDriver courier{"warpfs_courier"}, other{"other"};
    *function = courier.name == name ? &courier : &other;
    return CUDA_SUCCESS;
  };
  api.cuOccupancyMaxActiveBlocksPerMultiprocessor = [](int* blocks, CUfunction, int, size_t) -> CUresult { return *blocks = 1, CUDA_SUCCESS; };
  api.cuStreamQuery = [](CUstream stream) -> CUresult { return played_kernels->query(stream); };
  api.cuLaunchKernel = [](CUfunction function, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, CUstream stream, void** parameters, void**) -> CUresult {
    return played_kernels->launch(function, stream, parameters);
  };
}

/// A mount whose kernels the test plays.
class PlayedDevice {
 public:
  PlayedDevice() : folder(3) {
    begin();
    add_kernels(played_api());
    played_kernels = &kernels;
    mount = std::make_unique<PlayedMount>(folder.path.string(), true);
    CudaDeviceOptions options;
    options.builtin = (folder.path / "a.bin").string();
    options.kernel_time = std::chrono::seconds(60);
    device = std::make_unique<CudaDevice>(mount->gpu.memory, *mount->daemon, options);
  }
  static PlayedEngine& engine() { return played_engine(); }
  /// The error of a dispatch whose kernel does this; it fails where there is none.
  HostError run(std::function<void()> kernel) {
    kernels.kernel = std::move(kernel);
    Dispatch dispatch;
    dispatch.items = 1;
    try {
      device->run(dispatch);
    } catch (const HostError& error) {
      return error;
    }
    CHECK(!"a dispatch that should have failed did not");
    return HostError("", "");
  }

  PlayedFolder folder;
  PlayedKernels kernels;
  std::unique_ptr<PlayedMount> mount;
  std::unique_ptr<CudaDevice> device;
};

void test_a_copy_that_fails_loses_the_mount_beside_a_kernel_that_waits() {
  PlayedDevice played;
  const uint32_t handle = played.mount->open("a.bin", 0);
  std::atomic<bool> let_go{false};
  const auto begin = std::chrono::steady_clock::now();
  const HostError lost = played.run([&] {
    PlayedDevice::engine().fail(CUDA_SUCCESS, CUDA_ERROR_INVALID_VALUE);
    played.mount->post(played.mount->fill(handle, 8, 1));
    while (!let_go) std::this_thread::yield();  // for a line that never comes
  });
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5) && played.kernels.kernel_runs);
  CHECK(lost.code == "EIO" && std::string(lost.what()).starts_with("copying the bytes of lines: ") && std::string(lost.what()).find("This mount is lost") != std::string::npos);
  CHECK(played.mount->gpu.memory.context().given_up());
  CHECK(std::string(played.run([] {}).what()).find("has lost its GPU") != std::string::npos);
  played.device.reset();
  played.mount.reset();  // while the kernel goes on
  let_go = true;
  played.kernels.join();
}

void test_a_copy_that_fails_when_its_kernel_has_ended_loses_the_mount_too() {
  PlayedDevice played;
  PlayedDevice::engine().hold(Way::FROM_GPU);
  const uint32_t handle = played.mount->open("a.bin", OPEN_WRITE);
  const HostError lost = played.run([&] {
    played.mount->post(played.mount->write_back(handle, 41, 0, 100));  // nobody waits for it, but the end of the dispatch
    while (PlayedDevice::engine().batches(Way::FROM_GPU) == CopyBatches::IN_FLIGHT_MAX) std::this_thread::yield();
    PlayedDevice::engine().fail(CUDA_SUCCESS, CUDA_ERROR_INVALID_VALUE);
  });
  CHECK(lost.code == "EIO" && std::string(lost.what()).starts_with("copying the bytes of lines: "));
  played.device.reset();
  played.mount.reset();
  played.kernels.join();
  CHECK(played.folder.read() == played.folder.bytes);
}

}  // namespace

void run_loss_tests() {
  RUN_TEST(test_a_copy_that_fails_loses_the_mount_beside_a_kernel_that_waits);
  RUN_TEST(test_a_copy_that_fails_when_its_kernel_has_ended_loses_the_mount_too);
}

}  // namespace warpfs::cuda

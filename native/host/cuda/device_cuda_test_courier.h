// The kernel of the courier (shaders/entry/cuda_courier.h), played: what it reads and writes is read and written by a thread of the host.
#pragma once
#include "../abi_host.h"
#include "driver_api.h"
#include "../../shaders/entry/cuda_launch.h"

#include <atomic>

namespace warpfs::cuda::played {

/// One that was stopped before it began: each part in turn carries what it finds, and ends. The daemon makes no room for it meanwhile.
void courier_alone(const CourierLaunch& launch, const KernelConstants& constants);

/// A message waits for the courier.
bool has_message(const CourierLaunch& launch);

/// Until it is stopped and finds nothing, or the driver refuses this process.
void courier_beside(const CourierLaunch& launch, const KernelConstants& constants, const std::atomic<CUresult>& refusal);

}  // namespace warpfs::cuda::played

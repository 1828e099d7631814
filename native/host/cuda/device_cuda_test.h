// Mounts on a played GPU.
#pragma once
#include "../daemon_test.h"
#include "../programs_for_tests.h"
#include "device_cuda_test_gpu.h"

namespace warpfs::cuda::played {

/// A root, and the "cubins" beside it.
struct Place {
  Place();
  std::string cubin(const std::string& text) const { return cubins.at(text); }
  test::Folder root, cubins;
};

MountOptions options_of(const Place& place, bool replay = true);

void test_serial();
void test_trouble();
void test_exit();
void test_push();
void test_writable();

}  // namespace warpfs::cuda::played

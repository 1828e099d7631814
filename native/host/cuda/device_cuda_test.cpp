// The cuda device with a driver and a GPU that are played, as whole mounts that run programs.
#include "device_cuda_test.h"

namespace warpfs::cuda::played {

Place::Place() {
  for (const char* text : {"replay", "spin", "stray", "endless"}) test::write_file(cubins.at(text), text);
}

MountOptions options_of(const Place& place, bool replay) {
  MountOptions options;
  options.root = place.root.path;
  options.device = DeviceKind::CUDA;
  options.builtin = place.cubin(replay ? "replay" : "spin");
  options.replay = replay;
  options.fill = "pull";
  options.line_count = 64;
  options.line_bytes = 512;
  options.ring_count = 2;
  options.ring_slots = 16;
  options.slot_count = 32;
  options.file_count = 64;
  return options;
}

}  // namespace warpfs::cuda::played

int main() {
  warpfs::cuda::played::test_exit();  // first: it forks, and there is one thread yet
  warpfs::cuda::played::test_serial();
  warpfs::cuda::played::test_trouble();
  warpfs::cuda::played::test_push();
  warpfs::cuda::played::test_writable();
  return 0;
}

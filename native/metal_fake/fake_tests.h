// What programs that test on the fake Metal have in common. Behind the header that CHECK comes from: there are two of them.
#pragma once
#include "fake.h"

#include <filesystem>
#include <thread>

namespace warpfs::metal_fake {

/// Texts are compiled in a folder that lives as long as this.
class CompilesForTests {
 public:
  explicit CompilesForTests(const char* shaders) {
    options_.shaders = shaders;
    options_.folder = (std::filesystem::temp_directory_path() / "warpfs-metal-XXXXXX").string();
    CHECK(mkdtemp(options_.folder.data()) != nullptr);
    use_compiler(options_);
  }
  ~CompilesForTests() { std::filesystem::remove_all(options_.folder); }
  CompilesForTests(const CompilesForTests&) = delete;

 private:
  MslOptions options_;
};

/// A test has left nothing behind, or just that.
inline void check_left_behind(const std::string& left = "") {
  // A queue lets go of a command buffer a little after that has completed, and a thread of its objects last.
  for (int wait = 0; wait < 2000 && live_objects() != left; wait++) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  if (live_objects() != left) std::fprintf(stderr, "left behind: %s\n", live_objects().c_str());
  CHECK(live_objects() == left);
}

}  // namespace warpfs::metal_fake

// A preprocessed text of Metal as C++: kernels lose their attributes, and each gets an entry that hands it what its attributes ask for.
#pragma once
#include <string>

namespace warpfs::metal_fake {

/// Throws MslError where a kernel has a parameter that no attribute speaks of, or one that is not known.
std::string with_entries(const std::string& preprocessed);

}  // namespace warpfs::metal_fake

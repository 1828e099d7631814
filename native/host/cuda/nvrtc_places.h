// Where NVRTC may lie. Nothing is run to find out.
#pragma once
#include <string>
#include <vector>

namespace warpfs::cuda {

/// What dlopen is to try, in this order: bare names for the loader, then paths of files that exist. WARPFS_NVRTC stands alone where it is set.
std::vector<std::string> nvrtc_candidates();

/// The same in words, for who finds nothing there.
std::string nvrtc_places();

}  // namespace warpfs::cuda

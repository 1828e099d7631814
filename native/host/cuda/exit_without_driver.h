// The end of a process in which a kernel never ends.
#pragma once

namespace warpfs::cuda {

/// The driver's own handlers wait at exit() for every kernel. From now on exit() ends the process before it comes to them, with the exit code
/// that it was given, and writes out what C streams still hold. Handlers that were installed before this call are left out with the driver's.
/// Once is enough; from any thread.
void exit_without_driver();

}  // namespace warpfs::cuda

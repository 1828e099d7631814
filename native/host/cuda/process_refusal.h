// Whether the driver still does anything for this process. After an illegal address, a trap and their like it does not: every call about any
// context gives that error again, and so does the making of a new one, until the process ends.
#pragma once
#include "driver_api.h"

#include <string>

namespace warpfs::cuda {

/// What ended the driver's work for this process: the first such error, and the call that told it. Empty while there was none. From any thread.
std::string process_refusal();

/// With every error of the driver. Only those that it gives again and again change anything.
void note_error(CUresult result, const std::string& message);

/// A mount was lost, whatever the reason.
void note_lost_mount();
/// No context could be made. Behind a lost mount that is a refusal too, whichever error the driver has for it: a GPU that fell off its bus or was
/// reset has several. Not where memory is short: a mount that was lost to an endless kernel keeps its own.
void note_context_refused(CUresult result, const std::string& message);

/// For tests, which play several processes in one.
void forget_refusal();

}  // namespace warpfs::cuda

// What is behind calls.h, compiled once for each policy and waiting strategy of the cpu device: kernels of users are linked with it, so that
// compiling one takes a tenth of a second and not two.
#include "dialect/cpu.h"
#include "dialect/cpu_calls.h"

// Tests of the engine of check mode on small kernels whose every behaviour is known: what relaxed memory shows and what it never shows, what is
// found and how soon, and that a schedule is data which gives the same run again.
#include "engine_test.h"

int main() {
  warpfs::test::run_litmus_tests();
  warpfs::test::run_line_protocol_tests();
  warpfs::test::run_classic_bug_tests();
  warpfs::test::run_finding_tests();
  warpfs::test::run_exhaustive_tests();
}

// The parts of progress_test.
#pragma once
#include <string_view>

namespace warpfs {

/// Prints what the cases need whose names contain `named`.
void print_protocol_table(std::string_view named);
void test_what_the_protocol_needs();

}  // namespace warpfs

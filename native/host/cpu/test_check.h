// The two words of the test programs in this folder.
#pragma once
#include "executor.h"

#include <cstdio>
#include <cstdlib>

#define CHECK(condition)                                                                   \
  do {                                                                                     \
    if (!(condition)) {                                                                    \
      std::fprintf(stderr, "FAILED %s:%d: %s\n", __FILE__, __LINE__, #condition);          \
      std::_Exit(1);                                                                       \
    }                                                                                      \
  } while (0)

#define RUN_TEST(function)                                \
  do {                                                    \
    function();                                           \
    std::printf("ok %s\n", &#function[sizeof("test")]);   \
    std::fflush(stdout);                                  \
  } while (0)

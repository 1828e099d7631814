# For CMake on Linux: compiles for macOS 15 on Apple silicon, and links nothing. C++'s library is libc++, as on a Mac. The C library is a stand-in, which
# declares what a Mac's has and nothing that it lacks: a call that only Linux knows is an error here as it is there. So are the widths of its
# types: uint64_t is no unsigned long. Foundation and Metal are those of the fake Metal.
set(CMAKE_SYSTEM_NAME Darwin)
set(CMAKE_SYSTEM_PROCESSOR arm64)
foreach(language CXX OBJCXX)
  set(CMAKE_${language}_COMPILER clang++-19)
  set(CMAKE_${language}_COMPILER_TARGET arm64-apple-macos15)
endforeach()

# Only a Mac has these: a linker for its libraries, and the tools that edit them.
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_MODULE_LINKER_FLAGS_INIT --ld-path=/bin/true)
set(CMAKE_EXE_LINKER_FLAGS_INIT --ld-path=/bin/true)
set(CMAKE_INSTALL_NAME_TOOL /bin/true)
set(CMAKE_RANLIB /bin/true)
set(CMAKE_HAVE_LIBC_PTHREAD TRUE)

execute_process(COMMAND clang++-19 -print-resource-dir OUTPUT_VARIABLE resources OUTPUT_STRIP_TRAILING_WHITESPACE)
get_filename_component(llvm ${resources}/../../.. REALPATH)
set(headers "-nostdinc -isystem ${llvm}/include/c++/v1 -isystem ${resources}/include -isystem ${CMAKE_CURRENT_LIST_DIR}/include")
set(CMAKE_CXX_FLAGS_INIT "${headers} -Werror")
# Without -fobjc-arc: what is retained is released by hand.
set(CMAKE_OBJCXX_FLAGS_INIT "${headers} -Werror -fblocks -fobjc-runtime=macosx-15.0 -isystem ${CMAKE_CURRENT_LIST_DIR}/../metal_fake/include")

// What a killed writer and the one who looks at its files afterwards must agree on.
#pragma once
#include <cstdint>
#include <string>

namespace warpfs::test {

constexpr uint32_t KILL_FILES = 4;
constexpr uint32_t KILL_SECTORS = 96;  // of each file; several times the cache of the writer
constexpr uint32_t SECTOR_BYTES = 512;

/// A sector is full of one word: it says who wrote it, and where it was to go.
inline uint64_t sector_word(uint64_t generation, uint32_t file, uint32_t sector) { return generation << 16 | uint64_t(file) << 12 | sector; }
inline std::string kill_file(uint32_t file) { return "file" + std::to_string(file) + ".bin"; }

/// Writes and syncs until it is killed. Each line on its standard output is one system call: "w file first end generation" before bytes are
/// written, "s file first end generation" after a sync of them has given 0.
int write_until_killed(const std::string& root, uint64_t seed, uint64_t generation, bool without_sync);

}  // namespace warpfs::test

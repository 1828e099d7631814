// Queue pairs as NVMe has them: submission entries of 64 bytes, completion entries of 16 with a phase bit, and a doorbell for each of the two.
// The layout alone, for warps and for the thread that plays the controller (native/host/peer/nvme_controller.h).
//
// What is not as in NVMe: the bytes of a command are one stretch of memory (an SGL data block), so that there are no PRP lists; addresses are
// offsets into the memory that the controller moves bytes to; there is one namespace, whose block n is the n-th 512 bytes of one file.
#pragma once

namespace warpfs {

enum : uint32_t {
  NVME_BLOCK_BYTES = 512u,
  NVME_DEPTH_MAX = 65536u,
  NVME_DOORBELL_BYTES = 128u,  // apart, so that each is in a line of its own
  NVME_SGL = 0x4000u,          // in word 0: the data pointer is an SGL descriptor
};

namespace NvmeOpcode {
enum : uint32_t { FLUSH = 0u, WRITE = 1u, READ = 2u };
}
// Status code type and status code, as in bits 17 to 31 of word 3 of a completion.
namespace NvmeStatus {
enum : uint32_t { SUCCESS = 0u, INVALID_OPCODE = 0x1u, INVALID_FIELD = 0x2u, SGL_LENGTH_INVALID = 0xfu, LBA_OUT_OF_RANGE = 0x80u, WRITE_FAULT = 0x280u, UNRECOVERED_READ = 0x281u };
}

struct NvmeCommand {
  uint32_t words[16];
};
struct NvmeCompletion {
  uint32_t words[4];
};
// Words of a command.
enum : uint32_t { NVME_HEAD = 0u, NVME_NAMESPACE = 1u, NVME_ADDRESS = 6u, NVME_LENGTH = 8u, NVME_LBA = 10u, NVME_BLOCKS = 12u };
// Words of a completion: sq head | sq id << 16, then command id | phase << 16 | status << 17.
enum : uint32_t { NVME_SQ = 2u, NVME_DONE = 3u };

// Of the memory of one pair: where its parts begin, and how much it is.
WARPFS_FN uint64_t nvme_sq_doorbell(uint64_t pair) { return pair; }
WARPFS_FN uint64_t nvme_cq_doorbell(uint64_t pair) { return pair + NVME_DOORBELL_BYTES; }
WARPFS_FN uint64_t nvme_command(uint64_t pair, uint32_t index) { return pair + 2u * NVME_DOORBELL_BYTES + (uint64_t)index * 64u; }
WARPFS_FN uint64_t nvme_completion(uint64_t pair, uint32_t depth, uint32_t index) {
  return nvme_command(pair, depth) + (uint64_t)index * 16u;
}
WARPFS_FN uint64_t nvme_pair_bytes(uint32_t depth) { return (nvme_completion(0u, depth, depth) + 127u) / 128u * 128u; }

}  // namespace warpfs

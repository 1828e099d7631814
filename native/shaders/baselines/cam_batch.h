// How a group of warps gives whole batches to the host, as CAM does: an array of what is wanted, one word that says how many batches there were,
// and one word that says that a batch is done. The layout alone, for warps and for the threads of the host (native/host/peer/cam_batches.h).
//
// Of each group: the bell; the last posts, that is, which array each of them was about; the words of what is done; the arrays. A group has up to
// CAM_BUFFERS batches at once of each kind, and each was waited for before the next of its kind and buffer is posted.
#pragma once

namespace warpfs {

namespace CamKind {
enum : uint32_t { READ = 0u, WRITE = 1u };
}
enum : uint32_t { CAM_BLOCK_BYTES = 512u, CAM_BUFFERS = 3u, CAM_KINDS = 2u, CAM_POSTS = 8u, CAM_ENTRY_BYTES = 16u, CAM_GROUP_WORDS_BYTES = 384u };
static_assert(CAM_POSTS > CAM_BUFFERS * CAM_KINDS, "a post stays until it was waited for");

// Words of an entry. No blocks: nothing is wanted.
enum : uint32_t { CAM_BLOCK = 0u, CAM_BLOCKS = 1u, CAM_PLACE = 2u };

// In bytes from the beginning of the group.
enum : uint32_t { CAM_BELL = 0u, CAM_POST = 128u, CAM_DONE = 256u };
// Of a post: kind | buffer << 1 | entries << 8. Posts are counted from 1, and the bell is their number.
WARPFS_FN uint64_t cam_post_at(uint64_t group, uint32_t number) { return group + CAM_POST + number % CAM_POSTS * 4u; }
// Two words: the number of the post that is done, and 0 or -errno for all of it.
WARPFS_FN uint64_t cam_done_at(uint64_t group, uint32_t kind, uint32_t buffer) { return group + CAM_DONE + (kind * CAM_BUFFERS + buffer) * 8u; }
WARPFS_FN uint64_t cam_entry_at(uint64_t group, uint32_t entries, uint32_t kind, uint32_t buffer, uint32_t index) {
  return group + CAM_GROUP_WORDS_BYTES + ((uint64_t)(kind * CAM_BUFFERS + buffer) * entries + index) * CAM_ENTRY_BYTES;
}
WARPFS_FN uint64_t cam_group_bytes(uint32_t entries) { return (cam_entry_at(0u, entries, CAM_KINDS, 0u, 0u) + 127u) / 128u * 128u; }

}  // namespace warpfs

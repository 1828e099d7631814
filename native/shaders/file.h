// Opening, closing, asking for the size. Handles are indices with a generation: a stale one is -EBADF, never another file.
#pragma once

namespace warpfs {

// What a call on an open file works with, read by the leader so that all lanes work with the same.
struct FileView {
  Source source;
  uint count;  // bytes of the request that lie within the file
  int error;
};

WARPFS_FN WARPFS_DEVICE const FileEntry* file_entry(WARPFS_THREAD const Fs& fs, int file) {
  const uint handle = (uint)file;
  const uint index = handle & ((1u << HANDLE_INDEX_BITS) - 1u);
  if (file < 0 || index >= fs.geometry->file_count) return 0;
  WARPFS_DEVICE const FileEntry* entry = fs.files + index;
  return host_load(&entry->handle) == (handle & ~(uint)HANDLE_WRITABLE) ? entry : 0;
}

// 64 bits that the host changes while we look: odd or different versions mean that we saw a half of it.
WARPFS_FN ulong file_size(WARPFS_DEVICE const FileEntry* entry) {
  for (;;) {
    const uint before = host_load(&entry->size_version);
    host_fence_acquire();
    const ulong size = (ulong)host_load(&entry->size_low) | ((ulong)host_load(&entry->size_high) << 32);
    host_fence_acquire();
    if (before == host_load(&entry->size_version) && (before & 1u) == 0u) return size;
  }
}

enum : uint32_t { FILE_LENGTH_MAX = 0x7fffffffu };

// All lanes. Looks a file up for a request of `length` bytes at `offset`.
WARPFS_FN FileView file_view(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length) {
  // What gopen gave instead of a handle stays the reason of everything that is tried with it.
  ulong packed = file < 0 && file > -4096 ? (ulong)(uint)(-file) : (ulong)(uint)Errno::ebadf;
  if (is_leader(fs)) {
    WARPFS_DEVICE const FileEntry* entry = file_entry(fs, file);
    if (entry != 0) {
      const ulong size = file_size(entry);
      ulong within = offset < size ? size - offset : 0u;
      if (within > length) within = length;
      packed = ((ulong)host_load(&entry->file_id) << 32) | within;
      // An end that no file can reach; a length that no result can say.
      if (length > FILE_LENGTH_MAX || offset > 0x7fffffffffffffffu - length) packed = (ulong)(uint)Errno::eoverflow;
    }
  }
  packed = warp_broadcast64(fs.lane, packed, 0u);
  FileView view;
  view.source.handle = (uint)file;
  view.source.file_id = (uint)(packed >> 32);
  view.count = (uint)packed;
  view.error = view.source.file_id == 0u ? -(int)(uint)packed : 0;
  return view;
}

// Opens a path beneath the root: a handle, or -errno. `path` ends with a zero byte.
WARPFS_FN int gopen(WARPFS_THREAD Fs& fs, const WARPFS_DEVICE uchar* path, uint mode) {
  int result = 0;
  if (call_begin(fs, result)) return result;
  if (!arguments_agree(fs, mix_arguments((ulong)path, mode, 0u))) return call_end(fs, -Errno::einval);
  uint bytes = 0;
  if (is_leader(fs)) {
    WARPFS_DEVICE uchar* outbox = fs.outboxes + (ulong)fs.slot * PATH_BYTES_MAX;
    while (bytes < PATH_BYTES_MAX && path[bytes] != 0) {
      outbox[bytes] = path[bytes];
      bytes++;
    }
    if (bytes < PATH_BYTES_MAX) outbox[bytes] = 0;
  }
  bytes = warp_broadcast(fs.lane, bytes, 0u);
  if (bytes >= PATH_BYTES_MAX) return call_end(fs, -Errno::enametoolong);
  if (bytes == 0u) return call_end(fs, -Errno::enoent);
  ulong size = 0;
  return call_end(fs, mail_ask(fs, Opcode::OPEN, mode, 0u, bytes, size));
}

// The size of an open file in bytes.
WARPFS_FN int gstat(WARPFS_THREAD Fs& fs, int file, WARPFS_THREAD ulong& size) {
  int result = 0;
  if (call_begin(fs, result)) {
    // A replayed call looks at the size again: it is not in the log.
    if (result == 0) result = file_entry(fs, file) != 0 ? 0 : -Errno::ebadf;
    if (result == 0) size = file_size(file_entry(fs, file));
    return result;
  }
  if (!arguments_agree(fs, (ulong)(uint)file)) return call_end(fs, -Errno::einval);
  int error = -Errno::ebadf;
  ulong answer = 0;
  if (is_leader(fs)) {
    WARPFS_DEVICE const FileEntry* entry = file_entry(fs, file);
    if (entry != 0) {
      answer = file_size(entry);
      error = 0;
    }
  }
  size = warp_broadcast64(fs.lane, answer, 0u);
  return call_end(fs, (int)warp_broadcast(fs.lane, (uint)error, 0u));
}

}  // namespace warpfs

// Opening, closing, asking for the size. Handles are indices with a generation: a stale one is -EBADF, never another file.
#pragma once

namespace warpfs {

WARPFS_FN WARPFS_DEVICE const FileEntry* file_entry(WARPFS_THREAD const Fs& fs, int file) {
  const uint handle = (uint)file;
  const uint index = handle & ((1u << HANDLE_INDEX_BITS) - 1u);
  if (file < 0 || index >= fs.geometry->file_count) return 0;
  WARPFS_DEVICE const FileEntry* entry = fs.files + index;
  return host_load(&entry->handle) == (handle & ~(uint)HANDLE_WRITABLE) ? entry : 0;
}

// Looks at a size before giving up: the host changes it in a few stores, so one look is nearly always enough.
enum : uint32_t { SIZE_LOOKS_MAX = 1u << 20 };

// 64 bits that the host changes while we look: odd or different versions mean that we saw a half of it. False: the host stopped in the middle.
WARPFS_FN bool file_size(WARPFS_DEVICE const FileEntry* entry, WARPFS_THREAD ulong& size) {
  for (uint looks = 0; looks < SIZE_LOOKS_MAX; looks++) {
    const uint before = host_load(&entry->size_version);
    host_fence_acquire();
    size = (ulong)host_load(&entry->size_low) | ((ulong)host_load(&entry->size_high) << 32);
    host_fence_acquire();
    if (before == host_load(&entry->size_version) && (before & 1u) == 0u) return true;
  }
  return false;
}

WARPFS_CALL ulong file_size_of(WARPFS_THREAD Fs& fs, int file) {
  ulong size = 0;
  if (is_leader(fs)) {
    WARPFS_DEVICE const FileEntry* entry = file_entry(fs, file);
    if (entry != 0 && !file_size(entry, size)) note_error(fs, -Errno::eagain);
  }
  return warp_broadcast64(fs.lane, size, 0u);
}

enum : uint32_t { FILE_LENGTH_MAX = 0x7fffffffu };

WARPFS_HOT_CALL FileView file_view(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, ulong address) {
  // What gopen gave instead of a handle stays the reason of everything that is tried with it.
  ulong packed = file < 0 && file > -4096 ? (ulong)(uint)(-file) : (ulong)(uint)Errno::ebadf;
  if (is_leader(fs)) {
    WARPFS_DEVICE const FileEntry* entry = file_entry(fs, file);
    if (entry != 0) {
      ulong size = 0;
      const bool known = file_size(entry, size);
      ulong within = offset < size ? size - offset : 0u;
      if (within > length) within = length;
      packed = ((ulong)host_load(&entry->file_id) << 32) | within;
      // An end that no file can reach; a length that no result can say.
      if (length > FILE_LENGTH_MAX || offset > 0x7fffffffffffffffu - length) packed = (ulong)(uint)Errno::eoverflow;
      if (!known) packed = (ulong)(uint)Errno::eagain;
    }
  }
  if (!arguments_agree(fs, ((ulong)length << 32) | (uint)file, offset, address, packed)) packed = (ulong)(uint)Errno::einval;
  FileView view;
  view.source.handle = (uint)file;
  view.source.file_id = (uint)(packed >> 32);
  view.count = (uint)packed;
  view.error = view.source.file_id == 0u ? -(int)(uint)packed : 0;
  return view;
}

WARPFS_CALL int gopen(WARPFS_THREAD Fs& fs, const WARPFS_DEVICE uchar* path, uint mode) {
  int result = 0;
  if (call_begin(fs, result)) return result;
  ulong size = 0;
  if (!arguments_agree(fs, (ulong)path, mode, 0u, size)) return call_end(fs, -Errno::einval);
  // Once the host was asked the path is there, and the host may be reading it.
  const bool asked = warp_broadcast(fs.lane, fs.asked, 0u) != 0u;
  const int waited = asked ? 0 : mail_wait_free(fs);
  if (waited != 0) return call_end(fs, waited);
  uint bytes = 0;
  if (is_leader(fs)) {
    WARPFS_DEVICE uchar* outbox = fs.outboxes + (ulong)fs.slot * PATH_BYTES_MAX;
    while (bytes < PATH_BYTES_MAX && path[bytes] != 0) {
      if (!asked) outbox[bytes] = path[bytes];
      bytes++;
    }
    if (bytes < PATH_BYTES_MAX && !asked) outbox[bytes] = 0;
  }
  bytes = warp_broadcast(fs.lane, bytes, 0u);
  if (bytes >= PATH_BYTES_MAX) return call_end(fs, -Errno::enametoolong);
  if (bytes == 0u) return call_end(fs, -Errno::enoent);
  return call_end(fs, mail_ask(fs, Opcode::OPEN, mode, 0u, bytes, size));
}

WARPFS_CALL int gstat(WARPFS_THREAD Fs& fs, int file, WARPFS_THREAD ulong& size) {
  int result = 0;
  if (call_begin(fs, result)) {
#if WARPFS_REPLAY
    // The size that the first run saw: the file may have grown, or been closed, since.
    if (result == 0) size = fs.log[fs.call - 1u].value;
#endif
    return result;
  }
  const FileView view = file_view(fs, file, 0u, 0u, 0u);
  if (view.error != 0) return call_end(fs, view.error);
  size = file_size_of(fs, file);
#if WARPFS_REPLAY
  if (is_leader(fs)) fs.log[fs.call].value = size;
#endif
  return call_end(fs, 0);
}

}  // namespace warpfs

// Looking files up, asking for their size, removing and renaming them. Handles are indices with a generation: a stale one is -EBADF, never another file.
#pragma once

namespace warpfs {

WARPFS_FN WARPFS_DEVICE const FileEntry* file_entry(WARPFS_THREAD const Fs& fs, int file) {
  WARPFS_DEVICE const FileEntry* entry = file_place(fs, file);
  return entry != 0 && handle_is(host_load(&entry->handle), file) ? entry : 0;
}

struct FileLook {
  uint handle;
  uint file_id;
  ulong size;
};

#if WARPFS_LOADS_16

static_assert(WARPFS_OFFSETOF(FileEntry, handle) == 0u && WARPFS_OFFSETOF(FileEntry, file_id) == 4u && WARPFS_OFFSETOF(FileEntry, size_low) == 8u &&
                  WARPFS_OFFSETOF(FileEntry, size_high) == 12u,
              "handle, identity and size are of one moment");

WARPFS_FN bool file_look(WARPFS_DEVICE const FileEntry* entry, WARPFS_THREAD FileLook& look) {
  const Vec16 seen = atomic_load16(&entry->handle);
  look.handle = seen.words[0];
  look.file_id = seen.words[1];
  look.size = (ulong)seen.words[2] | ((ulong)seen.words[3] << 32);
  return true;
}

#else

// Looks at an entry before giving up: the host changes it in a few stores, so one look is nearly always enough.
enum : uint32_t { FILE_LOOKS_MAX = 1u << 20 };

// Words that the host changes while we look: odd or different versions mean that we saw a half of it. False: the host stopped in the middle.
WARPFS_FN bool file_look(WARPFS_DEVICE const FileEntry* entry, WARPFS_THREAD FileLook& look) {
  for (uint looks = 0; looks < FILE_LOOKS_MAX; looks++) {
    const uint before = host_load(&entry->version);
    host_fence_acquire();
    look.handle = host_load(&entry->handle);
    look.file_id = host_load(&entry->file_id);
    look.size = (ulong)host_load(&entry->size_low) | ((ulong)host_load(&entry->size_high) << 32);
    host_fence_acquire();
    if (before == host_load(&entry->version) && (before & 1u) == 0u) return true;
  }
  return false;
}

#endif

// All lanes. The host refused bytes of `file_id`, because a truncation ends it. Gives that time where it has not ended yet. False: no longer.
WARPFS_CALL bool file_wait_renewed(WARPFS_THREAD Fs& fs, int file, uint file_id, WARPFS_THREAD WaitBound& bound) {
  uint again = 1u;
  if (is_leader(fs)) {
    WARPFS_DEVICE const FileEntry* entry = file_entry(fs, file);
    FileLook look;
    // Where the truncation has failed its file has the same identity as before: then the version has gone on.
    if (entry != 0 && file_look(entry, look) && look.file_id == file_id) again = wait_again(fs, bound) ? 1u : 0u;
  }
  return warp_broadcast(fs.lane, again, 0u) != 0u;
}

WARPFS_CALL ulong file_size_of(WARPFS_THREAD Fs& fs, int file) {
  FileLook look;
  look.size = 0;
  if (is_leader(fs)) {
    WARPFS_DEVICE const FileEntry* entry = file_entry(fs, file);
    if (entry != 0 && !file_look(entry, look)) note_error(fs, -Errno::eagain);
  }
  return warp_broadcast64(fs.lane, look.size, 0u);
}

// Leader only. What pages that are missed are looked for in. It says whose it is, so that it is never taken for another file's.
WARPFS_FN void window_look(WARPFS_THREAD Fs& fs, WARPFS_DEVICE const FileEntry* entry) {
#if WARPFS_WINDOWS
  static_assert(WARPFS_OFFSETOF(FileEntry, window_base) % 16u == 0u && WARPFS_OFFSETOF(FileEntry, window_reach) == WARPFS_OFFSETOF(FileEntry, window_base) + 12u,
                "a window is of one moment");
  fs.window = atomic_load16(&entry->window_base[0]);
  fs.window_entry = entry;
#else
  (void)fs;
  (void)entry;
#endif
}

WARPFS_FN void window_check(WARPFS_THREAD Fs& fs, uint file_id) {
#if WARPFS_WINDOWS
  if (fs.window.words[1] >> 16 != (file_id & 0xffffu)) fs.window.words[2] = 0u;
#else
  (void)fs;
  (void)file_id;
#endif
}

enum : uint32_t { FILE_LENGTH_MAX = 0x7fffffffu };

WARPFS_HOT_CALL FileView file_view(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, ulong address, int outcome) {
  // What gopen gave instead of a handle stays the reason of everything that is tried with it.
  ulong packed = file < 0 && file > -4096 ? (ulong)(uint)(-file) : (ulong)(uint)Errno::ebadf;
  if (is_leader(fs)) {
    WARPFS_DEVICE const FileEntry* entry = file_place(fs, file);
    FileLook look;
    look.handle = 0;
    bool known = false;
    if (entry != 0) {
      window_look(fs, entry);
      known = file_look(entry, look);
    }
    if (entry != 0 && handle_is(look.handle, file)) {
      window_check(fs, look.file_id);
      ulong within = offset < look.size ? look.size - offset : 0u;
      if (within > length) within = length;
      packed = ((ulong)look.file_id << 32) | within;
      // An end that no file can reach; a length that no result can say.
      if (length > FILE_LENGTH_MAX || offset > 0x7fffffffffffffffu - length) packed = (ulong)(uint)Errno::eoverflow;
      if (!known) packed = (ulong)(uint)Errno::eagain;
      if (outcome != 0) packed = (ulong)(uint)-outcome;
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

// Leader only. Puts a path into the outbox of the slot, from byte `at` on: its bytes without the NUL, or PATH_BYTES_MAX where it is longer.
// `asked`: the host may be reading it already, so it is only measured.
WARPFS_FN uint path_post(WARPFS_THREAD const Fs& fs, const WARPFS_DEVICE uchar* path, uint at, bool asked) {
  WARPFS_DEVICE uchar* outbox = fs.outboxes + (ulong)fs.slot * OUTBOX_BYTES + at;
  uint bytes = 0;
  while (bytes < PATH_BYTES_MAX && path[bytes] != 0) {
    if (!asked) outbox[bytes] = path[bytes];
    bytes++;
  }
  if (bytes < PATH_BYTES_MAX && !asked) outbox[bytes] = 0;
  return bytes;
}

WARPFS_FN int path_refused(uint bytes) { return bytes >= PATH_BYTES_MAX ? -Errno::enametoolong : bytes == 0u ? -Errno::enoent : 0; }

// All lanes. A request about one path, or about two: the answer of the host, or -errno, or wait_outcome().
WARPFS_FN int path_ask(WARPFS_THREAD Fs& fs, uint opcode, uint flags, const WARPFS_DEVICE uchar* path, const WARPFS_DEVICE uchar* second) {
  const bool asked = warp_broadcast(fs.lane, fs.asked, 0u) != 0u;
  const int waited = asked ? 0 : mail_wait_free(fs);
  if (waited != 0) return waited;
  uint bytes = 0;
  uint second_bytes = 0;
  if (is_leader(fs)) {
    bytes = path_post(fs, path, 0u, asked);
    if (second != 0 && bytes < PATH_BYTES_MAX) second_bytes = path_post(fs, second, bytes + 1u, asked);
  }
  const ulong both = warp_broadcast64(fs.lane, ((ulong)second_bytes << 32) | bytes, 0u);
  bytes = (uint)both;
  second_bytes = (uint)(both >> 32);
  if (path_refused(bytes) != 0) return path_refused(bytes);
  if (second != 0 && path_refused(second_bytes) != 0) return path_refused(second_bytes);
  ulong value = 0;
  return mail_ask(fs, opcode, flags, second_bytes, bytes, value);
}

WARPFS_CALL int gunlink(WARPFS_THREAD Fs& fs, const WARPFS_DEVICE uchar* path) {
  int result = 0;
  if (call_begin(fs, result)) return result;
  ulong nothing = 0;
  if (!arguments_agree(fs, (ulong)path, 0u, 0u, nothing)) return call_end(fs, -Errno::einval);
  if (fs.geometry->read_only != 0u) return call_end(fs, -Errno::erofs);
  return call_end(fs, path_ask(fs, Opcode::UNLINK, 0u, path, 0));
}

WARPFS_CALL int grename(WARPFS_THREAD Fs& fs, const WARPFS_DEVICE uchar* path, const WARPFS_DEVICE uchar* to) {
  int result = 0;
  if (call_begin(fs, result)) return result;
  ulong nothing = 0;
  if (!arguments_agree(fs, (ulong)path, (ulong)to, 0u, nothing)) return call_end(fs, -Errno::einval);
  if (fs.geometry->read_only != 0u) return call_end(fs, -Errno::erofs);
  return call_end(fs, path_ask(fs, Opcode::RENAME, 0u, path, to));
}

WARPFS_CALL int gfstat(WARPFS_THREAD Fs& fs, int file, WARPFS_THREAD ulong& size) {
  int result = 0;
  if (call_begin(fs, result)) {
#if WARPFS_REPLAY
    // The size that the first run saw: the file may have grown, or been closed, since.
    if (result == 0) size = fs.log[fs.call - 1u].value;
#endif
    return result;
  }
  const FileView view = file_view(fs, file, 0u, 0u, 0u, 0);
  if (view.error != 0) return call_end(fs, view.error);
  size = file_size_of(fs, file);
#if WARPFS_REPLAY
  if (is_leader(fs)) fs.log[fs.call].value = size;
#endif
  return call_end(fs, 0);
}

}  // namespace warpfs

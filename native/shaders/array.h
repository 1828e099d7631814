// A file as an array, for kernels that gather and scatter: `garray<uint>(fs, file)[i]`, each lane with its own index.
#pragma once

namespace warpfs {

// One element for each lane. All lanes use it together.
template <typename T>
struct ArrayElement {
  WARPFS_THREAD Fs* fs;
  int file;
  ulong index;
  bool wanted;

  WARPFS_METHOD T load() const { return gload<T>(*fs, file, index, wanted); }
  WARPFS_METHOD void store(T value) const {
    const int status = gstore<T>(*fs, file, index, value, wanted);
    if (status < 0 && status != WARPFS_PENDING) note_error(*fs, status);
  }
  // What it was before.
  WARPFS_METHOD T add(T amount) const { return gadd<T>(*fs, file, index, amount, wanted); }
  WARPFS_METHOD operator T() const { return load(); }
  WARPFS_METHOD void operator=(T value) const { store(value); }
  WARPFS_METHOD void operator+=(T amount) const { add(amount); }
};

template <typename T>
struct Array {
  WARPFS_THREAD Fs* fs;
  int file;

  WARPFS_METHOD ArrayElement<T> at(ulong index, bool wanted) const {
    ArrayElement<T> element;
    element.fs = fs;
    element.file = file;
    element.index = index;
    element.wanted = wanted;
    return element;
  }
  WARPFS_METHOD ArrayElement<T> operator[](ulong index) const { return at(index, true); }
  WARPFS_METHOD ulong size() const { return file_size_of(*fs, file) / sizeof(T); }
};

template <typename T>
WARPFS_FN Array<T> garray(WARPFS_THREAD Fs& fs, int file) {
  Array<T> array;
  array.fs = &fs;
  array.file = file;
  return array;
}

}  // namespace warpfs

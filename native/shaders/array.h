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

  T load() const { return gload<T>(*fs, file, index, wanted); }
  void store(T value) const {
    const int status = gstore<T>(*fs, file, index, value, wanted);
    if (status < 0 && status != WARPFS_PENDING) note_error(*fs, status);
  }
  // What it was before.
  T add(T amount) const { return gadd<T>(*fs, file, index, amount, wanted); }
  operator T() const { return load(); }
  void operator=(T value) const { store(value); }
  void operator+=(T amount) const { add(amount); }
};

template <typename T>
struct Array {
  WARPFS_THREAD Fs* fs;
  int file;

  ArrayElement<T> at(ulong index, bool wanted) const {
    ArrayElement<T> element;
    element.fs = fs;
    element.file = file;
    element.index = index;
    element.wanted = wanted;
    return element;
  }
  ArrayElement<T> operator[](ulong index) const { return at(index, true); }
  ulong size() const { return file_size_of(*fs, file) / sizeof(T); }
};

template <typename T>
WARPFS_FN Array<T> garray(WARPFS_THREAD Fs& fs, int file) {
  Array<T> array;
  array.fs = &fs;
  array.file = file;
  return array;
}

}  // namespace warpfs

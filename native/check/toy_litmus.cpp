// The litmus tests of toy_kernels.h, compiled as toy_kernels.cpp is.
#include "toy_kernels.h"

namespace warpfs::toys {

namespace {

uint* words_of(void* memory) { return static_cast<uint*>(memory); }

constexpr bool releases(Fences fences) { return fences == Fences::RELEASE || fences == Fences::BOTH; }
constexpr bool acquires(Fences fences) { return fences == Fences::ACQUIRE || fences == Fences::BOTH; }

template <Fences F>
void fence_of_store() {
  if (releases(F)) fence_release();
  if (F == Fences::SEQ) fence_seq();
}

template <Fences F>
void fence_of_load() {
  if (acquires(F)) fence_acquire();
  if (F == Fences::SEQ) fence_seq();
}

}  // namespace

template <Fences F>
void store_buffering(Lane&, const WarpId& id, void* memory) {
  uint* words = words_of(memory);
  atomic_store(&words[X + id.item], 1);
  fence_of_store<F>();
  if (acquires(F)) fence_acquire();
  words[OUT + id.item] = atomic_load(&words[Y - id.item]);
}
template void store_buffering<Fences::NONE>(Lane&, const WarpId&, void*);
template void store_buffering<Fences::BOTH>(Lane&, const WarpId&, void*);
template void store_buffering<Fences::SEQ>(Lane&, const WarpId&, void*);

template <Fences F>
void message_passing(Lane&, const WarpId& id, void* memory) {
  uint* words = words_of(memory);
  if (id.item == 0) {
    atomic_store(&words[X], 1);
    fence_of_store<F>();
    atomic_store(&words[Y], 1);
  } else {
    words[OUT] = atomic_load(&words[Y]);
    fence_of_load<F>();
    words[OUT + 1] = atomic_load(&words[X]);
  }
}
template void message_passing<Fences::NONE>(Lane&, const WarpId&, void*);
template void message_passing<Fences::RELEASE>(Lane&, const WarpId&, void*);
template void message_passing<Fences::ACQUIRE>(Lane&, const WarpId&, void*);
template void message_passing<Fences::BOTH>(Lane&, const WarpId&, void*);
template void message_passing<Fences::SEQ>(Lane&, const WarpId&, void*);

template <Fences F>
void load_buffering(Lane&, const WarpId& id, void* memory) {
  uint* words = words_of(memory);
  const uint seen = atomic_load(&words[X + id.item]);
  fence_of_load<F>();
  fence_of_store<F>();
  atomic_store(&words[Y - id.item], 1);
  words[OUT + id.item] = seen;
}
template void load_buffering<Fences::NONE>(Lane&, const WarpId&, void*);
template void load_buffering<Fences::BOTH>(Lane&, const WarpId&, void*);

template <Fences F>
void independent_reads(Lane&, const WarpId& id, void* memory) {
  uint* words = words_of(memory);
  if (id.item < 2) {
    fence_of_store<F>();
    atomic_store(&words[X + id.item], 1);
    return;
  }
  const uint reader = id.item - 2;
  words[OUT + 2 * reader] = atomic_load(&words[X + reader]);
  fence_of_load<F>();
  words[OUT + 2 * reader + 1] = atomic_load(&words[Y - reader]);
}
template void independent_reads<Fences::NONE>(Lane&, const WarpId&, void*);
template void independent_reads<Fences::ACQUIRE>(Lane&, const WarpId&, void*);
template void independent_reads<Fences::SEQ>(Lane&, const WarpId&, void*);

template <Fences F>
void write_to_read(Lane&, const WarpId& id, void* memory) {
  uint* words = words_of(memory);
  if (id.item == 0) {
    fence_of_store<F>();
    atomic_store(&words[X], 1);
  } else if (id.item == 1) {
    words[OUT] = atomic_load(&words[X]);
    fence_of_load<F>();
    fence_of_store<F>();
    atomic_store(&words[Y], 1);
  } else {
    words[OUT + 1] = atomic_load(&words[Y]);
    fence_of_load<F>();
    words[OUT + 2] = atomic_load(&words[X]);
  }
}
template void write_to_read<Fences::NONE>(Lane&, const WarpId&, void*);
template void write_to_read<Fences::BOTH>(Lane&, const WarpId&, void*);

void seq_handed_on(Lane&, const WarpId& id, void* memory) {
  uint* words = words_of(memory);
  if (id.item == 0) {
    atomic_store(&words[X], 1);
    fence_seq();
    words[OUT] = atomic_load(&words[Y]);
  } else if (id.item == 1) {
    atomic_store(&words[Y], 1);
    fence_seq();
    fence_release();
    atomic_store(&words[Z], 1);
  } else {
    words[OUT + 1] = atomic_load(&words[Z]);
    fence_acquire();
    words[OUT + 2] = atomic_load(&words[X]);
  }
}

void coherent_reads(Lane&, const WarpId& id, void* memory) {
  uint* words = words_of(memory);
  if (id.item < 2) return atomic_store(&words[X], id.item + 1);
  const uint reader = id.item - 2;
  words[OUT + 2 * reader] = atomic_load(&words[X]);
  words[OUT + 2 * reader + 1] = atomic_load(&words[X]);
}

void two_writes_each(Lane&, const WarpId& id, void* memory) {
  uint* words = words_of(memory);
  atomic_store(&words[X + id.item], 1);
  atomic_store(&words[Y - id.item], 2);
}

template <bool RMW>
void release_sequence(Lane&, const WarpId& id, void* memory) {
  uint* words = words_of(memory);
  if (id.item == 0) {
    atomic_store(&words[X], 1);
    fence_release();
    atomic_store(&words[Y], 1);
  } else if (id.item == 1) {
    uint seen = 1;
    if (RMW) atomic_cas(&words[Y], seen, 2);
    else if (atomic_load(&words[Y]) == 1) atomic_store(&words[Y], 2);
  } else {
    words[OUT] = atomic_load(&words[Y]);
    fence_acquire();
    words[OUT + 1] = atomic_load(&words[X]);
  }
}
template void release_sequence<false>(Lane&, const WarpId&, void*);
template void release_sequence<true>(Lane&, const WarpId&, void*);

}  // namespace warpfs::toys

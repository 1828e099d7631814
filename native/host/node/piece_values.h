// Pieces of a file as JavaScript gives them: three arrays side by side.
#pragma once
#include "../file_pieces.h"

#include <napi.h>

#include <string>
#include <vector>

namespace warpfs {

/// Offsets, lengths and positions from argument `first` on; `where`: what they lie in, which has so many bytes.
inline std::vector<FilePiece> pieces_of(const Napi::CallbackInfo& info, size_t first, const char* where, uint64_t bytes) {
  const auto offsets = info[first].As<Napi::BigUint64Array>();
  const auto lengths = info[first + 1].As<Napi::Uint32Array>();
  const auto positions = info[first + 2].As<Napi::BigUint64Array>();
  const size_t count = offsets.ElementLength();
  if (lengths.ElementLength() != count || positions.ElementLength() != count) {
    throw Napi::TypeError::New(info.Env(), "each piece has an offset, a length and a position");
  }
  std::vector<FilePiece> pieces;
  pieces.reserve(count);
  for (size_t i = 0; i < count; i++) {
    const FilePiece piece = {offsets[i], positions[i], lengths[i]};
    if (piece.position > bytes || piece.length > bytes - piece.position) {
      throw Napi::RangeError::New(info.Env(), "piece " + std::to_string(i) + " lies outside of the " + where);
    }
    if (piece.length > 0) pieces.push_back(piece);
  }
  return pieces;
}

}  // namespace warpfs

// Reading JavaScript objects that the TypeScript side has already validated; what is missing all the same is a TypeError.
#pragma once
#include <napi.h>

#include <cstdint>
#include <string>

namespace warpfs {

inline Napi::Value required(const Napi::Object& object, const char* name) {
  Napi::Value value = object.Get(name);
  if (value.IsUndefined()) throw Napi::TypeError::New(object.Env(), std::string("missing field ") + name);
  return value;
}

inline uint32_t number_field(const Napi::Object& object, const char* name) {
  const Napi::Value value = required(object, name);
  if (!value.IsNumber()) throw Napi::TypeError::New(object.Env(), std::string("not a number: ") + name);
  return value.As<Napi::Number>().Uint32Value();
}

/// A whole number up to 2^53; `otherwise` where there is none.
inline uint64_t wide_field(const Napi::Object& object, const char* name, uint64_t otherwise) {
  const Napi::Value value = object.Get(name);
  if (value.IsUndefined()) return otherwise;
  if (!value.IsNumber()) throw Napi::TypeError::New(object.Env(), std::string("not a number: ") + name);
  return uint64_t(value.As<Napi::Number>().DoubleValue());
}

inline double real_field(const Napi::Object& object, const char* name) {
  const Napi::Value value = required(object, name);
  if (!value.IsNumber()) throw Napi::TypeError::New(object.Env(), std::string("not a number: ") + name);
  return value.As<Napi::Number>().DoubleValue();
}

inline bool boolean_field(const Napi::Object& object, const char* name) { return required(object, name).ToBoolean(); }

inline std::string string_field(const Napi::Object& object, const char* name) {
  const Napi::Value value = required(object, name);
  if (!value.IsString()) throw Napi::TypeError::New(object.Env(), std::string("not a string: ") + name);
  return value.As<Napi::String>().Utf8Value();
}

}  // namespace warpfs

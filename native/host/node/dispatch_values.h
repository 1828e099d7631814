// JavaScript values of mounts and dispatches to what the engine takes, and back.
#pragma once
#include "../host_error.h"
#include "../mount.h"
#include "arguments.h"
#include "medium_values.h"

#include <napi.h>

#include <cerrno>

namespace warpfs {

[[noreturn]] inline void throw_host_error(Napi::Env env, const std::string& code, const std::string& message) {
  Napi::Error thrown = Napi::Error::New(env, message);
  thrown.Set("code", Napi::String::New(env, code));
  throw thrown;
}

inline Napi::Value number(Napi::Env env, double value) { return Napi::Number::New(env, value); }

inline CallFault call_fault(const Napi::Object& value) {
  CallFault fault;
  fault.call = number_field(value, "call");
  fault.for_good = boolean_field(value, "forGood");
  fault.kinds = number_field(value, "kinds");
  const std::string error = string_field(value, "error");
  if (error == "EIO") fault.error = EIO;
  else if (error == "ENOSPC") fault.error = ENOSPC;
  else if (error == "EDQUOT") fault.error = EDQUOT;
  else if (error == "EINTR") fault.error = EINTR;
  else if (error != "short") throw Napi::TypeError::New(value.Env(), "no error of the host: " + error);
  return fault;
}

inline MountOptions mount_options(const Napi::Object& config) {
  MountOptions options;
  options.root = string_field(config, "root");
  options.read_only = boolean_field(config, "readOnly");
  options.replay = string_field(config, "wait") == "replay";
  const std::string device = string_field(config, "device");
  if (device != "cpu") {
    options.builtin = string_field(config, "builtin");
    options.kernel_time_ms = number_field(config, "kernelTimeMs");
  }
  if (device == "metal") options.device = DeviceKind::METAL;
  if (device == "cuda") {
    options.device = DeviceKind::CUDA;
    options.device_index = number_field(config, "deviceIndex");
    options.fill = string_field(config, "fill");
    options.serial = boolean_field(config, "serial");
    options.window_bytes_max = wide_field(config, "windowBytesMax", options.window_bytes_max);
  }
  options.policy = number_field(config, "policy");
  options.line_count = number_field(config, "lineCount");
  options.line_bytes = number_field(config, "lineBytes");
  options.ring_count = number_field(config, "ringCount");
  options.ring_slots = number_field(config, "ringSlots");
  options.slot_count = number_field(config, "slotCount");
  options.file_count = number_field(config, "fileCount");
  options.daemon_threads = number_field(config, "daemonThreads");
  options.io = string_field(config, "io");
  options.max_file_bytes = wide_field(config, "maxFileBytes", options.max_file_bytes);
  options.max_dirty_bytes = wide_field(config, "maxDirtyBytes", options.max_dirty_bytes);
  options.wait_ms = number_field(config, "waitMs");
  options.workers = number_field(config, "workers");
  if (const Napi::Value sandbox = config.Get("sandbox"); sandbox.IsString()) options.sandbox = sandbox.As<Napi::String>().Utf8Value();
  if (const Napi::Value fault = config.Get("fault"); fault.IsObject()) options.fault = call_fault(fault.As<Napi::Object>());
  if (const Napi::Value medium = config.Get("medium"); medium.IsObject()) options.medium = medium_profile(medium.As<Napi::Object>());
  return options;
}

inline MemoryRequest memory_request(const Napi::Object& request) {
  MemoryRequest wanted;
  wanted.bytes = wide_field(request, "bytes", 0);
  wanted.host = boolean_field(request, "host");
  wanted.file = string_field(request, "file");
  wanted.writes = boolean_field(request, "writes");
  return wanted;
}

inline Dispatch dispatch_request(const Napi::Object& request) {
  Dispatch dispatch;
  dispatch.module = string_field(request, "module");
  dispatch.items = number_field(request, "items");
  dispatch.group_warps = number_field(request, "groupWarps");
  dispatch.group_memory_bytes = number_field(request, "groupMemoryBytes");
  dispatch.all_resident = boolean_field(request, "allResident");
  if (request.Has("inputs")) dispatch.inputs = number_field(request, "inputs");
  if (request.Has("outputsAreZero")) dispatch.outputs_are_zero = boolean_field(request, "outputsAreZero");
  const Napi::Value memories = request.Get("memories");
  const Napi::Array buffers = required(request, "buffers").As<Napi::Array>();
  for (uint32_t i = 0; i < buffers.Length(); i++) {
    const Napi::Value buffer = buffers.Get(i);
    if (!buffer.IsTypedArray()) throw Napi::TypeError::New(request.Env(), "buffers[" + std::to_string(i) + "] is not a typed array");
    const Napi::TypedArray array = buffer.As<Napi::TypedArray>();
    dispatch.buffers.push_back(static_cast<uint8_t*>(array.ArrayBuffer().Data()) + array.ByteOffset());
    dispatch.buffer_bytes.push_back(array.ByteLength());
  }
  dispatch.lasts.resize(buffers.Length());
  if (memories.IsArray()) {
    const Napi::Array indices = memories.As<Napi::Array>();
    for (uint32_t i = 0; i < indices.Length(); i++) dispatch.lasts.at(indices.Get(i).As<Napi::Number>().Uint32Value()) = 1;
  }
  return dispatch;
}

inline Napi::Object dispatch_result(Napi::Env env, const DispatchResult& result) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("failedItems", number(env, result.failed_items));
  Napi::Array failures = Napi::Array::New(env, result.failures.size());
  for (uint32_t i = 0; i < result.failures.size(); i++) {
    Napi::Object failure = Napi::Object::New(env);
    failure.Set("item", number(env, result.failures[i].item));
    failure.Set("errno", number(env, -double(result.failures[i].error)));
    failures.Set(i, failure);
  }
  object.Set("failures", failures);
  Napi::Array values = Napi::Array::New(env, 2);
  values.Set(0u, number(env, result.lane_values[0]));
  values.Set(1u, number(env, result.lane_values[1]));
  object.Set("laneValues", values);
  object.Set("nanoseconds", number(env, double(result.nanoseconds)));
  object.Set("rounds", number(env, result.rounds));
  return object;
}

}  // namespace warpfs

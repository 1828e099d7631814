#include "peer_binding.h"

#include "../host_error.h"
#include "../peer/cam_batches.h"
#include "../peer/copilot_host.h"
#include "../peer/gpufs_workers.h"
#include "../peer/nvme_controller.h"
#include "arguments.h"
#include "dispatch_values.h"
#include "medium_values.h"

namespace warpfs {

namespace {

std::unique_ptr<PeerProtocol> protocol_of(const Napi::Object& config, const PeerOptions& options) {
  const std::string kind = string_field(config, "kind");
  const Napi::Object shape = required(config, "shape").As<Napi::Object>();
  if (kind == "nvme") return std::make_unique<NvmeController>(NvmeShape{number_field(shape, "queues"), number_field(shape, "depth")}, options);
  if (kind == "copilot") {
    const CopilotShape queues{number_field(shape, "queues"), number_field(shape, "depth"), number_field(shape, "ids")};
    return std::make_unique<CopilotHost>(CopilotRoles{queues, number_field(shape, "agents")}, options);
  }
  if (kind == "gpufs") return std::make_unique<GpufsWorkers>(GpufsShape{number_field(shape, "slots"), number_field(shape, "pageBytes")}, options);
  if (kind == "cam") return std::make_unique<CamBatches>(CamShape{number_field(shape, "groups"), number_field(shape, "entries")}, options);
  throw Napi::TypeError::New(config.Env(), "no peer of this kind: " + kind);
}

/// Its memory is that of two arrays, which it keeps.
struct OpenPeer {
  Napi::ObjectReference shared, data;
  std::unique_ptr<PeerHost> host;
};

uint8_t* bytes_of(const Napi::Object& config, const char* name, uint64_t& bytes, Napi::ObjectReference& kept) {
  const auto array = required(config, name).As<Napi::Uint8Array>();
  kept = Napi::Persistent(array.As<Napi::Object>());
  bytes = array.ByteLength();
  return const_cast<uint8_t*>(array.Data());  // what stands in it is shared
}

PeerHost& host_of(const std::shared_ptr<OpenPeer>& open, Napi::Env env) {
  if (open->host != nullptr) return *open->host;
  throw Napi::Error::New(env, "this peer is closed");
}

Napi::Value open_peer(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Object config = info[0].As<Napi::Object>();
  const auto open = std::make_shared<OpenPeer>();
  PeerOptions options;
  options.fd = int(number_field(config, "fd"));
  options.shared = bytes_of(config, "shared", options.shared_bytes, open->shared);
  options.data = bytes_of(config, "data", options.data_bytes, open->data);
  options.reads_move = boolean_field(config, "readsMove");
  options.writes_move = boolean_field(config, "writesMove");
  options.threads = number_field(config, "threads");
  if (const Napi::Value medium = config.Get("medium"); medium.IsObject()) options.medium = medium_profile(medium.As<Napi::Object>());
  try {
    open->host = std::make_unique<PeerHost>(options, protocol_of(config, options));
  } catch (const HostError& error) {
    throw_host_error(env, error.code, error.what());
  }
  Napi::Object peer = Napi::Object::New(env);
  peer.Set("begin", Napi::Function::New(env, [open](const Napi::CallbackInfo& call) { host_of(open, call.Env()).begin(); }));
  peer.Set("end", Napi::Function::New(env, [open](const Napi::CallbackInfo& call) { host_of(open, call.Env()).end(); }));
  peer.Set("medium", Napi::Function::New(env, [open](const Napi::CallbackInfo& call) -> Napi::Value {
             const auto record = host_of(open, call.Env()).medium_record();
             return record == nullptr ? call.Env().Undefined() : Napi::Value(medium_report(call.Env(), *record));
           }));
  peer.Set("close", Napi::Function::New(env, [open](const Napi::CallbackInfo&) {
             open->host.reset();
             open->shared.Reset();
             open->data.Reset();
           }));
  return peer;
}

}  // namespace

void add_peer_functions(Napi::Env env, Napi::Object exports) { exports.Set("peer", Napi::Function::New(env, open_peer)); }

}  // namespace warpfs

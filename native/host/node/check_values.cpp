#include "check_values.h"

#include "dispatch_values.h"

#include <dlfcn.h>

#include <cstdio>
#include <map>

namespace warpfs {

namespace {

SchedulerKind scheduler_named(Napi::Env env, const std::string& name) {
  static const std::map<std::string, SchedulerKind> KINDS = {{"random", SchedulerKind::RANDOM}, {"pct", SchedulerKind::PCT}, {"pos", SchedulerKind::POS},
                                                             {"portfolio", SchedulerKind::PORTFOLIO}, {"exhaustive", SchedulerKind::EXHAUSTIVE}};
  const auto found = KINDS.find(name);
  if (found == KINDS.end()) throw_host_error(env, "EINVAL", "unknown scheduler '" + name + "'");
  return found->second;
}

std::vector<uint8_t> bytes_of(const Napi::Value& value) {
  const Napi::TypedArray array = value.As<Napi::TypedArray>();
  const uint8_t* bytes = static_cast<const uint8_t*>(array.ArrayBuffer().Data()) + array.ByteOffset();
  return {bytes, bytes + array.ByteLength()};
}

Napi::Uint8Array bytes_value(Napi::Env env, const std::vector<uint8_t>& bytes) {
  Napi::Uint8Array array = Napi::Uint8Array::New(env, bytes.size());
  std::copy(bytes.begin(), bytes.end(), array.Data());
  return array;
}

Decisions decisions_of(const Napi::Value& value) {
  const Napi::Uint32Array words = value.As<Napi::Uint32Array>();
  Decisions decisions;
  for (size_t at = 0; at + 3 < words.ElementLength(); at += 4) {
    decisions.push_back({words[at], words[at + 1], DecisionKind(words[at + 2]), words[at + 3]});
  }
  return decisions;
}

Napi::Uint32Array decisions_value(Napi::Env env, const Decisions& decisions) {
  Napi::Uint32Array words = Napi::Uint32Array::New(env, decisions.size() * 4);
  for (size_t at = 0; at < decisions.size(); at++) {
    words[at * 4] = decisions[at].actor;
    words[at * 4 + 1] = decisions[at].step;
    words[at * 4 + 2] = uint32_t(decisions[at].kind);
    words[at * 4 + 3] = decisions[at].value;
  }
  return words;
}

std::string hex(uint64_t value) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return text;
}

/// path+0xoffset, as addr2line takes it. One byte back: what is known is where the call returns to.
std::string place_of(uintptr_t pc) {
  Dl_info found;
  if (dladdr(reinterpret_cast<void*>(pc), &found) == 0 || found.dli_fname == nullptr) return "0x" + hex(pc);
  char offset[32];
  std::snprintf(offset, sizeof offset, "+0x%llx", static_cast<unsigned long long>(pc - 1 - reinterpret_cast<uintptr_t>(found.dli_fbase)));
  return found.dli_fname + std::string(offset);
}

double number_of(const Napi::Object& object, const char* name) { return required(object, name).As<Napi::Number>().DoubleValue(); }

}  // namespace

CheckOptions check_options(const Napi::Object& config) {
  const Napi::Env env = config.Env();
  CheckOptions options;
  options.lane_count = number_field(config, "laneCount");
  options.schedule.scheduler = scheduler_named(env, string_field(config, "scheduler"));
  options.schedule.depth = number_field(config, "depth");
  options.schedule.preemptions = number_field(config, "preemptions");
  options.schedule.relaxed = string_field(config, "memory") == "relaxed";
  const std::string progress = string_field(config, "progress");
  const auto model = progress_named(progress);
  if (!model) throw_host_error(env, "EINVAL", "unknown progress model '" + progress + "'");
  options.schedule.progress = *model;
  options.schedule.seed = number_field(config, "seed");
  options.schedule.step_limit = number_field(config, "stepLimit");
  const Napi::Object faults = required(config, "faults").As<Napi::Object>();
  options.faults = {number_field(faults, "eio"), number_field(faults, "enospc"), number_field(faults, "eintr"), number_field(faults, "shortIo"), number_field(faults, "delay"),
                    number_field(faults, "die"), number_field(faults, "revive"), number_field(faults, "truncate"), number_field(faults, "replace")};
  options.cuda = boolean_field(config, "cuda");
  options.module = string_field(config, "module");
  options.mutant = number_field(config, "mutant");
  return options;
}

Scenario scenario_of(const Napi::Object& object) {
  Scenario scenario;
  const Napi::Array files = required(object, "files").As<Napi::Array>();
  for (uint32_t at = 0; at < files.Length(); at++) {
    const Napi::Object file = files.Get(at).As<Napi::Object>();
    scenario.files.push_back({string_field(file, "path"), bytes_of(required(file, "bytes"))});
  }
  std::map<const void*, uint32_t> known;  // one buffer that appears twice is one buffer
  const Napi::Array dispatches = required(object, "dispatches").As<Napi::Array>();
  for (uint32_t at = 0; at < dispatches.Length(); at++) {
    const Napi::Object part = dispatches.Get(at).As<Napi::Object>();
    ScenarioDispatch made;
    made.dispatch = dispatch_request(part);
    made.explored = boolean_field(part, "explored");
    for (size_t buffer = 0; buffer < made.dispatch.buffers.size(); buffer++) {
      const uint8_t* bytes = static_cast<const uint8_t*>(made.dispatch.buffers[buffer]);
      const auto [found, is_new] = known.try_emplace(bytes, uint32_t(scenario.buffers.size()));
      if (is_new) scenario.buffers.emplace_back(bytes, bytes + made.dispatch.buffer_bytes[buffer]);
      made.buffers.push_back(found->second);
    }
    made.dispatch.buffers.clear();
    made.dispatch.buffer_bytes.clear();
    scenario.dispatches.push_back(std::move(made));
  }
  scenario.keep_host = boolean_field(object, "keepHost");
  scenario.order_matters = boolean_field(object, "orderMatters");
  scenario.finish = boolean_field(object, "finish");
  scenario.files_matter = boolean_field(object, "filesMatter");
  return scenario;
}

ExploreLimits limits_of(const Napi::Object& object) {
  ExploreLimits limits;
  limits.schedules = uint64_t(number_of(object, "schedules"));
  limits.time = std::chrono::milliseconds(int64_t(number_of(object, "milliseconds")));
  limits.first = uint64_t(number_of(object, "first"));
  limits.twice = boolean_field(object, "twice");
  limits.trace = boolean_field(object, "trace");
  limits.shrink = boolean_field(object, "shrink");
  limits.outcomes_max = number_field(object, "outcomesMax");
  limits.has_decisions = object.Get("decisions").IsTypedArray();
  if (limits.has_decisions) limits.decisions = decisions_of(object.Get("decisions"));
  return limits;
}

Napi::Object finding_value(Napi::Env env, const Finding& finding, uint64_t schedule, const Decisions& decisions, uint64_t trace_hash) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("kind", finding.kind);
  object.Set("message", finding.message);
  object.Set("schedule", number(env, double(schedule)));
  Napi::Array actors = Napi::Array::New(env, finding.actors.size());
  for (uint32_t at = 0; at < finding.actors.size(); at++) {
    const FindingActor& actor = finding.actors[at];
    Napi::Object value = Napi::Object::New(env);
    value.Set("actor", number(env, actor.actor));
    value.Set("warp", number(env, actor.warp));
    value.Set("lane", number(env, actor.lane));
    value.Set("step", number(env, actor.step));
    Napi::Array pcs = Napi::Array::New(env, actor.pcs.size());
    for (uint32_t pc = 0; pc < actor.pcs.size(); pc++) pcs.Set(pc, place_of(actor.pcs[pc]));
    value.Set("pcs", pcs);
    actors.Set(at, value);
  }
  object.Set("actors", actors);
  object.Set("decisions", decisions_value(env, decisions));
  object.Set("traceHash", hex(trace_hash));
  return object;
}

namespace {

Napi::Object outcome_value(Napi::Env env, const Outcome& outcome, const Scenario& scenario) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("schedule", number(env, double(outcome.schedule)));
  object.Set("count", number(env, double(outcome.count)));
  Napi::Array dispatches = Napi::Array::New(env);
  for (uint32_t dispatch = 0; dispatch < scenario.dispatches.size(); dispatch++) {
    Napi::Array buffers = Napi::Array::New(env);
    const std::vector<uint32_t>& used = scenario.dispatches[dispatch].buffers;
    for (uint32_t buffer = 0; buffer < used.size(); buffer++) buffers.Set(buffer, bytes_value(env, outcome.buffers[used[buffer]]));
    dispatches.Set(dispatch, buffers);
  }
  object.Set("buffers", dispatches);
  Napi::Uint32Array order = Napi::Uint32Array::New(env, outcome.order.size() * 3);
  for (size_t at = 0; at < outcome.order.size(); at++) {
    order[at * 3] = outcome.order[at].warp;
    order[at * 3 + 1] = outcome.order[at].step;
    order[at * 3 + 2] = uint32_t(outcome.order[at].time);
  }
  object.Set("order", order);
  Napi::Array files = Napi::Array::New(env);
  for (uint32_t file = 0; file < outcome.files.size(); file++) {
    if (outcome.files[file]) files.Set(file, bytes_value(env, *outcome.files[file]));
    else files.Set(file, env.Undefined());
  }
  object.Set("files", files);
  DispatchResult failures;
  failures.failures = outcome.failures;
  object.Set("failures", dispatch_result(env, failures).Get("failures"));
  object.Set("faults", number(env, double(outcome.faults)));
  object.Set("decisions", decisions_value(env, outcome.decisions));
  return object;
}

}  // namespace

Napi::Object exploration_value(Napi::Env env, const ExplorationResult& result, const Scenario& scenario) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("schedules", number(env, double(result.schedules)));
  object.Set("complete", number(env, double(result.complete)));
  object.Set("blocked", number(env, double(result.blocked)));
  object.Set("states", number(env, double(result.states)));
  object.Set("finished", Napi::Boolean::New(env, result.finished));
  object.Set("steps", number(env, double(result.steps)));
  object.Set("nanoseconds", number(env, double(result.nanoseconds)));
  object.Set("traceHash", hex(result.trace_hash));
  if (!result.finding.kind.empty()) {
    object.Set("finding", finding_value(env, result.finding, result.finding_schedule, result.decisions, result.trace_hash));
  }
  Napi::Array outcomes = Napi::Array::New(env, result.outcomes.size());
  for (uint32_t at = 0; at < result.outcomes.size(); at++) outcomes.Set(at, outcome_value(env, result.outcomes[at], scenario));
  object.Set("outcomes", outcomes);
  Napi::Array trace = Napi::Array::New(env, result.trace.size());
  for (uint32_t at = 0; at < result.trace.size(); at++) {
    const TraceEvent& event = result.trace[at];
    Napi::Object value = Napi::Object::New(env);
    value.Set("time", number(env, double(event.time)));
    value.Set("actor", number(env, event.actor));
    value.Set("name", event.name);
    value.Set("detail", event.detail);
    value.Set("value", number(env, double(event.value)));
    trace.Set(at, value);
  }
  if (!result.trace.empty()) object.Set("trace", trace);
  return object;
}

}  // namespace warpfs

// Media between JavaScript and the daemon: profiles in, records out; and the model alone, in virtual time.
#pragma once
#include "../medium_load.h"
#include "../medium_record.h"
#include "arguments.h"

#include <napi.h>

namespace warpfs {

inline MediumLatency medium_latency(const Napi::Object& value) { return {real_field(value, "medianNs"), real_field(value, "p99Ns")}; }

inline MediumDirection medium_direction(const Napi::Object& value) {
  return {medium_latency(value), real_field(value, "iops"), real_field(value, "smallIops"), real_field(value, "bytesPerSecond")};
}

inline MediumProfile medium_profile(const Napi::Object& value) {
  MediumProfile profile;
  profile.queue_depth = number_field(value, "queueDepth");
  profile.duplex = boolean_field(value, "duplex");
  profile.read = medium_direction(required(value, "read").As<Napi::Object>());
  profile.write = medium_direction(required(value, "write").As<Napi::Object>());
  profile.burst_bytes = real_field(value, "burstBytes");
  profile.sustained_bytes_per_second = real_field(value, "sustainedBytesPerSecond");
  profile.sync = medium_latency(required(value, "sync").As<Napi::Object>());
  profile.seed = wide_field(value, "seed", profile.seed);
  return profile;
}

inline Napi::Object medium_times(Napi::Env env, const TimeHistogram& times) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("medianNs", Napi::Number::New(env, times.quantile(0.5)));
  object.Set("p99Ns", Napi::Number::New(env, times.quantile(0.99)));
  object.Set("maxNs", Napi::Number::New(env, double(times.max())));
  return object;
}

inline Napi::Object medium_report(Napi::Env env, const MediumRecord& record) {
  Napi::Object report = Napi::Object::New(env);
  const char* const names[MEDIUM_KINDS] = {"read", "write", "sync"};
  for (size_t kind = 0; kind < MEDIUM_KINDS; kind++) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("answers", Napi::Number::New(env, double(record.given[kind].count())));
    object.Set("wanted", medium_times(env, record.wanted[kind]));
    object.Set("given", medium_times(env, record.given[kind]));
    report.Set(names[kind], object);
  }
  const double answers = double(record.late.count());
  report.Set("answers", Napi::Number::New(env, answers));
  report.Set("late", medium_times(env, record.late));
  report.Set("lateShare", Napi::Number::New(env, answers == 0 ? 0 : double(record.late_answers.load()) / answers));
  return report;
}

inline Napi::Value medium_load(Napi::Env env, const Napi::Object& profile, const Napi::Object& load) {
  const MediumLoadResult result = run_medium_load(
      medium_profile(profile), {.write = boolean_field(load, "write"), .bytes = number_field(load, "bytes"), .depth = number_field(load, "depth"),
                                .requests = number_field(load, "requests"), .sync = boolean_field(load, "sync")});
  Napi::Object object = Napi::Object::New(env);
  object.Set("medianNs", Napi::Number::New(env, result.median_ns));
  object.Set("p99Ns", Napi::Number::New(env, result.p99_ns));
  object.Set("perSecond", Napi::Number::New(env, result.per_second));
  object.Set("bytesPerSecond", Napi::Number::New(env, result.bytes_per_second));
  return object;
}

}  // namespace warpfs

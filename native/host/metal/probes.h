// The probes of the self-test, in the order in which they are made: those that could end with a lost GPU come last.
#pragma once
#include "probing.h"

namespace warpfs::metal {

struct Probe {
  const char* name;
  const char* question;
  const char* method;
  /// Sets verdict, text and numbers. Throws NoAnswer or HostError.
  void (*make)(Probing& gpu, ProbeResult& result);
};

std::vector<Probe> probes_of_stores();   // probe_stores.mm
std::vector<Probe> probes_of_loads();    // probe_loads.mm
std::vector<Probe> probes_of_refills();  // probe_refill.mm
std::vector<Probe> probes_of_tearing();  // probe_tearing.mm
std::vector<Probe> probes_of_events();   // probe_events.mm
std::vector<Probe> probes_of_rounds();   // probe_rounds.mm
std::vector<Probe> probes_of_quanta();   // probe_quantum.mm

inline void conclude(ProbeResult& result, bool as_expected, std::string text) {
  result.verdict = as_expected ? Verdict::AS_EXPECTED : Verdict::NOT_AS_EXPECTED;
  result.text = std::move(text);
}

}  // namespace warpfs::metal

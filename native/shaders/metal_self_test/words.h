// What a kernel of the Metal self-test and the host tell each other. Compiled on both sides.
#pragma once

namespace self_test {

// Each word is far from the others: none shares a line of a cache with another one.
namespace Word {
enum : unsigned {
  STOP = 0,          // host: a kernel that waits or counts ends
  TOLD = 64,         // host: the payload of this round is there
  READY = 128,       // gpu: it has read the former payload, and looks
  PUBLISHED = 192,   // gpu: the payload of this round is there
  SEEN = 256,        // gpu: it has seen TOLD
  FORMER = 320,      // gpu: words of the payload that were of neither the former round nor this one when it began
  STALE = 384,       // gpu: words of the payload that were not those of this round
  STALE_NEXT = 448,  // gpu: the same, of the dispatch behind
  READS = 512,       // gpu: how often it looked at words of 64 bits
  CHANGES = 576,     // gpu: how often one was another than before
  TORN = 640,        // gpu: how often one was of two halves
  ALL = 704
};
}

// The payload of a round: word i is value + i. Rounds are so far apart that no word of one is one of another.
struct Launch {
  unsigned value;
  unsigned former;  // the value of the round before
  unsigned payload_words;
  unsigned polls;    // the most that a kernel waits or counts: Metal has no clock
  unsigned threads;  // of the dispatch
  unsigned result;   // where a count goes: a Word
};

}

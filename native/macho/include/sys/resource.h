#pragma once
#include <sys/types.h>

typedef uint64_t rlim_t;
struct rlimit {
  rlim_t rlim_cur, rlim_max;
};
struct rusage {
  struct timeval ru_utime, ru_stime;
  long ru_maxrss, ru_ixrss, ru_idrss, ru_isrss, ru_minflt, ru_majflt, ru_nswap, ru_inblock, ru_oublock, ru_msgsnd, ru_msgrcv, ru_nsignals, ru_nvcsw,
      ru_nivcsw;
};
#define RUSAGE_SELF 0
#define RLIM_INFINITY ((1ull << 63) - 1)
#define RLIMIT_FSIZE 1
#define RLIMIT_MEMLOCK 6
#define RLIMIT_NOFILE 8

extern "C" {
int getrlimit(int, struct rlimit*);
int setrlimit(int, const struct rlimit*);
int getrusage(int, struct rusage*);
}

#pragma once
#include <signal.h>
#include <sys/types.h>

typedef enum { P_ALL, P_PID, P_PGID } idtype_t;
typedef uint32_t id_t;
#define WNOHANG 0x01
#define WEXITED 0x04
#define WNOWAIT 0x20
#define WEXITSTATUS(status) ((*(int*)&(status) >> 8) & 0xff)
#define WTERMSIG(status) (*(int*)&(status) & 0177)
#define WIFEXITED(status) (WTERMSIG(status) == 0)
#define WIFSIGNALED(status) (WTERMSIG(status) != 0177 && WTERMSIG(status) != 0)

extern "C" {
pid_t waitpid(pid_t, int*, int);
int waitid(idtype_t, id_t, siginfo_t*, int);
}

#pragma once
#include <sys/types.h>

#define STDIN_FILENO 0
#define STDOUT_FILENO 1
#define STDERR_FILENO 2
#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2
#define _SC_PAGESIZE 29
#define _SC_NPROCESSORS_ONLN 58
#define _SC_PHYS_PAGES 200

extern "C" {
[[noreturn]] void _exit(int);
int execl(const char*, const char*, ...);
int execvp(const char*, char* const*);
int close(int);
int dup(int);
int dup2(int, int);
int pipe(int[2]);
ssize_t read(int, void*, size_t);
ssize_t write(int, const void*, size_t);
ssize_t pread(int, void*, size_t, off_t);
ssize_t pwrite(int, const void*, size_t, off_t);
off_t lseek(int, off_t, int);
int fsync(int);
int truncate(const char*, off_t);
int ftruncate(int, off_t);
int unlink(const char*);
int unlinkat(int, const char*, int);
int symlink(const char*, const char*);
int rmdir(const char*);
ssize_t readlink(const char*, char*, size_t);
ssize_t readlinkat(int, const char*, char*, size_t);
int linkat(int, const char*, int, const char*, int);
int symlinkat(const char*, int, const char*);
pid_t getpid(void);
pid_t fork(void);
uid_t geteuid(void);
long sysconf(int);
int usleep(useconds_t);
int getpagesize(void);
}

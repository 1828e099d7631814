#pragma once
#include <sched.h>
#include <sys/types.h>

typedef struct _opaque_pthread_t* pthread_t;
typedef unsigned long pthread_key_t;
// As large as the real ones, and closed.
struct warpfs_opaque_mutex {
  long signature;
  char opaque[56];
};
struct warpfs_opaque_condition {
  long signature;
  char opaque[40];
};
struct warpfs_opaque_attributes {
  long signature;
  char opaque[56];
};
struct warpfs_opaque_small {
  long signature;
  char opaque[8];
};
typedef struct warpfs_opaque_mutex pthread_mutex_t;
typedef struct warpfs_opaque_condition pthread_cond_t;
typedef struct warpfs_opaque_attributes pthread_attr_t;
typedef struct warpfs_opaque_small pthread_mutexattr_t;
typedef struct warpfs_opaque_small pthread_condattr_t;
typedef struct warpfs_opaque_small pthread_once_t;
#define PTHREAD_MUTEX_INITIALIZER {0x32aaaba7, {0}}
#define PTHREAD_COND_INITIALIZER {0x3cb0b1bb, {0}}
#define PTHREAD_ONCE_INIT {0x30b1bcba, {0}}
#define PTHREAD_MUTEX_RECURSIVE 2

extern "C" {
int pthread_create(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
int pthread_join(pthread_t, void**);
int pthread_detach(pthread_t);
pthread_t pthread_self(void);
int pthread_equal(pthread_t, pthread_t);
int pthread_once(pthread_once_t*, void (*)(void));
int pthread_setname_np(const char*);
int pthread_key_create(pthread_key_t*, void (*)(void*));
void* pthread_getspecific(pthread_key_t);
int pthread_setspecific(pthread_key_t, const void*);
int pthread_mutexattr_init(pthread_mutexattr_t*);
int pthread_mutexattr_settype(pthread_mutexattr_t*, int);
int pthread_mutexattr_destroy(pthread_mutexattr_t*);
int pthread_mutex_init(pthread_mutex_t*, const pthread_mutexattr_t*);
int pthread_mutex_lock(pthread_mutex_t*);
int pthread_mutex_trylock(pthread_mutex_t*);
int pthread_mutex_unlock(pthread_mutex_t*);
int pthread_mutex_destroy(pthread_mutex_t*);
int pthread_cond_signal(pthread_cond_t*);
int pthread_cond_broadcast(pthread_cond_t*);
int pthread_cond_wait(pthread_cond_t*, pthread_mutex_t*);
int pthread_cond_timedwait(pthread_cond_t*, pthread_mutex_t*, const struct timespec*);
int pthread_cond_destroy(pthread_cond_t*);
}

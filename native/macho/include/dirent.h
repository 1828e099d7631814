#pragma once
#include <sys/types.h>

typedef struct warpfs_opaque_directory DIR;
struct dirent {
  uint64_t d_ino, d_seekoff;
  uint16_t d_reclen, d_namlen;
  uint8_t d_type;
  char d_name[1024];
};

extern "C" {
DIR* opendir(const char*);
DIR* fdopendir(int);
struct dirent* readdir(DIR*);
int closedir(DIR*);
int dirfd(DIR*);
}

#pragma once

typedef union {
  char opaque[128];
  long long aligned;
} mbstate_t;

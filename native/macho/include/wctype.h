#pragma once
#include <wchar.h>

typedef uint32_t wctype_t;
typedef int wctrans_t;

extern "C" {
int iswctype(wint_t, wctype_t);
wctype_t wctype(const char*);
wint_t towlower(wint_t);
wint_t towupper(wint_t);
}

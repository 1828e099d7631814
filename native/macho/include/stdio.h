#pragma once
#include <stdarg.h>
#include <sys/types.h>

typedef struct __sFILE FILE;
typedef off_t fpos_t;
extern "C" FILE *__stdinp, *__stdoutp, *__stderrp;
#define stdin __stdinp
#define stdout __stdoutp
#define stderr __stderrp
#define EOF (-1)
#define BUFSIZ 1024
#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2

extern "C" {
FILE* fopen(const char*, const char*);
FILE* fdopen(int, const char*);
FILE* freopen(const char*, const char*, FILE*);
int fclose(FILE*);
int fflush(FILE*);
int fileno(FILE*);
void setbuf(FILE*, char*);
int setvbuf(FILE*, char*, int, size_t);
size_t fread(void*, size_t, size_t, FILE*);
size_t fwrite(const void*, size_t, size_t, FILE*);
int fseek(FILE*, long, int);
int fseeko(FILE*, off_t, int);
off_t ftello(FILE*);
long ftell(FILE*);
int feof(FILE*);
int ferror(FILE*);
int getc(FILE*);
int ungetc(int, FILE*);
int fputc(int, FILE*);
int fputs(const char*, FILE*);
char* fgets(char*, int, FILE*);
int puts(const char*);
int putchar(int);
int printf(const char*, ...) __attribute__((format(printf, 1, 2)));
int fprintf(FILE*, const char*, ...) __attribute__((format(printf, 2, 3)));
int dprintf(int, const char*, ...) __attribute__((format(printf, 2, 3)));
int snprintf(char*, size_t, const char*, ...) __attribute__((format(printf, 3, 4)));
int vsnprintf(char*, size_t, const char*, va_list) __attribute__((format(printf, 3, 0)));
int vfprintf(FILE*, const char*, va_list) __attribute__((format(printf, 2, 0)));
int vasprintf(char**, const char*, va_list) __attribute__((format(printf, 2, 0)));
int sscanf(const char*, const char*, ...) __attribute__((format(scanf, 2, 3)));
int vsscanf(const char*, const char*, va_list) __attribute__((format(scanf, 2, 0)));
int remove(const char*);
int rename(const char*, const char*);
int renameat(int, const char*, int, const char*);
void perror(const char*);
}

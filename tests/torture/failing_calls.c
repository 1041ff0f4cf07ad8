/* A library to preload (LD_PRELOAD): the k-th call of one kind fails, as on a full or broken disk. Only calls that
 * concern a folder count. For scripts/torture.sh, which builds it with cc.
 *
 *   LTAD_FAIL_CALL    write, pwrite, read, rename, fsync, open or mmap
 *   LTAD_FAIL_AT      which call fails, from 1 on; 0: none
 *   LTAD_FAIL_ERRNO   with which number, such as 28 (ENOSPC)
 *   LTAD_FAIL_UNDER   the folder, absolute
 *   LTAD_FAIL_COUNT   file that gets the number of calls there were, at the end
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

static const char *wanted, *under;
static long fail_at;
static int fail_errno;
static atomic_long calls;

__attribute__((constructor)) static void begin(void) {
    const char* at = getenv("LTAD_FAIL_AT");
    const char* number = getenv("LTAD_FAIL_ERRNO");
    wanted = getenv("LTAD_FAIL_CALL");
    under = getenv("LTAD_FAIL_UNDER");
    fail_at = at != NULL ? atol(at) : 0;
    fail_errno = number != NULL ? atoi(number) : EIO;
}

__attribute__((destructor)) static void end(void) {
    const char* path = getenv("LTAD_FAIL_COUNT");
    FILE* file = path != NULL ? fopen(path, "w") : NULL;
    if (file == NULL) return;
    fprintf(file, "%ld\n", atomic_load(&calls));
    fclose(file);
}

/* Whether this call is to fail. */
static int strikes(const char* call, const char* path) {
    if (wanted == NULL || under == NULL || strcmp(call, wanted) != 0) return 0;
    if (path[0] == '/' && strncmp(path, under, strlen(under)) != 0) return 0;
    if (atomic_fetch_add(&calls, 1) + 1 != fail_at) return 0;
    errno = fail_errno;
    return 1;
}

static int strikes_file(const char* call, int file) {
    char link[64], path[PATH_MAX];
    if (wanted == NULL || strcmp(call, wanted) != 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    const ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = '\0';
    return path[0] == '/' && strikes(call, path); /* no pipes and sockets */
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int file, const void* bytes, size_t count) {
    return strikes_file("write", file) ? -1 : REAL(write)(file, bytes, count);
}

ssize_t pwrite(int file, const void* bytes, size_t count, off_t offset) {
    return strikes_file("pwrite", file) ? -1 : REAL(pwrite)(file, bytes, count, offset);
}

ssize_t pwrite64(int file, const void* bytes, size_t count, off64_t offset) {
    return strikes_file("pwrite", file) ? -1 : REAL(pwrite64)(file, bytes, count, offset);
}

ssize_t read(int file, void* bytes, size_t count) {
    return strikes_file("read", file) ? -1 : REAL(read)(file, bytes, count);
}

int rename(const char* from, const char* to) { return strikes("rename", to) ? -1 : REAL(rename)(from, to); }

int fsync(int file) { return strikes_file("fsync", file) ? -1 : REAL(fsync)(file); }

static mode_t mode_of(int flags, va_list more) {
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? (mode_t)va_arg(more, int) : 0;
}

int open(const char* path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    const mode_t mode = mode_of(flags, more);
    va_end(more);
    return strikes("open", path) ? -1 : REAL(open)(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    const mode_t mode = mode_of(flags, more);
    va_end(more);
    return strikes("open", path) ? -1 : REAL(open64)(path, flags, mode);
}

void* mmap(void* at, size_t size, int protection, int flags, int file, off_t offset) {
    return file >= 0 && strikes_file("mmap", file) ? MAP_FAILED : REAL(mmap)(at, size, protection, flags, file, offset);
}

void* mmap64(void* at, size_t size, int protection, int flags, int file, off64_t offset) {
    return file >= 0 && strikes_file("mmap", file) ? MAP_FAILED
                                                   : REAL(mmap64)(at, size, protection, flags, file, offset);
}

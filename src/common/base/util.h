/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The few helpers that every file needs: cleanup attributes, ownership transfer, string tests. */

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define _cleanup_(func) __attribute__((__cleanup__(func)))
#define _unused_ __attribute__((__unused__))     /* when NDEBUG removes the assert() that uses it */
#define _printf_(fmt, first) __attribute__((__format__(__printf__, fmt, first)))

/* Moves the value out of a _cleanup_ variable. */
#define STEAL_PTR(p) ({ typeof(p) *_from = &(p), _value = *_from; *_from = NULL; _value; })
#define STEAL_FD(fd) ({ int *_from = &(fd), _value = *_from; *_from = -EBADF; _value; })

#define DEFINE_CLEANUP(type, func) \
        static inline void func##p(type **p) { if (*p) func(*p); } _Static_assert(1, "eat the semicolon")

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
/* Each argument is evaluated once; the numbered names allow them to be nested. */
#define _COMPARED(n, a, op, b) \
        ({ typeof(a) _a##n = (a); typeof(b) _b##n = (b); _a##n op _b##n ? _a##n : _b##n; })
#define _COMPARED_EXPANDED(n, a, op, b) _COMPARED(n, a, op, b)
#define MIN(a, b) _COMPARED_EXPANDED(__COUNTER__, a, <, b)
#define MAX(a, b) _COMPARED_EXPANDED(__COUNTER__, a, >, b)

static inline void freep(void *p) {
        free(*(void **) p);
}

static inline void closep(int *fd) {
        if (*fd >= 0)
                (void) close(*fd);
}

static inline void fclosep(FILE **f) {
        if (*f)
                (void) fclose(*f);
}

static inline void closedirp(DIR **d) {
        if (*d)
                (void) closedir(*d);
}

static inline bool streq(const char *a, const char *b) {
        return strcmp(a, b) == 0;
}

/* Equal; NULL equals only NULL. */
static inline bool streq_ptr(const char *a, const char *b) {
        return a && b ? streq(a, b) : a == b;
}

static inline bool startswith(const char *s, const char *prefix) {
        return strncmp(s, prefix, strlen(prefix)) == 0;
}

static inline bool endswith(const char *s, const char *suffix) {
        size_t length = strlen(s), n = strlen(suffix);

        return length >= n && streq(s + length - n, suffix);
}

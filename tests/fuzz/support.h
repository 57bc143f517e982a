/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What fuzz targets share: a condition that holds in every build, files that are memory, a made-up clock and /sys. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/util.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void fuzz_must_at(bool holds, const char *condition, const char *file, int line);

/* Unlike assert(), whatever the build. */
#define must(condition) fuzz_must_at((condition), #condition, __FILE__, __LINE__)

/* It can be shown and put into JSON as it is: nothing is left to be escaped. NULL is fine. */
void fuzz_must_be_printable(const char *text);

/* A file of this process alone, with a path. */
typedef struct FuzzFile {
        int fd;
        char path[64];
} FuzzFile;

void fuzz_file_open(FuzzFile *f, const char *name);
void fuzz_file_write(const FuzzFile *f, const void *data, size_t size);

/* All of a file of text, freed by the caller. */
char *fuzz_read_file(const char *path);

/* The bytes as text with a NUL behind them; freed by the caller. */
char *fuzz_text(const uint8_t *data, size_t size);

/*
 * From the first call on, CLOCK_MONOTONIC and CLOCK_BOOTTIME stand still but for these steps: what waits for
 * a time comes to it at once, and the same input does the same again.
 */
void fuzz_clock_start(void);
void fuzz_clock_step(uint64_t usec);

/*
 * A target whose state lives through inputs would have libFuzzer look for leaks after each of them. It looks itself,
 * now and then, which costs as much: what is found need not be of the last input.
 */
void fuzz_look_for_leaks_seldom(int *argc, char ***argv);
void fuzz_look_for_leaks(void);         /* after each input; most of the time it does nothing */

/* From now on this process alone sees an empty directory in this place. Needs root. */
void fuzz_mount_empty(const char *path);

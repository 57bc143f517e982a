/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdio.h>

/*
 * StateFile: a file of lkmd's in /run/lkmd/state. Anyone may read it, and it is replaced atomically. Something else
 * in its place is not read, and is replaced the next time.
 */

int state_file_read(const char *path, size_t size_max, char **ret, size_t *ret_size);

typedef int (*state_file_line_t)(char *line, void *userdata); /* negative: not a line that lkmd writes */
int state_file_read_lines(const char *path, size_t size_max, size_t lines_max, state_file_line_t take, void *userdata);

typedef int (*state_file_print_t)(FILE *f, void *userdata);
int state_file_print(const char *path, state_file_print_t print, void *userdata, FILE **ret);
void state_file_touch(const char *path);
int state_file_replace(const char *path, const char *text, size_t size);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdio.h>

/*
 * A file of ours in /run/lkmd/state: anyone may read it, and it is written beside the old one until it is complete.
 * What lies in its place and is none of ours is not read, and goes when it is written the next time.
 */

int state_file_read(const char *path, size_t size_max, char **ret, size_t *ret_size);

typedef int (*state_file_line_t)(char *line, void *userdata); /* negative: it is none of ours */
int state_file_read_lines(const char *path, size_t size_max, size_t lines_max, state_file_line_t take, void *userdata);

typedef int (*state_file_print_t)(FILE *f, void *userdata);
int state_file_print(const char *path, state_file_print_t print, void *userdata, FILE **ret);
void state_file_touch(const char *path);
int state_file_replace(const char *path, const char *text, size_t size);

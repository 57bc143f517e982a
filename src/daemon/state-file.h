/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdio.h>

/* A file of ours in /run/lkmd/state: anyone may read it, and it is written beside the old one until it is complete. */

int state_file_open(const char *path, FILE **ret);
int state_file_replace(const char *path, const char *text, size_t size);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/base/util.h"

/* KernelLog: what the kernel logs about a module, to explain a failure. */
typedef struct KernelLog KernelLog;

int kernel_log_new(KernelLog **ret, int fd);
KernelLog *kernel_log_free(KernelLog *l);
DEFINE_CLEANUP(KernelLog, kernel_log_free);

void kernel_log_skip(KernelLog *l);
int kernel_log_take(KernelLog *l, const char *module, char ***ret_lines, size_t *ret_n);

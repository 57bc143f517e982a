/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

/*
 * HandoverKernel: which program the kernel asks for modules. @root: prefix of all paths for tests; "": none.
 */

int handover_take_kernel(const char *root);
int handover_give_back_kernel(const char *root);
int handover_check_kernel(const char *root);
int handover_shut_kernel(const char *root, bool closed);

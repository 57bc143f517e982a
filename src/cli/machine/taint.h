/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

#include "cli/machine/machine.h"

/* Taint: what makes the kernel's developers distrust a kernel, and which module did it. */

const char *taint_words(char letter);
int taint_of_module(const Machine *machine, const char *module, char **ret);
int taint_of_kernel(const Machine *machine, char **ret);
int taint_bringers(const Machine *machine, char letter, char ***ret);

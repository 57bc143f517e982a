/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/machine/machine.h"
#include "common/base/util.h"

/*
 * ModuleBuild: by what a build of a module is told from another, of the module in the kernel and of its file. What is
 * not known is NULL.
 */
typedef struct ModuleBuild {
        char *version, *srcversion, *build_id;
} ModuleBuild;

typedef enum BuildMatch {
        BUILD_UNKNOWN,                  /* nothing that both have */
        BUILD_SAME,
        BUILD_OTHER,
} BuildMatch;

int module_build_of_kernel(const Machine *machine, const char *module, ModuleBuild *ret);
int module_build_of_file(const char *path, ModuleBuild *ret);
BuildMatch module_build_compare(const ModuleBuild *a, const ModuleBuild *b);
void module_build_clear(ModuleBuild *b);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

/* What a module's file says of itself (modinfo). */

typedef struct ModuleFacts {            /* what policies ask */
        const char *license;            /* NULL: it has none */
        bool is_signed, in_tree;
} ModuleFacts;

int module_info_parameters(const char *path, char ***ret);
int module_info_facts(const char *path, char **ret_license, bool *ret_is_signed, bool *ret_in_tree);

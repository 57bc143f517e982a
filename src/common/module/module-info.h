/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

/* What a module's file says of itself (modinfo). */

typedef struct ModuleFacts {            /* what policies ask */
        const char *license;            /* of the "license" line; NULL: it has none */
        bool is_signed;                 /* by whomever; whether the kernel trusts that is for the kernel to say */
        bool in_tree;                   /* built with its kernel ("intree") */
} ModuleFacts;

int module_info_parameters(const char *path, char ***ret);
int module_info_facts(const char *path, ModuleFacts *ret);
void module_facts_clear(ModuleFacts *f);

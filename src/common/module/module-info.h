/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

/* ModuleInfo: what a module file says of itself (modinfo). */

typedef struct ModuleFacts {            /* what policies and plans ask */
        char *license;                  /* of the "license" line; NULL: it has none */
        char *signer;                   /* as the signature names it; NULL: it has none, or names nobody */
        bool is_signed;                 /* by anybody; only the kernel knows whether it trusts the key */
        bool in_tree;                   /* built with its kernel ("intree") */
        char *name;                     /* in the kernel; NULL: the file does not say, as those of old kernels */
        char *vermagic;                 /* NULL: none */
} ModuleFacts;

const char *module_path_get_place(const char *path);
int module_info_parameters(const char *path, char ***ret);
bool module_parameter_is_universal(const char *assignment);
bool module_parameter_is_known(char *const *known, const char *assignment);
int module_info_parameter_types(const char *path, char ***ret);
int module_info_facts(const char *path, ModuleFacts *ret);
void module_facts_clear(ModuleFacts *f);

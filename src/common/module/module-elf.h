/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

#include "common/base/util.h"

/* ModuleElf: the sections of a module file of this machine, for what libkmod does not tell: its build, its symbols. */
typedef struct ModuleElf ModuleElf;

#define BUILD_ID_MAX 64U                /* bytes; that of sha1 has 20 */

/* @name: valid for the call. Return: 0; anything else stops, and is the result. */
typedef int (*module_elf_symbol_t)(const char *name, void *userdata);

int module_elf_new(ModuleElf **ret, const char *path);
ModuleElf *module_elf_free(ModuleElf *m);
DEFINE_CLEANUP(ModuleElf, module_elf_free);

const char *module_elf_info(const ModuleElf *m, const char *key, size_t *at);
int module_elf_build_id(const ModuleElf *m, char **ret);
int module_elf_undefined(const ModuleElf *m, module_elf_symbol_t on_symbol, void *userdata);

int build_id_of_notes(const void *notes, size_t size, char **ret);

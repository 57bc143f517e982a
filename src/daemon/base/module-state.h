/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/util.h"

/* ModuleState: what the kernel says about modules, read at each call: others load and remove them too. */

typedef enum ModuleState {
        MODULE_ABSENT,
        MODULE_COMING,
        MODULE_LIVE,
        MODULE_GOING,
        _MODULE_STATE_MAX,
} ModuleState;

ModuleState module_state_read(const char *module);
int module_ref_count(const char *module, unsigned *ret);
int module_parameter_read(const char *module, const char *name, char *buffer, size_t size);
bool module_parameter_is_writable(const char *module, const char *name);
int module_holders(const char *module, char ***ret);

typedef struct LoadedModule {
        char *name;
        uint64_t size_bytes;
        int64_t ref_count;              /* -1: this kernel cannot unload */
        char **holders;                 /* NULL-terminated */
        ModuleState state;
} LoadedModule;

int loaded_modules_read(LoadedModule **ret, size_t *ret_n);
void loaded_modules_free(LoadedModule *modules, size_t n);

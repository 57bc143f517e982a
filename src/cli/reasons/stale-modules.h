/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-json.h>

#include "cli/machine/machine.h"
#include "cli/machine/module-build.h"
#include "common/index/index.h"
#include "common/module/file-facts.h"

/* StaleModules: the modules in the kernel that are not those of their files any more. */

typedef enum StaleKind {
        STALE_OTHER_BUILD,              /* the file was replaced since */
        STALE_NO_FILE,                  /* there is no file of it any more */
        STALE_NO_KERNEL,                /* the modules of the running kernel were removed */
        _STALE_KIND_MAX,
} StaleKind;

typedef struct StaleModule {
        char *module, *path;            /* path: NULL: there is none */
        StaleKind kind;
        bool in_use;
        ModuleBuild loaded, on_disk;
} StaleModule;

typedef struct StaleModules {
        StaleModule *items;
        size_t n_items;
        size_t n_modules;               /* in the kernel */
        size_t n_unknown;               /* of which it cannot be told: the build, or the file, may not be read */
} StaleModules;

int stale_modules_find(const Machine *machine, const Index *index, FileFacts *facts, StaleModules *ret);
void stale_modules_clear(StaleModules *s);

int stale_module_command(const StaleModule *m, char **ret);
const char *stale_module_words(StaleKind kind);
int stale_module_to_json(const StaleModule *m, sd_json_variant **ret);

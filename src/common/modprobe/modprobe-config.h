/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/base/problem-list.h"
#include "common/base/util.h"

typedef enum ConfigKind {
        CONFIG_ALIAS,                   /* name: pattern, value: module */
        CONFIG_BLACKLIST,               /* name: module, value: NULL */
        CONFIG_OPTIONS,                 /* name: module or alias, value: parameters */
        CONFIG_INSTALL,                 /* name: pattern of module names, value: command */
        CONFIG_REMOVE,                  /* likewise */
        CONFIG_SOFTDEP,                 /* name: pattern of module names, value: as written after the name */
        CONFIG_WEAKDEP,                 /* likewise */
        _CONFIG_KIND_MAX,
        _CONFIG_KIND_INVALID = -EINVAL,
} ConfigKind;

/* One line that counts. Everything is borrowed from the ModprobeConfig. */
typedef struct ConfigEntry {
        ConfigKind kind;
        const char *name;               /* normalised: '-' is '_' outside of [..] */
        const char *value;
        const char *file;               /* "/proc/cmdline" for the kernel command line */
        unsigned line;                  /* first physical line; 0 for the kernel command line */
        bool dashed;                    /* written with '-' on the kernel command line: kmod does not find it */
} ConfigEntry;

typedef struct ModprobeConfig ModprobeConfig;

typedef struct ModprobeConfigSources {
        const char *const *paths;       /* directories or files, highest first, NULL-terminated; NULL: kmod's five */
        const char *module_dir;         /* for its modules.softdep and modules.weakdep; NULL: none */
        const char *command_line;       /* text of /proc/cmdline; NULL: none */
} ModprobeConfigSources;

int modprobe_config_new(ModprobeConfig **ret, const ModprobeConfigSources *sources, ProblemList *problems);
ModprobeConfig *modprobe_config_free(ModprobeConfig *c);
DEFINE_CLEANUP(ModprobeConfig, modprobe_config_free);

/* All entries of a kind in the order of reading. By kind, the first one that matches counts, or all. */
const ConfigEntry *modprobe_config_entries(const ModprobeConfig *c, ConfigKind kind, size_t *ret_n);

bool modprobe_config_is_blacklisted(const ModprobeConfig *c, const char *module,
                                    const ConfigEntry **ret_entry);
const ConfigEntry *modprobe_config_find_command(const ModprobeConfig *c, ConfigKind kind,
                                                const char *module);

/* "alias NAME off": the way of module-init-tools to say that a name means nothing; "null" likewise. */
bool config_entry_turns_off(const ConfigEntry *e);

const char *config_kind_to_string(ConfigKind kind);

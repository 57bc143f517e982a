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

/* What became of a path that a reader of modprobe.d came across. */
typedef enum ConfigPathFate {
        CONFIG_PATH_DIRECTORY,          /* its files are read */
        CONFIG_PATH_READ,
        CONFIG_PATH_HIDDEN,             /* a file of the same name in a higher directory counts instead */
        CONFIG_PATH_NOT_NAMED,          /* its name does not end in .conf, or begins with a dot */
        CONFIG_PATH_UNREADABLE,
} ConfigPathFate;

/*
 * For whoever explains a configuration rather than follows it: what is met while it is read, in that order. Each
 * function may be NULL; a negative return ends the reading. The kernel command line is not reported.
 */
typedef struct ConfigObserver {
        /* @by: the file that hides it; @error: why it cannot be read (errno, positive) */
        int (*on_path)(const char *path, ConfigPathFate fate, const char *by, int error, void *userdata);
        /* @text has a NUL behind it */
        int (*on_text)(const char *file, const char *text, size_t size, void *userdata);
        /* A line that is not empty, with continuation lines joined. @counts: it has become an entry */
        int (*on_line)(const char *file, unsigned line, const char *text, bool counts, void *userdata);
        void *userdata;
} ConfigObserver;

typedef struct ModprobeConfigSources {
        const char *const *paths;       /* directories or files, highest first, NULL-terminated; NULL: kmod's five */
        const char *module_dir;         /* for its modules.softdep and modules.weakdep; NULL: none */
        const char *command_line;       /* text of /proc/cmdline; NULL: none */
        const ConfigObserver *observer; /* NULL: none */
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
ConfigKind config_kind_from_string(const char *word);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* ModprobeOptions: what modprobe's command line and MODPROBE_OPTIONS ask for. */
typedef struct ModprobeOptions {
        bool all;
        bool remove, remove_holders, first_time;
        bool ignore_commands, use_blacklist;
        bool force_modversion, force_vermagic;
        bool force;                     /* -f: a removal is forced, too; both of the above */
        bool resolve;                   /* -R */
        bool dry_run, ignore_loaded, shows; /* -n; -D is all three */
        bool show_config, show_versions, show_exports;
        bool show_help, show_version;
        bool to_syslog;
        int level;                      /* of messages: LOG_*; 0 with -q */
        uint64_t wait_msec;             /* 0: does not wait */
        const char *root, *release;     /* borrowed; NULL: / and the running kernel's */
        const char **config_paths;      /* NULL-terminated, borrowed strings; NULL: kmod's */
        char **args;                    /* borrowed */
        int n_args;
        char **words;                   /* with those of MODPROBE_OPTIONS; owned */
        char *environment;              /* that they point into; owned */
} ModprobeOptions;

/* Return: 0; -EINVAL: something is wrong, which was said; -ENOMEM. */
int modprobe_options_read(ModprobeOptions *ret, int argc, char **argv);
void modprobe_options_clear(ModprobeOptions *o);
void modprobe_print_help(const char *program);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <systemd/sd-json.h>

#include "common/base/util.h"

/* StateLog: a state file with one JSON object per line, which grows at its end and is rewritten from time to time. */
typedef struct StateLog {
        /* set by the owner, before state_log_open() */
        const char *loss;               /* for the log, what a failure to write costs; static */
        size_t (*count)(void *userdata); /* lines that are in memory */
        int (*format)(size_t i, sd_json_variant **ret, void *userdata); /* the @i-th of them */
        int (*take)(sd_json_variant *v, void *userdata); /* of a line; negative: not one that lkmd writes */
        void *userdata;
        size_t lines_max;               /* of the file; then it is rewritten */
        size_t bytes_max;               /* likewise; 0: any number */

        char *path;                     /* NULL: no file */
        FILE *file;
        size_t n_lines;
        bool failed;                    /* writing failed, which was logged */
        unsigned wait, n_waited;        /* writes to skip until the next attempt, and how many were skipped */
} StateLog;

int state_log_open(StateLog *l, const char *path, size_t size_max);
void state_log_close(StateLog *l);
void state_log_append(StateLog *l, sd_json_variant *v);
void state_log_rewrite(StateLog *l);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <systemd/sd-json.h>

#include "common/base/util.h"

/* A state file of JSON, one object a line, that grows at its end and is written anew when it has grown enough. */
typedef struct StateLog {
        char *path;                     /* NULL: no file */
        const char *loss;               /* what a restart forgets while it cannot be written; static */
        int (*print)(FILE *f, void *userdata); /* all of it that is in memory */
        void *userdata;
        FILE *file;
        size_t n_lines;
        bool failed;                    /* and said so */
        unsigned wait, n_waited;        /* writes left out until it is tried again, and how many were */
} StateLog;

int state_log_open(StateLog *l, const char *path, size_t size_max, size_t lines_max,
                   int (*take)(sd_json_variant *v, void *userdata));
void state_log_close(StateLog *l);
int state_log_print_line(FILE *f, sd_json_variant *v);
void state_log_append(StateLog *l, sd_json_variant *v);
void state_log_rewrite(StateLog *l);

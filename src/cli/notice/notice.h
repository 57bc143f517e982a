/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <systemd/sd-json.h>

#include "common/base/util.h"

/*
 * Notice: one refusal, as somebody at a desktop wants to read it: what, for whom, why, and the command that allows it.
 * Plain text, fit for a terminal; whoever shows it as markup escapes it. Owns everything.
 */
typedef struct Notice {
        char *kind;                     /* what it has in common with others of which one is enough */
        char *summary;                  /* one line */
        char *body;                     /* one line, a whole sentence */
        char *command;                  /* NULL: no grant would change it */
        sd_json_variant *event;
} Notice;

int notice_from_event(Notice *ret, sd_json_variant *event, bool audit);
void notice_clear(Notice *n);
int notice_to_json(const Notice *n, sd_json_variant **ret);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <systemd/sd-json.h>

#include "cli/kmod/tool.h"

/* ToolAsk: how the commands of kmod ask lkmd, if it runs. */

typedef struct ToolAnswer {
        char *error;                    /* "io.lkmd.Manager.InUse"; NULL: done. Owned */
        sd_json_variant *fields;        /* of the reply or of the error; referenced; may be NULL */
} ToolAnswer;

void tool_answer_clear(ToolAnswer *a);

bool tool_ask_is_possible(void);
int tool_ask(const char *method, sd_json_variant *parameters, ToolAnswer *ret);
void tool_ask_done(void);

const char *tool_answer_sentence(const ToolAnswer *a);
bool tool_answer_is(const ToolAnswer *a, const char *error);
int tool_answer_errno(const ToolAnswer *a);
ToolStatus tool_say_denied(const char *sentence);

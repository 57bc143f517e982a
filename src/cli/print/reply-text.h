/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The objects of io.lkmd.Manager as text. Everything is escaped. */

#include <stdbool.h>
#include <stdio.h>
#include <systemd/sd-json.h>

#include "cli/print/output.h"

void print_requester(FILE *f, sd_json_variant *requester);
void print_requester_process(FILE *f, sd_json_variant *process);
void print_requester_kind(FILE *f, sd_json_variant *requester);
void print_requester_short(FILE *f, sd_json_variant *requester);
void print_record_requester(FILE *f, sd_json_variant *record);
void print_record_requester_brief(FILE *f, sd_json_variant *record);
void print_record_requester_short(FILE *f, sd_json_variant *record);
void print_outcome(FILE *f, sd_json_variant *record);
bool record_is_failure(sd_json_variant *record);
bool record_is_old(sd_json_variant *record);
bool record_is_foreign(sd_json_variant *record);
bool record_is_requested(sd_json_variant *record);
void print_omission(FILE *f, sd_json_variant *omission);
void print_load_time(FILE *f, sd_json_variant *record, uint64_t usec);
void print_whereabouts(FILE *f, sd_json_variant *record);
void print_list_place(FILE *f, sd_json_variant *requester);
void print_place(FILE *f, sd_json_variant *object);
void print_problem(FILE *f, sd_json_variant *problem);
void print_strings(FILE *f, sd_json_variant *array);
bool is_same_module(const char *a, const char *b);
void print_looked_at(FILE *f, sd_json_variant *reply);
void print_module_state(const Output *out, const char *name, const char *state, const char *remark);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-json.h>

#include "cli/holders/subject.h"
#include "cli/print/output.h"

/* Holders: all that uses a module, and how much of the kernel's count that explains. */

int holders_find(Subject **ret, const char *root, const char *module);
int holders_look(Subject *s);
uint64_t holders_explained(const Subject *s);
int holders_to_json(const Subject *s, sd_json_variant **ret);
int holders_to_list(const Subject *s, size_t max, sd_json_variant **ret);
int holders_add_to_error(const char *root, sd_json_variant **fields);
int holders_print(const Subject *s, const Output *out);
const Hold *holders_first(const Subject *s);
void hold_write(FILE *f, const Hold *h);

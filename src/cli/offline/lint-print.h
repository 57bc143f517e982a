/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/offline/lint.h"

/* The findings, then what was looked at; as text or as JSON. */
int lint_print(Lint *l);
/* Only those in one file, as text, without what was looked at; and those as a JSON array. Return: their number. */
int lint_print_file(const Lint *l, const char *file);
int lint_file_to_json(const Lint *l, const char *file, sd_json_variant **ret);

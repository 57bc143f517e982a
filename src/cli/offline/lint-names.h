/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/offline/lint.h"

/* Aliases and softdeps: lines that lead to modules that there are not. */
int lint_names(Lint *l);

/* For other parts of lint. */
int lint_built_in(Lint *l, const ConfigEntry *e, const ShownNames *modules, const char *consequence);
int lint_misspelt(Lint *l, const ConfigEntry *e, const char *name);
int lint_no_module(Lint *l, const ConfigEntry *e, const char *name);
const char *lint_likely_name(const Lint *l, const char *name); /* NULL: it looks like no misspelt name */
bool lint_name_is_plain(const char *name);

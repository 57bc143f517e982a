/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/call/run.h"
#include "cli/offline/offline-policy.h"
#include "common/index/index.h"

/*
 * Lint: compares a policy and a configuration with the existing modules, and reports what does not do what it looks
 * like.
 */
typedef struct Lint {
        Run *run;
        const Index *index;
        const OfflinePolicy *offline;
        size_t n_findings;
} Lint;

typedef struct Finding {
        const char *kind; /* for programs: "unreachable", "no_such_module", ... */
        const char *file;
        unsigned line, column; /* 0: not known */
        const char *instead; /* what to write; NULL: no advice */
} Finding;

/* As lint_rules(), lint_config() and lint_text(): 0, also after findings; negative errno. */
int lint_report(Lint *l, const Finding *finding, const char *format, ...) _printf_(3, 4);

/* Up to three names and how many more: "a, b, c and 5 more". */
#define NAMES_SHOWN 3U
typedef struct ShownNames {
        const char *names[NAMES_SHOWN]; /* borrowed */
        size_t n;
} ShownNames;

void shown_names_add(ShownNames *s, const char *name);
void shown_names_print(const ShownNames *s, char *buf, size_t size);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/call/run.h"
#include "cli/offline/lint-accept.h"
#include "cli/offline/lint-kind.h"
#include "cli/offline/offline-policy.h"
#include "common/index/index.h"

/*
 * Lint: compares a policy and a configuration with the existing modules, and reports what does not do what it looks
 * like. lint-*.c find it; it is kept until all of it is known, and printed then (lint-print.h).
 */
typedef struct Finding {
        FindingKind kind;
        const char *file;
        unsigned line, column;          /* 0: not known */
        const char *instead;            /* what to write, or what to do; NULL: no advice */
        const char *subject;            /* the module, or whatever else it is about; NULL: the file */
} Finding;

typedef struct KeptFinding {
        FindingKind kind;
        char *file, *message;
        unsigned line, column;
        char *instead, *subject;        /* may be NULL */
        bool is_distributions;          /* in a file that a package brings and nobody edits */
        const char *accepted;           /* the reason why it is accepted; NULL: it is not */
} KeptFinding;

/* What was looked at, so that "nothing" means something. */
typedef struct LintScope {
        char **directories;             /* of modprobe.d, those that are there */
        char **files;                   /* those that were read */
        size_t n_lines;                 /* of these, without comments and empty ones */
        size_t n_unread;                /* paths that could not be read */
} LintScope;

typedef struct Lint {
        Run *run;
        const Index *index;
        const OfflinePolicy *offline;
        const char *command_line;       /* of the kernel; NULL: it cannot be read */
        AcceptanceList acceptances;
        LintScope scope;
        KeptFinding *findings;          /* by place, once they are complete */
        size_t n_findings;
} Lint;

void lint_clear(Lint *l);

/* As all of lint-*.h: 0, also after findings; negative errno. Everything is copied. */
int lint_report(Lint *l, const Finding *finding, const char *format, ...) _printf_(3, 4);

/* Calls @check for each line of one kind, until one fails. */
int lint_each_entry(Lint *l, ConfigKind kind, int (*check)(Lint *l, const ConfigEntry *e));

/* No findings come after this: sorts them, and tells those that are accepted. */
int lint_complete(Lint *l);

/* Does it decide the exit status? */
bool kept_finding_counts(const KeptFinding *f);

/* A file that came with a package, in a directory where nothing else belongs. */
bool lint_is_distributions(const Lint *l, const char *file);

/* Up to three names and how many more: "a, b, c and 5 more". */
#define NAMES_SHOWN 3U
typedef struct ShownNames {
        const char *names[NAMES_SHOWN]; /* borrowed */
        size_t n;
} ShownNames;

void shown_names_add(ShownNames *s, const char *name);
void shown_names_print(const ShownNames *s, char *buf, size_t size);

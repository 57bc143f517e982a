/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/call/run.h"
#include "common/index/index.h"

/*
 * Offline: the modules and the configuration that the options of offline verbs ask for.
 */

void offline_print_problems(const Run *run, const ProblemList *problems);

/* Return: 0; an ExitStatus, after reporting why; negative errno. */
int offline_index(Run *run, bool modules_needed, const Index **ret);
int offline_index_read(Run *run, bool modules_needed, const Index **ret, ProblemList *problems);
int offline_check_paths(Run *run, const char *option, const char *const *paths);
/* The modules of the running kernel, whatever the options say, with the same modprobe.d. */
int offline_index_here(Run *run, const Index **ret);
int offline_module_dir(Run *run, char **ret);

bool offline_may_not_read(const char *module_dir);
int report_no_index(Run *run, const char *module_dir);
int report_no_such_module(Run *run, const Index *index, const char *key);

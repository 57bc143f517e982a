/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The verbs of lkmctl, as the table in commands.c names them: one file for each, or for a few that do the same. */

#include "cli/call/run.h"

/* All return an ExitStatus, after reporting what is wrong; negative errno, which main() reports. */
int verb_config(Run *run, char **args, unsigned n_args);
int verb_deps(Run *run, char **args, unsigned n_args);
int verb_diff_modprobe(Run *run, char **args, unsigned n_args);
int verb_explain(Run *run, char **args, unsigned n_args);
int verb_help(Run *run, char **args, unsigned n_args);
int verb_list(Run *run, char **args, unsigned n_args);
int verb_load(Run *run, char **args, unsigned n_args);
int verb_metrics(Run *run, char **args, unsigned n_args);
int verb_monitor(Run *run, char **args, unsigned n_args);
int verb_plan(Run *run, char **args, unsigned n_args);
int verb_policy(Run *run, char **args, unsigned n_args);
int verb_policy_allow(Run *run, char **args, unsigned n_args);
int verb_policy_audit(Run *run, char **args, unsigned n_args);
int verb_policy_check(Run *run, char **args, unsigned n_args);
int verb_policy_deny(Run *run, char **args, unsigned n_args);
int verb_policy_lint(Run *run, char **args, unsigned n_args);
int verb_policy_preview(Run *run, char **args, unsigned n_args);
int verb_policy_propose(Run *run, char **args, unsigned n_args);
int verb_policy_revoke(Run *run, char **args, unsigned n_args);
int verb_policy_show(Run *run, char **args, unsigned n_args);
int verb_reload(Run *run, char **args, unsigned n_args);
int verb_resolve(Run *run, char **args, unsigned n_args);
int verb_status(Run *run, char **args, unsigned n_args);
int verb_unload(Run *run, char **args, unsigned n_args);
int verb_version(Run *run, char **args, unsigned n_args);
int verb_wait(Run *run, char **args, unsigned n_args);

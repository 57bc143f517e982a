/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/policy/policy.h"

/* Policies of a test, from text. All functions abort when they cannot do what they are for. */

/* @rules: a file FILE.yaml without its "version: 1" */
Policy *policy_bench_make(PolicyMode mode, const char *rules);

/* A policy_facts_t that knows /own.ko, /foreign.ko and /nameless.ko. @userdata: counts the calls; may be NULL. */
const ModuleFacts *policy_bench_facts(const char *path, void *userdata);

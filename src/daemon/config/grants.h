/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/boot-moment.h"
#include "common/base/problem-list.h"
#include "common/base/util.h"
#include "common/policy/policy-file.h"
#include "common/policy/policy-rule.h"

/* Grants: exceptions from the policy, for a time. */
typedef struct Grant {
        char *id;
        char *module;                   /* normalised name or glob */
        PolicyVerdict verdict;          /* POLICY_ALLOW or POLICY_DENY */
        char *reason;
        uint64_t expires_usec;          /* CLOCK_REALTIME; UINT64_MAX: at the reboot */
        uint64_t ends_boot_usec;        /* CLOCK_BOOTTIME, if that is earlier; UINT64_MAX: likewise */
        bool once;
        bool has_uid;                   /* of who gave it */
        uid_t uid;
        uint64_t created_usec;          /* CLOCK_REALTIME; 0: not known */
} Grant;

typedef struct Grants Grants;

int grants_new(Grants **ret, const char *path, const BootMoment *now, ProblemList *problems);
int grants_parse(Grants **ret, const char *path, const char *text, size_t size, const BootMoment *now,
                 ProblemList *problems);
int grants_print(const Grants *g, char **ret, size_t *ret_size);
Grants *grants_free(Grants *g);
DEFINE_CLEANUP(Grants, grants_free);

size_t grants_count(const Grants *g);
const Grant *grants_get(const Grants *g, size_t i);     /* oldest first */
const Grant *grants_find(const Grants *g, const char *id);

/* What is wrong with it; NULL: nothing. */
const char *grant_check_module(const char *module);
const char *grant_check_reason(const char *reason);

int grants_add(Grants *g, const Grant *wanted, const Grant **ret);
int grants_remove(Grants *g, const char *id);
size_t grants_expire(Grants *g, uint64_t now_usec, uint64_t now_boot_usec);
void grants_next_expiry(const Grants *g, uint64_t *ret_usec, uint64_t *ret_boot_usec);

int grants_to_file(const Grants *g, PolicyFile **ret);
int grants_write(const Grants *g);

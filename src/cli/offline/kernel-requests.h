/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/index/index.h"
#include "common/policy/policy.h"

/*
 * KernelRequests: which modules nobody but the kernel asks for, by aliases such as net-pf-10 and algif-aead. Its
 * requests go to modprobe and do not come through lkmd, so that rules about them are not what decides.
 */
typedef struct KernelRequests KernelRequests;

typedef enum KernelRequestsEffect {
        KERNEL_REQUESTS_NO_MATTER,      /* the rule is about others too */
        KERNEL_REQUESTS_HELD,           /* modprobe applies it, since it denies by name alone */
        KERNEL_REQUESTS_UNSEEN,         /* nothing applies it */
} KernelRequestsEffect;

int kernel_requests_new(KernelRequests **ret, const Index *index);
KernelRequests *kernel_requests_free(KernelRequests *k);
DEFINE_CLEANUP(KernelRequests, kernel_requests_free);

KernelRequestsEffect kernel_requests_effect(const KernelRequests *k, const PolicyRule *rule,
                                            const char **ret_module, const char **ret_alias);
int kernel_requests_describe(const KernelRequests *k, const PolicyRule *rule,
                             KernelRequestsEffect *ret_effect, char **ret);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/index/index.h"
#include "common/policy/policy.h"

/*
 * KernelRequests: which modules nobody but the kernel asks for, by aliases such as net-pf-10 and algif-aead. For which
 * process it asks is not always known, so that rules about that need a word.
 */
typedef struct KernelRequests KernelRequests;

int kernel_requests_new(KernelRequests **ret, const Index *index);
KernelRequests *kernel_requests_free(KernelRequests *k);
DEFINE_CLEANUP(KernelRequests, kernel_requests_free);

int kernel_requests_describe(const KernelRequests *k, const PolicyRule *rule, char **ret);

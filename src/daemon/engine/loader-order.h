/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/base/util.h"
#include "common/plan/plan.h"
#include "daemon/privileged/request/loader-protocol.h"

/* LoaderOrder: the parameters of a step with their origins, as lkmd-loader checks them. */
int loader_words_new(LoaderWords **ret, const PlanWords *words, size_t n_words, const char *more);

bool loader_words_have_client(const LoaderWords *words);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdio.h>
#include <systemd/sd-json.h>

#include "cli/offline/offline-policy.h"
#include "cli/print/output.h"
#include "common/base/util.h"
#include "common/index/index.h"

/*
 * PolicyChange: what another policy would refuse or allow that the one before does not. Both are asked the same
 * questions: what the devices of this machine would ask for, what was asked for, what is loaded.
 */
typedef struct PolicyChange PolicyChange;

int policy_change_new(PolicyChange **ret, const Index *index, const OfflinePolicy *before,
                      const OfflinePolicy *after);
PolicyChange *policy_change_free(PolicyChange *c);
DEFINE_CLEANUP(PolicyChange, policy_change_free);

int policy_change_add_devices(PolicyChange *c);
int policy_change_add_asked(PolicyChange *c, sd_json_variant *requester);
int policy_change_add_loaded(PolicyChange *c, const char *module);

size_t policy_change_count(const PolicyChange *c);
void policy_change_print(const PolicyChange *c, FILE *f, const Output *out);
int policy_change_to_json(const PolicyChange *c, sd_json_variant **ret);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

/* Is udev's own rule that loads drivers out of force, so that lkmd is the only one to load them? */
bool udev_rule_is_masked(const char *root);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

/* UdevRule: does udev leave drivers to lkmd while lkmd is in charge, so that never both load them? */
bool udev_rule_leaves_it_to_lkmd(const char *root);

/* Whose file is in its place, if it is not udev's or lkmd's? */
const char *udev_rule_find_own(const char *root);

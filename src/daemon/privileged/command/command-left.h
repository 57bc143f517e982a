/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* CommandLeft: says which processes a command left behind. */
void command_left_report(const char *module);

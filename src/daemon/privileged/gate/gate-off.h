/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

int gate_why_off(const char *root, const char **ret);
int gate_write_off(const char *path, const char *reason);

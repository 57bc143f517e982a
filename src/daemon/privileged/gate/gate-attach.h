/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

int gate_attach(const char *root);
bool gate_is_attached(const char *root);

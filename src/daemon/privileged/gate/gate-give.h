/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

int gate_give(const char *root);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

int lkmd_test_b_value(void);
int lkmd_test_c_value(void);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

int lkmd_test_inner_value(void);

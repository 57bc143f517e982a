// SPDX-License-Identifier: LGPL-2.1-or-later
#include <linux/module.h>

#include "lkmd_test_chain.h"

int lkmd_test_b_value(void) {
        return lkmd_test_c_value() + 1;
}
EXPORT_SYMBOL_GPL(lkmd_test_b_value);

MODULE_DESCRIPTION("lkmd test: needs lkmd_test_c");
MODULE_LICENSE("GPL");

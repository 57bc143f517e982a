// SPDX-License-Identifier: LGPL-2.1-or-later
#include <linux/module.h>

#include "lkmd_test_chain.h"

int lkmd_test_c_value(void) {
        return 2;
}
EXPORT_SYMBOL_GPL(lkmd_test_c_value);

MODULE_DESCRIPTION("lkmd test: end of a chain of dependencies");
MODULE_LICENSE("GPL");

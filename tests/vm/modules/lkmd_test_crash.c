// SPDX-License-Identifier: LGPL-2.1-or-later
/* Takes the whole machine down while it is loaded: what a crash loop is made of. */
#include <linux/module.h>
#include <linux/panic.h>

static int __init lkmd_test_crash_init(void) {
        panic("lkmd_test_crash");
}

module_init(lkmd_test_crash_init);
MODULE_DESCRIPTION("lkmd test: init panics");
MODULE_LICENSE("GPL");

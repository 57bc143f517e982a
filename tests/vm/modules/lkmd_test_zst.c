// SPDX-License-Identifier: LGPL-2.1-or-later
/* Installed as lkmd_test_zst.ko.zst: the kernel itself knows one compression only, and it is another one. */
#include <linux/module.h>

static int number = 1;
module_param(number, int, 0444);
MODULE_PARM_DESC(number, "any number");

MODULE_DESCRIPTION("lkmd test: compressed");
MODULE_LICENSE("GPL");

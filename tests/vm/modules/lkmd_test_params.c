// SPDX-License-Identifier: LGPL-2.1-or-later
#include <linux/module.h>

static int number = 1;
module_param(number, int, 0644);
MODULE_PARM_DESC(number, "any number");

static char *word = "one";
module_param(word, charp, 0444);
MODULE_PARM_DESC(word, "any text");

static bool flag;
module_param(flag, bool, 0644);
MODULE_PARM_DESC(flag, "yes or no");

MODULE_DESCRIPTION("lkmd test: parameters of three types");
MODULE_LICENSE("GPL");

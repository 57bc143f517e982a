/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * UdevRules: which devices have to wait until udev is through with them, because a rule before the one that loads
 * drivers does something that matters to drivers, and which rule that is.
 */

typedef struct UdevWord {
        char *file;
        unsigned line;                  /* 1-based; 0: the whole file */
        const char *deed;               /* constant: "sets driver_override" */
        char **only;                    /* StringLists of patterns of subsystems, "usb|pci*": each of these must match .. */
        char **never;                   /* .. and none of these */
} UdevWord;

typedef struct UdevRules {
        UdevWord *items;                /* in the order of udev */
        size_t n_items;
} UdevRules;

int udev_rules_read(UdevRules *ret, const char *root);
int udev_rules_parse(UdevRules *rules, const char *file, bool local, const char *text);
void udev_rules_clear(UdevRules *rules);

const UdevWord *udev_rules_find(const UdevRules *rules, const char *subsystem);
int udev_rules_get_subsystems(const UdevRules *rules, char ***ret);
bool udev_rules_equal(const UdevRules *a, const UdevRules *b);
int udev_word_describe(const UdevWord *word, char **ret);

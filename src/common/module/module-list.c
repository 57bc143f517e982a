/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ModuleList: lists of module names in settings. Owns nothing. */

#include "common/module/module-list.h"

#include <assert.h>
#include <string.h>

#include "common/base/glob.h"
#include "common/base/limits.h"
#include "common/module/name-glob.h"

/**
 * module_list_contains() - is a module in a list of names and globs?
 * @list:   separated by blanks; '-' and '_' are one letter; a word with a bracket that is not closed matches
 *          nothing
 * @module: normalised
 */
bool module_list_contains(const char *list, const char *module) {
        char word[SETTING_LIST_MAX], normal[2 * SETTING_LIST_MAX];

        assert(list && module);

        for (;;) {
                size_t n;

                list += strspn(list, " \t");
                n = strcspn(list, " \t");
                if (n == 0)
                        return false;
                if (n < sizeof(word)) {
                        memcpy(word, list, n);
                        word[n] = '\0';
                        if (!name_glob_check(word) && name_glob_normalize(word, normal) && glob_match(normal, module))
                                return true;
                }
                list += n;
        }
}

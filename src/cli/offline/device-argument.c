/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* DeviceArgument: see device-argument.h. Owns nothing. */

#include "cli/offline/device-argument.h"

#include <assert.h>

#include "cli/offline/device.h"
#include "cli/offline/suggestion.h"
#include "common/base/module-name.h"
#include "common/base/paths.h"
#include "common/index/index-lookup.h"

/* Return: 1: modules.dep or an alias has it; 0; -ENOMEM. */
static int is_in_index(const char *argument) {
        _cleanup_(problem_list_clear) ProblemList problems = {};
        _cleanup_(index_unrefp) const Index *index = NULL;
        _cleanup_(index_answer_clear) IndexAnswer answer = {};
        int r;

        r = index_new(&index, &(IndexSources) { .root = secure_getenv(LKMD_ROOT_ENV) }, &problems);
        if (r >= 0)
                r = index_lookup(index, argument, &answer);
        return r == -ENOMEM ? r : r >= 0 && answer.n_matches > 0;
}

static bool is_in_kernel(const char *argument) {
        char name[MODULE_NAME_MAX + 1], path[sizeof("/sys/module/") + MODULE_NAME_MAX];

        if (module_name_normalize(argument, name, sizeof(name)) < 0)
                return false;
        (void) snprintf(path, sizeof(path), "/sys/module/%s", name);
        return access(path, F_OK) >= 0;
}

/**
 * device_argument_is() - is it a device, and no module?
 *
 * A path is, unless it is that of a module's file. A name is if a device is called so, and neither a module nor an
 * alias.
 *
 * Return: 1; 0; -ENOMEM.
 */
int device_argument_is(const char *argument) {
        _cleanup_(device_freep) Device *device = NULL;
        char name[MODULE_NAME_MAX + 1];
        int r;

        assert(argument);

        if (device_is_path(argument))
                return !suggestion_from_file(argument, name);
        r = device_find(&device, argument);
        if (r < 0 && r != -ENOTUNIQ)
                return r == -ENOMEM ? r : 0;
        if (is_in_kernel(argument))
                return 0;
        r = is_in_index(argument);
        return r < 0 ? r : !r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Value: what may stand behind an option. Owns nothing. */

#include "cli/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/call/run.h"
#include "cli/time-argument.h"
#include "common/base/clock.h"
#include "common/base/enum-names.h"
#include "common/base/number.h"
#include "common/base/origin.h"
#include "common/base/util.h"

int value_to_flag(void *field, const char *value) {
        *(bool *) field = true;
        return 0;
}

int value_to_group_by(void *field, const char *value) {
        static const char *const names[] = {
                [GROUP_BY_RULE] = "rule",
                [GROUP_BY_REQUESTER] = "requester",
                [GROUP_BY_MODULE] = "module",
                [GROUP_BY_DEVICE] = "device",
        };
        int by = ENUM_VALUE(names, value);

        if (by < 0)
                return by;
        *(GroupBy *) field = (GroupBy) by;
        return 0;
}

/* As journalctl --boot: "0", "-1", "+2" */
int value_to_boot(void *field, const char *value) {
        bool negative = *value == '-';
        uint64_t number;

        value += *value == '-' || *value == '+';
        if (number_take(&value, INT32_MAX, &number) < 0 || *value != '\0')
                return -EINVAL;
        *(OptionalInteger *) field = (OptionalInteger) { true,
                                                         negative ? -(int64_t) number : (int64_t) number };
        return 0;
}

int value_to_text(void *field, const char *value) {
        *(const char **) field = value;
        return 0;
}

int value_to_nonempty_text(void *field, const char *value) {
        return *value == '\0' ? -EINVAL : value_to_text(field, value);
}

int value_to_single_text(void *field, const char *value) {
        return *(const char **) field ? -EINVAL : value_to_nonempty_text(field, value);
}

int value_to_sentence(void *field, const char *value) {
        return value[strspn(value, " \t\r\n")] == '\0' ? -EINVAL : value_to_text(field, value);
}

int value_to_paths(void *field, const char *value) {
        PathList *list = field;
        const char **paths;

        if (*value == '\0')
                return -EINVAL;
        paths = reallocarray(list->paths, list->n_paths + 2, sizeof(*paths));
        if (!paths)
                return -ENOMEM;
        list->paths = paths;
        paths[list->n_paths++] = value;
        paths[list->n_paths] = NULL;
        return 0;
}

/*
 * It becomes an argument of ssh and part of an URL of sd-varlink: nothing that looks like an option,
 * separates the parts of the URL or is no plain character. As for systemd's tools, ".host" is this machine.
 */
int value_to_host(void *field, const char *value) {
        if (streq(value, ".host")) {
                *(const char **) field = NULL;
                return 0;
        }
        if (*value == '\0' || *value == '-')
                return -EINVAL;
        for (const char *p = value; *p; p++)
                if (*p <= ' ' || *p == 0x7f || strchr(":;?#/", *p))
                        return -EINVAL;
        return value_to_text(field, value);
}

int value_to_json_mode(void *field, const char *value) {
        JsonMode *mode = field;

        if (!value || streq(value, "pretty"))
                *mode = JSON_PRETTY;
        else if (streq(value, "short"))
                *mode = JSON_SHORT;
        else
                return -EINVAL;
        return 0;
}

int value_to_colour_mode(void *field, const char *value) {
        ColourMode mode = colour_mode_from_string(value);

        if (mode < 0)
                return -EINVAL;
        *(ColourMode *) field = mode;
        return 0;
}

int value_to_theme(void *field, const char *value) {
        static const char *const themes[] = { "auto", "light", "dark" }; /* in the order of SvgTheme */

        for (unsigned i = 0; i < ARRAY_LEN(themes); i++)
                if (streq(value, themes[i])) {
                        *(unsigned *) field = i;
                        return 0;
                }
        return -EINVAL;
}

int value_to_origin(void *field, const char *value) {
        RequestOrigin origin = request_origin_from_string(value);

        if (origin < 0 || origin >= _ORIGIN_ASKED_MAX)
                return -EINVAL;
        *(OptionalNumber *) field = (OptionalNumber) { true, (uint64_t) origin };
        return 0;
}

int value_to_uid(void *field, const char *value) {
        uint64_t uid;

        if (number_take(&value, UINT32_MAX - 1, &uid) < 0 || *value != '\0')
                return -EINVAL;
        *(OptionalNumber *) field = (OptionalNumber) { true, uid };
        return 0;
}

int value_to_seconds(void *field, const char *value) {
        OptionalNumber *number = field;

        if (parse_seconds(value, &number->value) < 0)
                return -EINVAL;
        number->is_given = true;
        return 0;
}

int value_to_time_span(void *field, const char *value) {
        uint64_t *usec = field;

        return parse_time_span(value, usec) < 0 || *usec == 0 ? -EINVAL : 0;
}

int value_to_since(void *field, const char *value) {
        return parse_since(value, clock_usec(CLOCK_REALTIME), field) < 0 ? -EINVAL : 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* JsonRead: see json-read.h. Owns nothing. */

#include "daemon/base/json-read.h"

#include <assert.h>

#include "common/base/text.h"
#include "common/base/util.h"

/**
 * json_read_text() - a printable text
 * @ret: untouched if there is none
 */
int json_read_text(sd_json_variant *v, const char *name, char **ret) {
        sd_json_variant *member = sd_json_variant_by_key(v, name);

        assert(name && ret);

        if (!member)
                return 0;
        if (!sd_json_variant_is_string(member))
                return -EBADMSG;
        for (const char *p = sd_json_variant_string(member); *p; p += text_printable_length(p))
                if (text_printable_length(p) == 0)
                        return -EBADMSG;
        *ret = strdup(sd_json_variant_string(member));
        return *ret ? 0 : -ENOMEM;
}

/* A number from 0 to @max. */
int json_read_number(sd_json_variant *v, const char *name, uint64_t max, uint64_t *ret) {
        sd_json_variant *member = sd_json_variant_by_key(v, name);

        assert(name && ret);

        *ret = 0;
        if (!member)
                return 0;
        if (!sd_json_variant_is_unsigned(member) || sd_json_variant_unsigned(member) > max)
                return -EBADMSG;
        *ret = sd_json_variant_unsigned(member);
        return 0;
}

int json_read_flag(sd_json_variant *v, const char *name, bool *ret) {
        sd_json_variant *member = sd_json_variant_by_key(v, name);

        assert(name && ret);

        *ret = false;
        if (!member)
                return 0;
        if (!sd_json_variant_is_boolean(member))
                return -EBADMSG;
        *ret = sd_json_variant_boolean(member);
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Fields of objects that came over a socket. What is null or of an unexpected type counts as absent, since lkmctl
 * and lkmd may be of different versions.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-json.h>

static inline const char *field_string(sd_json_variant *object, const char *key) {
        sd_json_variant *v = sd_json_variant_by_key(object, key);

        return sd_json_variant_is_string(v) ? sd_json_variant_string(v) : NULL;
}

static inline bool field_unsigned(sd_json_variant *object, const char *key, uint64_t *ret) {
        sd_json_variant *v = sd_json_variant_by_key(object, key);

        if (!sd_json_variant_is_unsigned(v))
                return false;
        *ret = sd_json_variant_unsigned(v);
        return true;
}

static inline uint64_t field_number(sd_json_variant *object, const char *key) {
        uint64_t u = 0;

        (void) field_unsigned(object, key, &u);
        return u;
}

static inline bool field_bool(sd_json_variant *object, const char *key) {
        sd_json_variant *v = sd_json_variant_by_key(object, key);

        return sd_json_variant_is_boolean(v) && sd_json_variant_boolean(v);
}

static inline sd_json_variant *field_object(sd_json_variant *object, const char *key) {
        sd_json_variant *v = sd_json_variant_by_key(object, key);

        return sd_json_variant_is_object(v) ? v : NULL;
}

static inline sd_json_variant *field_array(sd_json_variant *object, const char *key) {
        sd_json_variant *v = sd_json_variant_by_key(object, key);

        return sd_json_variant_is_array(v) ? v : NULL;
}

static inline size_t field_elements(sd_json_variant *object, const char *key) {
        sd_json_variant *v = field_array(object, key);

        return v ? sd_json_variant_elements(v) : 0;
}

#define ARRAY_FOREACH_INDEX(array, i)                                                                   \
        for (size_t i = 0, _n_##i = (array) ? sd_json_variant_elements(array) : 0; i < _n_##i; i++)

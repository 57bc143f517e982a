/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * OriginColour: one table for all pictures, so that a colour means the same in each. The colours differ in lightness
 * too, and are the nearest to those that Okabe and Ito chose for people who confuse red and green ("Color Universal
 * Design", 2008) that have enough contrast with the background. Owns nothing.
 */

#include "cli/picture/origin-colour.h"

#include <assert.h>

#include "common/base/util.h"

#define ORIGIN(origin, name, words, light, dark) \
        {                                                                                            \
                origin, words, "fill-" name, "line-" name, { ".fill-" name, "fill", light, dark }, { \
                        ".line-" name, "stroke", light, dark                                         \
                }                                                                                    \
        }

static const OriginColour colours[] = {
        ORIGIN("device", "device", "a device", "#0b6fb5", "#58aef0"),
        ORIGIN("kernel", "kernel", "the kernel", "#c25a00", "#f2a14a"),
        ORIGIN("client", "client", "a client of lkmd", "#007a58", "#3ec99b"),
        ORIGIN("boot", "boot", "the boot", "#7d5ba6", "#c0a2e6"),
        ORIGIN("initramfs", "initramfs", "the initramfs", "#69737d", "#a5afb9"),
        ORIGIN("foreign", "foreign", "loaded without lkmd", "#b0447e", "#ee8cbf"),
        ORIGIN("", "unknown", "not known", "#6b6b52", "#c8c89a"), /* the last one: of all others */
};

/* All of them, for a legend. */
const OriginColour *origin_colours(size_t *ret_n) {
        assert(ret_n);

        *ret_n = ARRAY_LEN(colours);
        return colours;
}

/* That of an origin; the last one for an origin that is not known. */
const OriginColour *origin_colour_find(const char *origin) {
        size_t i;

        for (i = 0; i < ARRAY_LEN(colours) - 1; i++)
                if (streq_ptr(origin, colours[i].origin))
                        break;
        return colours + i;
}

/**
 * origin_colour_rules() - the colours of a picture
 * @own:     rules of its own, which come first
 * @ret:     the caller's to free
 *
 * Return: 0; -ENOMEM.
 */
int origin_colour_rules(const SvgColour *own, size_t n_own, SvgColour **ret, size_t *ret_n) {
        SvgColour *rules;

        assert(own && ret && ret_n);

        rules = calloc(n_own + 2 * ARRAY_LEN(colours), sizeof(*rules));
        if (!rules)
                return -ENOMEM;
        memcpy(rules, own, n_own * sizeof(*rules));
        for (size_t i = 0; i < ARRAY_LEN(colours); i++) {
                rules[n_own + 2 * i] = colours[i].fill_rule;
                rules[n_own + 2 * i + 1] = colours[i].line_rule;
        }
        *ret = rules;
        *ret_n = n_own + 2 * ARRAY_LEN(colours);
        return 0;
}

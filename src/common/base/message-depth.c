/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Message depth: how deep a text of JSON is nested, told without parsing it. A parser recurses and allocates for
 * each bracket; this reads each byte once and allocates nothing, so it may be used on what anybody sends.
 */

#include "common/base/message-depth.h"

#include <assert.h>
#include <stdbool.h>

/**
 * message_depth() - the most arrays and objects that lie in each other
 * @text: any bytes; what is no JSON gets a number too, and is the parser's to refuse
 *
 * Return: never less than the depth to which a parser of JSON would follow the text.
 */
size_t message_depth(const char *text, size_t size) {
        size_t depth = 0, deepest = 0;
        bool in_string = false;

        assert(text || size == 0);

        for (size_t i = 0; i < size; i++) {
                char c = text[i];

                if (in_string) {
                        if (c == '\\')
                                i++;    /* whatever it escapes does not end the string */
                        else if (c == '"')
                                in_string = false;
                } else if (c == '"')
                        in_string = true;
                else if (c == '[' || c == '{') {
                        depth++;
                        if (depth > deepest)
                                deepest = depth;
                } else if ((c == ']' || c == '}') && depth > 0)
                        depth--;
        }
        return deepest;
}

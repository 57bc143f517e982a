/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * MessageDepth: how deep a JSON text is nested, found without parsing it. A parser recurses and allocates
 * for each bracket; this reads each byte once and allocates nothing, so it is safe for whatever anybody
 * sends. Owns nothing.
 */

#include "common/base/message-depth.h"

#include <assert.h>
#include <stdbool.h>

/**
 * message_depth() - how many arrays and objects are inside of each other
 * @text: any bytes; text that is no JSON gets a number, too, and is refused by the parser
 *
 * Return: never less than the depth to which a JSON parser would follow the text.
 */
size_t message_depth(const char *text, size_t size) {
        size_t depth = 0, deepest = 0;
        bool in_string = false;

        assert(text || size == 0);

        for (size_t i = 0; i < size; i++) {
                char c = text[i];

                if (in_string) {
                        if (c == '\\')
                                i++;    /* a character that is escaped does not end the string */
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

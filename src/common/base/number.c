/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Number: decimal numbers in files and arguments. Owns nothing. */

#include "common/base/number.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>

/**
 * number_take() - parse the number at the beginning of a text
 * @max: largest value
 *
 * Return: 0; -EINVAL: there is no digit; -ERANGE: it is larger than @max. *@text moves only on success.
 */
int number_take(const char **text, uint64_t max, uint64_t *ret) {
        const char *p;
        uint64_t n = 0;

        assert(text && *text && ret);

        p = *text;
        if (!isdigit((unsigned char) *p))
                return -EINVAL;
        for (; isdigit((unsigned char) *p); p++) {
                uint64_t digit = (uint64_t) (*p - '0');

                if (digit > max || n > (max - digit) / 10)
                        return -ERANGE;
                n = n * 10 + digit;
        }

        *text = p;
        *ret = n;
        return 0;
}

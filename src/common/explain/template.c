/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "common/explain/template.h"

#include <assert.h>

#include "common/base/util.h"

#define FIELD_MAX 15U                   /* bytes of a name */

/* @template: a constant of the program, in which all braces are closed. */
void template_print(FILE *f, const char *template, template_put_t put, const void *userdata) {
        assert(f && template && put);

        while (*template != '\0') {
                size_t length = strcspn(template, "{");
                char field[FIELD_MAX + 1];

                (void) fwrite(template, 1, length, f);
                template += length;
                if (*template == '\0')
                        break;
                length = strcspn(++template, "}");
                assert(length <= FIELD_MAX && template[length] == '}');
                memcpy(field, template, length);
                field[length] = '\0';
                put(f, field, userdata);
                template += length + 1;
        }
}

/**
 * template_fill() - like template_print(), into a new string
 *
 * Return: 0; -ENOMEM.
 */
int template_fill(const char *template, template_put_t put, const void *userdata, char **ret) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        FILE *f;

        assert(ret);

        f = open_memstream(&text, &size);
        if (!f)
                return -ENOMEM;
        template_print(f, template, put, userdata);
        if (fclose(f) != 0)
                return -ENOMEM;
        *ret = STEAL_PTR(text);
        return 0;
}

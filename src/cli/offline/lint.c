/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lint: prints findings. Owns nothing. What finds them is in lint-*.c. */

#include "cli/offline/lint.h"

#include <assert.h>
#include <stdarg.h>

#include "cli/print/format.h"
#include "common/base/text.h"

void shown_names_add(ShownNames *s, const char *name) {
        assert(s && name);

        if (s->n < NAMES_SHOWN)
                s->names[s->n] = name;
        s->n++;
}

void shown_names_print(const ShownNames *s, char *buf, size_t size) {
        size_t used = 0;

        assert(s && buf && size > 0);

        buf[0] = '\0';
        for (size_t i = 0; i < MIN(s->n, (size_t) NAMES_SHOWN) && used < size; i++)
                used += (size_t) snprintf(buf + used, size - used, "%s%s",
                                          i == 0          ? ""
                                          : i + 1 == s->n ? " and "
                                                          : ", ",
                                          s->names[i]);
        if (s->n > NAMES_SHOWN && used < size)
                (void) snprintf(buf + used, size - used, " and %zu more", s->n - NAMES_SHOWN);
}

static int report_json(Lint *l, const Finding *x, const char *message) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        _cleanup_(freep) char *file = NULL, *text = NULL, *instead = NULL;
        int r;

        if ((r = text_escape(x->file, &file)) < 0 || (r = text_escape(message, &text)) < 0 ||
            (r = text_escape(x->instead ?: "", &instead)) < 0)
                return r;
        r = sd_json_buildo(
                &v, SD_JSON_BUILD_PAIR_STRING("kind", x->kind), SD_JSON_BUILD_PAIR_STRING("file", file),
                SD_JSON_BUILD_PAIR_CONDITION(x->line > 0, "line", SD_JSON_BUILD_UNSIGNED(x->line)),
                SD_JSON_BUILD_PAIR_CONDITION(x->line > 0 && x->column > 0, "column",
                                             SD_JSON_BUILD_UNSIGNED(x->column)),
                SD_JSON_BUILD_PAIR_STRING("message", text),
                SD_JSON_BUILD_PAIR_CONDITION(x->instead != NULL, "hint", SD_JSON_BUILD_STRING(instead)));
        return r < 0 ? r : output_json(&l->run->out, v);
}

int lint_report(Lint *l, const Finding *x, const char *format, ...) {
        _cleanup_(freep) char *message = NULL;
        va_list ap;
        int n;

        assert(l && x && format);

        va_start(ap, format);
        n = vasprintf(&message, format, ap);
        va_end(ap);
        if (n < 0) {
                message = NULL;
                return -ENOMEM;
        }
        l->n_findings++;
        if (l->run->out.json != JSON_OFF)
                return report_json(l, x, message);

        print_escaped(stdout, x->file);
        if (x->line > 0)
                printf(":%u", x->line);
        if (x->line > 0 && x->column > 0)
                printf(":%u", x->column);
        printf(": ");
        print_escaped(stdout, message);
        putchar('\n');
        if (x->instead) {
                printf("  %sinstead:%s ", output_tone(&l->run->out, stdout, TONE_DIM),
                       output_tone(&l->run->out, stdout, TONE_PLAIN));
                print_escaped(stdout, x->instead);
                putchar('\n');
        }
        return 0;
}

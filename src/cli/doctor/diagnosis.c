/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Diagnosis: see diagnosis.h. Owns sentences and commands. */

#include "cli/doctor/diagnosis.h"

#include <assert.h>

#include "cli/print/wrap.h"
#include "common/base/array.h"
#include "common/base/text.h"

#define NAME_WIDTH 16
#define INDENT (8 + NAME_WIDTH + 1)     /* of sentences: state, name */

static const struct {
        const char *name;
        Tone tone;
} states[_DIAGNOSIS_STATE_MAX] = {
        [DIAGNOSIS_OK] = { "ok", TONE_GOOD },
        [DIAGNOSIS_NOTE] = { "note", TONE_STRONG },
        [DIAGNOSIS_UNKNOWN] = { "unknown", TONE_WARN },
        [DIAGNOSIS_REPAIR] = { "repair", TONE_BAD },
};

const char *diagnosis_state_to_string(DiagnosisState state) {
        assert(state >= 0 && state < _DIAGNOSIS_STATE_MAX);

        return states[state].name;
}

static void diagnosis_clear(Diagnosis *d) {
        free(d->sentence);
        free(d->command);
        *d = (Diagnosis) {};
}

/**
 * diagnoses_add() - one more, of the check that looks now
 * @command: NULL: nothing to do
 * @format:  of the sentence, whose strings may be any bytes: the result is escaped
 *
 * Return: 0; -ENOMEM.
 */
int diagnoses_add(Diagnoses *l, DiagnosisState state, const char *command, const char *format, ...) {
        Diagnosis d = { .check = l->check, .state = state };
        va_list arguments;
        int r;

        assert(l->check && format);

        va_start(arguments, format);
        r = text_escape_format(&d.sentence, format, arguments);
        va_end(arguments);
        if (r >= 0 && command)
                r = text_escape(command, &d.command);
        if (r >= 0)
                r = array_grow(&l->items, l->n_items, sizeof(*l->items));
        if (r < 0) {
                diagnosis_clear(&d);
                return r;
        }
        l->items[l->n_items++] = d;
        return 0;
}

void diagnoses_clear(Diagnoses *l) {
        assert(l);

        for (size_t i = 0; i < l->n_items; i++)
                diagnosis_clear(l->items + i);
        free(l->items);
        *l = (Diagnoses) {};
}

size_t diagnoses_count(const Diagnoses *l, DiagnosisState state) {
        size_t n = 0;

        assert(l);

        for (size_t i = 0; i < l->n_items; i++)
                n += l->items[i].state == state;
        return n;
}

/* {check, state, sentence, command?} */
int diagnosis_to_json(const Diagnosis *d, sd_json_variant **ret) {
        assert(d && ret);

        return sd_json_buildo(ret, SD_JSON_BUILD_PAIR_STRING("check", d->check),
                              SD_JSON_BUILD_PAIR_STRING("state", diagnosis_state_to_string(d->state)),
                              SD_JSON_BUILD_PAIR_STRING("sentence", d->sentence),
                              SD_JSON_BUILD_PAIR_CONDITION(d->command != NULL, "command",
                                                           SD_JSON_BUILD_STRING(d->command)));
}

static void print_one(const Output *out, const Diagnosis *d, bool same_command_follows) {
        printf("%s%-7s%s %-*s ", output_tone(out, stdout, states[d->state].tone), states[d->state].name,
               output_tone(out, stdout, TONE_PLAIN), NAME_WIDTH, d->check);
        wrap_paragraph(d->sentence, INDENT);
        if (!d->command || same_command_follows)
                return;
        output_hint(out, INDENT, "try");
        wrap_paragraph(d->command, INDENT + sizeof("try:"));
}

/* A line each, what to try below it, and what it comes to. */
void diagnoses_print(const Output *out, const Diagnoses *l) {
        size_t n = diagnoses_count(l, DIAGNOSIS_REPAIR), unknown = diagnoses_count(l, DIAGNOSIS_UNKNOWN);

        for (size_t i = 0; i < l->n_items; i++) {
                const Diagnosis *d = l->items + i, *next = i + 1 < l->n_items ? d + 1 : NULL;

                print_one(out, d,
                          next && streq(next->check, d->check) && next->state == d->state &&
                                  streq_ptr(next->command, d->command));
        }
        putchar('\n');
        if (n > 0)
                printf("%zu of these need%s a hand%s\n", n, n == 1 ? "s" : "", unknown > 0 ? "," : ".");
        else if (unknown == 0)
                printf("All is well.\n");
        if (unknown > 0)
                printf("%s could not be looked at without root's rights: sudo lkmctl doctor\n",
                       n > 0 ? "and some" : "Nothing needs a hand, but some");
}

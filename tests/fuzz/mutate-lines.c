/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A mutator for inputs that are programs of lines: bytes that are changed at random seldom make another deed of one.
 * Every third time libFuzzer changes bytes as ever.
 */

#include "mutate-lines.h"

#include "support.h"

#define LINES_MAX 128U

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed);

typedef struct Program {
        char *lines[LINES_MAX];         /* borrowed */
        size_t n_lines;
} Program;

static void split(Program *p, char *text) {
        char *line;

        while (p->n_lines < LINES_MAX && (line = strsep(&text, "\n")))
                if (*line)
                        p->lines[p->n_lines++] = line;
}

static void insert(Program *p, size_t at, char *line) {
        if (p->n_lines == LINES_MAX)
                return;
        memmove(p->lines + at + 1, p->lines + at, (p->n_lines - at) * sizeof(*p->lines));
        p->lines[at] = line;
        p->n_lines++;
}

static void take_out(Program *p, size_t at) {
        memmove(p->lines + at, p->lines + at + 1, (p->n_lines - at - 1) * sizeof(*p->lines));
        p->n_lines--;
}

/* One change of the order or number of lines. */
static void change(Program *p) {
        size_t n_known = 0, at = (size_t) rand() % (p->n_lines + 1), other;

        while (fuzz_known_lines[n_known])
                n_known++;
        if (p->n_lines == 0 || rand() % 2) {
                insert(p, at, (char *) fuzz_known_lines[(size_t) rand() % n_known]); /* only read */
                return;
        }
        at %= p->n_lines;
        other = (size_t) rand() % p->n_lines;
        switch (rand() % 3) {
        case 0:
                take_out(p, at);
                break;
        case 1:
                insert(p, at, p->lines[other]);
                break;
        default: {
                char *line = p->lines[at];

                p->lines[at] = p->lines[other];
                p->lines[other] = line;
        }
        }
}

static size_t join(const Program *p, uint8_t *data, size_t size_max) {
        size_t size = 0;

        for (size_t i = 0; i < p->n_lines; i++) {
                size_t n = strlen(p->lines[i]);

                if (size + n + 1 > size_max)
                        break;
                memcpy(data + size, p->lines[i], n);
                data[size + n] = '\n';
                size += n + 1;
        }
        return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed) {
        _cleanup_(freep) char *text = fuzz_text(data, size);
        Program p = {};

        srand(seed);
        if (rand() % 3 == 0)
                return LLVMFuzzerMutate(data, size, size_max);
        split(&p, text);
        for (int n = 1 + rand() % 4; n > 0; n--)
                change(&p);
        return join(&p, data, size_max);
}

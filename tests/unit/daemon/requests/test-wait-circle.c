/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/requests/wait-circle.h"

#include "test.h"

#define N 3U

/* Jobs are 'a', 'b', 'c', begun at 10, 20, 30; requests '0', '1', '2'. */
typedef struct Case {
        const char *asking;             /* jobs whose init waits for some request */
        struct {
                uint64_t begun_usec;    /* 0: there is no such request */
                const char *waits;      /* for these jobs */
        } requests[N];
        const char *stuck;              /* jobs and requests */
} Case;

static const Case cases[] = {
        { "", { { 15, "a" } }, "" },    /* it is just slow */
        { "a", { { 15, "a" } }, "a0" }, /* the init needs its own module */
        { "a", { { 5, "a" } }, "" },    /* came before the load: some other program runs for the init */
        { "a", { { 15, "" } }, "" },    /* between two steps */
        { "a", { { 15, "b" } }, "" },   /* what it needs is being loaded */
        { "a", { { 15, "a" }, { 16, "b" } }, "" }, /* a second one, which can go on, may be that of the init */
        { "a", { { 15, "a" }, { 16, "a" } }, "a01" }, /* whichever it is */
        { "a", { { 5, "a" }, { 15, "a" } }, "a01" },
        { "ab", { { 15, "b" }, { 25, "a" } }, "ab01" }, /* a needs b, which needs a */
        { "ab", { { 15, "b" }, { 25, "c" } }, "" },
        { "abc", { { 15, "b" }, { 25, "c" }, { 35, "a" } }, "abc012" },
        { "abc", { { 15, "b" }, { 25, "c" }, { 35, "c" } }, "abc012" }, /* only c is in a circle, and all wait for it */
        { "c", { { 15, "b" }, { 25, "a" }, { 35, "c" } }, "c2" },
        { "a", { { 15, "ab" } }, "a0" }, /* the other one does not help it */
};

static void test_cases(void **state) {
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                WaitingJob jobs[N];
                WaitingRequest requests[N];
                bool waits[N][N] = {};
                char stuck[2 * N + 1] = "";
                size_t n = 0, k = 0;

                for (size_t j = 0; j < N; j++)
                        jobs[j] = (WaitingJob) { .begun_usec = 10 * (j + 1),
                                                 .asks = strchr(cases[i].asking, (char) ('a' + j)) };
                for (; n < N && cases[i].requests[n].begun_usec > 0; n++) {
                        for (const char *p = cases[i].requests[n].waits; *p; p++)
                                waits[n][*p - 'a'] = true;
                        requests[n] = (WaitingRequest) { .begun_usec = cases[i].requests[n].begun_usec,
                                                         .waits = waits[n] };
                }
                wait_circle_find(jobs, N, requests, n);
                for (size_t j = 0; j < N; j++)
                        if (jobs[j].is_stuck)
                                stuck[k++] = (char) ('a' + j);
                for (size_t j = 0; j < n; j++)
                        if (requests[j].is_stuck)
                                stuck[k++] = (char) ('0' + j);
                if (!streq(stuck, cases[i].stuck))
                        print_message("case %zu\n", i);
                assert_string_equal(stuck, cases[i].stuck);
        }
}

static void test_nothing(void **state) {
        wait_circle_find(NULL, 0, NULL, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
                cmocka_unit_test(test_nothing),
        };
        return RUN_TESTS(tests);
}

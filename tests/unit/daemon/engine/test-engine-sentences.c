/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The sentences of the engine about its loader. */

#include "common/base/util.h"
#include "daemon/engine/loader-trouble.h"
#include "daemon/engine/refusal.h"
#include "sentence.h"
#include "test.h"

static void test_refusals(void **state) {
        for (LoaderRefusal why = 0; why < _LOADER_REFUSAL_MAX; why++)
                for (size_t i = 0; i < n_planted; i++) {
                        _cleanup_(freep) char *message = NULL, *hint = NULL;

                        assert_ok(refusal_text(why, planted[i], &message, &hint));
                        sentence_check(message);
                        sentence_check_hint(hint);
                }
}

static void test_troubles(void **state) {
        for (LoaderTrouble trouble = LOADER_IS_WELL + 1; trouble < _LOADER_TROUBLE_MAX; trouble++) {
                sentence_check(loader_trouble_text(trouble));
                sentence_check_hint(loader_trouble_remedy(trouble));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_refusals),
                cmocka_unit_test(test_troubles),
        };

        return RUN_TESTS(tests);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/config/charge.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "common/base/paths.h"
#include "scratch.h"
#include "test.h"

static mode_t mode_of(const Scratch *s) {
        struct stat st;

        assert_int_equal(lstat(scratch_path(s, "file"), &st), 0);
        return st.st_mode & 07777U;
}

/* Is there a call that was not there before? */
static bool is_called(const Scratch *s) {
        return unlink(scratch_path(s, "call")) == 0;
}

static void test_told_to_udev(void **state) {
        _cleanup_(scratch_close) Scratch s;
        Charge *c;
        int fd;

        scratch_open(&s);
        scratch_write(&s, "file", "");
        assert_int_equal(chmod(scratch_path(&s, "file"), 0600), 0);
        fd = open(scratch_path(&s, "file"), O_RDONLY | O_CLOEXEC);
        assert_ok(charge_new(&c, fd, scratch_path(&s, "call")));
        assert_true(charge_is_reported(c));
        assert_false(charge_is_taken(c));
        assert_ok(charge_leave(c));     /* it was never taken: nothing is owed */
        assert_int_equal(mode_of(&s), 0600);

        assert_false(is_called(&s));

        for (unsigned i = 0; i < 2; i++) {
                assert_ok(charge_take(c));
                assert_false(is_called(&s));
                assert_true(charge_is_taken(c));
                assert_int_equal(mode_of(&s), 0600U | IN_CHARGE_NOW | IN_CHARGE_BEFORE);
                assert_ok(charge_leave(c));
                assert_false(charge_is_taken(c));
                assert_int_equal(mode_of(&s), 0600U | IN_CHARGE_BEFORE);
                assert_true(is_called(&s));
                assert_ok(charge_remind(c));
                assert_true(is_called(&s));
        }
        charge_call_handover(c);
        assert_true(is_called(&s));
        assert_ok(charge_take(c));
        charge_free(c);
        assert_int_equal(mode_of(&s), 0600U | IN_CHARGE_BEFORE);
}

static void test_nobody_to_tell(void **state) {
        Charge *c;

        assert_ok(charge_new(&c, -EBADF, "/nowhere/call"));
        charge_call_handover(c);
        assert_false(charge_is_reported(c));
        assert_ok(charge_take(c));
        assert_true(charge_is_taken(c));
        assert_null(charge_free(c));
        assert_null(charge_free(NULL));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_told_to_udev),
                cmocka_unit_test(test_nobody_to_tell),
        };

        return RUN_TESTS(tests);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <fcntl.h>
#include <glob.h>
#include <libgen.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "common/index/index-lookup.h"
#include "common/index/index-origin.h"
#include "daemon/config/index-keeper.h"
#include "fake-modules.h"
#include "scratch.h"

#define WAIT_USEC (60U * 1000U * 1000U) /* at a time; the whole test has a bound, too */

typedef struct Fixture {
        Scratch scratch;
        sd_event *event;
        IndexKeeper *keeper;
        char image[256];                /* its path */
        unsigned n_swapped, n_read;
} Fixture;

static void on_swapped(bool became_complete, void *userdata) {
        Fixture *f = userdata;

        f->n_swapped++;
}

static void on_read(void *userdata) {
        Fixture *f = userdata;

        f->n_read++;
}

static void open_keeper(Fixture *f, bool with_images) {
        f->keeper = index_keeper_free(f->keeper);
        assert_ok(index_keeper_new(
                &f->keeper, &(IndexKeeperOptions) {
                                    .event = f->event,
                                    .root = f->scratch.dir,
                                    .image_dir = with_images ? scratch_path(&f->scratch, "images") : NULL,
                                    .swapped = on_swapped,
                                    .read = on_read,
                                    .userdata = f,
                            }));
}

/*
 * The directory of the modules of some kernel, whose files are older than this test. Where none is installed, one is
 * made, and has to get old enough first: nobody can set the ctime of a file.
 */
static const char *find_modules(Fixture *f, glob_t *found) {
        IndexOrigin origin = { .young = true };

        if (glob("/lib/modules/*/modules.alias.bin", 0, NULL, found) == 0)
                return dirname(found->gl_pathv[0]);
        fake_tree_write(&f->scratch,
                        &(FakeTree) { .modules = (const FakeModule[]) { { "usb_storage" }, {} } });
        while (origin.young) {
                (void) sleep(1);
                index_origin_clear(&origin);
                assert_ok(index_origin_read(&origin, scratch_path(&f->scratch, FAKE_DIR)));
        }
        index_origin_clear(&origin);
        return FAKE_RELEASE;
}

/* Those modules under the name of the kernel that runs. */
static int setup(void **state) {
        Fixture *f = calloc(1, sizeof(*f));
        struct utsname here;
        glob_t found = {};
        char name[128];

        assert_non_null(f);
        assert_int_equal(uname(&here), 0);
        scratch_open(&f->scratch);
        scratch_mkdir(&f->scratch, "images");
        scratch_mkdir(&f->scratch, "lib/modules");
        (void) snprintf(name, sizeof(name), "lib/modules/%s", here.release);
        scratch_link(&f->scratch, name, find_modules(f, &found));
        globfree(&found);
        (void) snprintf(f->image, sizeof(f->image), "%s/images/%s", f->scratch.dir, here.release);
        assert_ok(sd_event_new(&f->event));
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        index_keeper_free(f->keeper);
        sd_event_unref(f->event);
        scratch_close(&f->scratch);
        free(f);
        return 0;
}

static bool is_mapped(Fixture *f) {
        const char *reason;

        return index_is_mapped(index_keeper_get(f->keeper), &reason);
}

/* Until something is dispatched: inotify may also have something to say that is for nobody. */
static void run_once(Fixture *f) {
        int r;

        do {
                r = sd_event_run(f->event, WAIT_USEC);
                assert_ok(r);
        } while (r == 0);
}

static void run_until_mapped(Fixture *f) {
        while (!is_mapped(f))
                run_once(f);
}

static void assert_answers(Fixture *f) {
        const IndexModule *m = index_find_module(index_keeper_get(f->keeper), "usb-storage");

        assert_non_null(m);
        assert_string_equal(m->name, "usb_storage");
        assert_int_equal(index_keeper_get_problems(f->keeper)->n_items, 0);
}

static void test_written_when_settled_and_used(void **state) {
        Fixture *f = *state;
        uint64_t generation;
        const Index *held;
        struct stat st;
        int fd;

        open_keeper(f, true);
        assert_false(is_mapped(f));
        assert_answers(f);
        held = index_ref(index_keeper_get(f->keeper)); /* by somebody's plan */
        generation = index_keeper_get_generation(f->keeper);
        assert_int_equal(f->n_swapped, 1);

        index_keeper_settle(f->keeper);
        run_until_mapped(f);
        assert_answers(f);
        assert_int_equal(f->n_swapped, 1); /* nothing has changed for anybody, */
        assert_int_not_equal(index_keeper_get_generation(f->keeper),
                             generation); /* but for who holds modules */
        assert_string_equal(index_find_module(held, "usb-storage")->name, "usb_storage");
        index_unref(held);

        open_keeper(f, true);
        assert_true(is_mapped(f));
        assert_answers(f);
        assert_int_equal(index_keeper_rebuild(f->keeper), 0);
        assert_true(is_mapped(f));

        /* Damaged: as if it were not there, and made anew. */
        assert_int_equal(stat(f->image, &st), 0);
        fd = open(f->image, O_WRONLY);
        assert_true(fd >= 0);
        assert_int_equal(pwrite(fd, "\xde\xad", 2, st.st_size / 2), 2);
        (void) close(fd);
        open_keeper(f, true);
        assert_false(is_mapped(f));
        assert_answers(f);
        index_keeper_settle(f->keeper);
        run_until_mapped(f);
        assert_answers(f);
}

/* As after a depmod: it is read once more when the files are old enough to be told from later ones. */
static void test_young_files(void **state) {
        Fixture *f = *state;
        struct utsname here;
        char name[128];

        assert_int_equal(uname(&here), 0);
        (void) snprintf(name, sizeof(name), "lib/modules/%s", here.release);
        fake_tree_write(&f->scratch,
                        &(FakeTree) { .modules = (const FakeModule[]) { { "usb_storage" }, {} } });
        assert_int_equal(unlink(scratch_path(&f->scratch, name)), 0);
        scratch_link(&f->scratch, name, FAKE_RELEASE);

        open_keeper(f, true);
        assert_false(is_mapped(f));
        index_keeper_settle(f->keeper);
        run_until_mapped(f);
        assert_answers(f);
        assert_int_equal(f->n_swapped, 1);
}

/* Neither used nor written; and a keeper that ends with all of it under way leaves nothing behind. */
static void test_without(void **state) {
        Fixture *f = *state;

        open_keeper(f, false);
        assert_false(is_mapped(f));
        assert_answers(f);
        index_keeper_settle(f->keeper);

        scratch_remove(&f->scratch, "images");
        open_keeper(f, true);
        assert_false(is_mapped(f));
        assert_answers(f);
        index_keeper_settle(f->keeper);
        run_once(f);                    /* the process that writes is there now */
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_written_when_settled_and_used, setup, teardown),
                cmocka_unit_test_setup_teardown(test_young_files, setup, teardown),
                cmocka_unit_test_setup_teardown(test_without, setup, teardown),
        };

        return RUN_TESTS(tests);
}

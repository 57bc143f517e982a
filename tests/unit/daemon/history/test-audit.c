/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/history/audit.h"

#include <sys/stat.h>
#include <systemd/sd-varlink-idl.h>

#include "common/base/limits.h"
#include "common/base/read-file.h"
#include "common/interface/interface.h"
#include "scratch.h"
#include "test.h"

#define RULE { .source = POLICY_BY_RULE, .file = (char *) "/p.yaml", .line = 3, .column = 5 }

static const PlanRuling rule = RULE;

static Request *new_device(const char *key, const char *device) {
        Request *r;

        assert_ok(request_new_device(&r, key, device, NULL, NULL));
        return r;
}

static void note(Audit *a, AuditKind kind, const char *module, const PlanRuling *ruling, const char *key) {
        _cleanup_(request_unrefp) Request *request = new_device(key, "/devices/a");

        audit_note(a, kind, module, ruling, request);
}

/* "MODULE/KEY*COUNT " of all, in the order in which they are shown. */
static char *shown_of(Audit *a, bool this_boot) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *array = NULL;
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        assert_ok(audit_describe(a, this_boot, &array));
        for (size_t i = 0; i < sd_json_variant_elements(array); i++) {
                sd_json_variant *v = sd_json_variant_by_index(array, i);

                fprintf(f, "%s%s/%s*%u", i > 0 ? " " : "", sd_json_variant_string(sd_json_variant_by_key(v, "module")),
                        sd_json_variant_string(sd_json_variant_by_key(v, "key")),
                        (unsigned) sd_json_variant_unsigned(sd_json_variant_by_key(v, "count")));
        }
        assert_int_equal(fclose(f), 0);
        return text;
}

static void assert_shown(Audit *a, const char *expected) {
        _cleanup_(freep) char *text = shown_of(a, false);

        assert_string_equal(text, expected);
}

static void test_the_same_is_counted(void **state) {
        static const PlanRuling others[] = {
                { .source = POLICY_BY_LIST, .file = (char *) "/p.yaml", .line = 3, .column = 5 },
                { .source = POLICY_BY_RULE, .file = (char *) "/q.yaml", .line = 3, .column = 5 },
                { .source = POLICY_BY_RULE, .file = (char *) "/p.yaml", .line = 4, .column = 5 },
                { .source = POLICY_BY_RULE, .file = (char *) "/p.yaml", .line = 3, .column = 6 },
                { .source = POLICY_BY_RULE, .file = (char *) "/p.yaml", .line = 3, .column = 5, .rule = (char *) "r" },
                { .source = POLICY_BY_DEFAULT },
        };
        _cleanup_(request_unrefp) Request *client = NULL, *another = NULL, *device = NULL;
        _cleanup_(audit_freep) Audit *a = NULL;
        size_t n = 1;

        assert_ok(audit_new(&a, NULL));
        for (unsigned i = 0; i < 3; i++)
                note(a, AUDIT_REFUSED, "m", &rule, "k");
        assert_shown(a, "m/k*3");

        for (size_t i = 0; i < ARRAY_LEN(others); i++) {
                note(a, AUDIT_REFUSED, "m", others + i, "k");
                assert_int_equal(audit_count(a), ++n);
        }
        note(a, AUDIT_WOULD_REFUSE, "m", &rule, "k");
        note(a, AUDIT_REPORTED, "m", &rule, "k");
        note(a, AUDIT_REFUSED, "m2", &rule, "k");
        note(a, AUDIT_REFUSED, "m", &rule, "k2");
        assert_int_equal(audit_count(a), n += 4);

        assert_ok(request_new_client(&client, "k", 0, 1, NULL));
        assert_ok(request_new_client(&another, "k", 1, 1, NULL));
        device = new_device("k", "/devices/b");
        audit_note(a, AUDIT_REFUSED, "m", &rule, client);
        audit_note(a, AUDIT_REFUSED, "m", &rule, another);
        audit_note(a, AUDIT_REFUSED, "m", &rule, device);
        assert_int_equal(audit_count(a), n + 3);
}

/* As that process, for which the kernel asks. NULL: it is not known. */
static void note_process(Audit *a, uid_t uid, const char *command, const char *executable,
                         const char *unit) {
        _cleanup_(requester_unrefp) Requester *p = NULL;
        _cleanup_(request_unrefp) Request *request = NULL;

        assert_ok(requester_new(&p));
        p->has_process = true;
        p->uid = uid;
        p->pid = 7;
        p->command = command ? strdup(command) : NULL;
        p->executable = executable ? strdup(executable) : NULL;
        p->unit = unit ? strdup(unit) : NULL;
        assert_ok(request_new_kernel(&request, "net-pf-38", p));
        audit_note(a, AUDIT_REFUSED, "af_alg", &rule, request);
}

static void test_processes_are_told_apart(void **state) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *array = NULL;
        _cleanup_(audit_freep) Audit *a = NULL, *again = NULL;
        _cleanup_(scratch_close) Scratch s;
        sd_json_variant *v;
        const char *path;

        scratch_open(&s);
        path = scratch_path(&s, "audit");
        assert_ok(audit_new(&a, path));
        for (unsigned i = 0; i < 2; i++)
                note_process(a, 1000, "a\nb", "/bin/a", "a.service");
        note_process(a, 1000, "b", "/bin/a", "a.service");
        note_process(a, 1000, "a\nb", "/bin/b", "a.service");
        note_process(a, 1000, "a\nb", "/bin/a", NULL);
        note_process(a, 1001, "a\nb", "/bin/a", "a.service");
        assert_int_equal(audit_count(a), 5);

        a = audit_free(a);
        assert_ok(audit_new(&again, path));
        assert_int_equal(audit_count(again), 5);
        note_process(again, 1000, "a\nb", "/bin/a", "a.service");
        assert_int_equal(audit_count(again), 5);
        assert_ok(audit_describe(again, false, &array));
        v = sd_json_variant_by_index(array, 0);
        assert_int_equal(sd_json_variant_unsigned(sd_json_variant_by_key(v, "count")), 3);
        assert_int_equal(sd_json_variant_unsigned(sd_json_variant_by_key(v, "uid")), 1000);
        assert_string_equal(sd_json_variant_string(sd_json_variant_by_key(v, "command")), "a\\x0ab");
        assert_string_equal(sd_json_variant_string(sd_json_variant_by_key(v, "executable")), "/bin/a");
        assert_string_equal(sd_json_variant_string(sd_json_variant_by_key(v, "unit")), "a.service");
}

/* One user who takes on many names does not push out what others did. */
static void test_many_names(void **state) {
        _cleanup_(audit_freep) Audit *a = NULL;

        assert_ok(audit_new(&a, NULL));
        note_process(a, 1, "other", NULL, NULL);
        for (unsigned i = 0; i < 3 * AUDIT_ENTRIES_MAX; i++) {
                char name[16];

                (void) snprintf(name, sizeof(name), "n%u", i);
                note_process(a, 1000, name, NULL, NULL);
        }
        assert_int_equal(audit_count(a), 1 + AUDIT_PROCESSES_MAX + 1);
        note_process(a, 1000, "n3", NULL, NULL); /* one of the first is still counted by its name */
        assert_int_equal(audit_count(a), 1 + AUDIT_PROCESSES_MAX + 1);
}

static void test_order(void **state) {
        static const PlanRuling later = { .source = POLICY_BY_RULE, .file = (char *) "/p.yaml", .line = 10 };
        static const PlanRuling first = { .source = POLICY_BY_RULE, .file = (char *) "/a.yaml", .line = 99 };
        _cleanup_(audit_freep) Audit *a = NULL;

        assert_ok(audit_new(&a, NULL));
        note(a, AUDIT_REFUSED, "z", &later, "k");
        note(a, AUDIT_REFUSED, "b", &rule, "k");
        note(a, AUDIT_REFUSED, "a", &rule, "k");
        note(a, AUDIT_REFUSED, "x", &first, "k");
        note(a, AUDIT_REFUSED, "d", &(PlanRuling) { .source = POLICY_BY_DEFAULT }, "k");
        assert_shown(a, "d/k*1 x/k*1 a/k*1 b/k*1 z/k*1");
}

/* What comes out is what the interface's description says of it. */
static void test_type(void **state) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *array = NULL, *expected = NULL, *v = NULL;
        _cleanup_(audit_freep) Audit *a = NULL;
        const PlanRuling ruling = {
                .source = POLICY_BY_RULE, .file = (char *) "/\xff", .line = 3, .column = 5,
                .rule = (char *) "r", .reason = (char *) "why",
        };

        assert_ok(audit_new(&a, NULL));
        note(a, AUDIT_WOULD_REFUSE, "m", &ruling, "k\n");
        assert_ok(audit_describe(a, false, &array));
        v = sd_json_variant_ref(sd_json_variant_by_index(array, 0));
        assert_true(sd_json_variant_unsigned(sd_json_variant_by_key(v, "firstUSec")) > 0);
        assert_ok(sd_json_variant_set_field_unsigned(&v, "firstUSec", 1));
        assert_ok(sd_json_variant_set_field_unsigned(&v, "lastUSec", 1));
        assert_ok(sd_json_parse(
                "{\"kind\":\"would_refuse\",\"module\":\"m\",\"source\":\"rule\",\"file\":\"/\\\\xff\","
                "\"line\":3,\"column\":5,\"rule\":\"r\",\"reason\":\"why\",\"origin\":\"device\","
                "\"key\":\"k\\\\x0a\",\"device\":\"/devices/a\",\"count\":1,\"firstUSec\":1,"
                "\"lastUSec\":1,\"boots\":1}",
                0, &expected, NULL, NULL));
        assert_true(sd_json_variant_equal(v, expected));
}

static void test_full(void **state) {
        _cleanup_(audit_freep) Audit *a = NULL;
        char key[16];

        assert_ok(audit_new(&a, NULL));
        for (unsigned i = 0; i < AUDIT_ENTRIES_MAX + 5; i++) {
                snprintf(key, sizeof(key), "k%u", i);
                note(a, AUDIT_REFUSED, "m", &rule, key);
                note(a, AUDIT_REFUSED, "m", &rule, "often");     /* never silent for longest */
        }
        assert_int_equal(audit_count(a), AUDIT_ENTRIES_MAX);
        assert_int_equal(audit_get_head(a)->n_dropped, 6);
        note(a, AUDIT_REFUSED, "m", &rule, "often");
        assert_int_equal(audit_get_head(a)->n_dropped, 6);
}

/* A container that asks for everything keeps its own newest entries, and those of others stay. */
static void test_container(void **state) {
        _cleanup_(audit_freep) Audit *a = NULL;
        char key[16];

        assert_ok(audit_new(&a, NULL));
        note(a, AUDIT_REFUSED, "m", &rule, "of-a-device");
        for (unsigned i = 0; i < AUDIT_ENTRIES_MAX; i++)
                for (unsigned k = 0; k < 2; k++) {
                        _cleanup_(request_unrefp) Request *r = NULL;

                        snprintf(key, sizeof(key), "k%u", i);
                        assert_ok(request_new_container(&r, key, 1, 0, NULL,
                                                        k == 0 ? "machine-a" : "docker-1"));
                        audit_note(a, AUDIT_REFUSED, "m", &rule, r);
                }
        assert_int_equal(audit_count(a), 1 + 2 * AUDIT_CONTAINER_MAX);
        assert_int_equal(audit_get_head(a)->n_dropped, 2 * (AUDIT_ENTRIES_MAX - AUDIT_CONTAINER_MAX));
}

static void test_over_a_restart(void **state) {
        _cleanup_(scratch_close) Scratch s;
        _cleanup_(audit_freep) Audit *a = NULL;
        const PlanRuling ruling = {
                .source = POLICY_BY_GRANT, .file = (char *) "/g", .line = 1, .rule = (char *) "grant-1"
        };
        const char *path;

        scratch_open(&s);
        path = scratch_path(&s, "audit");
        assert_ok(audit_new(&a, path));
        for (unsigned i = 0; i < 7; i++)
                note(a, AUDIT_REFUSED, "m", &ruling, "k");
        note(a, AUDIT_REPORTED, "n", &(PlanRuling) { .source = _POLICY_SOURCE_INVALID }, "\xff");
        a = audit_free(a);
        assert_ok(audit_new(&a, path));
        assert_shown(a, "n/\\xff*1 m/k*7");
        note(a, AUDIT_REFUSED, "m", &ruling, "k");       /* it is known again */
        assert_shown(a, "n/\\xff*1 m/k*8");
}

/* What was written is there without a proper end, too, and what is none of ours harms nobody. */
static void test_file_of_a_crash(void **state) {
        _cleanup_(scratch_close) Scratch s;
        _cleanup_(audit_freep) Audit *a = NULL;

        scratch_open(&s);
        scratch_write(&s, "audit",
                      "{\"kind\":\"refused\",\"module\":\"m\",\"origin\":\"device\",\"key\":\"k\",\"count\":1}\n"
                      "{\"kind\":\"refused\",\"module\":\"m\",\"origin\":\"device\",\"key\":\"k\",\"count\":4}\n"
                      "{\"kind\":\"refused\",\"module\":\"m\",\"origin\":\"device\",\"key\":\"k\",\"count\":0}\n"
                      "{\"kind\":\"no\",\"module\":\"m\",\"origin\":\"device\",\"key\":\"k\",\"count\":1}\n"
                      "{\"kind\":\"refused\",\"module\":7,\"origin\":\"device\",\"key\":\"k\",\"count\":1}\n"
                      "[]\n1\n\n{\"kind\":\"refused\",\"mod");
        assert_ok(audit_new(&a, scratch_path(&s, "audit")));
        assert_shown(a, "m/k*4");
}

static void test_no_place_for_the_file(void **state) {
        _cleanup_(audit_freep) Audit *a = NULL;

        assert_ok(audit_new(&a, "/nonexistent/audit"));
        note(a, AUDIT_REFUSED, "m", &rule, "k");
        assert_shown(a, "m/k*1");
}

/* ------------------------------------------------------------------------------------------- earlier boots */

/* The caller frees. */
static char *read_text(const Scratch *s, const char *name) {
        _cleanup_(closep) int fd = read_file_open(scratch_path(s, name));
        char *text = NULL;
        size_t size;

        assert_true(fd >= 0);
        assert_ok(read_file(fd, 64U << 20, &text, &size));
        return text;
}

static const char other_boot[] = "\"boot\":\"01234567-89ab-4def-8123-456789abcdef\"";

/* What an lkmd would have kept: @n refusals of @module. The caller frees. */
static char *make_kept(Scratch *s, const char *module, unsigned n) {
        _cleanup_(audit_freep) Audit *a = NULL;

        assert_ok(audit_new(&a, scratch_path(s, "kept")));
        for (unsigned i = 0; i < n; i++)
                note(a, AUDIT_REFUSED, module, &rule, "k");
        assert_ok(audit_join(a, "/nonexistent"));
        a = audit_free(a);
        return read_text(s, "kept");
}

/* The same file with another value of a member of its head, of which @from is the name. The caller frees. */
static char *with_head(const char *text, const char *from, const char *to) {
        const char *start = strstr(text, from), *end;
        char *changed;

        assert_non_null(start);
        end = start + strcspn(start, ",}");
        assert_true(asprintf(&changed, "%.*s%s%s", (int) (start - text), text, to, end) > 0);
        return changed;
}

static void write_earlier(Scratch *s, const char *module, unsigned n) {
        _cleanup_(freep) char *kept = make_kept(s, module, n),
                              *earlier = with_head(kept, "\"boot\"", other_boot);

        scratch_write(s, "earlier", earlier);
}

static void assert_boots(Audit *a, unsigned i, unsigned n) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *array = NULL;

        assert_ok(audit_describe(a, false, &array));
        assert_int_equal(sd_json_variant_unsigned(
                                 sd_json_variant_by_key(sd_json_variant_by_index(array, i), "boots")),
                         n);
}

static void assert_this_boot(Audit *a, const char *expected) {
        _cleanup_(freep) char *text = shown_of(a, true);

        assert_string_equal(text, expected);
}

static void test_earlier_boots_are_added(void **state) {
        _cleanup_(scratch_close) Scratch s;
        _cleanup_(audit_freep) Audit *a = NULL;
        uint64_t since;

        scratch_open(&s);
        write_earlier(&s, "m", 5);
        assert_ok(audit_new(&a, scratch_path(&s, "audit")));
        since = audit_get_head(a)->since_usec;
        note(a, AUDIT_REFUSED, "m", &rule, "k");
        note(a, AUDIT_REFUSED, "new", &rule, "k");
        assert_false(audit_get_head(a)->joined);
        assert_shown(a, "m/k*1 new/k*1");

        assert_ok(audit_join(a, scratch_path(&s, "earlier")));
        assert_true(audit_get_head(a)->joined);
        assert_int_equal(audit_get_head(a)->n_boots, 1);
        assert_true(audit_get_head(a)->since_usec <= since);
        assert_shown(a, "m/k*6 new/k*1");
        assert_this_boot(a, "m/k*1 new/k*1");
        assert_boots(a, 0, 2);
        assert_boots(a, 1, 1);

        a = audit_free(a);              /* a restart of lkmd is no boot, and nothing is added twice */
        assert_ok(audit_new(&a, scratch_path(&s, "audit")));
        assert_ok(audit_join(a, scratch_path(&s, "earlier")));
        assert_int_equal(audit_get_head(a)->n_boots, 1);
        note(a, AUDIT_REFUSED, "m", &rule, "k");
        assert_shown(a, "m/k*7 new/k*1");
        assert_this_boot(a, "m/k*2 new/k*1");
        assert_boots(a, 0, 2);
}

/* Three boots in a row, in the last of which nothing happens. */
static void test_boot_after_boot(void **state) {
        _cleanup_(scratch_close) Scratch s;
        _cleanup_(audit_freep) Audit *a = NULL;

        scratch_open(&s);
        write_earlier(&s, "m", 1);
        for (unsigned boot = 0; boot < 2; boot++) {
                _cleanup_(freep) char *kept = NULL, *earlier = NULL;

                assert_ok(audit_new(&a, scratch_path(&s, "audit")));
                assert_ok(audit_join(a, scratch_path(&s, "earlier")));
                if (boot == 0)
                        note(a, AUDIT_REFUSED, "m", &rule, "k");
                a = audit_free(a);
                kept = read_text(&s, "audit");
                earlier = with_head(kept, "\"boot\"", other_boot);
                scratch_write(&s, "earlier", earlier);
                assert_int_equal(unlink(scratch_path(&s, "audit")), 0); /* /run is empty after a boot */
        }
        assert_ok(audit_new(&a, scratch_path(&s, "audit")));
        assert_ok(audit_join(a, scratch_path(&s, "earlier")));
        assert_int_equal(audit_get_head(a)->n_boots, 3);
        assert_shown(a, "m/k*2");
        assert_this_boot(a, "");
        assert_boots(a, 0, 2);
}

/* What lay in /run is lost, but the copy is of this boot. */
static void test_kept_in_this_boot(void **state) {
        _cleanup_(scratch_close) Scratch s;
        _cleanup_(audit_freep) Audit *a = NULL;
        _cleanup_(freep) char *kept = NULL;

        scratch_open(&s);
        kept = make_kept(&s, "m", 5);
        assert_ok(audit_new(&a, scratch_path(&s, "audit")));
        assert_ok(audit_join(a, scratch_path(&s, "kept")));
        assert_int_equal(audit_get_head(a)->n_boots, 0);
        assert_this_boot(a, "m/k*5");
}

/* A file that does not count costs itself; a line, itself. */
static void test_what_is_kept_is_no_good(void **state) {
        static const char line[] =
                "{\"kind\":\"refused\",\"module\":\"z\",\"origin\":\"device\",\"key\":\"k\",\"count\":1}\n";
        static const struct {
                const char *from, *to, *behind; /* of its head; what is written after it */
                const char *shown;
        } cases[] = {
                { "\"machine\"", "\"machine\":7", "", "new/k*1" },
                { "\"version\"", "\"version\":2", line, "new/k*1" },
                { "\"version\"", "\"version\":\"1\"", "", "new/k*1" },
                { "\"version\"", "\"revision\":1", line, "new/k*1" },
                { "\"joined\"", "\"joined\":true,\"more\":1", "", "m/k*5 new/k*1" },
                { "\"boot\"", other_boot, line, "z/k*1 m/k*5 new/k*1" },
                { "\"boot\"", other_boot, "\xff{\n{}\n[\n\n{\"version\":1}\n{\"kind\":\"refu", "m/k*5 new/k*1" },
        };
        _cleanup_(scratch_close) Scratch s;
        _cleanup_(freep) char *kept = NULL;

        scratch_open(&s);
        kept = make_kept(&s, "m", 5);
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(audit_freep) Audit *a = NULL;
                _cleanup_(freep) char *changed = with_head(kept, cases[i].from, cases[i].to),
                                      *earlier = NULL;

                assert_true(asprintf(&earlier, "%s%s", changed, cases[i].behind) > 0);
                scratch_write(&s, "earlier", earlier);
                assert_ok(audit_new(&a, NULL));
                note(a, AUDIT_REFUSED, "new", &rule, "k");
                assert_ok(audit_join(a, scratch_path(&s, "earlier")));
                assert_true(audit_get_head(a)->joined);
                assert_shown(a, cases[i].shown);
        }
}

/* A disk may have been in another machine before; an initramfs has another machine ID in the same boot. */
static void test_another_machine(void **state) {
        static const char another[] = "\"machine\":\"0123456789abcdef0123456789abcdef\"";

        for (int same_boot = 0; same_boot < 2; same_boot++) {
                _cleanup_(scratch_close) Scratch s;
                _cleanup_(audit_freep) Audit *a = NULL;
                _cleanup_(freep) char *kept = NULL, *foreign = NULL, *older = NULL;

                scratch_open(&s);
                kept = make_kept(&s, "m", 5);
                foreign = with_head(kept, "\"machine\"", another);
                older = with_head(foreign, "\"boot\"", other_boot);
                scratch_write(&s, "audit", same_boot ? foreign : older);
                assert_ok(audit_new(&a, scratch_path(&s, "audit")));
                assert_shown(a, same_boot ? "m/k*5" : "");
                assert_string_not_equal(audit_get_head(a)->machine, "0123456789abcdef0123456789abcdef");
        }
}

/* No file, an empty one, what is no file: nothing was kept. */
static void test_nothing_is_kept(void **state) {
        _cleanup_(scratch_close) Scratch s;

        scratch_open(&s);
        scratch_write(&s, "empty", "");
        assert_int_equal(symlink(scratch_path(&s, "empty"), scratch_path(&s, "link")), 0);
        assert_int_equal(mkfifo(scratch_path(&s, "fifo"), 0600), 0);
        assert_int_equal(mkdir(scratch_path(&s, "directory"), 0700), 0);
        for (const char *const *name =
                     (const char *const[]) { "none", "empty", "link", "fifo", "directory", NULL };
             *name; name++) {
                _cleanup_(audit_freep) Audit *a = NULL;

                assert_ok(audit_new(&a, NULL));
                note(a, AUDIT_REFUSED, "m", &rule, "k");
                assert_ok(audit_join(a, scratch_path(&s, *name)));
                assert_true(audit_get_head(a)->joined);
                assert_int_equal(audit_get_head(a)->n_boots, 0);
                assert_shown(a, "m/k*1");
        }
}

/* This boot's entries are the newer ones, and stay. */
static void test_earlier_boots_fill_it(void **state) {
        _cleanup_(scratch_close) Scratch s;
        _cleanup_(audit_freep) Audit *a = NULL, *full = NULL;
        _cleanup_(freep) char *kept = NULL, *earlier = NULL;
        char key[16];

        scratch_open(&s);
        assert_ok(audit_new(&full, scratch_path(&s, "kept")));
        for (unsigned i = 0; i < AUDIT_ENTRIES_MAX; i++) {
                snprintf(key, sizeof(key), "k%u", i);
                note(full, AUDIT_REFUSED, "m", &rule, key);
        }
        full = audit_free(full);
        kept = read_text(&s, "kept");
        earlier = with_head(kept, "\"boot\"", other_boot);
        scratch_write(&s, "earlier", earlier);

        assert_ok(audit_new(&a, NULL));
        note(a, AUDIT_REFUSED, "a", &rule, "k");
        note(a, AUDIT_REFUSED, "b", &rule, "k");
        assert_ok(audit_join(a, scratch_path(&s, "earlier")));
        assert_int_equal(audit_count(a), AUDIT_ENTRIES_MAX);
        assert_int_equal(audit_get_head(a)->n_dropped, 2);
        assert_this_boot(a, "a/k*1 b/k*1");
}

/* Long texts: the bound is in bytes, too, for the memory and for the file. */
static void test_bytes(void **state) {
        _cleanup_(scratch_close) Scratch s;
        _cleanup_(audit_freep) Audit *a = NULL;
        _cleanup_(freep) char *key = calloc(1, REQUEST_KEY_MAX + 1), *text = NULL;
        size_t n;

        assert_non_null(key);
        memset(key, '"', REQUEST_KEY_MAX);
        scratch_open(&s);
        assert_ok(audit_new(&a, scratch_path(&s, "audit")));
        for (unsigned i = 0; i < AUDIT_ENTRIES_MAX; i++) {
                char number[10];

                memcpy(key, number, (size_t) snprintf(number, sizeof(number), "%u", i));
                note(a, AUDIT_REFUSED, "m", &rule, key);
        }
        n = audit_count(a);
        assert_true(n >= 250 && n <= AUDIT_BYTES_MAX / REQUEST_KEY_MAX);
        assert_int_equal(audit_get_head(a)->n_dropped, AUDIT_ENTRIES_MAX - n);
        text = read_text(&s, "audit");
        assert_true(strlen(text) > 0 && strlen(text) <= AUDIT_FILE_MAX + (16U << 10));
        a = audit_free(a);
        assert_ok(audit_new(&a, scratch_path(&s, "audit")));
        assert_int_equal(audit_count(a), n);
}

/* Also before what is kept has come: it must not come back then. */
static void test_clear(void **state) {
        _cleanup_(scratch_close) Scratch s;
        _cleanup_(audit_freep) Audit *a = NULL;

        scratch_open(&s);
        write_earlier(&s, "m", 5);
        assert_ok(audit_new(&a, scratch_path(&s, "audit")));
        note(a, AUDIT_REFUSED, "a", &rule, "k");
        audit_clear(a);
        assert_shown(a, "");
        a = audit_free(a);
        assert_ok(audit_new(&a, scratch_path(&s, "audit")));
        assert_ok(audit_join(a, scratch_path(&s, "earlier")));
        assert_shown(a, "");
        assert_int_equal(audit_get_head(a)->n_boots, 0);
        note(a, AUDIT_REFUSED, "b", &rule, "k");
        assert_shown(a, "b/k*1");
}

/* A count that has not doubled is in the file after audit_sync(). */
static void test_sync(void **state) {
        _cleanup_(scratch_close) Scratch s;
        _cleanup_(audit_freep) Audit *a = NULL;

        scratch_open(&s);
        assert_ok(audit_new(&a, scratch_path(&s, "audit")));
        for (unsigned i = 0; i < 7; i++)
                note(a, AUDIT_REFUSED, "m", &rule, "k");
        for (unsigned i = 0; i < 2; i++) {
                _cleanup_(audit_freep) Audit *after_crash = NULL;
                _cleanup_(freep) char *text = read_text(&s, "audit");

                scratch_write(&s, "copy", text);
                assert_ok(audit_new(&after_crash, scratch_path(&s, "copy")));
                assert_shown(after_crash, i == 0 ? "m/k*4" : "m/k*7");
                audit_sync(a);
        }
}

static bool only_knows_p(const PlanRuling *ruling, void *userdata) {
        (*(unsigned *) userdata)++;
        return streq_ptr(ruling->file, "/p.yaml");
}

static void test_rule_is_gone(void **state) {
        static const PlanRuling gone = { .source = POLICY_BY_RULE, .file = (char *) "/q.yaml", .line = 1 };
        _cleanup_(audit_freep) Audit *a = NULL;
        unsigned n_asked = 0;

        assert_ok(audit_new(&a, NULL));
        note(a, AUDIT_REFUSED, "m", &rule, "k");
        note(a, AUDIT_REFUSED, "m", &gone, "k");
        audit_set_policy(a, only_knows_p, &n_asked);
        for (unsigned i = 0; i < 3; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *array = NULL;

                assert_ok(audit_describe(a, i == 2, &array));
                assert_null(sd_json_variant_by_key(sd_json_variant_by_index(array, 0), "gone"));
                assert_true(sd_json_variant_boolean(
                        sd_json_variant_by_key(sd_json_variant_by_index(array, 1), "gone")));
        }
        assert_int_equal(n_asked, 2);
        audit_policy_changed(a);
        assert_shown(a, "m/k*1 m/k*1");
        assert_int_equal(n_asked, 4);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_the_same_is_counted),
                cmocka_unit_test(test_processes_are_told_apart),
                cmocka_unit_test(test_many_names),
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_type),
                cmocka_unit_test(test_full),
                cmocka_unit_test(test_container),
                cmocka_unit_test(test_over_a_restart),
                cmocka_unit_test(test_file_of_a_crash),
                cmocka_unit_test(test_no_place_for_the_file),
                cmocka_unit_test(test_earlier_boots_are_added),
                cmocka_unit_test(test_boot_after_boot),
                cmocka_unit_test(test_kept_in_this_boot),
                cmocka_unit_test(test_what_is_kept_is_no_good),
                cmocka_unit_test(test_another_machine),
                cmocka_unit_test(test_nothing_is_kept),
                cmocka_unit_test(test_earlier_boots_fill_it),
                cmocka_unit_test(test_bytes),
                cmocka_unit_test(test_clear),
                cmocka_unit_test(test_sync),
                cmocka_unit_test(test_rule_is_gone),
        };

        return RUN_TESTS(tests);
}

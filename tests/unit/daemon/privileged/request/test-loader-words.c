/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What lkmd-loader takes for root's words, and from where. The tests run as root: what is others' is given away. */

#include "daemon/privileged/request/loader-words.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "common/base/paths.h"
#include "common/base/root-file.h"
#include "scratch.h"
#include "test.h"

#define NOBODY 65534

typedef struct Bench {
        Scratch scratch;
        LoaderPlaces places;
        LoaderRequest request;
        size_t n_strings;
} Bench;

static void bench_open(Bench *b) {
        *b = (Bench) { .n_strings = 1 };
        scratch_open(&b->scratch);
        assert_int_equal(chmod(b->scratch.dir, 0755), 0);
        b->places = (LoaderPlaces) { .root = b->scratch.dir, .manager_address = "/nowhere", .release = "6.1-test" };
}

static void bench_close(Bench *b) {
        scratch_close(&b->scratch);
}

#define _bench_ _cleanup_(bench_close)

static uint16_t add_string(Bench *b, const char *s) {
        size_t at = b->n_strings;

        if (!s)
                return 0;
        (void) stpcpy(b->request.words.strings + at, s);
        b->n_strings += strlen(s) + 1;
        return (uint16_t) at;
}

typedef struct Claim {                  /* what a manager may say */
        LoaderOriginKind kind;
        const char *words, *name, *file, *alias_file;
} Claim;

static int try(Bench *b, const Claim *c, int client_fd, LoaderRefusal *ret) {
        b->request = (LoaderRequest) { .magic = LOADER_MAGIC, .op = LOADER_INSERT, .module = "loop" };
        b->n_strings = 1;
        *ret = LOADER_NOT_REFUSED;
        (void) stpcpy(b->request.words.text, c->words);
        b->request.words.n_origins = 1;
        b->request.words.origins[0] = (LoaderOrigin) {
                .kind = (uint16_t) c->kind,
                .size = (uint16_t) strlen(c->words),
                .name = add_string(b, c->name),
                .file = add_string(b, c->file),
                .alias_file = add_string(b, c->alias_file),
        };
        assert_true(loader_words_are_sound(&b->request.words));
        return loader_words_check(&b->places, &b->request, client_fd, ret);
}

static void expect(Bench *b, const Claim *c, LoaderRefusal expected) {
        LoaderRefusal refusal;
        int r = try(b, c, -EBADF, &refusal);

        if (refusal != expected || r != (expected ? -EPERM : 0))
                fail_msg("%s of %s in %s: %d, refusal %d", c->words, c->name ?: "-", c->file ?: "-", r, refusal);
}

#define LINE(words, name, file) (&(Claim) { LOADER_BY_LINE, words, name, file, NULL })

static void test_lines(void **state) {
        _bench_ Bench b;

        bench_open(&b);
        scratch_write(&b.scratch, "etc/modprobe.d/a.conf", "options loop max_loop=8\noptions nbd nbds_max=2\n");
        scratch_write(&b.scratch, "etc/modprobe.d/a.txt", "options loop max_loop=8\n");
        scratch_write(&b.scratch, "etc/modprobe.d/sub/a.conf", "options loop max_loop=8\n");
        scratch_write(&b.scratch, "srv/a.conf", "options loop max_loop=8\n");
        scratch_write(&b.scratch, "run/modprobe.d/r.conf", "options loop max_loop=9\n");

        expect(&b, LINE("max_loop=8", "loop", "/etc/modprobe.d/a.conf"), LOADER_NOT_REFUSED);
        expect(&b, LINE("max_loop=9", "loop", "/run/modprobe.d/r.conf"), LOADER_NOT_REFUSED);
        expect(&b, LINE("max_loop=9", "loop", "/etc/modprobe.d/a.conf"), LOADER_REFUSED_WORDS);
        expect(&b, LINE("nbds_max=2", "loop", "/etc/modprobe.d/a.conf"), LOADER_REFUSED_WORDS);
        expect(&b, LINE("nbds_max=2", "nbd", "/etc/modprobe.d/a.conf"), LOADER_REFUSED_WORDS); /* nothing says nbd is loop */
        expect(&b, LINE("max_loop=8", "loop", "/etc/modprobe.d/none.conf"), LOADER_REFUSED_WORDS);
        expect(&b, LINE("max_loop=8", "loop", "/etc/modprobe.d/a.txt"), LOADER_REFUSED_ORIGIN);
        expect(&b, LINE("max_loop=8", "loop", "/etc/modprobe.d/sub/a.conf"), LOADER_REFUSED_ORIGIN);
        expect(&b, LINE("max_loop=8", "loop", "/etc/modprobe.d/../../srv/a.conf"), LOADER_REFUSED_ORIGIN);
        expect(&b, LINE("max_loop=8", "loop", "/etc/modprobe.d/.conf"), LOADER_REFUSED_ORIGIN);
        expect(&b, LINE("max_loop=8", "loop", "/etc/modprobe.d/"), LOADER_REFUSED_ORIGIN);
        expect(&b, LINE("max_loop=8", "loop", "/srv/a.conf"), LOADER_REFUSED_ORIGIN);
        expect(&b, LINE("max_loop=8", "loop", "etc/modprobe.d/a.conf"), LOADER_REFUSED_ORIGIN);
        expect(&b, LINE("max_loop=8", "loop", "/proc/self/environ"), LOADER_REFUSED_ORIGIN);
        expect(&b, LINE("max_loop=8", "loop", NULL), LOADER_REFUSED_ORIGIN);
}

/* Whose file it is, whose directory, whose link. */
static void test_owners(void **state) {
        static const char file[] = "etc/modprobe.d/a.conf";
        _bench_ Bench b;
        const Claim *claim = LINE("max_loop=8", "loop", "/etc/modprobe.d/a.conf");

        bench_open(&b);
        scratch_write(&b.scratch, file, "options loop max_loop=8\n");
        expect(&b, claim, LOADER_NOT_REFUSED);

        assert_int_equal(chown(scratch_path(&b.scratch, file), NOBODY, 0), 0);
        expect(&b, claim, LOADER_REFUSED_ORIGIN);
        assert_int_equal(chown(scratch_path(&b.scratch, file), 0, NOBODY), 0);
        expect(&b, claim, LOADER_NOT_REFUSED);
        assert_int_equal(chmod(scratch_path(&b.scratch, file), 0664), 0);
        expect(&b, claim, LOADER_REFUSED_ORIGIN);
        assert_int_equal(chmod(scratch_path(&b.scratch, file), 0646), 0);
        expect(&b, claim, LOADER_REFUSED_ORIGIN);
        assert_int_equal(chmod(scratch_path(&b.scratch, file), 0600), 0);
        expect(&b, claim, LOADER_NOT_REFUSED);

        assert_int_equal(chmod(scratch_path(&b.scratch, "etc/modprobe.d"), 0775), 0);
        expect(&b, claim, LOADER_REFUSED_ORIGIN);
        assert_int_equal(chmod(scratch_path(&b.scratch, "etc/modprobe.d"), 0755), 0);
        assert_int_equal(chown(scratch_path(&b.scratch, "etc"), NOBODY, 0), 0);
        expect(&b, claim, LOADER_REFUSED_ORIGIN);
        assert_int_equal(chown(scratch_path(&b.scratch, "etc"), 0, 0), 0);
        expect(&b, claim, LOADER_NOT_REFUSED);
}

static void test_links(void **state) {
        _bench_ Bench b;
        const Claim *claim = LINE("max_loop=8", "loop", "/etc/modprobe.d/a.conf");

        bench_open(&b);
        scratch_write(&b.scratch, "store/1/a.conf", "options loop max_loop=8\n");
        scratch_link(&b.scratch, "store/data", "1");
        scratch_link(&b.scratch, "etc/modprobe.d/a.conf", "../../store/data/a.conf");
        expect(&b, claim, LOADER_NOT_REFUSED);

        /* as a directory in which everybody may make something, and nobody may touch what is root's */
        assert_int_equal(chmod(scratch_path(&b.scratch, "store"), 01777), 0);
        expect(&b, claim, LOADER_NOT_REFUSED);
        assert_int_equal(lchown(scratch_path(&b.scratch, "store/data"), NOBODY, 0), 0);
        expect(&b, claim, LOADER_REFUSED_ORIGIN);
        assert_int_equal(lchown(scratch_path(&b.scratch, "store/data"), 0, 0), 0);
        assert_int_equal(chmod(scratch_path(&b.scratch, "store"), 0777), 0);
        expect(&b, claim, LOADER_REFUSED_ORIGIN);
        assert_int_equal(chmod(scratch_path(&b.scratch, "store"), 0755), 0);

        scratch_remove(&b.scratch, "etc/modprobe.d/a.conf");
        scratch_link(&b.scratch, "etc/modprobe.d/a.conf", "/dev/zero");
        expect(&b, claim, LOADER_REFUSED_ORIGIN);
        scratch_remove(&b.scratch, "etc/modprobe.d/a.conf");
        assert_int_equal(mkfifo(scratch_path(&b.scratch, "etc/modprobe.d/a.conf"), 0644), 0);
        expect(&b, claim, LOADER_REFUSED_ORIGIN);
        scratch_remove(&b.scratch, "etc/modprobe.d/a.conf");
        scratch_link(&b.scratch, "etc/modprobe.d/a.conf", "a.conf");
        expect(&b, claim, LOADER_REFUSED_ORIGIN);
}

static void test_walks(void **state) {
        _cleanup_(scratch_close) Scratch s;
        char longest[PATH_MAX + 2];

        scratch_open(&s);
        memset(longest, 'a', sizeof(longest) - 1);
        longest[0] = '/';
        longest[sizeof(longest) - 1] = '\0';
        assert_int_equal(root_file_find(longest), -ENAMETOOLONG);
        longest[NAME_MAX + 2] = '\0';
        assert_int_equal(root_file_find(longest), -ENAMETOOLONG);
        scratch_link(&s, "a", "b");
        scratch_link(&s, "b", "a");
        assert_int_equal(root_file_find(scratch_path(&s, "a")), -ELOOP);
        assert_int_equal(root_file_find(scratch_path(&s, "none/x")), -ENOENT);
}

static void test_aliases(void **state) {
        _bench_ Bench b;

        bench_open(&b);
        scratch_write(&b.scratch, "etc/modprobe.d/a.conf",
                      "options block-major-7 max_loop=8\nalias block-major-7 loop\noptions other x=1\nalias other nbd\n");
        scratch_write(&b.scratch, "lib/modules/6.1-test/modules.alias", "alias block-major-7-* loop\n");
        scratch_write(&b.scratch, "lib/modules/6.1-test/modules.dep", "alias block-major-7 loop\n");
        scratch_write(&b.scratch, "etc/modprobe.d/b.conf", "options block-major-7-1 max_loop=8\n");

#define ALIASED(words, name, file, alias_file) (&(Claim) { LOADER_BY_LINE, words, name, file, alias_file })
        expect(&b, ALIASED("max_loop=8", "block_major_7", "/etc/modprobe.d/a.conf", "/etc/modprobe.d/a.conf"),
               LOADER_NOT_REFUSED);
        expect(&b, ALIASED("max_loop=8", "block_major_7_1", "/etc/modprobe.d/b.conf",
                           "/lib/modules/6.1-test/modules.alias"), LOADER_NOT_REFUSED);
        expect(&b, ALIASED("max_loop=8", "block_major_7", "/etc/modprobe.d/a.conf", NULL), LOADER_REFUSED_WORDS);
        expect(&b, ALIASED("max_loop=8", "block_major_7", "/etc/modprobe.d/a.conf",
                           "/lib/modules/6.1-test/modules.dep"), LOADER_REFUSED_WORDS);
        expect(&b, ALIASED("x=1", "other", "/etc/modprobe.d/a.conf", "/etc/modprobe.d/a.conf"), LOADER_REFUSED_WORDS);
}

/* A long file for each of many: that is no load, but work for the sake of work. */
static void test_many_aliases(void **state) {
        LoaderRefusal refusal = LOADER_NOT_REFUSED;
        _bench_ Bench b;
        size_t at = 0;

        bench_open(&b);
        scratch_write(&b.scratch, "etc/modprobe.d/a.conf", "options x a=1\nalias x loop\n");
        for (unsigned n = 0; n <= LOADER_ALIASES_MAX + 1; n++) {
                b.request = (LoaderRequest) { .magic = LOADER_MAGIC, .op = LOADER_INSERT, .module = "loop" };
                b.n_strings = 1;
                at = 0;
                for (unsigned i = 0; i < n; i++) {
                        at += (size_t) sprintf(b.request.words.text + at, "%sa=1", i > 0 ? " " : "");
                        b.request.words.origins[i] = (LoaderOrigin) {
                                .kind = LOADER_BY_LINE,
                                .size = 3,
                                .name = add_string(&b, "x"),
                                .file = add_string(&b, "/etc/modprobe.d/a.conf"),
                                .alias_file = add_string(&b, "/etc/modprobe.d/a.conf"),
                        };
                }
                b.request.words.n_origins = n;
                assert_true(loader_words_are_sound(&b.request.words));
                assert_int_equal(loader_words_check(&b.places, &b.request, -EBADF, &refusal),
                                 n <= LOADER_ALIASES_MAX ? 0 : -EPERM);
        }
}

static void test_kernel_line(void **state) {
        _bench_ Bench b;

        bench_open(&b);
        scratch_write(&b.scratch, "proc/cmdline", "quiet loop.max_loop=8 nbd.x=1\n");
        expect(&b, &(Claim) { LOADER_BY_KERNEL_LINE, "max_loop=8", "loop", NULL, NULL }, LOADER_NOT_REFUSED);
        expect(&b, &(Claim) { LOADER_BY_KERNEL_LINE, "max_loop=9", "loop", NULL, NULL }, LOADER_REFUSED_WORDS);
        expect(&b, &(Claim) { LOADER_BY_KERNEL_LINE, "x=1", "nbd", NULL, NULL }, LOADER_REFUSED_WORDS);
        expect(&b, &(Claim) { LOADER_BY_SETTING, "async_probe", NULL, NULL, NULL }, LOADER_NOT_REFUSED);
        expect(&b, &(Claim) { LOADER_BY_SETTING, "max_loop=8", NULL, NULL, NULL }, LOADER_REFUSED_WORDS);
}

#define RULES_DIR LKMD_SYSCONF_DIR "/lkmd/" LKMD_POLICY_DIR

static void test_policies(void **state) {
        static const char policy[] = "version: 1\nrules:\n  - match: {module: [\"*\", loop]}\n    verdict: allow\n"
                                     "    parameters: [\"debug=*\"]\n    options: [max_loop=8]\n";
        _bench_ Bench b;

        bench_open(&b);
        scratch_write(&b.scratch, RULES_DIR "/a.yaml", policy);
        scratch_write(&b.scratch, RULES_DIR "/a.yml", policy);
        scratch_write(&b.scratch, "run/lkmd/state/grants.yaml", policy);
        scratch_write(&b.scratch, "run/lkmd/policy.d/a.yaml", policy);

#define RULE(words, file) (&(Claim) { LOADER_BY_RULE, words, NULL, file, NULL })
#define ALLOWED(words, pattern, file) (&(Claim) { LOADER_BY_PERMISSION, words, pattern, file, NULL })
        expect(&b, RULE("max_loop=8", RULES_DIR "/a.yaml"), LOADER_NOT_REFUSED);
        expect(&b, RULE("max_loop=8", "/run/lkmd/policy.d/a.yaml"), LOADER_NOT_REFUSED);
        expect(&b, RULE("max_loop=9", RULES_DIR "/a.yaml"), LOADER_REFUSED_WORDS);
        expect(&b, RULE("debug=*", RULES_DIR "/a.yaml"), LOADER_REFUSED_WORDS);
        expect(&b, RULE("max_loop=8", RULES_DIR "/a.yml"), LOADER_REFUSED_ORIGIN);
        expect(&b, RULE("max_loop=8", "/run/lkmd/state/grants.yaml"), LOADER_REFUSED_ORIGIN);
        expect(&b, ALLOWED("debug=3", "debug=*", RULES_DIR "/a.yaml"), LOADER_NOT_REFUSED);
        expect(&b, ALLOWED("debug=3", "*", RULES_DIR "/a.yaml"), LOADER_REFUSED_WORDS);
        expect(&b, ALLOWED("debug=3", "debug=3", RULES_DIR "/a.yaml"), LOADER_REFUSED_WORDS);
        expect(&b, ALLOWED("max_loop=8", "debug=*", RULES_DIR "/a.yaml"), LOADER_REFUSED_WORDS);
        expect(&b, ALLOWED("debug=3 x=1", "debug=*", RULES_DIR "/a.yaml"), LOADER_REFUSED_WORDS);
        expect(&b, ALLOWED("debug=3", NULL, RULES_DIR "/a.yaml"), LOADER_REFUSED_WORDS);

        /* as when the directory of the manager's socket belongs to the manager */
        assert_int_equal(chown(scratch_path(&b.scratch, "run/lkmd"), NOBODY, 0), 0);
        expect(&b, RULE("max_loop=8", "/run/lkmd/policy.d/a.yaml"), LOADER_REFUSED_ORIGIN);
}

/* --------------------------------------------------------------------------------------------- clients */

typedef struct Client {
        int listen_fd, fd;              /* of what was accepted */
        int hold_fd;                    /* to be closed for the process to end */
        pid_t pid;
} Client;

/* Connects, and waits with these arguments until it is let go. */
static void client_start(Client *c, const char *address, uid_t uid, char *const *arguments) {
        struct sockaddr_un name = { .sun_family = AF_UNIX };
        int pipe_fds[2];

        (void) stpcpy(name.sun_path, address);
        assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
        c->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(c->listen_fd, (const struct sockaddr *) &name, sizeof(name)), 0);
        assert_int_equal(chmod(address, 0666), 0);
        assert_int_equal(listen(c->listen_fd, 4), 0);
        c->pid = fork();
        if (c->pid == 0) {
                int fd = socket(AF_UNIX, SOCK_STREAM, 0);

                if (dup2(pipe_fds[0], STDIN_FILENO) < 0 || (uid != 0 && setuid(uid) < 0) ||
                    connect(fd, (const struct sockaddr *) &name, sizeof(name)) < 0)
                        _exit(1);
                (void) execv("/bin/cat", arguments);
                _exit(1);
        }
        close(pipe_fds[0]);
        c->hold_fd = pipe_fds[1];
        c->fd = accept4(c->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        assert_true(c->pid > 0 && c->fd >= 0);
        for (;;) {                      /* until its arguments are those of cat */
                char path[64], text[8] = "";
                _cleanup_(closep) int fd = -EBADF;

                snprintf(path, sizeof(path), "/proc/%d/cmdline", c->pid);
                fd = open(path, O_RDONLY | O_CLOEXEC);
                assert_true(fd >= 0);
                if (read(fd, text, sizeof(text)) > 0 && memcmp(text, arguments[0], 6) == 0)
                        break;
        }
}

static void client_stop(Client *c) {
        int status;

        close(c->hold_fd);
        assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
        close(c->fd);
        close(c->listen_fd);
}

static LoaderRefusal ask_as(Bench *b, const char *words, const char *name, int fd) {
        LoaderRefusal refusal;

        (void) try(b, &(Claim) { LOADER_BY_CLIENT, words, name, NULL, NULL }, fd, &refusal);
        return refusal;
}

/* cat -- - load loop max_loop=8: reads what it is told to, and has these arguments. */
static char *const loading[] = { (char *) "lkmctl", (char *) "-", (char *) "load", (char *) "loop",
                                 (char *) "max_loop=8", NULL };

static void test_roots_client(void **state) {
        _bench_ Bench b;
        int pair[2];
        Client c;

        bench_open(&b);
        b.places.manager_address = scratch_path(&b.scratch, "manager");
        client_start(&c, b.places.manager_address, 0, loading);
        assert_int_equal(ask_as(&b, "max_loop=8", "loop", c.fd), LOADER_NOT_REFUSED);
        assert_int_equal(ask_as(&b, "max_loop=9", "loop", c.fd), LOADER_REFUSED_ARGUMENTS);
        assert_int_equal(ask_as(&b, "max_loop=8", "nbd", c.fd), LOADER_REFUSED_ARGUMENTS);
        assert_int_equal(ask_as(&b, "max_loop=8", "max_loop=8", c.fd), LOADER_REFUSED_WORDS); /* not that module */
        assert_int_equal(ask_as(&b, "max_loop=8", "loop", -EBADF), LOADER_REFUSED_CLIENT);

        /* what is root's as well, and nobody's connection to the manager */
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        assert_int_equal(ask_as(&b, "max_loop=8", "loop", pair[0]), LOADER_REFUSED_CLIENT);
        assert_int_equal(ask_as(&b, "max_loop=8", "loop", c.listen_fd), LOADER_REFUSED_CLIENT);
        assert_int_equal(ask_as(&b, "max_loop=8", "loop", STDERR_FILENO), LOADER_REFUSED_CLIENT);
        close(pair[0]);
        close(pair[1]);
        b.places.manager_address = "/another/manager";
        assert_int_equal(ask_as(&b, "max_loop=8", "loop", c.fd), LOADER_REFUSED_CLIENT);
        client_stop(&c);
}

/* It asked for something else, such as the status: the manager may have the connection and not the words. */
static void test_roots_other_client(void **state) {
        static char *const arguments[] = { (char *) "lkmctl", (char *) "-", (char *) "status", NULL };
        LoaderRequest r = { .flags = LOADER_FORCE_VERMAGIC };
        LoaderRefusal refusal = LOADER_NOT_REFUSED;
        _bench_ Bench b;
        Client c;

        bench_open(&b);
        b.places.manager_address = scratch_path(&b.scratch, "manager");
        client_start(&c, b.places.manager_address, 0, arguments);
        assert_int_equal(ask_as(&b, "max_loop=8", "loop", c.fd), LOADER_REFUSED_ARGUMENTS);
        assert_int_equal(loader_force_check(&b.places, &r, c.fd, &refusal), -EPERM);
        assert_int_equal(refusal, LOADER_REFUSED_FORCE);
        client_stop(&c);
}

static void test_nobodys_client(void **state) {
        _bench_ Bench b;
        Client c;

        bench_open(&b);
        b.places.manager_address = scratch_path(&b.scratch, "manager");
        client_start(&c, b.places.manager_address, NOBODY, loading);
        assert_int_equal(ask_as(&b, "max_loop=8", "loop", c.fd), LOADER_REFUSED_CLIENT);
        client_stop(&c);
}

/* Its connection outlives it in the manager, and its process ID may be the next one's. */
static void test_client_that_is_gone(void **state) {
        _bench_ Bench b;
        Client c;
        int fd;

        bench_open(&b);
        b.places.manager_address = scratch_path(&b.scratch, "manager");
        client_start(&c, b.places.manager_address, 0, loading);
        fd = fcntl(c.fd, F_DUPFD_CLOEXEC, 3);
        client_stop(&c);
        assert_int_equal(ask_as(&b, "max_loop=8", "loop", fd), LOADER_REFUSED_CLIENT);
        close(fd);
}

/* ------------------------------------------------------------------------------------------- the shell */

static void test_words_in_commands(void **state) {
        static const struct {
                LoaderOriginKind kind;
                const char *words;
                LoaderRefusal refusal;
        } cases[] = {
                { LOADER_BY_LINE,        "a=$(id)",  LOADER_NOT_REFUSED }, /* root wrote it for this, as with modprobe */
                { LOADER_BY_KERNEL_LINE, "a=`id`",   LOADER_NOT_REFUSED },
                { LOADER_BY_CLIENT,      "a=1",      LOADER_NOT_REFUSED },
                { LOADER_BY_CLIENT,      "a=$(id)",  LOADER_REFUSED_SHELL },
                { LOADER_BY_CLIENT,      "a=\"b c\"", LOADER_REFUSED_SHELL },
                { LOADER_BY_RULE,        "a=b;id",   LOADER_REFUSED_SHELL },
                { LOADER_BY_RULE,        "a=b",      LOADER_NOT_REFUSED },
                { LOADER_BY_PERMISSION,  "a=1",      LOADER_REFUSED_MEMBER },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                LoaderWords w = { .n_origins = 1 };
                LoaderRefusal refusal = LOADER_NOT_REFUSED;

                (void) stpcpy(w.text, cases[i].words);
                w.origins[0] = (LoaderOrigin) { .kind = (uint16_t) cases[i].kind,
                                                .size = (uint16_t) strlen(cases[i].words) };
                assert_int_equal(loader_words_check_shell(&w, &refusal), cases[i].refusal ? -EPERM : 0);
                assert_int_equal(refusal, cases[i].refusal);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_owners),
                cmocka_unit_test(test_links),
                cmocka_unit_test(test_walks),
                cmocka_unit_test(test_aliases),
                cmocka_unit_test(test_many_aliases),
                cmocka_unit_test(test_kernel_line),
                cmocka_unit_test(test_policies),
                cmocka_unit_test(test_roots_client),
                cmocka_unit_test(test_roots_other_client),
                cmocka_unit_test(test_nobodys_client),
                cmocka_unit_test(test_client_that_is_gone),
                cmocka_unit_test(test_words_in_commands),
        };

        return RUN_TESTS(tests);
}

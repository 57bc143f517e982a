/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/privileged/loader/loader.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "daemon/privileged/loader/loader-module.h"
#include "scratch.h"
#include "test.h"

/* ---------------------------------------------------------------------------------- which files it opens */

static int try_open(const Scratch *s, const char *name) {
        int fd = loader_open_module(scratch_path(s, "lib/modules"), scratch_path(s, name));

        if (fd < 0)
                return fd;
        close(fd);
        return 0;
}

/* In a directory like that of a real system: nobody but root creates files above it. */
static void scratch_tree(Scratch *s) {
        scratch_open_below(s, "/var/lib");
        scratch_write(s, "lib/modules/1.0/kernel/a.ko", "x");
        scratch_write(s, "outside.ko", "x");
        scratch_write(s, "lib/modules-of-another/b.ko", "x");
}

static void test_opens_what_lies_within(void **state) {
        _cleanup_(scratch_close) Scratch s;

        scratch_tree(&s);
        assert_int_equal(try_open(&s, "lib/modules/1.0/kernel/a.ko"), 0);
        assert_int_equal(try_open(&s, "lib/modules/1.0//kernel/./a.ko"), 0);

        scratch_link(&s, "lib/modules/1.0/weak-updates/a.ko", "../kernel/a.ko");
        scratch_link(&s, "lib/modules/2.0", "1.0");
        scratch_link(&s, "lib/modules/1.0/extra", scratch_path(&s, "lib/modules/1.0/kernel"));
        assert_int_equal(try_open(&s, "lib/modules/1.0/extra/a.ko"), 0);
        assert_int_equal(try_open(&s, "lib/modules/1.0/weak-updates/a.ko"), 0);
        assert_int_equal(try_open(&s, "lib/modules/2.0/kernel/a.ko"), 0);
}

/* As on a system whose /lib is usr/lib. */
static void test_root_that_is_a_link(void **state) {
        _cleanup_(scratch_close) Scratch s;
        int fd;

        scratch_tree(&s);
        scratch_link(&s, "short", "lib");
        fd = loader_open_module(scratch_path(&s, "short/modules"),
                                scratch_path(&s, "lib/modules/1.0/kernel/a.ko"));
        assert_true(fd >= 0);
        close(fd);
        fd = loader_open_module(scratch_path(&s, "short/modules"),
                                scratch_path(&s, "short/modules/1.0/kernel/a.ko"));
        assert_true(fd >= 0);
        close(fd);
        /* but what is written as lying elsewhere is not looked at */
        assert_int_equal(loader_open_module(scratch_path(&s, "lib/modules"),
                                            scratch_path(&s, "short/modules/1.0/kernel/a.ko")),
                         -EXDEV);
}

static void test_opens_nothing_else(void **state) {
        _cleanup_(scratch_close) Scratch s;

        scratch_tree(&s);
        assert_int_equal(try_open(&s, "outside.ko"), -EXDEV);
        assert_int_equal(try_open(&s, "lib/modules-of-another/b.ko"), -EXDEV); /* the same beginning is not enough */
        assert_int_equal(try_open(&s, "lib/modules/../../outside.ko"), -EXDEV);
        assert_int_equal(try_open(&s, "lib/modules/1.0/../../../outside.ko"), -EXDEV);

        assert_int_equal(loader_open_module(scratch_path(&s, "lib/modules"), "/etc/passwd"), -EXDEV);
        assert_int_equal(loader_open_module(scratch_path(&s, "lib/modules"), "/proc/self/status"), -EXDEV);
        assert_int_equal(try_open(&s, "lib/modules/1.0/../1.0/kernel/a.ko"),
                         -EXDEV); /* nobody writes it so */
        assert_int_equal(try_open(&s, "lib/modules/1.0/kernel/.."), -EXDEV);

        /* depmod does not look there either */
        scratch_link(&s, "lib/modules/1.0/build", "../../..");
        scratch_link(&s, "lib/modules/1.0/source", "../../..");
        assert_int_equal(try_open(&s, "lib/modules/1.0/build/outside.ko"), -EXDEV);
        assert_int_equal(try_open(&s, "lib/modules/1.0/source/outside.ko"), -EXDEV);
        assert_int_equal(try_open(&s, "lib/modules/1.0/kernel/build/outside.ko"), -EXDEV);
        assert_int_equal(try_open(&s, "lib/modules/1.0/builder/outside.ko"), -ENOENT);
}

/* What dkms and NixOS do: root's links, through directories in which nobody else can put anything in the way. */
static void test_links_out_of_the_tree(void **state) {
        static const char link[] = "lib/modules/1.0/updates/m.ko";
        _cleanup_(scratch_close) Scratch s;

        scratch_tree(&s);
        scratch_write(&s, "dkms/x/m.ko", "x");
        scratch_link(&s, link, scratch_path(&s, "dkms/x/m.ko"));
        scratch_link(&s, "lib/modules/1.0/extra", "../../../dkms");
        assert_int_equal(try_open(&s, link), 0);
        assert_int_equal(try_open(&s, "lib/modules/1.0/extra/x/m.ko"), 0);

        assert_int_equal(chmod(scratch_path(&s, "dkms/x/m.ko"), 0664), 0);
        assert_int_equal(try_open(&s, link), -EPERM);
        assert_int_equal(chmod(scratch_path(&s, "dkms/x/m.ko"), 0644), 0);
        assert_int_equal(chmod(scratch_path(&s, "dkms/x"), 0775), 0);
        assert_int_equal(try_open(&s, link), -EPERM);
        assert_int_equal(chmod(scratch_path(&s, "dkms/x"), 01777),
                         0); /* somebody may have made a hard link */
        assert_int_equal(try_open(&s, link), -EPERM);
        assert_int_equal(chmod(scratch_path(&s, "dkms/x"), 0755), 0);
        assert_int_equal(chown(scratch_path(&s, "dkms"), 65534, 0), 0);
        assert_int_equal(try_open(&s, link), -EPERM);
        assert_int_equal(try_open(&s, "lib/modules/1.0/extra/x/m.ko"), -EPERM);
        assert_int_equal(chown(scratch_path(&s, "dkms"), 0, 0), 0);
        assert_int_equal(try_open(&s, link), 0);
        assert_int_equal(lchown(scratch_path(&s, link), 65534, 0), 0);
        assert_int_equal(try_open(&s, link), -EPERM);
}

/* A link of root's to a link of somebody's, and to what only the sticky bit protects. */
static void test_links_to_what_is_not_roots(void **state) {
        _cleanup_(scratch_close) Scratch s, t;

        scratch_tree(&s);
        scratch_open(&t);
        scratch_write(&t, "m.ko", "x");
        scratch_link(&s, "lib/modules/1.0/tmp.ko", scratch_path(&t, "m.ko"));
        assert_int_equal(try_open(&s, "lib/modules/1.0/tmp.ko"), -EPERM);

        scratch_link(&s, "theirs/m.ko", "../outside.ko");
        scratch_link(&s, "lib/modules/1.0/theirs.ko", "../../../theirs/m.ko");
        assert_int_equal(try_open(&s, "lib/modules/1.0/theirs.ko"), 0);
        assert_int_equal(lchown(scratch_path(&s, "theirs/m.ko"), 65534, 0), 0);
        assert_int_equal(try_open(&s, "lib/modules/1.0/theirs.ko"), -EPERM);
}

static void test_only_regular_files(void **state) {
        _cleanup_(scratch_close) Scratch s;

        scratch_tree(&s);
        assert_int_equal(mkfifo(scratch_path(&s, "lib/modules/1.0/fifo.ko"), 0644), 0);
        scratch_link(&s, "lib/modules/1.0/null.ko", "/dev/null");
        assert_int_equal(try_open(&s, "lib/modules/1.0/fifo.ko"), -EINVAL); /* without waiting for its other end */
        assert_int_equal(try_open(&s, "lib/modules/1.0/null.ko"), -EINVAL);
        assert_int_equal(try_open(&s, "lib/modules/1.0/kernel"), -EINVAL);
}

/*
 * A device and a FIFO are not even opened: that may start the device, and the other end of the FIFO notices. A
 * name space of somebody else's has a /lib/modules too, and /proc leads there.
 */
static void test_opens_nothing_to_look_at_it(void **state) {
        _cleanup_(scratch_close) Scratch s;
        char back[512];
        int end;

        scratch_tree(&s);
        assert_int_equal(mkfifo(scratch_path(&s, "lib/modules/1.0/fifo.ko"), 0644), 0);
        assert_int_equal(try_open(&s, "lib/modules/1.0/fifo.ko"), -EINVAL);
        end = open(scratch_path(&s, "lib/modules/1.0/fifo.ko"), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        assert_int_equal(end, -1);
        assert_int_equal(errno, ENXIO); /* nobody reads */

        scratch_link(&s, "lib/modules/1.0/elsewhere", "/proc/self/root");
        assert_int_equal(try_open(&s, "lib/modules/1.0/elsewhere/etc/passwd"), -EXDEV);
        (void) snprintf(back, sizeof(back), "/proc/self/root%s", scratch_path(&s, "lib/modules/1.0/kernel"));
        scratch_link(&s, "lib/modules/1.0/back", back); /* which leads to a file that may be opened */
        assert_int_equal(try_open(&s, "lib/modules/1.0/back/a.ko"), -EXDEV);
        scratch_link(&s, "lib/modules/1.0/fd.ko", "/proc/self/fd/0");
        assert_true(try_open(&s, "lib/modules/1.0/fd.ko") < 0);
}

/* What it passes to the kernel belongs to root, and only root can write it. */
static void test_files_that_others_can_write(void **state) {
        static const char file[] = "lib/modules/1.0/kernel/a.ko";
        _cleanup_(scratch_close) Scratch s;

        scratch_tree(&s);
        assert_int_equal(chown(scratch_path(&s, file), 65534, 0), 0);
        assert_int_equal(try_open(&s, file), -EPERM);
        assert_int_equal(chown(scratch_path(&s, file), 0, 0), 0);
        assert_int_equal(chmod(scratch_path(&s, file), 0664), 0);
        assert_int_equal(try_open(&s, file), -EPERM);
        assert_int_equal(chmod(scratch_path(&s, file), 0646), 0);
        assert_int_equal(try_open(&s, file), -EPERM);
        assert_int_equal(chmod(scratch_path(&s, file), 0600), 0);
        assert_int_equal(try_open(&s, file), 0);
        assert_int_equal(chmod(scratch_path(&s, "lib/modules/1.0/kernel"), 0777), 0);
        assert_int_equal(try_open(&s, file), -EPERM);
        assert_int_equal(chmod(scratch_path(&s, "lib/modules/1.0/kernel"), 0755), 0);
        scratch_link(&s, "lib/modules/1.0/link.ko", "kernel/a.ko");
        assert_int_equal(try_open(&s, "lib/modules/1.0/link.ko"), 0);
        assert_int_equal(lchown(scratch_path(&s, "lib/modules/1.0/link.ko"), 65534, 0), 0);
        assert_int_equal(try_open(&s, "lib/modules/1.0/link.ko"), -EPERM);
}

static void test_names_of_files(void **state) {
        static const struct {
                const char *path, *module;
                bool same;
        } cases[] = {
                { "/lib/modules/1/kernel/snd-x.ko.xz", "snd_x", true },
                { "/lib/modules/1/kernel/snd_x.ko", "snd_x", true },
                { "/lib/modules/1/kernel/snd-x.ko", "snd-x", false }, /* names come normalised */
                { "/lib/modules/1/kernel/snd-x.ko", "snd_y", false },
                { "/lib/modules/1/kernel/snd-x.ko", "snd_", false },
                { "/lib/modules/1/kernel/snd-x.ko", "snd_x2", false },
                { "/lib/modules/1/kernel/.ko", "loop", false },
                { "/", "loop", false },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++)
                assert_int_equal(loader_file_is_called(cases[i].path, cases[i].module), cases[i].same);
}

static void test_what_is_not_there(void **state) {
        _cleanup_(scratch_close) Scratch s;

        scratch_tree(&s);
        scratch_link(&s, "lib/modules/1.0/loop.ko", "loop.ko");
        scratch_link(&s, "lib/modules/1.0/dangling.ko", "nowhere");
        assert_int_equal(try_open(&s, "lib/modules/1.0/none.ko"), -ENOENT);
        assert_int_equal(try_open(&s, "lib/modules/1.0/dangling.ko"), -ENOENT);
        assert_int_equal(try_open(&s, "lib/modules/1.0/loop.ko"), -ELOOP);
        assert_int_equal(try_open(&s, "lib/modules/1.0/kernel/a.ko/b.ko"), -ENOTDIR);
        assert_int_equal(
                loader_open_module(scratch_path(&s, "no/modules"), scratch_path(&s, "no/modules/x.ko")),
                -ENOENT);
}

/* ------------------------------------------------------------------------------- which requests it takes */

static LoaderRequest good_request(void) {
        return (LoaderRequest) {
                .magic = LOADER_MAGIC,
                .op = LOADER_INSERT,
                .id = 7,
                .module = "loop",
                .path = "/lib/modules/loop.ko",
        };
}

/* One that comes to its end at once. */
static LoaderRequest missing_file(void) {
        LoaderRequest r = good_request();

        (void) stpcpy(r.path, "/lib/modules/none/loop.ko");
        return r;
}

static LoaderRequest look_request(void) {
        return (LoaderRequest) { .magic = LOADER_MAGIC, .op = LOADER_LOOK, .id = 7 };
}

static LoaderRequest request_with_words(void) {
        LoaderRequest r = good_request();

        (void) stpcpy(r.words.text, "a=1 b=2");
        (void) memcpy(r.words.strings, "\0loop\0/etc/modprobe.d/a.conf",
                      sizeof("\0loop\0/etc/modprobe.d/a.conf"));
        r.words.n_origins = 2;
        r.words.origins[0] = (LoaderOrigin) { .kind = LOADER_BY_LINE, .size = 3, .name = 1, .file = 6 };
        r.words.origins[1] = (LoaderOrigin) { .kind = LOADER_BY_SETTING, .size = 3 };
        return r;
}

static int check(const LoaderRequest *r) {
        return loader_check_request(r, LOADER_REQUEST_SIZE(r->words.n_origins));
}

#define assert_refused(r) assert_int_equal(check(&(r)), -EBADMSG)

static void test_good_requests(void **state) {
        LoaderRequest r = good_request();

        assert_ok(check(&r));
        memset(r.module, 'm', sizeof(r.module) - 1);
        memset(r.path, '/', sizeof(r.path) - 1);
        assert_ok(check(&r));

        for (LoaderOp op = LOADER_REMOVE; op < _LOADER_OP_MAX; op++) {
                r = good_request();
                r.op = op;
                r.path[0] = '\0';
                if (op == LOADER_LOOK)
                        r.module[0] = '\0';     /* it is about a request, not about a module */
                assert_ok(check(&r));
        }

        r = request_with_words();
        assert_ok(check(&r));
        r.op = LOADER_INSTALL_COMMAND;
        assert_ok(check(&r));
        r.op = LOADER_REMOVE; /* there is nothing to have parameters */
        assert_refused(r);
        r.op = LOADER_REMOVE_COMMAND;
        assert_refused(r);
}

static void test_size_and_magic(void **state) {
        LoaderRequest r = good_request();

        for (size_t size = 0; size < sizeof(r) + 2; size++)
                if (size != LOADER_REQUEST_SIZE(0))
                        assert_int_equal(loader_check_request(&r, size), -EBADMSG);
        assert_int_equal(loader_check_request(&r, SIZE_MAX), -EBADMSG);
        r = request_with_words();
        assert_int_equal(loader_check_request(&r, LOADER_REQUEST_SIZE(0)), -EBADMSG);

        r.magic = LOADER_MAGIC + 1;
        assert_refused(r);
        r.magic = 0;
        assert_refused(r);
}

static void test_operations(void **state) {
        static const uint32_t ops[] = { 0, _LOADER_OP_MAX, _LOADER_OP_MAX + 1, INT32_MAX, UINT32_MAX };

        for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
                LoaderRequest r = good_request();

                r.op = ops[i];
                assert_refused(r);
        }
}

static void test_flags(void **state) {
        static const struct {
                LoaderOp op;
                uint32_t flags;
                int result;
        } cases[] = {
                { LOADER_INSERT, LOADER_FORCE_VERMAGIC | LOADER_FORCE_MODVERSIONS | LOADER_HAS_CLIENT, 0 },
                { LOADER_INSERT, LOADER_FORCE_REMOVAL, -EBADMSG },
                { LOADER_REMOVE, LOADER_FORCE_REMOVAL | LOADER_HAS_CLIENT, 0 },
                { LOADER_REMOVE, LOADER_FORCE_VERMAGIC, -EBADMSG },
                { LOADER_INSTALL_COMMAND, LOADER_HAS_CLIENT, 0 },
                { LOADER_INSTALL_COMMAND, LOADER_FORCE_VERMAGIC, -EBADMSG },
                { LOADER_REMOVE_COMMAND, LOADER_HAS_CLIENT, -EBADMSG },
                { LOADER_INSERT, 1U << 31, -EBADMSG },
                { LOADER_INSERT, 1U << 4, -EBADMSG },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                LoaderRequest r = good_request();

                r.op = cases[i].op;
                r.flags = cases[i].flags;
                assert_int_equal(check(&r), cases[i].result);
        }
}

static void test_strings_that_do_not_end(void **state) {
        LoaderRequest r = good_request();

        memset(r.module, 'm', sizeof(r.module));
        assert_refused(r);
        r = good_request();
        memset(r.path, '/', sizeof(r.path));
        assert_refused(r);
        r = request_with_words();
        memset(r.words.text, 'p', sizeof(r.words.text));
        assert_refused(r);
        r = request_with_words();
        memset(r.words.strings + 1, 's', sizeof(r.words.strings) - 1);
        assert_refused(r);
}

/* The origins have to cover all of the text, and nothing behind it. */
static void test_origins(void **state) {
        LoaderRequest r;

#define TRY(change)                       \
        do {                              \
                r = request_with_words(); \
                change;                   \
                assert_refused(r);        \
        } while (0)
        TRY(r.words.n_origins = 1); /* " b=2" would be nobody's */
        TRY(r.words.n_origins = 3);
        TRY(r.words.n_origins = LOADER_ORIGINS_MAX + 1);
        TRY(r.words.n_origins = UINT32_MAX);
        TRY(r.words.origins[0].size = 2);
        TRY(r.words.origins[0].size = 4);
        TRY(r.words.origins[0].size = 0);
        TRY(r.words.origins[1].size = UINT16_MAX);
        TRY(r.words.origins[1].size = PARAMETERS_MAX);
        TRY(r.words.origins[0].kind = 0);
        TRY(r.words.origins[0].kind = _LOADER_ORIGIN_KIND_MAX);
        TRY(r.words.origins[0].kind = UINT16_MAX);
        TRY(r.words.origins[0].name = LOADER_STRINGS_MAX);
        TRY(r.words.origins[0].file = UINT16_MAX);
        TRY(r.words.origins[1].alias_file = LOADER_STRINGS_MAX);
        TRY(r.words.origins[1].reserved = 1);
        TRY(r.words.strings[0] = 'x');
        TRY(r.words.text[3] = ',');
        TRY(r.words.text[3] = '\0');
        TRY((void) strcat(r.words.text, " c=3"));
        TRY(r.words.reserved = 1);
        TRY(r.reserved = 1);
#undef TRY
}

static void test_names(void **state) {
        static const char *const bad[] = { "",     "a b",  "a/b", "../a", "/",     "a\n", "\x7f",
                                           "\xff", "a\tb", " a",  ".",    "..",    ".a",  "$(id)",
                                           "a;b",  "`id`", "a*",  "a[b]", "\"a\"", "a\\" };

        LoaderRequest look = good_request();

        for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
                LoaderRequest r = good_request();

                (void) stpcpy(r.module, bad[i]);
                assert_refused(r);
        }
        look.op = LOADER_LOOK;
        assert_refused(look);
}

static void test_paths(void **state) {
        static const char *const bad[] = { "", "loop.ko", "./loop.ko", "../loop.ko", " /loop.ko" };

        for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
                LoaderRequest r = good_request();

                (void) stpcpy(r.path, bad[i]);
                assert_refused(r);
        }
}

/* ----------------------------------------------------------------------------------------- how it serves */

typedef struct Server {
        Scratch scratch;
        struct sockaddr_un address;
        int listen_fd, result;
        pthread_t thread;
} Server;

static void *run(void *userdata) {
        Server *s = userdata;

        s->result = loader_run(s->listen_fd);
        return NULL;
}

static int connect_to(const Server *s) {
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        assert_int_equal(connect(fd, (const struct sockaddr *) &s->address, sizeof(s->address)), 0);
        return fd;
}

/* With a manager that has connected, as when systemd starts it. */
static int server_start(Server *s) {
        int fd;

        *s = (Server) { .address.sun_family = AF_UNIX };
        scratch_open(&s->scratch);
        (void) stpcpy(s->address.sun_path, scratch_path(&s->scratch, "loader"));
        s->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(s->listen_fd, (const struct sockaddr *) &s->address, sizeof(s->address)), 0);
        assert_int_equal(listen(s->listen_fd, 4), 0);
        fd = connect_to(s);
        assert_int_equal(pthread_create(&s->thread, NULL, run, s), 0);
        return fd;
}

/* It leaves by itself when nobody is there any more. */
static void server_join(Server *s) {
        assert_int_equal(pthread_join(s->thread, NULL), 0);
        assert_int_equal(s->result, 0);
        close(s->listen_fd);
        scratch_close(&s->scratch);
}

static void server_stop(Server *s, int fd) {
        close(fd);
        server_join(s);
}

static void ask(int fd, const LoaderRequest *r) {
        assert_int_equal(send(fd, r, LOADER_REQUEST_SIZE(r->words.n_origins), MSG_NOSIGNAL),
                         LOADER_REQUEST_SIZE(r->words.n_origins));
}

static LoaderReply hear(int fd) {
        LoaderReply reply = {};

        assert_int_equal(recv(fd, &reply, sizeof(reply), 0), sizeof(reply));
        assert_int_equal(reply.magic, LOADER_MAGIC);
        return reply;
}

static void test_serves(void **state) {
        LoaderRequest r = missing_file();
        LoaderReply reply;
        Server s;
        int fd;

        fd = server_start(&s);
        ask(fd, &r);
        reply = hear(fd);
        assert_int_equal(reply.id, 7);
        assert_int_equal(reply.error, -ENOENT);
        assert_int_equal(reply.refusal, LOADER_NOT_REFUSED);

        (void) stpcpy(r.path, "/lib/modules/none/other.ko");
        ask(fd, &r);
        reply = hear(fd);
        assert_int_equal(reply.error, -EPERM);
        assert_int_equal(reply.refusal, LOADER_REFUSED_NAME);

        r.op = LOADER_INSTALL_COMMAND;  /* no line of modprobe.d speaks of it */
        r.id = UINT64_MAX;
        (void) stpcpy(r.module, "lkmdt_none");
        ask(fd, &r);
        reply = hear(fd);
        assert_true(reply.id == UINT64_MAX);
        assert_int_equal(reply.error, -ENOENT);

        server_stop(&s, fd);
}

static void test_many_requests_at_once(void **state) {
        LoaderRequest r = missing_file();
        uint64_t heard = 0;
        Server s;
        int fd;

        fd = server_start(&s);
        for (r.id = 0; r.id < LOADS_MAX; r.id++)
                ask(fd, &r);
        for (unsigned i = 0; i < LOADS_MAX; i++)
                heard |= UINT64_C(1) << hear(fd).id;
        assert_int_equal(heard, (UINT64_C(1) << LOADS_MAX) - 1);
        server_stop(&s, fd);
}

/* What is over, or never was, is nowhere; the connection goes on. */
static void test_looks_for_what_is_over(void **state) {
        LoaderRequest r = missing_file(), look = look_request();
        LoaderReply reply;
        Server s;
        int fd;

        fd = server_start(&s);
        ask(fd, &r);
        assert_int_equal(hear(fd).op, LOADER_INSERT);
        ask(fd, &look);
        reply = hear(fd);
        assert_int_equal(reply.op, LOADER_LOOK);
        assert_int_equal(reply.id, 7);
        assert_int_equal(reply.thread_id, 0);
        assert_string_equal(reply.text, "");
        ask(fd, &r);
        assert_int_equal(hear(fd).error, -ENOENT);
        server_stop(&s, fd);
}

static void test_nonsense_ends_the_connection(void **state) {
        char byte;
        Server s;
        int fd;

        fd = server_start(&s);
        assert_int_equal(send(fd, "nonsense", 8, MSG_NOSIGNAL), 8);
        assert_int_equal(recv(fd, &byte, 1, 0), 0);
        server_join(&s);
        close(fd);
}

/* A manager that was restarted is served at once; its predecessor is let go. */
static void test_newest_manager_is_served(void **state) {
        LoaderRequest r = missing_file();
        int old_fd, new_fd;
        char byte;
        Server s;

        old_fd = server_start(&s);
        ask(old_fd, &r);
        (void) hear(old_fd);
        new_fd = connect_to(&s);
        assert_int_equal(recv(old_fd, &byte, 1, 0), 0);
        ask(new_fd, &r);
        assert_int_equal(hear(new_fd).error, -ENOENT);
        close(old_fd);
        server_stop(&s, new_fd);
}

/* It hung up before the reply: the request runs to its end, and the reply is dropped. */
static void test_manager_hangs_up(void **state) {
        LoaderRequest r = good_request();
        Server s;
        int fd;

        fd = server_start(&s);
        for (unsigned i = 0; i < 8; i++)
                ask(fd, &r);
        server_stop(&s, fd);
}

/* Packets that nobody reads the answers to, as many as go in. */
static void fill(int fd, const LoaderRequest *r) {
        struct pollfd p = { .fd = fd, .events = POLLOUT };

        while (poll(&p, 1, 1000) == 1 && !(p.revents & POLLHUP))
                if (send(fd, r, LOADER_REQUEST_SIZE(0), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno == EPIPE)
                        return;
}

/* A manager that does not read its answers is let go, and holds up neither the next one nor the end. */
static void test_a_manager_that_does_not_read(void **state) {
        LoaderRequest look = look_request(), r = missing_file();
        int old_fd, new_fd;
        Server s;

        old_fd = server_start(&s);
        fill(old_fd, &look); /* until it is hung up on */
        new_fd = connect_to(&s);
        ask(new_fd, &r);
        assert_int_equal(hear(new_fd).error, -ENOENT);
        close(old_fd);
        server_stop(&s, new_fd);
}

/* Also when nobody reads what it has to say, and there is more to be said. */
static void test_a_signal_comes_first(void **state) {
        LoaderRequest look = look_request();
        sigset_t mask;
        Server s;
        int fd;

        (void) sigemptyset(&mask);
        (void) sigaddset(&mask, SIGTERM);
        assert_int_equal(pthread_sigmask(SIG_BLOCK, &mask, NULL), 0);
        fd = server_start(&s);
        for (unsigned i = 0; i < 349; i++)
                (void) send(fd, &look, LOADER_REQUEST_SIZE(0), MSG_NOSIGNAL | MSG_DONTWAIT);
        assert_int_equal(kill(getpid(), SIGTERM), 0);
        server_join(&s);
        close(fd);
        assert_int_equal(sigtimedwait(&mask, NULL, &(struct timespec) {}), SIGTERM); /* it is pending still */
        assert_int_equal(pthread_sigmask(SIG_UNBLOCK, &mask, NULL), 0);
}

static size_t count_descriptors(void) {
        _cleanup_(closedirp) DIR *d = opendir("/proc/self/fd");
        size_t n = 0;

        assert_non_null(d);
        while (readdir(d))
                n++;
        return n;
}

static void send_with(int fd, const LoaderRequest *r, unsigned n_fds) {
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(8 * sizeof(int))];
        } control = { .header = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
        struct iovec iov = { .iov_base = (void *) r, .iov_len = LOADER_REQUEST_SIZE(r->words.n_origins) };
        struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes };
        int fds[8];

        for (unsigned i = 0; i < n_fds; i++)
                fds[i] = STDERR_FILENO;
        control.header.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        (void) memcpy(CMSG_DATA(&control.header), fds, n_fds * sizeof(int));
        m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        assert_int_equal(sendmsg(fd, &m, MSG_NOSIGNAL), (ssize_t) iov.iov_len);
}

/* Whatever comes with a packet, asked for or not, one or many: nothing of it stays. */
static void test_keeps_no_descriptors(void **state) {
        static const uint32_t flags[] = { 0, LOADER_HAS_CLIENT };
        LoaderRequest r = missing_file();
        size_t before, after;
        Server s;
        int fd;

        fd = server_start(&s);
        ask(fd, &r);
        (void) hear(fd);
        before = count_descriptors();
        for (size_t i = 0; i < ARRAY_LEN(flags); i++)
                for (unsigned n = 1; n <= 8; n++) {
                        r.flags = flags[i];
                        send_with(fd, &r, n);
                        assert_int_equal(hear(fd).error, -ENOENT);
                }
        /* the last thread may still be closing its own: the end waits for it */
        r.flags = 0;
        ask(fd, &r);
        (void) hear(fd);
        shutdown(fd, SHUT_WR);
        assert_int_equal(pthread_join(s.thread, NULL), 0);
        after = count_descriptors();
        assert_true(after >= before - 3 && after <= before); /* less its own: signals and connection */
        close(fd);
        close(s.listen_fd);
        scratch_close(&s.scratch);
}

/* Force is for root's process, whose connection comes along. */
static void test_force_needs_root(void **state) {
        LoaderRequest r = missing_file();
        LoaderReply reply;
        Server s;
        int fd;

        fd = server_start(&s);
        r.flags = LOADER_FORCE_VERMAGIC;
        ask(fd, &r);
        reply = hear(fd);
        assert_int_equal(reply.error, -EPERM);
        assert_int_equal(reply.refusal, LOADER_REFUSED_CLIENT);
        r.flags |= LOADER_HAS_CLIENT;
        send_with(fd, &r, 1);
        assert_int_equal(hear(fd).refusal, LOADER_REFUSED_CLIENT);
        server_stop(&s, fd);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_opens_what_lies_within),
                cmocka_unit_test(test_root_that_is_a_link),
                cmocka_unit_test(test_opens_nothing_else),
                cmocka_unit_test(test_links_out_of_the_tree),
                cmocka_unit_test(test_links_to_what_is_not_roots),
                cmocka_unit_test(test_only_regular_files),
                cmocka_unit_test(test_opens_nothing_to_look_at_it),
                cmocka_unit_test(test_files_that_others_can_write),
                cmocka_unit_test(test_names_of_files),
                cmocka_unit_test(test_what_is_not_there),
                cmocka_unit_test(test_good_requests),
                cmocka_unit_test(test_size_and_magic),
                cmocka_unit_test(test_operations),
                cmocka_unit_test(test_flags),
                cmocka_unit_test(test_strings_that_do_not_end),
                cmocka_unit_test(test_origins),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_paths),
                cmocka_unit_test(test_serves),
                cmocka_unit_test(test_many_requests_at_once),
                cmocka_unit_test(test_looks_for_what_is_over),
                cmocka_unit_test(test_nonsense_ends_the_connection),
                cmocka_unit_test(test_newest_manager_is_served),
                cmocka_unit_test(test_manager_hangs_up),
                cmocka_unit_test(test_a_manager_that_does_not_read),
                cmocka_unit_test(test_a_signal_comes_first),
                cmocka_unit_test(test_keeps_no_descriptors),
                cmocka_unit_test(test_force_needs_root),
        };

        return RUN_TESTS(tests);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/clients/clients.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/base/limits.h"
#include "common/base/paths.h"
#include "common/interface/interface.h"
#include "daemon-bench.h"
#include "daemon/base/loop-order.h"
#include "test.h"
#include "varlink-bench.h"

#define NOBODY 65534U
#define SOMEBODY 1000U
#define OPEN_MAX_HERE 600

/*
 * Methods that do what a test wants: List answers at once, Wait is answered when the test says so, Monitor with what
 * it says, DescribeModule with as many bytes as the number that is its name.
 */
typedef struct Bench {
        sd_event *event;
        sd_varlink_server *server;
        Clients *clients;
        uid_t served[4096];             /* whose List came, in order */
        size_t n_served;
        sd_varlink *open[OPEN_MAX_HERE]; /* of Wait and Monitor; NULL when it is over */
        size_t n_open, n_over;
        unsigned n_events;              /* of the source that is more urgent */
        size_t served_at_event;
} Bench;

static int on_list(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags, void *userdata) {
        Bench *b = userdata;

        assert_true(b->n_served < ARRAY_LEN(b->served));
        b->served[b->n_served++] = clients_find_peer(b->clients, link)->uid;
        return sd_varlink_reply(link, NULL);
}

static int on_open(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags, void *userdata) {
        Bench *b = userdata;

        assert_true(b->n_open < ARRAY_LEN(b->open));
        b->open[b->n_open++] = sd_varlink_ref(link);
        return flags & SD_VARLINK_METHOD_MORE ? sd_varlink_notify(link, NULL) : 0;
}

static int on_describe(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                       void *userdata) {
        size_t size = strtoul(sd_json_variant_string(sd_json_variant_by_key(parameters, "name")), NULL, 10);
        _cleanup_(freep) char *text = calloc(1, size + 1);

        memset(text, 'x', size);
        return sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_STRING("text", text));
}

static void on_over(sd_varlink_server *server, sd_varlink *link, void *userdata) {
        Bench *b = userdata;

        b->n_over++;
        for (size_t i = 0; i < b->n_open; i++)
                if (b->open[i] == link) {
                        sd_varlink_unref(link);
                        b->open[i] = NULL;
                }
}

static void bench_open_with(Bench *b, int listen_fd, uint64_t idle_usec) {
        *b = (Bench) {};
        assert_ok(sd_event_new(&b->event));
        b->server = varlink_server_new(on_over, b);
        assert_ok(sd_varlink_server_bind_method_many(b->server,
                                                     LKMD_INTERFACE ".List", on_list,
                                                     LKMD_INTERFACE ".Wait", on_open,
                                                     LKMD_INTERFACE ".Monitor", on_open,
                                                     LKMD_INTERFACE ".DescribeModule", on_describe));
        assert_ok(clients_new(&b->clients, &(ClientsOptions) {
                                                      .interface = "io.lkmd.Manager",
                                                   .event = b->event,
                                                   .server = b->server,
                                                   .listen_fd = listen_fd,
                                                   .idle_usec = idle_usec,
                                           }));
}

static void bench_open(Bench *b) {
        bench_open_with(b, -EBADF, 0);
}

static void bench_close(Bench *b) {
        clients_free(b->clients);
        for (size_t i = 0; i < b->n_open; i++)
                assert_null(b->open[i]); /* the disconnect callback ran for each */
        sd_varlink_server_unref(b->server);
        sd_event_unref(b->event);
}

/* The client's end. @ret: what clients_add_connection() says */
static int try_connect(Bench *b, uid_t uid, int *ret) {
        const struct ucred ucred = { .uid = uid, .gid = uid, .pid = 1 };
        int fds[2];

        assert_ok(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds));
        *ret = clients_add_connection(b->clients, fds[0], &ucred);
        return fds[1];
}

static int connect_as(Bench *b, uid_t uid) {
        int r, fd = try_connect(b, uid, &r);

        assert_ok(r);
        return fd;
}

static void say(int fd, const char *message) {
        assert_int_equal(send(fd, message, strlen(message) + 1, MSG_NOSIGNAL), strlen(message) + 1);
}

#define LIST "{\"method\":\"" LKMD_INTERFACE ".List\"}"
#define WAIT "{\"method\":\"" LKMD_INTERFACE ".Wait\",\"parameters\":{\"idle\":true}}"
#define WAIT_ONEWAY "{\"method\":\"" LKMD_INTERFACE ".Wait\",\"parameters\":{\"idle\":true},\"oneway\":true}"
#define MONITOR "{\"method\":\"" LKMD_INTERFACE ".Monitor\",\"more\":true}"
#define ANSWER "{\"parameters\":{}}\n"
#define FIRST "{\"parameters\":{},\"continues\":true}\n"

/* All that lies in the socket, a line each; a last line that says so if the other side has hung up. */
static char *hear(int fd) {
        static const size_t size = 4U << 20;
        _cleanup_(freep) char *received = calloc(1, size);
        size_t used = 0, length;
        char *text = NULL;
        bool hung_up;
        ssize_t n;
        FILE *f;

        while ((n = recv(fd, received + used, size - used, MSG_DONTWAIT)) > 0)
                used += (size_t) n;
        hung_up = n == 0 || errno != EAGAIN;
        f = open_memstream(&text, &length);
        assert_non_null(f);
        varlink_bench_write(f, received, used);
        if (hung_up)
                fputs("(hung up)", f);
        assert_int_equal(fclose(f), 0);
        return text;
}

static void assert_hears(Bench *b, int fd, const char *expected) {
        _cleanup_(freep) char *text = NULL;

        event_settle(b->event);
        text = hear(fd);
        assert_string_equal(text, expected);
}

static void assert_refused(Bench *b, int fd, const char *error) {
        _cleanup_(freep) char *text = NULL;

        event_settle(b->event);
        text = hear(fd);
        if (!strstr(text, error) || !strstr(text, "\"message\":\"") || !strstr(text, "}\n(hung up)"))
                fail_msg("%s is not in: %s", error, text);
}

/* ------------------------------------------------------------------------------------------------- calls */

static void test_one_call_after_the_other(void **state) {
        _cleanup_(bench_close) Bench b;
        int fd;

        bench_open(&b);
        fd = connect_as(&b, NOBODY);
        say(fd, LIST);
        assert_hears(&b, fd, ANSWER);
        say(fd, LIST);
        say(fd, WAIT);
        say(fd, LIST);
        assert_hears(&b, fd, ANSWER);   /* what comes behind the open call waits */
        assert_int_equal(b.n_served, 2);
        assert_ok(sd_varlink_reply(b.open[0], NULL));
        assert_hears(&b, fd, ANSWER ANSWER);
        assert_int_equal(b.n_served, 3);
        assert_int_equal(b.n_over, 4);
        close(fd);
        event_settle(b.event);
        assert_int_equal(clients_count(b.clients), 0);
}

/* In parts of one byte, and all that was said before the client left. */
static void test_parts(void **state) {
        _cleanup_(bench_close) Bench b;
        int fd, gone;

        bench_open(&b);
        fd = connect_as(&b, NOBODY);
        for (size_t i = 0; i < sizeof(LIST); i++) {
                assert_int_equal(send(fd, &LIST[i], 1, 0), 1);
                event_settle(b.event);
        }
        assert_hears(&b, fd, ANSWER);
        say(fd, LIST);
        assert_int_equal(send(fd, LIST, 5, 0), 5);
        assert_ok(shutdown(fd, SHUT_WR));
        assert_hears(&b, fd, ANSWER "(hung up)");
        close(fd);

        gone = connect_as(&b, NOBODY);
        say(gone, LIST);
        say(gone, LIST);
        close(gone);
        event_settle(b.event);
        assert_int_equal(b.n_served, 4);
        assert_int_equal(clients_count(b.clients), 0);
}

/* Half open: it says nothing more, and still wants its answer. */
static void test_half_open(void **state) {
        _cleanup_(bench_close) Bench b;
        int fd;

        bench_open(&b);
        fd = connect_as(&b, NOBODY);
        say(fd, WAIT);
        assert_ok(shutdown(fd, SHUT_WR));
        assert_hears(&b, fd, "");
        assert_ok(sd_varlink_reply(b.open[0], NULL));
        assert_hears(&b, fd, ANSWER "(hung up)");
        close(fd);
}

static void test_hangs_up_with_a_call_open(void **state) {
        static const char *const calls[] = { WAIT, MONITOR };

        for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
                _cleanup_(bench_close) Bench b;
                int fd;

                bench_open(&b);
                fd = connect_as(&b, NOBODY);
                say(fd, calls[i]);
                event_settle(b.event);
                assert_non_null(b.open[0]);
                close(fd);
                event_settle(b.event);
                assert_null(b.open[0]);
                assert_int_equal(clients_count(b.clients), 0);
        }
}

/*
 * A call that wants no answer, though its handler would give one later: it is over at once for everybody, and what is
 * answered to it later reaches no other call of the connection.
 */
static void test_answer_reaches_its_own_call_only(void **state) {
        _cleanup_(bench_close) Bench b;
        sd_varlink *oneway;
        int fd;

        bench_open(&b);
        fd = connect_as(&b, NOBODY);
        for (unsigned i = 0; i < 3; i++) {
                b.n_open = b.n_over = 0;
                say(fd, WAIT_ONEWAY);
                event_settle(b.event);
                assert_int_equal(b.n_over, 1);
                assert_null(b.open[0]);
        }
        say(fd, MONITOR);
        assert_hears(&b, fd, FIRST);
        close(fd);

        /* the same with a list that does not forget */
        event_settle(b.event);
        b.n_open = 0;
        fd = connect_as(&b, NOBODY);
        say(fd, WAIT_ONEWAY);
        assert_ok(sd_varlink_server_bind_disconnect(b.server, NULL));
        event_settle(b.event);
        oneway = b.open[0];
        b.n_open = 0;
        say(fd, MONITOR);
        assert_hears(&b, fd, FIRST);
        assert_true(sd_varlink_reply(oneway, NULL) < 0);
        assert_true(sd_varlink_notify(oneway, NULL) < 0);
        assert_hears(&b, fd, "");
        sd_varlink_unref(oneway);
        close(fd);
        event_settle(b.event);
        sd_varlink_unref(b.open[0]);
        b.n_open = 0;
}

/* ------------------------------------------------------------------------------------------------ bounds */

static char *message_of(size_t size, size_t depth) {
        _cleanup_(freep) char *brackets = calloc(1, 2 * depth + 1);
        char *text = calloc(1, size + 1);
        int n;

        memset(brackets, '[', depth);
        memset(brackets + depth, ']', depth);
        memset(text, ' ', size);
        n = snprintf(text, size, "{\"method\":\"" LKMD_INTERFACE ".List\",\"parameters\":{\"x\":%s}}", brackets);
        text[n] = ' ';
        return text;
}

static void test_bounds_of_a_message(void **state) {
        static const struct {
                size_t size, depth;
                const char *error;      /* NULL: sd-varlink looks at it, and the connection stays */
        } cases[] = {
                { CLIENT_MESSAGE_MAX - 1, 1, NULL },
                { CLIENT_MESSAGE_MAX, 1, NULL },
                { CLIENT_MESSAGE_MAX + 1, 1, LKMD_ERROR_MESSAGE_TOO_LARGE },
                { CLIENT_MESSAGE_MAX * 2, 1, LKMD_ERROR_MESSAGE_TOO_LARGE },
                { 1000, CLIENT_DEPTH_MAX - 2, NULL },
                { 1000, CLIENT_DEPTH_MAX - 1, LKMD_ERROR_MESSAGE_TOO_LARGE },
                { 60000, 20000, LKMD_ERROR_MESSAGE_TOO_LARGE },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(freep) char *text = message_of(cases[i].size, cases[i].depth), *answer = NULL;
                _cleanup_(bench_close) Bench b;
                size_t sent = 0;
                int fd;

                bench_open(&b);
                fd = connect_as(&b, NOBODY);
                while (sent < cases[i].size + 1) {
                        ssize_t n = send(fd, text + sent, cases[i].size + 1 - sent, MSG_NOSIGNAL);

                        if (n < 0 && errno == EPIPE)
                                break;
                        sent += n > 0 ? (size_t) n : 0;
                        event_settle(b.event);
                }
                if (cases[i].error) {
                        assert_refused(&b, fd, cases[i].error);
                        assert_int_equal(clients_count(b.clients), 0);
                } else {
                        event_settle(b.event);
                        answer = hear(fd);
                        assert_non_null(strstr(answer, "InvalidParameter"));
                        say(fd, LIST);
                        assert_hears(&b, fd, ANSWER);
                }
                close(fd);
        }
}

/* A client that gets more and more and does not read is disconnected; one that reads a large reply late is not. */
static void test_bound_of_what_is_unread(void **state) {
        char text[10000] = {};
        _cleanup_(freep) char *heard = NULL;
        _cleanup_(bench_close) Bench b;
        size_t sent = 0;
        int deaf, late;

        bench_open(&b);
        memset(text, 'x', sizeof(text) - 1);
        deaf = connect_as(&b, NOBODY);
        late = connect_as(&b, NOBODY);
        say(late, "{\"method\":\"" LKMD_INTERFACE ".DescribeModule\",\"parameters\":{\"name\":\"3000000\"}}");
        say(late, LIST);
        say(deaf, MONITOR);
        event_settle(b.event);
        while (b.open[0]) {
                assert_ok(sd_varlink_notifybo(b.open[0], SD_JSON_BUILD_PAIR_STRING("message", text)));
                sent += sizeof(text);
                assert_true(sent < CLIENT_UNSENT_MAX + (2U << 20)); /* and what fits into the socket */
                event_settle(b.event);
        }
        assert_int_equal(clients_count(b.clients), 1);
        assert_int_equal(b.n_served, 0);
        for (size_t all = 0; b.n_served == 0;) {
                free(heard);
                heard = hear(late);
                all += strlen(heard);
                event_settle(b.event);
                /* the second call waits until all of it is sent, but for what lies in the socket */
                assert_true(b.n_served == 0 || all + (1U << 20) >= 3000000);
        }
        for (free(heard), heard = hear(late); !strstr(heard, "\n" ANSWER); free(heard), heard = hear(late))
                event_settle(b.event);
        close(deaf);
        close(late);
}

/* ------------------------------------------------------------------------------------------------ places */

static void close_all(int *fds, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (fds[i] >= 0)
                        close(fds[i]);
}

static void test_places_of_a_user(void **state) {
        int fds[CLIENTS_PER_UID_MAX], more, other, root, r;
        _cleanup_(bench_close) Bench b;

        bench_open(&b);
        for (size_t i = 0; i < ARRAY_LEN(fds); i++)
                fds[i] = connect_as(&b, NOBODY);
        more = try_connect(&b, NOBODY, &r);
        assert_int_equal(r, -EUSERS);
        assert_refused(&b, more, LKMD_ERROR_TOO_MANY_CLIENTS);
        close(more);
        other = connect_as(&b, SOMEBODY);
        say(other, LIST);
        assert_hears(&b, other, ANSWER);
        root = connect_as(&b, 0);
        say(root, LIST);
        assert_hears(&b, root, ANSWER);

        close(fds[3]);                  /* and there is a place again */
        event_settle(b.event);
        fds[3] = connect_as(&b, NOBODY);
        say(fds[3], LIST);
        assert_hears(&b, fds[3], ANSWER);
        close_all(fds, ARRAY_LEN(fds));
        close(other);
        close(root);
}

/* Others hold all that they may: root gets in; who says nothing makes room for who comes, who waits does not. */
static void test_places_for_admins(void **state) {
        const size_t n_others = CLIENTS_MAX - CLIENTS_FOR_ADMINS;
        int others[CLIENTS_MAX], roots[CLIENTS_MAX], fd, r;
        _cleanup_(bench_close) Bench b;

        bench_open(&b);
        for (size_t i = 0; i < n_others; i++) {
                others[i] = connect_as(&b, 1000 + (uid_t) (i / CLIENTS_PER_UID_MAX));
                if (i != 5)
                        say(others[i], WAIT);
                event_settle(b.event);
        }
        fd = connect_as(&b, 5000);      /* for the one that makes no call */
        say(fd, WAIT);
        assert_hears(&b, fd, "");
        assert_hears(&b, others[5], "(hung up)");
        close(others[5]);
        others[5] = fd;
        fd = try_connect(&b, 5001, &r);
        assert_int_equal(r, -EUSERS);
        assert_refused(&b, fd, LKMD_ERROR_TOO_MANY_CLIENTS);
        close(fd);

        for (size_t i = 0; i < CLIENTS_FOR_ADMINS; i++) {
                roots[i] = connect_as(&b, 0);
                say(roots[i], LIST);
                assert_hears(&b, roots[i], ANSWER);
        }
        fd = try_connect(&b, 0, &r);
        assert_int_equal(r, -EUSERS);
        assert_refused(&b, fd, LKMD_ERROR_TOO_MANY_CLIENTS);
        close(fd);
        assert_int_equal(clients_count(b.clients), CLIENTS_MAX);
        close_all(others, n_others);
        close_all(roots, CLIENTS_FOR_ADMINS);
}

static void test_idle_ones_end(void **state) {
        _cleanup_(bench_close) Bench b;
        int idle, half, waiting, root;

        bench_open_with(&b, -EBADF, 1000);
        idle = connect_as(&b, NOBODY);
        half = connect_as(&b, NOBODY);
        waiting = connect_as(&b, NOBODY);
        root = connect_as(&b, 0);
        say(waiting, WAIT);
        assert_int_equal(send(half, LIST, 7, 0), 7);
        while (clients_count(b.clients) > 2)
                assert_ok(sd_event_run(b.event, UINT64_MAX));
        assert_hears(&b, idle, "(hung up)");
        assert_hears(&b, half, "(hung up)");
        assert_hears(&b, waiting, "");
        say(root, LIST);
        assert_hears(&b, root, ANSWER);
        close(idle);
        close(half);
        close(waiting);
        close(root);
}

/* ------------------------------------------------------------------------------------------------- turns */

static void say_often(int fd, unsigned times) {
        for (unsigned i = 0; i < times; i++)
                say(fd, LIST);
}

/* Sixteen connections full of calls of one user, and one call each of others: they wait for one of the flood each. */
static void test_users_take_turns(void **state) {
        int flood[CLIENTS_PER_UID_MAX], other, root;
        size_t at_other = SIZE_MAX, at_root = SIZE_MAX;
        _cleanup_(bench_close) Bench b;

        bench_open(&b);
        for (size_t i = 0; i < ARRAY_LEN(flood); i++) {
                flood[i] = connect_as(&b, NOBODY);
                say_often(flood[i], 100);
        }
        while (b.n_served < 10)
                assert_ok(sd_event_run(b.event, 0));
        other = connect_as(&b, SOMEBODY);
        root = connect_as(&b, 0);
        say(other, LIST);
        say(root, LIST);
        event_settle(b.event);
        assert_int_equal(b.n_served, 16 * 100 + 2);
        for (size_t i = 0; i < b.n_served; i++) {
                if (b.served[i] == SOMEBODY)
                        at_other = i;
                if (b.served[i] == 0)
                        at_root = i;
        }
        assert_true(at_root >= 10 && at_root <= 12);
        assert_true(at_other >= 10 && at_other <= 13);
        close_all(flood, ARRAY_LEN(flood));
        close(other);
        close(root);
}

static int on_urgent(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Bench *b = userdata;
        uint64_t count;

        assert_int_equal(read(fd, &count, sizeof(count)), sizeof(count));
        b->n_events++;
        b->served_at_event = b->n_served;
        return 0;
}

static int on_lull(sd_event_source *source, void *userdata) {
        ((Bench *) userdata)->n_events++;
        return 0;
}

/* Whatever clients do, what is more urgent has its turn behind the call that is under way. By order, not by time. */
static void test_events_before_calls(void **state) {
        sd_event_source *urgent, *lull;
        int flood[CLIENTS_PER_UID_MAX];
        _cleanup_(bench_close) Bench b;
        int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

        bench_open(&b);
        assert_ok(sd_event_add_io(b.event, &urgent, fd, EPOLLIN, on_urgent, &b));
        assert_ok(sd_event_source_set_priority(urgent, LOOP_EVENTS));
        assert_ok(sd_event_add_defer(b.event, &lull, on_lull, &b));
        assert_ok(sd_event_source_set_priority(lull, LOOP_LULL));
        assert_ok(sd_event_source_set_enabled(lull, SD_EVENT_OFF));
        for (size_t i = 0; i < ARRAY_LEN(flood); i++) {
                flood[i] = connect_as(&b, i % 4 ? NOBODY : 0);
                say_often(flood[i], 100);
        }
        for (unsigned i = 1; i <= 20; i++) {
                uint64_t one = 1;
                size_t before;

                assert_ok(sd_event_run(b.event, 0));
                before = b.n_served;
                assert_int_equal(write(fd, &one, sizeof(one)), sizeof(one));
                assert_ok(sd_event_run(b.event, 0));
                assert_int_equal(b.n_events, 2 * i - 1);
                assert_int_equal(b.served_at_event, before);
                assert_ok(sd_event_source_set_enabled(lull, SD_EVENT_ONESHOT));
                assert_ok(sd_event_run(b.event, 0));
                assert_int_equal(b.n_events, 2 * i);
        }
        assert_true(b.n_served < 16 * 100);
        sd_event_source_unref(urgent);
        sd_event_source_unref(lull);
        close_all(flood, ARRAY_LEN(flood));
        close(fd);
}

/* ---------------------------------------------------------------------------------------------- listening */

static int connect_to(const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        (void) stpcpy(address.sun_path, path);
        assert_ok(connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0 ? -errno : 0);
        return fd;
}

/* Without a file descriptor left nobody can be taken in. As soon as there are some, all are. */
static void test_no_descriptors(void **state) {
        _cleanup_(scratch_close) Scratch s;
        const char *path;
        struct rlimit before, none;
        _cleanup_(bench_close) Bench b;
        int listening, fds[3], next;

        scratch_open(&s);
        path = scratch_path(&s, "socket");
        listening = clients_listen(path, 0666);
        assert_ok(listening);
        bench_open_with(&b, listening, 0);
        for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
                fds[i] = connect_to(path);
                say(fds[i], LIST);
        }
        assert_ok(getrlimit(RLIMIT_NOFILE, &before));
        next = fcntl(0, F_DUPFD_CLOEXEC, 0);
        close(next);
        none = (struct rlimit) { .rlim_cur = (rlim_t) next, .rlim_max = before.rlim_max };
        assert_ok(setrlimit(RLIMIT_NOFILE, &none));
        event_settle(b.event);          /* which does not turn for ever */
        assert_int_equal(clients_count(b.clients), 0);
        assert_ok(setrlimit(RLIMIT_NOFILE, &before));
        while (b.n_served < ARRAY_LEN(fds))
                assert_ok(sd_event_run(b.event, UINT64_MAX));
        for (size_t i = 0; i < ARRAY_LEN(fds); i++)
                assert_hears(&b, fds[i], ANSWER);
        close_all(fds, ARRAY_LEN(fds));
}

static void test_nowhere_to_listen(void **state) {
        char path[200] = "/";

        assert_int_equal(clients_listen("/nonexistent/socket", 0666), -ENOENT);
        memset(path + 1, 'x', sizeof(path) - 2);
        assert_int_equal(clients_listen(path, 0666), -ENAMETOOLONG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_one_call_after_the_other),
                cmocka_unit_test(test_parts),
                cmocka_unit_test(test_half_open),
                cmocka_unit_test(test_hangs_up_with_a_call_open),
                cmocka_unit_test(test_answer_reaches_its_own_call_only),
                cmocka_unit_test(test_bounds_of_a_message),
                cmocka_unit_test(test_bound_of_what_is_unread),
                cmocka_unit_test(test_places_of_a_user),
                cmocka_unit_test(test_places_for_admins),
                cmocka_unit_test(test_idle_ones_end),
                cmocka_unit_test(test_users_take_turns),
                cmocka_unit_test(test_events_before_calls),
                cmocka_unit_test(test_no_descriptors),
                cmocka_unit_test(test_nowhere_to_listen),
        };

        return RUN_TESTS(tests);
}

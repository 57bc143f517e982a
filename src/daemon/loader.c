/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Loader: the only code that runs with CAP_SYS_MODULE. It takes fixed-size requests from the manager, gives
 * each a thread of its own, and that thread sits inside one system call or one command until it is over.
 * Which and how many is the manager's decision; nothing here waits for anything else. A thread is never
 * killed: when the manager goes away its requests run to their end and their replies are dropped.
 *
 * Owns the connection (shared by the threads, counted) and the threads. Borrows the listening socket.
 */

#include "daemon/loader.h"

#include <assert.h>
#include <ctype.h>
#include <fcntl.h>
#include <libkmod.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>

#include "common/util.h"
#include "daemon/clock.h"

typedef struct Connection {
        atomic_uint n_ref;              /* the main loop and each thread */
        int fd;
} Connection;

typedef struct Work {
        Connection *connection;         /* referenced */
        LoaderRequest request;
        pid_t thread_id; /* 0: not begun */
        LIST_ENTRY(Work) next;
} Work;

static pthread_mutex_t works_lock = PTHREAD_MUTEX_INITIALIZER;
static LIST_HEAD(, Work) works = LIST_HEAD_INITIALIZER(works); /* what threads are at */
static atomic_uint n_threads;
static int thread_ended_fd = -EBADF;    /* eventfd: written by each thread as its last deed */

static Connection *connection_unref(Connection *c) {
        if (!c || atomic_fetch_sub(&c->n_ref, 1) > 1)
                return NULL;

        (void) close(c->fd);
        free(c);
        return NULL;
}
DEFINE_CLEANUP(Connection, connection_unref);

static Connection *connection_ref(Connection *c) {
        atomic_fetch_add(&c->n_ref, 1);
        return c;
}

static Work *work_free(Work *w) {
        if (!w)
                return NULL;

        connection_unref(w->connection);
        free(w);
        return NULL;
}
DEFINE_CLEANUP(Work, work_free);

/**
 * loader_open_module() - open a module file, but only below @base
 * @base: the module root of this system, such as /lib/modules; symbolic links in it are followed
 * @path: absolute
 *
 * The check is made on what was opened, as the kernel names it, so that no link and no rename can get
 * between.
 *
 * Return: a file descriptor; -EXDEV for a file that lies elsewhere, -EINVAL for one that is no regular file,
 * or what open(2) said.
 */
int loader_open_module(const char *base, const char *path) {
        _cleanup_(freep) char *real_base = NULL, *link = NULL;
        _cleanup_(closep) int fd = -EBADF;
        char opened[PATH_MAX];
        struct stat st;
        size_t n_base;
        ssize_t n;

        assert(base && path);

        real_base = realpath(base, NULL);
        if (!real_base)
                return -errno;

        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EINVAL;

        if (asprintf(&link, "/proc/self/fd/%d", fd) < 0) {
                link = NULL;
                return -ENOMEM;
        }
        n = readlink(link, opened, sizeof(opened) - 1);
        if (n < 0)
                return -errno;
        opened[n] = '\0';

        n_base = strlen(real_base);
        if (strncmp(opened, real_base, n_base) != 0 || opened[n_base] != '/')
                return -EXDEV;

        return STEAL_FD(fd);
}

/* Return: 0 with a new context, negative errno. The manager says what went wrong, so libkmod does not. */
static int kmod_context_new(bool with_config, struct kmod_ctx **ret) {
        static const char *const no_config[] = { NULL };

        errno = 0;
        *ret = kmod_new(NULL, with_config ? NULL : no_config);
        if (!*ret)
                return errno > 0 ? -errno : -ENOMEM;
        kmod_set_log_priority(*ret, LOG_CRIT);
        return 0;
}

static inline void kmod_unrefp(struct kmod_ctx **ctx) {
        if (*ctx)
                (void) kmod_unref(*ctx);
}

/*
 * Contexts without configuration that no thread has now. libkmod's are not safe to share, and one after the other may
 * use the same: making one reads half a dozen files, which do not change while the kernel runs.
 */
static pthread_mutex_t contexts_lock = PTHREAD_MUTEX_INITIALIZER;
static struct kmod_ctx *contexts[LOADS_MAX];
static size_t n_contexts;

static int kmod_context_take(struct kmod_ctx **ret) {
        struct kmod_ctx *ctx = NULL;

        (void) pthread_mutex_lock(&contexts_lock);
        if (n_contexts > 0)
                ctx = contexts[--n_contexts];
        (void) pthread_mutex_unlock(&contexts_lock);
        if (!ctx)
                return kmod_context_new(/* with_config= */ false, ret);
        *ret = ctx;
        return 0;
}

static inline void kmod_context_returnp(struct kmod_ctx **ctx) {
        struct kmod_ctx *rest = *ctx;

        (void) pthread_mutex_lock(&contexts_lock);
        if (rest && n_contexts < ARRAY_LEN(contexts)) {
                contexts[n_contexts++] = rest;
                rest = NULL;
        }
        (void) pthread_mutex_unlock(&contexts_lock);
        kmod_unrefp(&rest);
}

static inline void kmod_module_unrefp(struct kmod_module **module) {
        if (*module)
                (void) kmod_module_unref(*module);
}

/* Also while its init is running; also built-in ones, most of them. */
static bool is_in_kernel(const char *module) {
        char path[sizeof("/sys/module/") + MODULE_NAME_MAX];

        (void) snprintf(path, sizeof(path), "/sys/module/%s", module);
        return access(path, F_OK) == 0;
}

/*
 * kmod_module_insert_module(3) lets the kernel decompress where it can and does it itself where it cannot.
 *
 * The kernel goes by the name inside the file. If that is another one, because the file was replaced since
 * the plan was made or was renamed by somebody, success would be a lie: -ESTALE.
 */
static int do_insert(const LoaderRequest *request) {
        _cleanup_(kmod_context_returnp) struct kmod_ctx *ctx = NULL;
        _cleanup_(kmod_module_unrefp) struct kmod_module *module = NULL;
        _cleanup_(closep) int fd = -EBADF;
        char path[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
        int r;

        fd = loader_open_module(MODULE_ROOT, request->path);
        if (fd < 0)
                return fd;

        r = kmod_context_take(&ctx);
        if (r < 0)
                return r;

        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        r = kmod_module_new_from_path(ctx, path, &module);
        if (r < 0)
                return r;

        r = kmod_module_insert_module(
                module,
                (request->flags & LOADER_FORCE_VERMAGIC ? KMOD_INSERT_FORCE_VERMAGIC : 0) |
                        (request->flags & LOADER_FORCE_MODVERSIONS ? KMOD_INSERT_FORCE_MODVERSION : 0),
                request->parameters);
        if ((r == 0 || r == -EEXIST) && !is_in_kernel(request->module))
                return -ESTALE;
        return r;
}

static int do_remove(const LoaderRequest *request) {
        _cleanup_(kmod_context_returnp) struct kmod_ctx *ctx = NULL;
        _cleanup_(kmod_module_unrefp) struct kmod_module *module = NULL;
        int r;

        r = kmod_context_take(&ctx);
        if (r < 0)
                return r;
        r = kmod_module_new_from_name(ctx, request->module, &module);
        if (r < 0)
                return r;
        return kmod_module_remove_module(module,
                                         request->flags & LOADER_FORCE_REMOVAL ? KMOD_REMOVE_FORCE : 0);
}

/* "$CMDLINE_OPTS" everywhere becomes @options, as modprobe.d(5) has it. */
static char *expand_options(const char *command, const char *options) {
        static const char variable[] = "$CMDLINE_OPTS";
        _cleanup_(freep) char *out = NULL;
        size_t n_out = 0;
        FILE *f;

        f = open_memstream(&out, &n_out);
        if (!f)
                return NULL;

        for (const char *p = command; *p;) {
                if (startswith(p, variable)) {
                        (void) fputs(options, f);
                        p += strlen(variable);
                } else
                        (void) fputc(*p++, f);
        }

        if (fclose(f) != 0)
                return NULL;
        return STEAL_PTR(out);
}

/* Runs in the thread; only async-signal-safe calls between fork and exec. */
static int run_command(const char *command, char *const *environment, int *ret_status) {
        pid_t pid;
        int status;

        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0) {
                sigset_t none;

                (void) sigemptyset(&none);
                (void) sigprocmask(SIG_SETMASK, &none, NULL);
                (void) execle("/bin/sh", "sh", "-c", command, NULL, environment);
                _exit(127);
        }

        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;

        *ret_status = status;
        return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ECANCELED;
}

static int do_command(const LoaderRequest *request, int *ret_status) {
        _cleanup_(kmod_unrefp) struct kmod_ctx *ctx = NULL;
        _cleanup_(kmod_module_unrefp) struct kmod_module *module = NULL;
        _cleanup_(freep) char *expanded = NULL;
        char variable[sizeof("MODPROBE_MODULE=") + MODULE_NAME_MAX];
        char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        char *environment[] = { path, variable, NULL };
        const char *command;
        int r;

        r = kmod_context_new(/* with_config= */ true, &ctx);
        if (r < 0)
                return r;
        r = kmod_module_new_from_name(ctx, request->module, &module);
        if (r < 0)
                return r;

        command = request->op == LOADER_INSTALL_COMMAND ? kmod_module_get_install_commands(module) :
                                                          kmod_module_get_remove_commands(module);
        if (!command)
                return -ENOENT;         /* the line went away since the plan was made */

        expanded = expand_options(command, request->parameters);
        if (!expanded)
                return -ENOMEM;
        (void) snprintf(variable, sizeof(variable), "MODPROBE_MODULE=%s", request->module);
        return run_command(expanded, environment, ret_status);
}

/* ps(1) and the kernel's own messages about a hung task name the module. The kernel cuts it at 15 bytes. */
static void thread_take_name(const char *module) {
        char name[16];

        (void) snprintf(name, sizeof(name), "+%.14s", module);
        (void) pthread_setname_np(pthread_self(), name);
}

static void work_begin(Work *work) {
        thread_take_name(work->request.module);
        (void) pthread_mutex_lock(&works_lock);
        work->thread_id = gettid();
        LIST_INSERT_HEAD(&works, work, next);
        (void) pthread_mutex_unlock(&works_lock);
}

static void work_end(Work *work) {
        (void) pthread_mutex_lock(&works_lock);
        LIST_REMOVE(work, next);
        (void) pthread_mutex_unlock(&works_lock);
}

static void *on_thread(void *userdata) {
        _cleanup_(work_freep) Work *work = userdata;
        LoaderReply reply = { .magic = LOADER_MAGIC, .id = work->request.id, .op = work->request.op };
        uint64_t start = clock_usec(CLOCK_MONOTONIC);
        int status = 0;

        work_begin(work);
        switch ((LoaderOp) work->request.op) {
        case LOADER_INSERT:
                reply.error = do_insert(&work->request);
                break;
        case LOADER_REMOVE:
                reply.error = do_remove(&work->request);
                break;
        case LOADER_INSTALL_COMMAND:
        case LOADER_REMOVE_COMMAND:
                reply.error = do_command(&work->request, &status);
                break;
        case LOADER_LOOK:
        case _LOADER_OP_MAX:
                reply.error = -EBADRQC;
        }

        work_end(work);
        reply.wait_status = status;
        reply.duration_usec = clock_usec(CLOCK_MONOTONIC) - start;
        (void) send(work->connection->fd, &reply, sizeof(reply), MSG_NOSIGNAL); /* nobody there: nobody to tell */
        atomic_fetch_sub(&n_threads, 1);
        (void) eventfd_write(thread_ended_fd, 1);
        return NULL;
}

static bool is_terminated(const char *s, size_t size) {
        return memchr(s, '\0', size) != NULL;
}

/**
 * loader_check_request() - is this packet a request that may be carried out?
 * @size: bytes that were received
 *
 * Return: 0; -EBADMSG for anything that the manager of this build would not send.
 */
int loader_check_request(const LoaderRequest *request, size_t size) {
        assert(request);

        if (size != sizeof(*request) || request->magic != LOADER_MAGIC)
                return -EBADMSG;
        if (request->op < LOADER_INSERT || request->op >= _LOADER_OP_MAX)
                return -EBADMSG;
        if (!is_terminated(request->module, sizeof(request->module)) ||
            !is_terminated(request->path, sizeof(request->path)) ||
            !is_terminated(request->parameters, sizeof(request->parameters)))
                return -EBADMSG;
        if ((request->module[0] == '\0') != (request->op == LOADER_LOOK))
                return -EBADMSG;
        for (const char *c = request->module; *c; c++)
                if (!isgraph((unsigned char) *c) || *c == '/')
                        return -EBADMSG;
        if (request->op == LOADER_INSERT && request->path[0] != '/')
                return -EBADMSG;
        return 0;
}

static void reply_error(Connection *c, uint64_t id, int error) {
        LoaderReply reply = { .magic = LOADER_MAGIC, .id = id, .error = error };

        (void) send(c->fd, &reply, sizeof(reply), MSG_NOSIGNAL);
}

/* The calls of a thread inside the kernel, innermost first; only the innermost one where the rest is hidden. */
static void read_stack(pid_t thread_id, char ret[static LOADER_STACK_MAX]) {
        static const char *const files[] = { "stack", "wchan" };

        ret[0] = '\0';
        for (size_t i = 0; i < ARRAY_LEN(files) && ret[0] == '\0'; i++) {
                _cleanup_(closep) int fd = -EBADF;
                char path[64];
                ssize_t n;

                (void) snprintf(path, sizeof(path), "/proc/self/task/%d/%s", thread_id, files[i]);
                fd = open(path, O_RDONLY | O_CLOEXEC);
                n = fd >= 0 ? read(fd, ret, LOADER_STACK_MAX - 1) : -1;
                ret[MAX(n, 0)] = '\0';
                if (streq(ret, "0"))
                        ret[0] = '\0'; /* it runs, or wchan is hidden as well: proc(5) */
        }
}

/*
 * Where is a request that takes long? The stack is for CAP_SYS_ADMIN, which this process has not; wchan may be read
 * of one's own threads, fs/proc/base.c.
 */
static void look(Connection *c, uint64_t id) {
        LoaderReply reply = { .magic = LOADER_MAGIC, .id = id, .op = LOADER_LOOK };
        const Work *w;

        (void) pthread_mutex_lock(&works_lock);
        LIST_FOREACH(w, &works, next)
                if (w->connection == c && w->request.id == id)
                        reply.thread_id = w->thread_id;
        (void) pthread_mutex_unlock(&works_lock);

        if (reply.thread_id > 0)
                read_stack(reply.thread_id, reply.stack);
        (void) send(c->fd, &reply, sizeof(reply), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static int start_work(Connection *c, const LoaderRequest *request) {
        _cleanup_(work_freep) Work *work = NULL;
        pthread_attr_t attributes;
        pthread_t thread;
        int r;

        if (atomic_load(&n_threads) >= LOADER_THREADS_MAX) /* only a broken manager asks for more */
                return -EAGAIN;

        work = calloc(1, sizeof(*work));
        if (!work)
                return -ENOMEM;
        work->connection = connection_ref(c);
        work->request = *request;

        r = pthread_attr_init(&attributes);
        if (r != 0)
                return -r;
        (void) pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        (void) pthread_attr_setstacksize(&attributes, 256U * 1024U); /* libkmod keeps PATH_MAX buffers on it */

        atomic_fetch_add(&n_threads, 1);
        r = pthread_create(&thread, &attributes, on_thread, work);
        (void) pthread_attr_destroy(&attributes);
        if (r != 0) {
                atomic_fetch_sub(&n_threads, 1);
                return -r;
        }

        STEAL_PTR(work);
        return 0;
}

/* Return: 1 to go on, 0 when the manager hung up or talks nonsense. */
static int connection_read(Connection *c) {
        LoaderRequest request;
        ssize_t n;
        int r;

        n = recv(c->fd, &request, sizeof(request), MSG_TRUNC | MSG_DONTWAIT);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR;
        if (n == 0)
                return 0;

        r = loader_check_request(&request, (size_t) n);
        if (r < 0) {
                fprintf(stderr, "lkmd-loader: malformed request of %zd bytes, closing the connection\n", n);
                return 0;
        }

        if (request.op == LOADER_LOOK) {
                look(c, request.id);
                return 1;
        }
        r = start_work(c, &request);
        if (r < 0)
                reply_error(c, request.id, r);
        return 1;
}

static int connection_accept(int listen_fd, Connection **ret) {
        Connection *c;
        int fd;

        fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
                return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED ? 0 : -errno;

        c = calloc(1, sizeof(*c));
        if (!c) {
                (void) close(fd);
                return -ENOMEM;
        }
        *c = (Connection) { .n_ref = 1, .fd = fd };
        *ret = c;
        return 0;
}

static int signals_open(void) {
        sigset_t mask;
        int fd, r;

        (void) sigemptyset(&mask);
        (void) sigaddset(&mask, SIGTERM);
        (void) sigaddset(&mask, SIGINT);
        r = pthread_sigmask(SIG_BLOCK, &mask, NULL); /* before any thread: all inherit it */
        if (r != 0)
                return -r;
        fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
        return fd < 0 ? -errno : fd;
}

static void forget_ended_threads(void) {
        eventfd_t value;

        (void) eventfd_read(thread_ended_fd, &value);
}

/* Return: 1 to go on; 0 when there is nobody left to work for; negative errno. */
static int loader_turn(int listen_fd, int signal_fd, Connection **c, bool *leaving) {
        struct pollfd fds[] = {
                { .fd = *leaving ? -1 : signal_fd, .events = POLLIN },
                { .fd = *leaving ? -1 : listen_fd, .events = POLLIN },
                { .fd = *c ? (*c)->fd : -1, .events = POLLIN },
                { .fd = thread_ended_fd, .events = POLLIN },
        };
        int r;

        if (poll(fds, ARRAY_LEN(fds), -1) < 0)
                return errno == EINTR ? 1 : -errno;

        if (fds[3].revents)
                forget_ended_threads();
        if (fds[2].revents && connection_read(*c) == 0)
                *c = connection_unref(*c);
        if (fds[1].revents) {
                Connection *next = NULL;

                r = connection_accept(listen_fd, &next);
                if (r < 0)
                        return r;
                if (next) {
                        connection_unref(*c); /* there is one manager: the newest */
                        *c = next;
                }
        }
        if (fds[0].revents) {
                *leaving = true;
                *c = connection_unref(*c);
        }
        return *c || atomic_load(&n_threads) > 0;
}

/**
 * loader_run() - serve until the manager has hung up, or SIGTERM, and nothing is under way any more
 * @listen_fd: listening SOCK_SEQPACKET socket with a connection waiting, borrowed
 *
 * A manager that was restarted is served at once, also while requests of its predecessor still run. Whoever
 * comes after the end finds the socket with systemd, and a new loader.
 *
 * Return: 0, or negative errno of poll(2) and its kind.
 */
int loader_run(int listen_fd) {
        _cleanup_(connection_unrefp) Connection *c = NULL;
        _cleanup_(closep) int signal_fd = -EBADF;
        bool leaving = false;
        int r;

        assert(listen_fd >= 0);

        signal_fd = signals_open();
        if (signal_fd < 0)
                return signal_fd;
        thread_ended_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); /* for the life of the process: threads use it */
        if (thread_ended_fd < 0)
                return -errno;
        r = connection_accept(listen_fd, &c);
        if (r < 0)
                return r;

        do
                r = loader_turn(listen_fd, signal_fd, &c, &leaving);
        while (r > 0);
        while (n_contexts > 0) /* no thread is left */
                (void) kmod_unref(contexts[--n_contexts]);
        return r;
}

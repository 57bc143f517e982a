/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * LoaderWork: requests under way. Owns their threads, and the descriptors that came with them; references the
 * connection. A thread is never killed: when the manager exits, its requests run to their end and their replies are
 * dropped. A reply never waits for a manager that does not read.
 */

#include "daemon/privileged/loader/loader-work.h"

#include <assert.h>
#include <fcntl.h>
#ifdef __GLIBC__
# include <malloc.h>
#endif
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "common/base/clock.h"
#include "daemon/privileged/loader/loader-module.h"
#include "daemon/privileged/loader/loader-rest.h"
#include "daemon/privileged/request/loader-request.h"

#define STACK_SIZE (256U << 10)         /* bytes; what is not touched takes no memory */

typedef struct Work {
        LoaderConnection *connection;   /* referenced */
        LoaderRequest *request;
        int client_fd;
        pid_t thread_id;                /* 0: not begun */
        LIST_ENTRY(Work) next;
} Work;

static pthread_mutex_t works_lock = PTHREAD_MUTEX_INITIALIZER;
static LIST_HEAD(, Work) works = LIST_HEAD_INITIALIZER(works); /* under way */
static atomic_uint n_threads;           /* with a request under way */
static int thread_ended_fd = -EBADF;    /* eventfd: written by each thread before it ends */

/* @fd is taken, also on failure. Return: NULL without memory. */
LoaderConnection *loader_connection_new(int fd) {
        LoaderConnection *c;

        c = calloc(1, sizeof(*c));
        if (!c) {
                (void) close(fd);
                return NULL;
        }
        *c = (LoaderConnection) { .n_ref = 1, .fd = fd };
        return c;
}

LoaderConnection *loader_connection_ref(LoaderConnection *c) {
        atomic_fetch_add(&c->n_ref, 1);
        return c;
}

LoaderConnection *loader_connection_unref(LoaderConnection *c) {
        if (!c || atomic_fetch_sub(&c->n_ref, 1) > 1)
                return NULL;

        (void) close(c->fd);
        free(c);
        return NULL;
}

/*
 * Hangs up on a manager that does not read, which the main loop then notices. A healthy manager has fewer open
 * requests than replies fit into the socket.
 */
void loader_connection_reply(LoaderConnection *c, const LoaderReply *reply) {
        assert(c && reply);

        if (send(c->fd, reply, sizeof(*reply), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EPIPE)
                (void) shutdown(c->fd, SHUT_RDWR);
}

static Work *work_free(Work *w) {
        if (!w)
                return NULL;

        loader_connection_unref(w->connection);
        closep(&w->client_fd);
        free(w->request);
        free(w);
        return NULL;
}
DEFINE_CLEANUP(Work, work_free);

/**
 * loader_work_init() - to be called before the first request
 *
 * Return: a file descriptor, for the life of the process, that is readable when a thread has ended; negative errno.
 */
int loader_work_init(void) {
        (void) loader_places();
        thread_ended_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        return thread_ended_fd < 0 ? -errno : thread_ended_fd;
}

unsigned loader_work_count(void) {
        return atomic_load(&n_threads);
}

/* Gives back to the kernel what threads have used, once the last one has ended. */
void loader_work_forget_ended(int fd) {
        eventfd_t value;

        (void) eventfd_read(fd, &value);
        if (loader_work_count() == 0)
                loader_rest();
}

/* So that ps(1) and the kernel's messages about a hung task name the module. The kernel truncates it to 15 bytes. */
static void thread_take_name(const char *module) {
        char name[16];

        (void) snprintf(name, sizeof(name), "+%.14s", module);
        (void) pthread_setname_np(pthread_self(), name);
}

static void work_begin(Work *work) {
        thread_take_name(work->request->module);
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

/*
 * As long as it is open here, the client does not notice that the manager has exited. Closing a descriptor that
 * somebody else opened may take as long as he likes, and delays only this thread.
 */
static void work_drop_client(Work *work) {
        closep(&work->client_fd);
        work->client_fd = -EBADF;
}

static int work_do(Work *work, LoaderRefusal *ret_refusal) {
        const LoaderRequest *request = work->request;
        int r;

        r = loader_request_prove(loader_places(), request, work->client_fd, ret_refusal);
        if (r < 0)
                return r;
        work_drop_client(work);         /* before what may never end */

        return request->op == LOADER_INSERT ? loader_insert(request, ret_refusal) : loader_remove(request);
}

static void *on_thread(void *userdata) {
        Work *work = userdata;
        LoaderReply reply = { .magic = LOADER_MAGIC, .id = work->request->id, .op = work->request->op };
        uint64_t start = clock_usec(CLOCK_MONOTONIC);
        LoaderRefusal refusal = LOADER_NOT_REFUSED;

        work_begin(work);
        reply.error = work_do(work, &refusal);
        work_end(work);
        reply.refusal = refusal;
        reply.duration_usec = clock_usec(CLOCK_MONOTONIC) - start;
        loader_connection_reply(work->connection, &reply);
        work_free(work); /* closes the client's descriptor, which may take long */
        atomic_fetch_sub(&n_threads, 1);
        (void) eventfd_write(thread_ended_fd, 1);
        return NULL;
}

static int work_new(Work **ret, LoaderConnection *c, const LoaderRequest *request, size_t size) {
        _cleanup_(work_freep) Work *work = NULL;

        work = calloc(1, sizeof(*work));
        if (!work)
                return -ENOMEM;
        work->client_fd = -EBADF;
        work->connection = loader_connection_ref(c);
        work->request = malloc(size); /* without parameters, the rest is neither sent nor looked at */
        if (!work->request)
                return -ENOMEM;
        (void) memcpy(work->request, request, size);
        *ret = STEAL_PTR(work);
        return 0;
}

/**
 * loader_work_start() - run a request in a thread of its own
 * @size:      of the request that was received
 * @client_fd: taken, also on failure; -EBADF: none
 *
 * Commands are not run here: that is what lkmd-command is for.
 *
 * Return: 0; -EOPNOTSUPP for a command; -EAGAIN: too many requests are under way, which only a broken manager
 * causes; -ENOMEM.
 */
int loader_work_start(LoaderConnection *c, const LoaderRequest *request, size_t size, int client_fd) {
        _cleanup_(closep) int fd = client_fd;
        _cleanup_(work_freep) Work *work = NULL;
        pthread_attr_t attributes;
        pthread_t thread;
        int r;

        if (request->op != LOADER_INSERT && request->op != LOADER_REMOVE)
                return -EOPNOTSUPP;
        if (atomic_load(&n_threads) >= LOADER_THREADS_MAX + LOADER_THREADS_FOR_KERNEL)
                return -EAGAIN;
        r = work_new(&work, c, request, size);
        if (r < 0)
                return r;
        work->client_fd = STEAL_FD(fd);

        r = pthread_attr_init(&attributes);
        if (r != 0)
                return -r;
        (void) pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        (void) pthread_attr_setstacksize(&attributes, STACK_SIZE);

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

/*
 * The kernel function in which a thread sleeps. The whole stack could be read here, but the answer goes to a program
 * without privilege, and from there to every user: lkmctl shows the stack to root.
 */
static void read_whereabouts(pid_t thread_id, char ret[static LOADER_TEXT_MAX]) {
        _cleanup_(closep) int fd = -EBADF;
        char path[64];
        ssize_t n;

        (void) snprintf(path, sizeof(path), "/proc/self/task/%d/wchan", thread_id);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        n = fd >= 0 ? read(fd, ret, LOADER_TEXT_MAX - 1) : -1;
        ret[MAX(n, (ssize_t) 0)] = '\0';
        if (streq(ret, "0"))
                ret[0] = '\0';         /* it runs, or wchan is hidden: proc(5) */
}

/* Reply where a request is in the kernel. */
void loader_work_look(LoaderConnection *c, uint64_t id) {
        LoaderReply reply = { .magic = LOADER_MAGIC, .id = id, .op = LOADER_LOOK };
        const Work *w;

        (void) pthread_mutex_lock(&works_lock);
        LIST_FOREACH(w, &works, next)
                if (w->connection == c && w->request->id == id)
                        reply.thread_id = w->thread_id;
        (void) pthread_mutex_unlock(&works_lock);

        if (reply.thread_id > 0)
                read_whereabouts(reply.thread_id, reply.text);
        loader_connection_reply(c, &reply);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * HelperRequests: see helper-requests.h. The kernel starts lkmd-request in the place of modprobe, which asks here
 * and waits, as somebody's system call waits for it. From the name to a plan, as a client's request, and from the
 * outcome to the exit status that modprobe would have had. Owns the connections and the plans that run for them; a
 * plan goes on when whoever waited for it has gone.
 *
 * What lkmd cannot do now is left to modprobe (REQUEST_PASS), but never what the policy denies: it is asked first.
 *
 * The init of a module may need the very module that is being loaded. With modprobe such a request ends after the 30
 * seconds for which the kernel lets a load wait for another one of the same module. Here it is found out (WaitCircle)
 * and fails after a moment.
 */

#include "daemon/requests/helper-requests.h"

#include <assert.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "common/base/clock.h"
#include "common/base/limits.h"
#include "common/base/text.h"
#include "common/explain/omission-text.h"
#include "daemon/base/log.h"
#include "daemon/base/loop-order.h"
#include "daemon/base/module-state.h"
#include "daemon/engine/plan-run.h"
#include "daemon/privileged/helper/request-protocol.h"
#include "daemon/requests/wait-circle.h"

#define ACCEPTS_AT_ONCE 64U
#define ACCEPT_PAUSE_USEC (100U * 1000U)
#define ROUNDS_UNTIL_STUCK 2U           /* in a row: a request may be on its way here that changes everything */

typedef struct Call Call;
struct Call {
        HelperRequests *owner;
        int fd;                         /* negative: whoever asked has gone */
        pid_t pid;                      /* of lkmd-request */
        sd_event_source *source;
        Request *request;               /* NULL: it has not said yet what it wants */
        PlanRun *run;
        uint64_t begun_usec;            /* CLOCK_MONOTONIC, of the request */
        unsigned rounds_stuck;
        TAILQ_ENTRY(Call) next;
};

struct HelperRequests {
        HelperRequestsOptions options;
        sd_event *event;
        int listen_fd;
        sd_event_source *listen_source, *pause_source, *circle_source;
        TAILQ_HEAD(Calls, Call) silent, running; /* oldest first */
        size_t n_silent, n_running;
        uint64_t circle_usec;           /* until the next look */
        uint64_t round_begun_usec;      /* when the loader was asked; 0: it was not */
        bool is_reported;               /* that there is no room */
};

/* ------------------------------------------------------------------------------------------------- calls */

static void call_hang_up(Call *c) {
        c->source = sd_event_source_disable_unref(c->source);
        closep(&c->fd);
        c->fd = -EBADF;
}

static void call_free(Call *c) {
        HelperRequests *h = c->owner;

        if (c->request) {
                TAILQ_REMOVE(&h->running, c, next);
                h->n_running--;
        } else {
                TAILQ_REMOVE(&h->silent, c, next);
                h->n_silent--;
        }
        call_hang_up(c);
        plan_run_free(c->run);
        request_unref(c->request);
        free(c);
}

/* If it cannot be sent, whoever asked has gone, or will find out that the connection ends, and asks modprobe. */
static void call_send(const Call *c, RequestAnswer answer) {
        const RequestReply reply = { .magic = REQUEST_MAGIC, .answer = answer };

        if (c->fd >= 0 && send(c->fd, &reply, sizeof(reply), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
                log_debug("cannot answer a request of the kernel: %s", strerror(errno));
}

static void call_answer(Call *c, RequestAnswer answer) {
        call_send(c, answer);
        call_free(c);
}

static const char *answer_text(RequestAnswer answer) {
        return answer == REQUEST_DONE ? "done" : answer == REQUEST_FAILED ? "failed" : "left to modprobe";
}

/* @name: any bytes */
static void log_answer(const char *name, RequestAnswer answer, const char *why) {
        _cleanup_(freep) char *escaped = NULL;

        if (text_escape(name, &escaped) >= 0)
                log_debug("kernel asks for %s: %s%s%s", escaped, answer_text(answer), why ? ", " : "",
                          why ?: "");
}

/* ----------------------------------------------------------------------------------------------- outcome */

/*
 * What modprobe would exit with. A blacklist line keeps a module out that was asked for by an alias, and is no failure
 * for modprobe.
 */
static RequestAnswer answer_of_plan(const Plan *plan) {
        if (plan->n_matches == 0)
                return REQUEST_FAILED;
        for (size_t i = 0; i < plan->n_omissions; i++)
                if (plan->omissions[i].required && plan->omissions[i].kind != PLAN_BLACKLISTED)
                        return REQUEST_FAILED;
        return REQUEST_DONE;
}

static void on_run_done(PlanRun *run, void *userdata) {
        Call *c = userdata;
        RequestAnswer answer = plan_run_get_failure(run) ? REQUEST_FAILED
                                                         : answer_of_plan(plan_run_get_plan(run));

        log_answer(c->request->key, answer, NULL);
        call_answer(c, answer);
}

/* --------------------------------------------------------------------------------------------- circles */

/* Requests wait for a job if one of their steps does, or if it comes before such a job. */
static bool job_has_waiter(const Job *j, const Request *request) {
        const JobWaiter *w;

        STAILQ_FOREACH(w, &j->waiters, next)
                if (w->spec.may && w->spec.request == request)
                        return true;
        return false;
}

/* The job in the kernel for which @j waits, and @j itself if it is there. */
static const Job *find_first(const Job *j) {
        while (j->earlier)
                j = j->earlier;
        return job_is_under_way(j) && !j->by_command ? j : NULL;
}

typedef struct Circles {
        size_t n_jobs, n_requests;
        const Job **sources;
        WaitingJob *jobs;
        WaitingRequest *requests;
        bool *waits;
} Circles;

static void circles_clear(Circles *c) {
        free(c->sources);
        free(c->jobs);
        free(c->requests);
        free(c->waits);
}

static size_t find_source(const Circles *c, const Job *j) {
        size_t i = 0;

        while (i < c->n_jobs && c->sources[i] != j)
                i++;
        return i;
}

static void collect_jobs(const HelperRequests *h, Circles *c) {
        const Job *j = NULL;

        while ((j = scheduler_next_job(h->options.scheduler, j))) {
                if (!job_is_under_way(j) || j->by_command)
                        continue;
                c->sources[c->n_jobs] = j;
                c->jobs[c->n_jobs++] = (WaitingJob) {
                        .begun_usec = j->started_usec,
                        .asks = j->asks_kernel && j->looked_usec >= h->round_begun_usec,
                };
        }
}

static void collect_waits(const HelperRequests *h, Circles *c) {
        const Job *j = NULL, *first;

        while ((j = scheduler_next_job(h->options.scheduler, j))) {
                size_t number = 0;
                const Call *call;

                first = find_first(j);
                if (!first)
                        continue;
                TAILQ_FOREACH(call, &h->running, next) {
                        if (job_has_waiter(j, call->request))
                                c->requests[number].waits[find_source(c, first)] = true;
                        number++;
                }
        }
}

/* Return: 0; -ENOMEM. */
static int circles_collect(const HelperRequests *h, Circles *c) {
        const Job *j = NULL;
        const Call *call;
        size_t n = 1;

        while ((j = scheduler_next_job(h->options.scheduler, j)))
                n++;
        c->sources = calloc(n, sizeof(const Job *));
        c->jobs = calloc(n, sizeof(*c->jobs));
        c->requests = calloc(h->n_running + 1, sizeof(*c->requests));
        c->waits = calloc((h->n_running + 1) * n, sizeof(*c->waits));
        if (!c->sources || !c->jobs || !c->requests || !c->waits)
                return -ENOMEM;
        TAILQ_FOREACH(call, &h->running, next) {
                c->requests[c->n_requests] = (WaitingRequest) { .begun_usec = call->begun_usec,
                                                                .waits = c->waits + c->n_requests * n };
                c->n_requests++;
        }
        collect_jobs(h, c);
        collect_waits(h, c);
        return 0;
}

/* Could there be a circle at all: does a request wait for a load that began before it? */
static bool is_worth_a_look(const Circles *c) {
        for (size_t i = 0; i < c->n_requests; i++)
                for (size_t k = 0; k < c->n_jobs; k++)
                        if (c->requests[i].waits[k] && c->jobs[k].begun_usec <= c->requests[i].begun_usec)
                                return true;
        return false;
}

static void look_later(HelperRequests *h) {
        if (sd_event_source_set_time_relative(h->circle_source, h->circle_usec) >= 0)
                (void) sd_event_source_set_enabled(h->circle_source, SD_EVENT_ONESHOT);
}

/* There is a new request. A look that is due soon is not put off by it, or a storm would put it off for ever. */
static void look_soon(HelperRequests *h) {
        int enabled = SD_EVENT_OFF;

        (void) sd_event_source_get_enabled(h->circle_source, &enabled);
        if (enabled != SD_EVENT_OFF && h->circle_usec == CIRCLE_LOOK_USEC)
                return;
        h->circle_usec = CIRCLE_LOOK_USEC;
        look_later(h);
}

/*
 * One is enough for the init to go on, and the others then have another look. The latest is most likely the one that
 * the init waits for.
 */
static void fail_stuck(HelperRequests *h, Call *c, const char *module) {
        _cleanup_(freep) char *key = NULL, *name = NULL;

        if (text_escape(c->request->key, &key) >= 0 && text_escape(module, &name) >= 0)
                log_warning(
                        "%s: its init waits for a request of the kernel for %s, which cannot end before that init "
                        "has: the request fails",
                        name, key);
        call_answer(c, REQUEST_FAILED);
        TAILQ_FOREACH(c, &h->running, next)
                c->rounds_stuck = 0;
}

static const char *name_stuck(const Circles *circles, const WaitingRequest *request) {
        for (size_t i = 0; i < circles->n_jobs; i++)
                if (request->waits[i] && circles->jobs[i].is_stuck)
                        return circles->sources[i]->record->module;
        return "a module";
}

/* Return: whether something is stuck. */
static bool judge_circles(HelperRequests *h, Circles *circles) {
        const char *module = NULL;
        Call *c, *latest = NULL;
        size_t number = 0;
        bool any = false;

        wait_circle_find(circles->jobs, circles->n_jobs, circles->requests, circles->n_requests);
        TAILQ_FOREACH(c, &h->running, next) {
                const WaitingRequest *request = circles->requests + number++;

                c->rounds_stuck = request->is_stuck ? c->rounds_stuck + 1 : 0;
                any |= request->is_stuck;
                if (c->rounds_stuck < ROUNDS_UNTIL_STUCK)
                        continue;
                latest = c;
                module = name_stuck(circles, request);
        }
        if (latest)
                fail_stuck(h, latest, module);
        return any;
}

static int on_circle_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        _cleanup_(circles_clear) Circles circles = {};
        HelperRequests *h = userdata;
        bool any = false;

        if (TAILQ_EMPTY(&h->running))
                return 0;
        if (circles_collect(h, &circles) < 0)
                log_warning(
                        "there is no memory to find out whether requests of the kernel wait for each other");
        else if (h->round_begun_usec > 0)
                any = judge_circles(h, &circles);
        h->round_begun_usec = 0;
        if (circles.requests && circles.jobs && is_worth_a_look(&circles)) {
                h->round_begun_usec = clock_usec(CLOCK_MONOTONIC);
                scheduler_look(h->options.scheduler);
        }
        h->circle_usec = any ? CIRCLE_LOOK_USEC : MIN(h->circle_usec * 2U, (uint64_t) CIRCLE_LOOK_MAX_USEC);
        look_later(h);
        return 0;
}

/* --------------------------------------------------------------------------------------------- requests */

/* What lkmd cannot do, and modprobe may be able to; NULL: lkmd can. */
static const char *find_trouble(const HelperRequests *h) {
        const HelperRequestsOptions *o = &h->options;

        if (scheduler_get_trouble(o->scheduler) != LOADER_IS_WELL)
                return "there is no loader";
        if (index_keeper_get_unread(o->planner->index))
                return "not all of the configuration can be read";
        if (!charge_is_taken(o->charge))
                return "lkmd is not in charge";
        if (h->n_running > KERNEL_REQUESTS_MAX)
                return "too many others are under way";
        return NULL;
}

static bool has_work(const Plan *plan) {
        for (size_t i = 0; i < plan->n_steps; i++)
                if (plan->steps[i].action != PLAN_BUILTIN &&
                    module_state_read(plan_step_name(plan->steps + i)) != MODULE_LIVE)
                        return true;
        return false;
}

/* A refusal was told of when the plan was made. */
static void note_requester(const HelperRequests *h, const Request *request, const Plan *plan) {
        const char *module = NULL;

        for (size_t i = 0; i < plan->n_omissions; i++)
                if (omission_is_refusal(plan->omissions + i))
                        return;
        for (size_t i = 0; i < plan->n_steps && !module; i++)
                if (plan->steps[i].reason == PLAN_REQUESTED)
                        module = plan_step_name(plan->steps + i);
        refusal_log_asked(h->options.planner->refusal_log, request, module, has_work(plan));
}

static int call_decide(Call *c, RequestAnswer answer, const char *why) {
        log_answer(c->request->key, answer, why);
        call_answer(c, answer);
        return 0;
}

/* Return: 0, with the call freed if it was answered; negative errno with the call as it was. */
static int call_carry_out(Call *c) {
        HelperRequests *h = c->owner;
        _cleanup_(plan_freep) Plan *plan = NULL;
        uint64_t begun_usec;
        RequestAnswer answer;
        const char *trouble;
        const Index *index;
        int r;

        index = index_keeper_get(h->options.planner->index);
        begun_usec = clock_usec(CLOCK_MONOTONIC);
        r = planner_plan(h->options.planner, index, c->request, PLAN_NAMED, NULL, &plan);
        if (r < 0)
                return r;
        counters_add_time(h->options.counters, PHASE_PLAN, clock_usec(CLOCK_MONOTONIC) - begun_usec);
        note_requester(h, c->request, plan);
        answer = answer_of_plan(plan);
        trouble = find_trouble(h);
        if (answer == REQUEST_FAILED || (trouble && !has_work(plan)))
                return call_decide(c, answer, NULL);
        if (trouble)
                return call_decide(c, REQUEST_PASS, trouble);
        r = plan_run_new(&c->run, h->options.scheduler, h->options.planner, plan, c->request, on_run_done,
                         c);
        if (r < 0)
                return r;
        STEAL_PTR(plan);
        look_soon(h);
        return plan_run_start(c->run);  /* may answer and free the call */
}

static int find_requester(const HelperRequests *h, const char *name, pid_t helper, Requester **ret) {
        return h->options.find_requester ? h->options.find_requester(name, helper, ret, h->options.userdata)
                                         : 0;
}

/* Return: as call_carry_out(). */
static int call_begin(Call *c, const char *name) {
        _cleanup_(requester_unrefp) Requester *requester = NULL;
        HelperRequests *h = c->owner;
        Request *request;
        int r;

        h->options.counters->requests++;
        h->options.counters->lookups++;
        r = find_requester(h, name, c->pid, &requester);
        if (r < 0)
                log_debug("cannot find out who asks: %s", strerror(-r));
        r = request_new_kernel(&request, name, requester);
        if (r < 0)
                return r;
        c->request = request;
        c->begun_usec = clock_usec(CLOCK_MONOTONIC);
        TAILQ_REMOVE(&h->silent, c, next);
        h->n_silent--;
        TAILQ_INSERT_TAIL(&h->running, c, next);
        h->n_running++;
        return call_carry_out(c);
}

/*
 * Names with control characters: no module has any, and they are no business of modprobe's either. All other bytes are
 * for the index, which knows no paths.
 */
static bool name_is_text(const char *name) {
        for (; *name; name++)
                if ((unsigned char) *name < ' ' || *name == 0x7f)
                        return false;
        return true;
}

static bool packet_is_valid(const RequestPacket *packet, ssize_t size) {
        return size == (ssize_t) sizeof(*packet) && packet->magic == REQUEST_MAGIC &&
               packet->name[0] != '\0' && memchr(packet->name, '\0', sizeof(packet->name));
}

/* Its first packet is the request; after that, and whenever it has gone, there is nothing more to read. */
static int on_call_readable(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        RequestPacket packet;
        Call *c = userdata;
        ssize_t n;
        int r;

        n = c->request ? 0 : recv(fd, &packet, sizeof(packet), MSG_DONTWAIT | MSG_TRUNC);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (c->request)
                call_hang_up(c);        /* the plan goes on */
        else if (n <= 0 || events & (EPOLLHUP | EPOLLERR))
                call_free(c);           /* it has turned to modprobe, or was killed */
        else if (!packet_is_valid(&packet, n))
                call_answer(c, REQUEST_PASS);
        else if (!name_is_text(packet.name)) {
                log_answer(packet.name, REQUEST_FAILED, "which no module is called");
                call_answer(c, REQUEST_FAILED);
        } else {
                r = call_begin(c, packet.name);
                if (r >= 0)
                        return 0;
                log_warning("cannot serve a request of the kernel: %s", strerror(-r));
                call_answer(c, REQUEST_PASS);
        }
        return 0;
}

/* ------------------------------------------------------------------------------------------- connections */

/* Return: the process at the other end, if it is root's; else 0. */
static pid_t find_peer(int fd) {
        struct ucred peer;
        socklen_t size = sizeof(peer);

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || size != sizeof(peer) ||
            peer.uid != 0)
                return 0;
        return peer.pid;
}

/* @fd: taken, also on failure. Return: 0; negative errno. */
static int admit(HelperRequests *h, int fd) {
        pid_t pid = find_peer(fd);
        Call *c;
        int r;

        if (pid <= 0) {
                (void) close(fd);
                return -EPERM;
        }
        if (h->n_silent >= KERNEL_REQUESTS_SILENT_MAX)
                call_free(TAILQ_FIRST(&h->silent));
        c = calloc(1, sizeof(*c));
        if (!c) {
                (void) close(fd);
                return -ENOMEM;
        }
        *c = (Call) { .owner = h, .fd = fd, .pid = pid };
        TAILQ_INSERT_TAIL(&h->silent, c, next);
        h->n_silent++;
        r = sd_event_add_io(h->event, &c->source, fd, EPOLLIN, on_call_readable, c);
        if (r >= 0)
                r = sd_event_source_set_priority(c->source, LOOP_REQUESTS);
        if (r < 0) {
                call_free(c);
                return r;
        }
        call_send(c, REQUEST_PENDING);
        return 0;
}

/* File descriptors or memory ran out: try again a little later rather than at every turn. */
static void pause_accepting(HelperRequests *h, int error) {
        if (!h->is_reported)
                log_warning("requests of the kernel are left to modprobe: %s", strerror(-error));
        h->is_reported = true;
        (void) sd_event_source_set_enabled(h->listen_source, SD_EVENT_OFF);
        if (sd_event_source_set_time_relative(h->pause_source, ACCEPT_PAUSE_USEC) >= 0)
                (void) sd_event_source_set_enabled(h->pause_source, SD_EVENT_ONESHOT);
}

static int on_pause_over(sd_event_source *source, uint64_t usec, void *userdata) {
        HelperRequests *h = userdata;

        (void) sd_event_source_set_enabled(h->listen_source, SD_EVENT_ON);
        return 0;
}

static int on_listen(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        HelperRequests *h = userdata;

        for (unsigned i = 0; i < ACCEPTS_AT_ONCE; i++) {
                int connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), r;

                if (connection < 0 && (errno == EINTR || errno == ECONNABORTED))
                        continue;
                if (connection < 0) {
                        if (errno != EAGAIN)
                                pause_accepting(h, -errno);
                        return 0;
                }
                h->is_reported = false;
                r = admit(h, connection);
                if (r < 0)
                        log_debug("a connection for a request of the kernel was not taken: %s",
                                  strerror(-r));
        }
        return 0;
}

static int listen_for_calls(HelperRequests *h) {
        int flags = fcntl(h->listen_fd, F_GETFL), r;

        if (flags < 0 || fcntl(h->listen_fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
            fcntl(h->listen_fd, F_SETFD, FD_CLOEXEC) < 0)
                return -errno;
        r = sd_event_add_io(h->event, &h->listen_source, h->listen_fd, EPOLLIN, on_listen, h);
        if (r < 0)
                return r;
        r = sd_event_source_set_priority(h->listen_source, LOOP_REQUESTS);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(h->listen_source, "kernel-requests");
        r = sd_event_add_time_relative(h->event, &h->pause_source, CLOCK_MONOTONIC, 0, 0, on_pause_over, h);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(h->pause_source, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = sd_event_add_time_relative(h->event, &h->circle_source, CLOCK_MONOTONIC, 0, 0, on_circle_timer,
                                       h);
        if (r < 0)
                return r;
        return sd_event_source_set_enabled(h->circle_source, SD_EVENT_OFF);
}

/* ------------------------------------------------------------------------------------------------ object */

/**
 * helper_requests_new() - serve the requests of a listening socket
 *
 * Return: 0; -ENOMEM; what sd_event_add_io(3) says. The socket is taken also on failure.
 */
int helper_requests_new(HelperRequests **ret, const HelperRequestsOptions *options) {
        _cleanup_(helper_requests_freep) HelperRequests *h = NULL;
        int r, fd;

        assert(ret && options && options->event && options->planner && options->scheduler &&
               options->charge && options->counters);

        fd = options->listen_fd;
        h = calloc(1, sizeof(*h));
        if (!h) {
                closep(&fd);
                return -ENOMEM;
        }
        h->options = *options;
        h->event = sd_event_ref(options->event);
        h->listen_fd = fd;
        h->circle_usec = CIRCLE_LOOK_USEC;
        TAILQ_INIT(&h->silent);
        TAILQ_INIT(&h->running);
        r = fd >= 0 ? listen_for_calls(h) : 0;
        if (r < 0)
                return r;
        *ret = STEAL_PTR(h);
        return 0;
}

/* Return: NULL. Who still waits finds the connection closed, and turns to modprobe. */
HelperRequests *helper_requests_free(HelperRequests *h) {
        Call *c;

        if (!h)
                return NULL;

        while ((c = TAILQ_FIRST(&h->running)) || (c = TAILQ_FIRST(&h->silent)))
                call_free(c);
        sd_event_source_disable_unref(h->listen_source);
        sd_event_source_disable_unref(h->pause_source);
        sd_event_source_disable_unref(h->circle_source);
        closep(&h->listen_fd);
        sd_event_unref(h->event);
        free(h);
        return NULL;
}

/* True when no plan runs for the kernel. */
bool helper_requests_is_idle(const HelperRequests *h) {
        assert(h);

        return TAILQ_EMPTY(&h->running);
}

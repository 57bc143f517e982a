/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Client: one connection. It reads one message, checks its bounds before anything parses it, has it carried out
 * through a link of sd-varlink that is made for this call and closed with it, and sends the reply. So a link is a
 * call: a reply to a link cannot reach another call, and when a call ends, all objects that list its link learn of it
 * (the server's disconnect callback). The next message is read after the reply to the last one was sent.
 *
 * sd-varlink is attached to no event loop here: it processes one message when asked to, and returns. Replies that a
 * handler sends later are fetched at the next turn of the loop (client_has_replies()).
 */

#include <assert.h>
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "common/base/clock.h"
#include "common/base/limits.h"
#include "common/base/message-depth.h"
#include "daemon/clients/clients-internal.h"

#define STEPS_MAX 4096U                 /* of sd-varlink for one message: a few, plus two for each 200 KB of reply */

/* Return: true with the size without the NUL if a complete message is queued. */
static bool find_message(const Client *c, size_t *ret_size) {
        size_t size = byte_queue_size(&c->in);
        const char *begin = byte_queue_peek(&c->in), *end = size > 0 ? memchr(begin, 0, size) : NULL;

        if (end)
                *ret_size = (size_t) (end - begin);
        return end != NULL;
}

/* ----------------------------------------------------------------------------------------------- answers */

/* Sends what is queued, as far as the socket takes it. */
void client_send(Client *c) {
        while (byte_queue_size(&c->out) > 0) {
                ssize_t n = send(c->fd, byte_queue_peek(&c->out), byte_queue_size(&c->out),
                                 MSG_DONTWAIT | MSG_NOSIGNAL);

                if (n >= 0) {
                        byte_queue_drop(&c->out, (size_t) n);
                        continue;
                }
                if (errno == EINTR)
                        continue;
                if (errno != EAGAIN) {  /* nobody will read it; queued oneway calls are still carried out */
                        byte_queue_clear(&c->out);
                        c->gone = true;
                }
                return;
        }
}

/*
 * The client hung up. Its queued oneway calls are still carried out; if there are none, its place is freed at once
 * rather than at its next turn.
 */
void client_leave(Client *c) {
        size_t size;
        int unread;

        byte_queue_clear(&c->out);
        c->gone = true;
        if (!find_message(c, &size) && ioctl(c->fd, SIOCINQ, &unread) >= 0 && unread == 0)
                c->dead = true;
}

/* Sends an error that does not come from sd-varlink. */
static void refuse(Client *c, ClientTrouble trouble, int error) {
        const char *answer = client_trouble_answer(c->pool, trouble);

        clients_report(c->pool, trouble, &c->peer, error);
        if (byte_queue_put(&c->out, answer, strlen(answer) + 1) < 0)
                c->dead = true;
        client_send(c);
}

/* Its input cannot be parsed any further: disconnect after the error was sent. */
static void cut_off(Client *c, ClientTrouble trouble) {
        byte_queue_clear(&c->in);
        c->last = true;
        refuse(c, trouble, 0);
}

void client_end_call(Client *c) {
        if (!c->link)
                return;

        clients_note_call(c->pool, c, /* open= */ false);
        (void) sd_varlink_close(c->link); /* runs the disconnect callback */
        c->link = sd_varlink_unref(c->link);
        closep(&c->link_fd);
        c->link_fd = -EBADF;
        c->quiet_usec = clock_usec(CLOCK_MONOTONIC);
}

/* Moves bytes of the reply to the output queue. Return: whether there were any. */
static bool fetch(Client *c, bool behind) {
        char chunk[64U << 10];
        ssize_t n;

        n = recv(c->link_fd, chunk, sizeof(chunk), MSG_DONTWAIT);
        if (n <= 0)
                return false;
        if (behind) {
                clients_report(c->pool, TROUBLE_TOO_SLOW, &c->peer, 0);
                c->dead = true;
        } else if (!c->gone && byte_queue_put(&c->out, chunk, (size_t) n) < 0)
                c->dead = true;
        return !c->dead;
}

/* Is there something for client_take_replies() to do? */
bool client_has_replies(const Client *c) {
        int events = sd_varlink_get_events(c->link);

        return events < 0 || (events & EPOLLOUT) || sd_varlink_is_idle(c->link);
}

/* Runs sd-varlink as far as it gets without waiting, and ends the call if it was answered. */
void client_take_replies(Client *c) {
        bool behind;

        assert(c->link);

        client_send(c);
        behind = byte_queue_size(&c->out) > CLIENT_UNSENT_MAX;
        for (unsigned i = 0; i < STEPS_MAX; i++) {
                int r = sd_varlink_process(c->link);

                if (r == -ENOTCONN)
                        break;
                if (!fetch(c, behind) && (r == 0 || c->dead))
                        break;
        }
        while (fetch(c, behind))
                ;
        if (!c->dead && sd_varlink_is_idle(c->link)) {
                if (sd_varlink_get_events(c->link) < 0)
                        c->last = true; /* sd-varlink hung up: that was not a valid call */
                client_end_call(c);
        }
        client_send(c);
}

/* -------------------------------------------------------------------------------------------------- calls */

/* Return: 0 with c->link and c->link_fd; negative errno. */
static int open_link(Client *c) {
        const struct ucred ucred = { .pid = c->peer.pid, .uid = c->peer.uid, .gid = c->peer.gid };
        _cleanup_(closep) int ours = -EBADF, theirs = -EBADF;
        int fds[2], size = 2 * (int) CLIENT_MESSAGE_MAX, r;
        sd_varlink *link;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
                return -errno;
        ours = fds[0];
        theirs = fds[1];
        (void) setsockopt(ours, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)); /* fits a whole message */
        r = sd_varlink_server_add_connection_pair(c->pool->server, theirs, theirs, &ucred, &link);
        if (r < 0)
                return r;
        theirs = -EBADF;

        c->link = sd_varlink_ref(link);
        c->link_fd = STEAL_FD(ours);
        clients_note_call(c->pool, c, /* open= */ true);
        return 0;
}

/* Carries out one message. @size: without the NUL behind it */
static void call(Client *c, size_t size) {
        const char *message = byte_queue_peek(&c->in);
        ssize_t n;
        int r;

        if (message_depth(message, size) > CLIENT_DEPTH_MAX) {
                cut_off(c, TROUBLE_TOO_DEEP);
                return;
        }
        r = open_link(c);
        if (r >= 0) {
                n = send(c->link_fd, message, size + 1, MSG_DONTWAIT | MSG_NOSIGNAL);
                r = n < 0 ? -errno : (size_t) n < size + 1 ? -ENOBUFS : 0;
        }
        byte_queue_drop(&c->in, size + 1);
        if (r >= 0) {
                client_take_replies(c);
                return;
        }
        client_end_call(c);
        refuse(c, TROUBLE_NO_CALL, r);
}

static void receive(Client *c) {
        char chunk[CLIENT_MESSAGE_MAX + 1];
        size_t room = sizeof(chunk) - byte_queue_size(&c->in), size;
        ssize_t n;

        c->readable = false;            /* the event loop sets it again if there is more */
        n = recv(c->fd, chunk, room, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (n <= 0) {
                c->ended = true;
                return;
        }
        if (byte_queue_put(&c->in, chunk, (size_t) n) < 0) {
                c->dead = true;
                return;
        }
        if (byte_queue_size(&c->in) > CLIENT_MESSAGE_MAX && !find_message(c, &size))
                cut_off(c, TROUBLE_TOO_LARGE);
}

/* One turn of a client: read once, and begin a call if there is a complete message. */
void client_serve(Client *c) {
        size_t size;

        assert(!c->link);

        if (!find_message(c, &size)) {
                receive(c);
                if (c->dead || c->last)
                        return;
                if (!find_message(c, &size)) {
                        c->dead = c->ended;
                        return;
                }
        }
        call(c, size);
}

/* Is there work that does not wait for the client or for a reply? */
bool client_has_work(const Client *c) {
        size_t size;

        if (c->dead || c->last || c->link || byte_queue_size(&c->out) > 0)
                return false;
        return c->readable || c->gone || c->ended || find_message(c, &size);
}

/* Selects the events to poll for: input only while the client may make another call. */
void client_watch(Client *c) {
        bool unsent = byte_queue_size(&c->out) > 0;
        uint32_t events = unsent ? EPOLLOUT : 0;

        if (!c->link && !unsent && !c->queued && !c->last && !c->ended)
                events |= EPOLLIN;
        if (c->gone)                    /* EPOLLHUP cannot be masked and would be reported all the time */
                (void) sd_event_source_set_enabled(c->source, SD_EVENT_OFF);
        else
                (void) sd_event_source_set_io_events(c->source, events);
}

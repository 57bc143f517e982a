/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "varlink-bench.h"

#include <sys/socket.h>

#include "common/base/paths.h"
#include "common/interface/interface.h"
#include "daemon-bench.h"
#include "must.h"

sd_varlink_server *varlink_server_new(sd_varlink_disconnect_t disconnected, void *userdata) {
        sd_varlink_server *server = NULL;

        must_ok(sd_varlink_server_new(&server, SD_VARLINK_SERVER_INHERIT_USERDATA));
        sd_varlink_server_set_userdata(server, userdata);
        must_ok(sd_varlink_server_add_interface(server, &vl_interface_io_lkmd_Manager));
        if (disconnected)
                must_ok(sd_varlink_server_bind_disconnect(server, disconnected));
        return server;
}

void varlink_bench_open(VarlinkBench *b, const char *method, sd_varlink_method_t handler,
                        sd_varlink_disconnect_t disconnected, void *userdata) {
        char name[64];

        *b = (VarlinkBench) { .userdata = userdata };
        must_ok(sd_event_new(&b->event));
        b->server = varlink_server_new(disconnected, userdata);
        snprintf(name, sizeof(name), LKMD_INTERFACE ".%s", method);
        must_ok(sd_varlink_server_bind_method(b->server, name, handler));
        must_ok(sd_varlink_server_attach_event(b->server, b->event, SD_EVENT_PRIORITY_NORMAL));
}

void varlink_bench_close(VarlinkBench *b) {
        event_settle(b->event);         /* clients that are gone by now are let go */
        sd_varlink_server_unref(b->server);
        sd_event_unref(b->event);
}

int varlink_bench_connect(VarlinkBench *b) {
        int fds[2];

        must_ok(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0 ? -errno : 0);
        must_ok(sd_varlink_server_add_connection(b->server, fds[0], NULL));
        return fds[1];
}

void varlink_bench_call(int fd, const char *method, const char *parameters, bool more) {
        char text[512];
        int n;

        n = snprintf(text, sizeof(text), "{\"method\":\"" LKMD_INTERFACE ".%s\",\"parameters\":%s%s}",
                     method, parameters, more ? ",\"more\":true" : "");
        if (n < 0 || (size_t) n >= sizeof(text) || send(fd, text, (size_t) n + 1, MSG_NOSIGNAL) != n + 1)
                abort();
}

/* What a reply without parameters means is the same in both spellings; since systemd 260 it lacks the empty object. */
static void write_message(FILE *f, const char *message) {
        if (streq(message, "{}"))
                fputs("{\"parameters\":{}}", f);
        else if (startswith(message, "{\"continues\""))
                fprintf(f, "{\"parameters\":{},%s", message + 1);
        else
                fputs(message, f);
}

void varlink_bench_write(FILE *f, const char *received, size_t size) {
        for (const char *end; size > 0; size -= (size_t) (end - received) + 1, received = end + 1) {
                end = memchr(received, '\0', size);
                if (!end) {
                        fwrite(received, 1, size, f);
                        return;
                }
                write_message(f, received);
                fputc('\n', f);
        }
}

char *varlink_bench_read(int fd) {
        char received[65536], *text = NULL;
        size_t size;
        ssize_t n = recv(fd, received, sizeof(received), MSG_DONTWAIT);
        FILE *f;

        if (n == 0 || (n < 0 && errno == ECONNRESET))
                return NULL;
        f = open_memstream(&text, &size);
        if (!f)
                abort();
        varlink_bench_write(f, received, (size_t) MAX(n, 0));
        if (fclose(f) != 0)
                abort();
        return text;
}

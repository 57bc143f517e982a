/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A client of the service that says anything and believes nothing. Owns its socket. */

#include "client.h"

#include <sys/socket.h>
#include <systemd/sd-json.h>

#include "common/base/paths.h"
#include "common/interface/interface.h"
#include "support.h"

enum { LOAD = 'e', MONITOR = 'f', UNLOAD = 'j', WAIT = 'k' };

#define ADMINS "ceghjo"                 /* Grant, Load, Reload, Revoke, Unload, ClearAudit */

static const char *const methods[] = {
        LKMD_INTERFACE ".Audit",
        LKMD_INTERFACE ".DescribeModule",
        LKMD_INTERFACE ".Grant",
        LKMD_INTERFACE ".List",
        LKMD_INTERFACE ".Load",
        LKMD_INTERFACE ".Monitor",
        LKMD_INTERFACE ".Reload",
        LKMD_INTERFACE ".Revoke",
        LKMD_INTERFACE ".Status",
        LKMD_INTERFACE ".Unload",
        LKMD_INTERFACE ".Wait",
        LKMD_INTERFACE ".Nothing",
        "org.varlink.service.GetInfo",
        "org.varlink.service.GetInterfaceDescription",
        LKMD_INTERFACE ".ClearAudit",
};

void fuzz_client_take(FuzzClient *c, int fd) {
        must(c->fd < 0);
        *c = (FuzzClient) { .fd = fd };
}

void fuzz_client_hang_up(FuzzClient *c) {
        closep(&c->fd);
        free(c->text);
        *c = (FuzzClient) { .fd = -EBADF };
}

void fuzz_client_shut_down(FuzzClient *c) {
        if (c->fd >= 0)
                (void) shutdown(c->fd, SHUT_WR);
}

static void put(FuzzClient *c, const char *text, size_t size) {
        if (c->fd >= 0 && send(c->fd, text, size, MSG_NOSIGNAL) != (ssize_t) size)
                c->unknown = true;      /* it has hung up, or what it got is cut */
}

void fuzz_client_send(FuzzClient *c, const char *text, size_t size) {
        c->unknown = true;
        put(c, text, size);
}

void fuzz_client_call(FuzzClient *c, const char *text) {
        unsigned flags = text[0] >= '0' && text[0] <= '7' ? (unsigned) (text[0] - '0') : 0;
        const char *parameters = text[0] && text[1] && text[2] ? text + 2 : "{}";
        char letter = text[0] && text[1] ? text[1] : 'a';
        size_t method = (size_t) (letter - 'a');
        _cleanup_(freep) char *message = NULL;
        int n;

        n = asprintf(&message, "{\"method\":\"%s\",\"parameters\":%s%s%s%s}",
                     method < ARRAY_LEN(methods) ? methods[method] : methods[0], parameters,
                     flags & 1 ? ",\"oneway\":true" : "", flags & 2 ? ",\"more\":true" : "",
                     flags & 4 ? ",\"upgrade\":true" : "");
        must(n > 0);
        if (strpbrk(parameters, "}") != parameters + strlen(parameters) - 1)
                c->unknown = true;      /* who knows what is behind it */
        if (!(flags & 1) && c->n_calls < FUZZ_CALLS_MAX)
                c->calls[c->n_calls++] = letter;
        else if (!(flags & 1))
                c->unknown = true;
        put(c, message, (size_t) n + 1);
}

/* Of a call that nobody waits for any more, or of another client, are others. */
static void must_belong(const FuzzClient *c, sd_json_variant *reply, bool continues) {
        sd_json_variant *parameters = sd_json_variant_by_key(reply, "parameters"),
                        *error = sd_json_variant_by_key(reply, "error");
        char call;

        if (c->unknown)
                return;
        must(c->n_replies < c->n_calls);
        call = c->calls[c->n_replies];
        if (continues)
                must(call == MONITOR || call == LOAD || call == UNLOAD);
        else if (error)
                must(!streq(sd_json_variant_string(error), LKMD_ERROR_TIMEOUT) || call == WAIT);
        else {
                must(c->is_admin || !strchr(ADMINS, call));
                must(call != MONITOR);
                must((parameters && sd_json_variant_by_key(parameters, "records")) == (call == LOAD || call == UNLOAD));
        }
}

static void check_words(sd_json_variant *reply) {
        sd_json_variant *parameters = sd_json_variant_by_key(reply, "parameters");

        if (!sd_json_variant_by_key(reply, "error") || !parameters)
                return;
        for (size_t i = 0; i < 2; i++) {
                sd_json_variant *words = sd_json_variant_by_key(parameters, i == 0 ? "message" : "hint");

                if (words)
                        fuzz_must_be_printable(sd_json_variant_string(words));
        }
}

/* One message of the service's. */
static void take(FuzzClient *c, const char *text) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        sd_json_variant *member;
        bool continues;

        for (const char *p = text; *p; p++)
                must((unsigned char) *p >= ' ');
        must(sd_json_parse(text, 0, &v, NULL, NULL) >= 0);
        member = sd_json_variant_by_key(v, "continues");
        continues = member && sd_json_variant_boolean(member);
        must_belong(c, v, continues);
        check_words(v);
        c->n_replies += !continues;
}

void fuzz_client_read(FuzzClient *c) {
        static char buffer[65536];
        ssize_t n;

        while (c->fd >= 0 && (n = recv(c->fd, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0) {
                char *begin, *end;

                c->text = realloc(c->text, c->n_text + (size_t) n);
                must(c->text != NULL);
                memcpy(c->text + c->n_text, buffer, (size_t) n);
                c->n_text += (size_t) n;
                for (begin = c->text; (end = memchr(begin, '\0', c->n_text - (size_t) (begin - c->text)));
                     begin = end + 1)
                        take(c, begin);
                c->n_text -= (size_t) (begin - c->text);
                memmove(c->text, begin, c->n_text);
        }
}

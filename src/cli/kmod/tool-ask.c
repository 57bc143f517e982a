/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ToolAsk: the connection of a tool to lkmd, for this process, made when it is first needed. lkmd may be stopped, or
 * hang: then the tool has to do what kmod's does, and soon, since the kernel may be waiting for it.
 */

#include "cli/kmod/tool-ask.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-varlink.h>
#include <unistd.h>

#include "cli/call/client.h"
#include "cli/call/failure.h"
#include "cli/kmod/tool-message.h"
#include "cli/print/fields.h"
#include "common/base/paths.h"
#include "common/interface/interface.h"
#include "common/settings/settings.h"

#define ERRNO_MAX 4096                  /* include/linux/err.h of the kernel */
#define PF_KTHREAD 0x00200000U          /* include/linux/sched.h: flags in /proc/PID/stat */

/* Until lkmd shows that it is there. A load takes as long as it takes. */
#define ALIVE_USEC (3 * UINT64_C(1000000))

static Output output;
static Client *client;                  /* NULL: not asked yet, or not there */
static bool is_looked_for;

void tool_answer_clear(ToolAnswer *a) {
        assert(a);

        free(a->error);
        sd_json_variant_unref(a->fields);
        *a = (ToolAnswer) {};
}

static int on_error(const char *error_id, sd_json_variant **fields, void *userdata) {
        ToolAnswer *a = userdata;

        a->error = strdup(error_id);
        a->fields = sd_json_variant_ref(*fields);
        return a->error ? 0 : -ENOMEM;
}

static int call(const char *method, sd_json_variant *parameters, uint64_t answer_usec, ToolAnswer *ret) {
        _cleanup_(tool_answer_clear) ToolAnswer answer = {};
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *reply = NULL;
        const CallHooks hooks = {
                .on_error = on_error,
                .userdata = &answer,
                .answer_usec = answer_usec,
                .silent = true,
        };
        int r;

        r = client_call(client, method, parameters, &hooks, &reply);
        if (r < 0)
                return r;
        if (r == STATUS_NOT_REACHABLE)
                return -ENOTCONN;
        if (r == 0)
                answer.fields = STEAL_PTR(reply);
        *ret = answer;
        answer = (ToolAnswer) {};
        return 0;
}

static bool is_child_of_kernel(void) {
        _cleanup_(fclosep) FILE *f = NULL;
        char path[64], text[512] = "";
        const char *rest;
        unsigned flags;

        (void) snprintf(path, sizeof(path), "/proc/%d/stat", getppid());
        f = fopen(path, "re");
        if (!f || !fgets(text, sizeof(text), f))
                return false;
        rest = strrchr(text, ')');      /* behind the name, which may have anything: proc_pid_stat(5) */
        return rest && sscanf(rest, ") %*c %*d %*d %*d %*d %*d %u", &flags) == 1 && (flags & PF_KTHREAD);
}

/* Has lkmd-request, which the kernel has started, asked lkmd, got no answer, and become this program? */
static bool is_asked_already(void) {
        return secure_getenv(LKMD_NOT_ANSWERING_ENV) && is_child_of_kernel();
}

/**
 * tool_ask_is_possible() - does lkmd run, and answer?
 *
 * Looks once. Costs two system calls where lkmd does not run.
 */
bool tool_ask_is_possible(void) {
        _cleanup_(tool_answer_clear) ToolAnswer answer = {};

        if (is_looked_for)
                return client != NULL;
        is_looked_for = true;
        if (is_asked_already() || access(secure_getenv(LKMD_SOCKET_ENV) ?: LKMD_SOCKET, F_OK) < 0)
                return false;
        output_init(&output);
        if (client_new(&client, &output, NULL) < 0 ||
            call("org.varlink.service.GetInfo", NULL, ALIVE_USEC, &answer) < 0)
                client = client_free(client);
        return client != NULL;
}

/**
 * tool_ask() - call a method and wait for the answer
 * @ret: also if the method fails; to be cleared
 *
 * Return: 0; -ENOTCONN: lkmd does not run, or has gone meanwhile: do it without; another negative errno.
 */
int tool_ask(const char *method, sd_json_variant *parameters, ToolAnswer *ret) {
        assert(method && ret);

        return tool_ask_is_possible() ? call(method, parameters, 0, ret) : -ENOTCONN;
}

/* At the end of the program. */
void tool_ask_done(void) {
        client = client_free(client);
}

/* @error: LKMD_ERROR_*; NULL: none */
bool tool_answer_is(const ToolAnswer *a, const char *error) {
        assert(a);

        return error && a->error ? streq(a->error, error) : !error && !a->error;
}

/* What an error of lkmd's says; never NULL. */
const char *tool_answer_sentence(const ToolAnswer *a) {
        assert(a);

        return field_string(a->fields, "message") ?: a->error ?: "";
}

/* The negative errno of an error, as the system call would have returned it. */
int tool_answer_errno(const ToolAnswer *a) {
        uint64_t error;

        assert(a);

        if (a->error && streq(a->error, SD_VARLINK_ERROR_PERMISSION_DENIED))
                return -EPERM;
        error = field_number(a->fields, "errno");
        return error > 0 && error < ERRNO_MAX ? -(int) error : -EINVAL;
}

/**
 * tool_say_denied() - say that the policy or the configuration keeps a module out
 *
 * Return: the status that OnDenied= in lkmd.conf wants.
 */
ToolStatus tool_say_denied(const char *sentence) {
        _cleanup_(problem_list_clear) ProblemList problems = {};
        Settings settings;

        assert(sentence);

        tool_message(LOG_ERR, "%s\n", sentence);
        settings_default(&settings);
        (void) settings_load(&settings, NULL, &problems);
        return settings.on_denied == ON_DENIED_SUCCESS ? TOOL_DONE : TOOL_FAILED;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <syslog.h>

#include "common/base/message-ids.h"
#include "common/base/problem-list.h"
#include "common/base/util.h"

/*
 * Fields of a journal entry beside its message; NULL: the entry does not have it. lkmd.catalog explains the IDs.
 */
typedef struct LogFields {
        const char *message_id;
        const char *module;             /* LKMD_MODULE= */
        const char *origin;             /* LKMD_ORIGIN= */
        const char *key;                /* LKMD_KEY= */
        const char *device;             /* LKMD_DEVICE= */
        const char *subsystem;          /* LKMD_SUBSYSTEM= */
        const char *reason;             /* LKMD_REASON=, why the module is part of the request */
        const char *parent;             /* LKMD_PARENT=, the module that it is loaded for */
        const char *rule;               /* LKMD_RULE=, FILE:LINE */
        const char *outcome;            /* LKMD_OUTCOME= */
        long long requester_uid;        /* LKMD_REQUESTER_UID=, -1: none */
        long long requester_pid;        /* LKMD_REQUESTER_PID=, -1: none */
        bool has_login_uid;
        uid_t login_uid;                /* LKMD_REQUESTER_LOGINUID= */
        const char *command;            /* LKMD_REQUESTER_COMM= */
        const char *executable;         /* LKMD_REQUESTER_EXE= */
        const char *unit;               /* LKMD_REQUESTER_UNIT= */
        const char *container;          /* LKMD_REQUESTER_CONTAINER= */
        bool is_inferred;               /* LKMD_REQUESTER_INFERRED=1 */
        uint64_t duration_usec;         /* LKMD_DURATION_USEC=; 0: none */
        int error;                      /* ERRNO=, positive; 0: none */
} LogFields;

void log_set_level(int level);
void log_message(int level, const char *format, ...) _printf_(2, 3);
void log_entry(int level, const LogFields *fields, const char *format, ...) _printf_(3, 4);

void log_problem(const Problem *problem);

#define log_error(...) log_message(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_message(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_message(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_message(LOG_DEBUG, __VA_ARGS__)

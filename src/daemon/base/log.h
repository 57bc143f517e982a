/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include <syslog.h>

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
        int error;                      /* ERRNO=, positive; 0: none */
} LogFields;

#define LKMD_MESSAGE_LOADED "8a6e00149c394731b00f564799df73f1"
#define LKMD_MESSAGE_FAILED "52ca4cb152bc49859db30e05a3d95f13"
#define LKMD_MESSAGE_KEPT_OUT "3f5d1c6e0b7a4f2e9c84a1d7e6b05c92"
#define LKMD_MESSAGE_UNLOADED "10d47b5dbdf34ee482b0344e0b33a66d"
#define LKMD_MESSAGE_LEFT_OUT "a3f7852ba9b54f1bb4c4ae973aeb5b70"
#define LKMD_MESSAGE_GATE_LOST "b3ac6f0f1d2a4a0db9c1e2675cf8e0d4"
#define LKMD_MESSAGE_WOULD_DENY "74aa463401b24fb1bacd05bc7403cad2"
#define LKMD_MESSAGE_REPORTED "a42923ff03ff4c938dd1efb2ec10b9f1"
#define LKMD_MESSAGE_DENIED_LOADED "d8ddd6d9a5e84b19ad962550de3a93e6"
#define LKMD_MESSAGE_FOREIGN_DENIED "6b1d0c4e8f5a47d3b2960e7a1f83c5d4"
#define LKMD_MESSAGE_REFUSED_IN_KERNEL "3c1f7b0e5d2a4968b7e0c4a1f95d8e26"
#define LKMD_MESSAGE_UNPRIVILEGED "e4a0b7c19d6f4f358c2b5d17a3e8f061"
#define LKMD_MESSAGE_SLOW "f05d62f96fb548bf9842f6593b62641d"
#define LKMD_MESSAGE_PROBLEM "1787007a99e2418eacca5cf7a3191346"
#define LKMD_MESSAGE_EVENTS_LOST "dc179f2afdbf4997b284dc586bab51f8"
#define LKMD_MESSAGE_STEPPED_BACK "5b0b1f3a3e7e4d0f9d0a6c1b7d2f4e81"
#define LKMD_MESSAGE_STEPPED_IN "c1d7e0a94b3f4c57a8c2f9e15d6b3a70"
#define LKMD_MESSAGE_NOISY "ef86f053c4104052ba3078952a658273"

void log_set_level(int level);
void log_message(int level, const char *format, ...) _printf_(2, 3);
void log_entry(int level, const LogFields *fields, const char *format, ...) _printf_(3, 4);

void log_problem(const Problem *problem);

#define log_error(...) log_message(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_message(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_message(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_message(LOG_DEBUG, __VA_ARGS__)

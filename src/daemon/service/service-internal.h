/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Shared by the files of the service; nobody else includes this. */

#include <sys/queue.h>
#include <systemd/sd-varlink.h>

#include "daemon/clients/clients.h"
#include "daemon/engine/plan-run.h"
#include "daemon/service/service-context.h"

typedef struct Service Service;
typedef struct LoadCall LoadCall;
typedef struct UnloadCall UnloadCall;
typedef struct LookCall LookCall;

struct Service {
        ServiceContext context;
        sd_varlink_server *server;      /* has the methods, and is attached to no loop: clients.h */
        Clients *clients;
        LIST_HEAD(, LoadCall) loads;
        LIST_HEAD(, UnloadCall) unloads;
        LIST_HEAD(, LookCall) looks;
};

/* service-load.c */
int vl_method_load(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                   void *userdata);
void service_forget_loads(Service *s, sd_varlink *link);
void service_drop_loads(Service *s);
int service_reply_circle(sd_varlink *link, const char *module);
void service_report_loads(Service *s, const char *kind, const Record *record);

/* service-parameters.c */
int load_parameters_check(Service *s, sd_varlink *link, const Plan *plan, char *const *parameters);
int load_parameters_check_rights(sd_varlink *link, const Plan *plan, const Request *request);

/* service-live.c */
typedef struct LiveModule {             /* in the kernel */
        const char *name;               /* as the kernel calls it */
        const char *path;               /* of its file; NULL: not known, or built in */
        const Record *loaded_by;        /* NULL: not by lkmd, as far as it knows */
} LiveModule;

int describe_live_parameters(const LiveModule *m, const PlanStep *step, sd_json_variant **ret);
int describe_builtin_parameters(const char *module, const ModprobeConfig *config, sd_json_variant **ret);
int load_parameters_check_taken(sd_varlink *link, const PlanRun *run, const Request *request,
                                char *const *parameters);

/* service-unload.c */
int vl_method_unload(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                     void *userdata);
int vl_method_sweep(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                    void *userdata);
void service_forget_unloads(Service *s, sd_varlink *link);
void service_drop_unloads(Service *s);
void service_report_unloads(Service *s, const char *kind, const Record *record);

/* service-looks.c */
int service_reply_after_looks(Service *s, sd_varlink *link, sd_varlink_method_flags_t flags,
                              sd_json_variant *v);
void service_forget_looks(Service *s, sd_varlink *link);
void service_drop_looks(Service *s);

/* service-policy.c */
int vl_method_grant(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                    void *userdata);
int vl_method_revoke(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                     void *userdata);
int vl_method_audit(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                    void *userdata);
int vl_method_clear_audit(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                          void *userdata);
int describe_policy(const ServiceContext *context, sd_json_variant **ret);

/* service-history.c */
int vl_method_history(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                      void *userdata);

/* service-read.c */
int vl_method_status(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                     void *userdata);
int vl_method_list(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                   void *userdata);
int vl_method_describe_module(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                              void *userdata);

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Service: the varlink server and the small methods; the others have files of their own. Owns the server, the
 * clients in front of it and the calls that wait for an outcome. A link is one call (client.c). sd-varlink rejects
 * calls that do not match the description of the interface, so handlers only check what types do not express.
 */

#include "daemon/service/service.h"

#include <assert.h>

#include "common/base/limits.h"
#include "common/base/module-name.h"
#include "common/base/paths.h"
#include "common/device/device-path.h"
#include "common/interface/interface.h"
#include "daemon/history/record-json.h"
#include "daemon/service/service-caller.h"
#include "daemon/service/service-internal.h"
#include "daemon/service/service-reply.h"

/* -------------------------------------------------------------------------------------- small methods */

static int vl_method_monitor(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                             void *userdata) {
        Service *s = userdata;
        int r;

        r = service_admit(s, link, "Monitor", flags);
        if (r != 0)
                return r;
        r = dispatch_nothing(link, parameters);
        if (r != 0)
                return r;
        return monitors_add(s->context.monitors, link);
}

static int vl_method_reload(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                            void *userdata) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *described = NULL, *v = NULL;
        _cleanup_(problem_list_clear) ProblemList problems = {};
        Service *s = userdata;
        int r, reloaded;

        r = service_admit(s, link, "Reload", flags);
        if (r != 0)
                return r;
        r = dispatch_nothing(link, parameters);
        if (r != 0)
                return r;

        reloaded = s->context.reload(&problems, s->context.userdata);
        if (reloaded < 0 && reloaded != -EBADMSG)
                return reloaded;
        if (reloaded == -EBADMSG) {
                bool policy_broken = policy_keeper_is_broken(s->context.policy);
                bool settings_broken = s->context.setting_problems->n_items > 0;

                r = describe_problems(&problems, &described);
                if (r < 0)
                        return r;
                return sd_varlink_errorbo(
                        link, LKMD_ERROR_RELOAD_FAILED,
                        SD_JSON_BUILD_PAIR_STRING(
                                "message",
                                !policy_broken    ? "lkmd.conf is broken, the old settings stay in force"
                                : settings_broken ? "lkmd.conf and the policy are broken, what held before stays in force"
                                                  : "the policy is broken, what held before stays in force"),
                        SD_JSON_BUILD_PAIR_STRING("hint", "mend the lines that are named and reload again"),
                        SD_JSON_BUILD_PAIR_VARIANT("problems", described));
        }

        r = describe_problems(index_keeper_get_problems(s->context.index), &described);
        if (r < 0)
                return r;
        r = sd_json_buildo(&v, SD_JSON_BUILD_PAIR_VARIANT("problems", described));
        return r < 0 ? r : service_reply_after_looks(s, link, flags, v);
}

typedef struct WaitParameters {
        int idle, lists;
        const char *module, *device;    /* borrowed */
        uint64_t timeout_usec;
} WaitParameters;

static int vl_method_wait(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                          void *userdata) {
        static const sd_json_dispatch_field table[] = {
                { "idle", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_intbool, offsetof(WaitParameters, idle),
                  0 },
                { "lists", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_intbool,
                  offsetof(WaitParameters, lists), 0 },
                { "module", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
                  offsetof(WaitParameters, module), 0 },
                { "device", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
                  offsetof(WaitParameters, device), 0 },
                { "timeoutUSec", SD_JSON_VARIANT_UNSIGNED, sd_json_dispatch_uint64,
                  offsetof(WaitParameters, timeout_usec), 0 },
                {}
        };
        WaitParameters p = { .timeout_usec = UINT64_MAX };
        _cleanup_(freep) char *device = NULL;
        char name[MODULE_NAME_MAX + 1];
        Service *s = userdata;
        int r;

        r = service_admit(s, link, "Wait", flags);
        if (r != 0)
                return r;
        r = sd_varlink_dispatch(link, parameters, table, &p);
        if (r != 0)
                return r;
        if (!p.idle && !p.lists && !p.module && !p.device)
                return sd_varlink_error_invalid_parameter_name(link, "idle");
        if (p.module && (module_name_normalize(p.module, name, sizeof(name)) < 0 || strchr(name, '/')))
                return sd_varlink_error_invalid_parameter_name(link, "module"); /* it never comes */
        if (p.device && !device_path_is_sound(p.device))
                return sd_varlink_error_invalid_parameter_name(link, "device");
        if (p.device) {
                r = device_path_resolve(p.device, &device);
                if (r == -ENODEV || r == -EACCES)
                        return reply_message(link, LKMD_ERROR_NO_SUCH_DEVICE,
                                             "lkmctl monitor shows the devices that appear",
                                             "there is no device %s", p.device);
                if (r < 0)
                        return r;
        }

        return waits_add(s->context.waits, link,
                         &(WaitFor) {
                                 .idle = p.idle,
                                 .lists = p.lists,
                                 .module = p.module ? planner_kernel_name(s->context.planner,
                                                                          index_keeper_get(s->context.index),
                                                                          name, FACTS_READ)
                                                    : NULL,
                                 .device = device,
                                 .timeout_usec = p.timeout_usec,
                         });
}

/* --------------------------------------------------------------------------------------------- server */

/* A call is over, or its client hung up. What it asked for goes on without a reply. */
static void on_disconnect(sd_varlink_server *server, sd_varlink *link, void *userdata) {
        Service *s = userdata;

        monitors_remove(s->context.monitors, link);
        waits_remove(s->context.waits, link);
        service_forget_loads(s, link);
        service_forget_unloads(s, link);
        service_forget_looks(s, link);
}

static int bind_methods(Service *s) {
        return sd_varlink_server_bind_method_many(
                s->server, LKMD_INTERFACE ".Load", vl_method_load, LKMD_INTERFACE ".Unload",
                vl_method_unload, LKMD_INTERFACE ".Sweep", vl_method_sweep, LKMD_INTERFACE ".Status",
                vl_method_status, LKMD_INTERFACE ".DescribeModule", vl_method_describe_module,
                LKMD_INTERFACE ".List", vl_method_list, LKMD_INTERFACE ".Monitor", vl_method_monitor,
                LKMD_INTERFACE ".Reload", vl_method_reload, LKMD_INTERFACE ".Wait", vl_method_wait,
                LKMD_INTERFACE ".Grant", vl_method_grant, LKMD_INTERFACE ".Revoke", vl_method_revoke,
                LKMD_INTERFACE ".Audit", vl_method_audit, LKMD_INTERFACE ".ClearAudit",
                vl_method_clear_audit, LKMD_INTERFACE ".History", vl_method_history);
}

static int open_server(Service *s) {
        int r;

        r = sd_varlink_server_new(&s->server, SD_VARLINK_SERVER_INHERIT_USERDATA);
        if (r < 0)
                return r;
        sd_varlink_server_set_userdata(s->server, s);
        r = sd_varlink_server_set_info(s->server, "lkmd", "lkmd", LKMD_VERSION,
                                       "https://github.com/lkmd/lkmd");
        if (r < 0)
                return r;
        r = sd_varlink_server_set_connections_max(s->server, CLIENTS_MAX);
        if (r < 0)
                return r;
        r = sd_varlink_server_add_interface(s->server, &vl_interface_io_lkmd_Manager);
        if (r < 0)
                return r;
        r = bind_methods(s);
        if (r < 0)
                return r;
        return sd_varlink_server_bind_disconnect(s->server, on_disconnect);
}

/**
 * service_new() - serve calls from the next turn of the loop on
 * @context:   copied
 * @listen_fd: taken in any case; negative: listen on @address
 *
 * Return: 0, or what sd-varlink or bind(2) say.
 */
int service_new(Service **ret, const ServiceContext *context, int listen_fd, const char *address) {
        _cleanup_(service_freep) Service *s = NULL;
        _cleanup_(closep) int fd = listen_fd;
        int r;

        assert(ret && context && (listen_fd >= 0 || address));

        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->context = *context;
        LIST_INIT(&s->loads);
        LIST_INIT(&s->unloads);

        r = open_server(s);
        if (r < 0)
                return r;
        if (fd < 0)
                fd = clients_listen(address, 0666);
        if (fd < 0)
                return fd;
        r = clients_new(&s->clients, &(ClientsOptions) {
                                             .event = context->event,
                                             .server = s->server,
                                             .interface = LKMD_INTERFACE,
                                             .listen_fd = STEAL_FD(fd),
                                     });
        if (r < 0)
                return r;

        *ret = STEAL_PTR(s);
        return 0;
}

/* Return: NULL. */
Service *service_free(Service *s) {
        if (!s)
                return NULL;

        clients_free(s->clients);
        service_drop_loads(s);
        service_drop_unloads(s);
        service_drop_looks(s);
        sd_varlink_server_unref(s->server);
        free(s);
        return NULL;
}

/**
 * service_add_connection() - serve a connection that did not come over the listening socket
 * @fd:    connected, non-blocking, taken in any case
 * @ucred: of the peer
 *
 * Return: as clients_add_connection().
 */
int service_add_connection(Service *s, int fd, const struct ucred *ucred) {
        assert(s);

        return clients_add_connection(s->clients, fd, ucred);
}

/* For tests. */
const ServiceContext *service_get_context(const Service *s) {
        assert(s);

        return &s->context;
}

/* Send progress to the calls whose request this record belongs to. */
void service_report_progress(Service *s, const char *kind, const Record *record) {
        assert(s && kind && record);

        service_report_loads(s, kind, record);
        service_report_unloads(s, kind, record);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* critical-chain: which loads made a module late, each by the one that it waited for. */

#include "cli/offline/device.h"
#include "cli/picture/load-chain.h"
#include "cli/picture/loads-fetch.h"
#include "cli/print/fields.h"
#include "cli/print/format.h"
#include "cli/print/reply-text.h"
#include "cli/print/table.h"
#include "cli/verbs/verbs.h"
#include "common/base/limits.h"
#include "common/base/module-name.h"
#include "common/base/paths.h"
#include "common/interface/interface.h"

/* "needs the next one": what it waited for; of the last one, who wanted it */
static void write_why(FILE *f, const Load *load, ChainLink link) {
        switch (link) {
        case LINK_DEPENDENCY:
                (void) fputs("needs the next one", f);
                break;
        case LINK_SOFTDEP:
                (void) fputs("goes after the next one (softdep)", f);
                break;
        case LINK_DEVICE:
                print_requester_short(f, field_object(load->record, "requester"));
                (void) fputs(", found by the next one", f);
                break;
        case LINK_NOTHING:
                print_record_requester_short(f, load->record);
                break;
        }
}

static void write_column(FILE *f, size_t column, const Load *load, ChainLink link) {
        switch (column) {
        case 0:
                print_escaped(f, load->module);
                break;
        case 1:
                (void) fprintf(f, "@%.3f s", (double) load->live_usec / 1e6);
                break;
        case 2:
                (void) fputc('+', f);
                print_duration(f, load->live_after_usec);
                break;
        case 3:
                print_duration(f, load->began_usec - load->queued_usec);
                break;
        default:
                write_why(f, load, link);
        }
}

static int print_chain(const Output *out, const Loads *loads, const LoadChain *chain) {
        static const Column columns[] = {
                { "MODULE", .tree = true },
                { "USABLE", .right = true },
                { "LOADED IN", .right = true },
                { "QUEUED", .right = true },
                { "WHY", .wrap = true },
        };
        _cleanup_(table_freep) Table *table = NULL;
        int r;

        r = table_new(&table, out, columns, ARRAY_LEN(columns));
        if (r < 0)
                return r;
        for (size_t i = 0; i < chain->n_steps; i++) {
                r = i == 0 ? table_line(table) : table_line_below(table, i - 1);
                for (size_t k = 0; r >= 0 && k < ARRAY_LEN(columns); k++) {
                        FILE *f = table_cell(table);

                        if (f)
                                write_column(f, k, loads->items + chain->steps[i].load,
                                             chain->steps[i].link);
                        r = table_cell_end(table);
                }
                if (r < 0)
                        return r;
        }
        r = table_print(table);
        if (r < 0)
                return r;
        printf("%sUsable: since the kernel started. Each waited for the one below it.%s\n",
               output_tone(out, stdout, TONE_DIM), output_tone(out, stdout, TONE_PLAIN));
        return output_flush();
}

static int print_json(Output *out, const Loads *loads, const LoadChain *chain) {
        int r;

        output_list_begin(out);
        for (size_t i = 0; i < chain->n_steps; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
                const char *link = chain_link_to_string(chain->steps[i].link);

                r = load_to_json(loads->items + chain->steps[i].load, &v);
                if (r >= 0 && link)
                        r = sd_json_variant_set_field_string(&v, "waitedFor", link);
                if (r >= 0)
                        r = output_json(out, v);
                if (r < 0)
                        return r;
        }
        return output_list_end(out);
}

/* The load of the driver of a device. Return: 0; STATUS_NO_SUCH_MODULE, after reporting why; -ENOMEM. */
static int find_load_for_device(Run *run, const Loads *loads, const Device *device, size_t *ret) {
        _cleanup_(freep) char *module = NULL;
        int r;

        r = device_driver_module(secure_getenv(LKMD_ROOT_ENV), device->path, &module);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return failure_print_own(
                        &run->out, LKMD_ERROR_NO_SUCH_MODULE, "lkmctl explain DEVICE says why",
                        "the device %s has no driver, or one of the kernel image", device->path);
        *ret = loads_find(loads, module);
        if (*ret == NO_LOAD)
                return failure_print_own(&run->out, LKMD_ERROR_NO_SUCH_MODULE, "lkmctl status MODULE",
                                         "the driver of %s is %s, and there is no load of that",
                                         device->path, module);
        return 0;
}

/* Return: 0; an ExitStatus, after reporting why; negative errno. */
static int find_load(Run *run, const Loads *loads, const char *argument, size_t *ret) {
        _cleanup_(device_freep) Device *device = NULL;
        char name[MODULE_NAME_MAX + 1];

        if (!argument) {
                *ret = loads_last(loads);
                return *ret != NO_LOAD
                               ? 0
                               : failure_print_own(&run->out, LKMD_ERROR_NO_SUCH_MODULE, "lkmctl list",
                                                   "lkmd has loaded nothing in this boot");
        }
        *ret = module_name_normalize(argument, name, sizeof(name)) < 0 ? NO_LOAD : loads_find(loads, name);
        if (*ret != NO_LOAD)
                return 0;
        switch (device_find(&device, argument)) {
        case 0:
                return find_load_for_device(run, loads, device, ret);
        case -ENOMEM:
                return -ENOMEM;
        case -ENOTUNIQ:
                return failure_print_own(&run->out, CLIENT_ERROR_USAGE, NO_SUCH_DEVICE_HINT,
                                         "there are several devices '%s'", argument);
        default:
                return failure_print_own(&run->out, LKMD_ERROR_NO_SUCH_MODULE,
                                         run->all ? "lkmctl list" : "--all also looks at loads after the boot",
                                         "there is no load of a module '%s', and no such device", argument);
        }
}

/* The modules in the kernel, to know who needs whom; it stays NULL if lkmd does not say. */
static int fetch_graph(Run *run, sd_json_variant **ret_reply, ModuleGraph **ret) {
        static const CallHooks hooks = { .answer_usec = ANSWER_SOON_USEC, .silent = true };
        int r;

        r = client_call(run->client, "List", NULL, &hooks, ret_reply);
        if (r != 0 || !field_array(*ret_reply, "modules"))
                return r == -ENOMEM ? r : 0;
        return module_graph_new(ret, field_array(*ret_reply, "modules"));
}

int verb_critical_chain(Run *run, char **args, unsigned n_args) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *reply = NULL;
        _cleanup_(module_graph_freep) ModuleGraph *graph = NULL;
        _cleanup_(history_clear) History history = {};
        _cleanup_(load_chain_clear) LoadChain chain = {};
        _cleanup_(loads_clear) Loads loads = {};
        size_t last = NO_LOAD;
        int r;

        r = loads_fetch(run, &history, &loads);
        if (r == 0)
                r = fetch_graph(run, &reply, &graph);
        if (r == 0)
                r = find_load(run, &loads, n_args > 0 ? args[0] : NULL, &last);
        if (r != 0)
                return r;
        r = load_chain_new(&loads, graph, secure_getenv(LKMD_ROOT_ENV), last, &chain);
        if (r < 0)
                return r;
        if (run->out.json != JSON_OFF)
                return print_json(&run->out, &loads, &chain);
        return run->out.quiet ? STATUS_DONE : print_chain(&run->out, &loads, &chain);
}

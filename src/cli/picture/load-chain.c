/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * LoadChain: from a load to the one that it waited for, and so on. A module waits for what it needs: lkmd queues
 * it when all of that is usable. A device waits to exist, which it does when the driver of a device above it has
 * found it. So the chain goes to what was usable last of what it needs, or else to that driver. Owns the steps.
 */

#include "cli/picture/load-chain.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "cli/print/fields.h"
#include "common/base/clock.h"
#include "common/base/util.h"

#define SOON_USEC \
        (100 * USEC_PER_MSEC) /* until lkmd has queued what waited for a module that is usable now */

const char *chain_link_to_string(ChainLink link) {
        switch (link) {
        case LINK_DEPENDENCY:
                return "dependency";
        case LINK_SOFTDEP:
                return "softdep";
        case LINK_DEVICE:
                return "device";
        case LINK_NOTHING:
                break;
        }
        return NULL;
}

/**
 * device_driver_module() - the module of the driver that a device has
 * @root:   what is before /sys; NULL: nothing
 * @device: its path below that, from lkmd: it is not trusted
 *
 * Return: 0; -ENOENT: it has none, or is not there; -ENOMEM.
 */
int device_driver_module(const char *root, const char *device, char **ret) {
        _cleanup_(freep) char *path = NULL, *name = NULL;
        char target[PATH_MAX];
        const char *slash;
        ssize_t n;

        assert(device && ret);

        if (*device != '/' || strstr(device, "/../"))
                return -ENOENT;
        if (asprintf(&path, "%s/sys%s/driver/module", root ?: "", device) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        n = readlink(path, target, sizeof(target) - 1);
        if (n < 0)
                return -ENOENT;
        target[n] = '\0';
        slash = strrchr(target, '/');
        name = strdup(slash ? slash + 1 : target);
        if (!name)
                return -ENOMEM;
        *ret = STEAL_PTR(name);
        return 0;
}

/* Does @user need @used? By the kernel's word, or because it was loaded for it. */
static ChainLink link_between(const Loads *loads, const ModuleGraph *graph, size_t user, size_t used) {
        const char *reason = field_string(loads->items[used].record, "reason") ?: "";
        size_t a, b;

        if (loads->items[used].parent == user && streq(reason, "softdep_pre"))
                return LINK_SOFTDEP;
        if (loads->items[used].parent == user && streq(reason, "dependency"))
                return LINK_DEPENDENCY;
        if (loads->items[user].parent == used &&
            streq_ptr(field_string(loads->items[user].record, "reason"), "softdep_post"))
                return LINK_SOFTDEP;
        if (!graph)
                return LINK_NOTHING;
        a = module_graph_find(graph, loads->items[user].module);
        b = module_graph_find(graph, loads->items[used].module);
        for (size_t i = 0; a != NO_NODE && b != NO_NODE && i < graph->n_edges; i++)
                if (graph->edges[i].user == a && graph->edges[i].used == b)
                        return graph->edges[i].reason == EDGE_DEPENDENCY ? LINK_DEPENDENCY : LINK_NOTHING;
        return LINK_NOTHING;
}

/* Did @load come along for @late, or for what came along for it? Then it was wanted before it could begin. */
static bool is_for(const Loads *loads, size_t load, size_t late) {
        for (size_t n = 0; load != NO_LOAD && n < loads->n_items; n++) {
                if (load == late)
                        return true;
                load = loads->items[load].parent;
        }
        return false;
}

/* What it needs and had to wait for: of these, what was usable last. */
static ChainStep find_needed(const Loads *loads, const ModuleGraph *graph, size_t load) {
        const Load *late = loads->items + load;
        ChainStep found = { NO_LOAD, LINK_NOTHING };

        for (size_t i = 0; i < loads->n_items; i++) {
                const Load *l = loads->items + i;
                ChainLink link;

                if (i == load || l->fate == LOAD_UNDER_WAY || l->live_usec > late->began_usec)
                        continue;
                if (l->live_usec + SOON_USEC < late->queued_usec && !is_for(loads, i, load))
                        continue;
                if (found.load != NO_LOAD && loads->items[found.load].live_usec >= l->live_usec)
                        continue;
                link = link_between(loads, graph, load, i);
                if (link != LINK_NOTHING)
                        found = (ChainStep) { i, link };
        }
        return found;
}

/*
 * Of the drivers of all devices above that which wanted it, the one that was usable last, if lkmd loaded it before: a
 * hub may have had its driver long before the controller above it.
 */
static int find_device(const Loads *loads, const char *root, size_t load, ChainStep *ret) {
        const Load *late = loads->items + load;
        const char *device = field_string(field_object(late->record, "requester"), "device");
        _cleanup_(freep) char *path = NULL;
        char *slash;
        int r;

        *ret = (ChainStep) { NO_LOAD, LINK_NOTHING };
        if (!device)
                return 0;
        path = strdup(device);
        if (!path)
                return -ENOMEM;
        while ((slash = strrchr(path, '/')) && slash > path) {
                _cleanup_(freep) char *module = NULL;
                size_t found;

                *slash = '\0';
                r = device_driver_module(root, path, &module);
                if (r == -ENOMEM)
                        return r;
                found = r < 0 ? NO_LOAD : loads_find(loads, module);
                if (found == NO_LOAD || found == load || loads->items[found].seen ||
                    loads->items[found].began_usec > late->queued_usec)
                        continue;
                if (ret->load == NO_LOAD ||
                    loads->items[found].live_usec > loads->items[ret->load].live_usec)
                        *ret = (ChainStep) { found, LINK_DEVICE };
        }
        return 0;
}

static bool has_step(const LoadChain *chain, size_t load) {
        for (size_t i = 0; i < chain->n_steps; i++)
                if (chain->steps[i].load == load)
                        return true;
        return false;
}

/**
 * load_chain_new() - what made a load late
 * @graph:    the modules in the kernel; NULL: not known
 * @root:     what is before /sys; NULL: nothing
 * @ret:      cleared by load_chain_clear(); begins with @last, each step waited for the one behind it
 *
 * Return: 0; -ENOMEM.
 */
int load_chain_new(const Loads *loads, const ModuleGraph *graph, const char *root, size_t last,
                   LoadChain *ret) {
        LoadChain chain = {};
        ChainStep next;
        int r = 0;

        assert(loads && last < loads->n_items && ret);

        chain.steps = calloc(loads->n_items, sizeof(*chain.steps));
        if (!chain.steps)
                return -ENOMEM;
        for (size_t load = last; load != NO_LOAD && !has_step(&chain, load); load = next.load) {
                if (chain.n_steps > 0)
                        chain.steps[chain.n_steps - 1].link = next.link;
                chain.steps[chain.n_steps++].load = load;
                next = find_needed(loads, graph, load);
                if (next.load == NO_LOAD)
                        r = find_device(loads, root, load, &next);
                if (r < 0) {
                        load_chain_clear(&chain);
                        return r;
                }
        }
        *ret = chain;
        return 0;
}

void load_chain_clear(LoadChain *chain) {
        assert(chain);

        free(chain->steps);
        *chain = (LoadChain) {};
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* static-nodes: the device nodes that load a module when they are opened, as kmod static-nodes --format=tmpfiles. */

#include <sys/sysmacros.h>

#include "cli/offline/offline.h"
#include "cli/print/format.h"
#include "cli/verbs/verbs.h"

static int node_to_json(const Devname *node, sd_json_variant **array) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        int r;

        r = sd_json_buildo(&v, SD_JSON_BUILD_PAIR_STRING("node", node->node),
                           SD_JSON_BUILD_PAIR_STRING("module", node->module),
                           SD_JSON_BUILD_PAIR_STRING("type", node->block ? "block" : "character"),
                           SD_JSON_BUILD_PAIR_UNSIGNED("major", major(node->device)),
                           SD_JSON_BUILD_PAIR_UNSIGNED("minor", minor(node->device)));
        return r < 0 ? r : sd_json_variant_append_array(array, v);
}

static int print_all_json(Run *run, const Devname *nodes, size_t n) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *array = NULL, *answer = NULL;
        int r;

        r = sd_json_variant_new_array(&array, NULL, 0);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = node_to_json(nodes + i, &array);
        if (r >= 0)
                r = sd_json_buildo(&answer, SD_JSON_BUILD_PAIR_VARIANT("nodes", array));
        return r < 0 ? r : output_json(&run->out, answer);
}

/* A line of tmpfiles.d(5); before it one for the directory, as kmod has it: for each node again. */
static void print_node(const Devname *node) {
        const char *slash = strrchr(node->node, '/');

        if (slash)
                printf("d /dev/%.*s 0755 - - -\n", (int) (slash - node->node), node->node);
        printf("%c! /dev/%s 0600 - - - %u:%u\n", node->block ? 'b' : 'c', node->node, major(node->device),
               minor(node->device));
}

int verb_static_nodes(Run *run, char **args, unsigned n_args) {
        _cleanup_(index_unrefp) const Index *index = NULL;
        const Devname *nodes;
        size_t n;
        int r;

        r = offline_index(run, true, &index);
        if (r != 0)
                return r;
        nodes = index_get_devnames(index, &n);
        if (run->out.json != JSON_OFF)
                return print_all_json(run, nodes, n);
        for (size_t i = 0; output_wants_text(&run->out) && i < n; i++)
                print_node(nodes + i);
        return output_flush();
}
